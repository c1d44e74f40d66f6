### Rechazos: rejected-<código>, con los parámetros del tipo Rejected de ese nombre; not-now-<orden> cuando una orden
### a destiempo merece algo más que la respuesta general. Sin formato: son avisos.

## En todos los juegos

rejected-not-now = { $phase ->
    [completed] Esta partida ha terminado.
    [cancelled] Esta partida se canceló.
   *[other] Eso no es posible en este momento de la partida.
}
not-now-join = { $phase ->
    [completed] Esta partida ha terminado. Te esperamos en la próxima.
    [cancelled] Esta partida se canceló. Te esperamos en la próxima.
   *[other] La partida ya ha empezado. Te esperamos en la próxima.
}
not-now-leave = { $phase ->
    [completed] Esta partida ha terminado.
    [cancelled] Esta partida se canceló.
   *[other] La partida ya ha empezado: es tarde para salir.
}
not-now-remove = { $phase ->
    [completed] Esta partida ha terminado.
    [cancelled] Esta partida se canceló.
   *[other] Ahora no se puede quitar a nadie.
}
not-now-start-now = { $phase ->
    [completed] Esta partida ha terminado.
    [cancelled] Esta partida se canceló.
   *[other] La partida ya ha empezado.
}
not-now-extend = { $phase ->
    [completed] Esta partida ha terminado.
    [cancelled] Esta partida se canceló.
   *[other] Ahora no hay nada que alargar.
}
not-now-cancel = { $phase ->
    [cancelled] La partida ya está cancelada.
   *[other] Esta partida ha terminado.
}
rejected-too-late = Demasiado tarde: el tiempo se acaba de terminar.
rejected-unknown-game = Esa partida terminó hace mucho.
rejected-already-joined = Ya estás dentro.
rejected-not-in-game = No estás en esta partida.
rejected-won-before = Ya has ganado en esta serie. Esta revancha es para los demás.
rejected-game-full = { $limit ->
    [one] La única plaza está ocupada.
   *[other] Las { $limit } plazas están ocupadas.
}
rejected-not-enough-players = Aún faltan jugadores: { $have } de { $need }.
rejected-place-taken = { $limit ->
    [one] Aquí ya hay una partida en marcha.
   *[other] Aquí ya hay { $limit } partidas en marcha.
}
rejected-bad-title = El título es una sola línea de { $limit } caracteres como mucho.
rejected-bad-extension = { $limit_seconds ->
    [one] Una partida se puede alargar un segundo cada vez.
   *[other] Una partida se puede alargar entre 1 y { $limit_seconds } segundos cada vez.
}
rejected-bad-rule = { $name }: entre { $low } y { $high }. Has puesto { $given }.
rejected-bad-rule-percentages = Hace falta un porcentaje por cada puesto ganador, todos mayores que cero y 100 en total. Has puesto { $given }.
rejected-bad-rule-mode = El modo es { $low } o { $high }. Has puesto { $given }.
rejected-bad-rule-split = El reparto es auto, equal o percentages. Has puesto { $given }.
rejected-bad-rule-prize = Un premio puede tener hasta { $high } caracteres y este tiene más: { $given }.
rejected-bad-rule-prizes = Puede haber hasta { $high } premios, uno por cada puesto ganador. Has puesto { $given }.
rejected-bad-rule-amounts = Puede haber una cantidad por cada puesto ganador, todas mayores que 0.
rejected-bad-rule-prize_pool = El fondo de premios puede llegar a un billón, con hasta 8 decimales. Has puesto { $given }.
rejected-not-yours = Este menú lo abrió otra persona. Envía la orden y tendrás el tuyo.
rejected-cannot-ban = No se puede vetar a un administrador.
rejected-erasure-under-way = Tus datos ya se están borrando.

## Órdenes y permisos

rejected-no-game-here = Aquí no hay ninguna partida en marcha. Un administrador puede abrir una con /newgame.
rejected-which-game = Aquí hay varias partidas en marcha. Escribe el código de una después de la orden: { $games }
rejected-bad-name = Un nombre tiene entre 1 y { $limit } caracteres.
rejected-name-taken = Otra plantilla ya tiene ese nombre.
rejected-too-many-templates = El grupo ya tiene { $limit } plantillas. Elimina una primero.
rejected-no-such-template = Esta plantilla se ha eliminado.
rejected-no-such-recurring = Esta partida periódica ya no existe.
rejected-too-many-recurring = El grupo ya tiene { $limit } partidas periódicas. Borra antes una.
rejected-being-changed = Otra persona lo está cambiando ahora mismo. Inténtalo de nuevo.
rejected-unknown-time-zone = No conozco ninguna zona horaria con ese nombre.
rejected-too-many-subscriptions = Ya sigues { $limit } grupos. Envía /nextgame en nuestro chat privado para dejar uno.
rejected-muted = No puedo enviar mensajes en este grupo, así que nadie vería la partida. Dame primero ese permiso, por favor.
rejected-not-a-host = Solo pueden hacerlo los administradores del grupo.
rejected-banned = No puedes jugar en este chat: te han vetado.
rejected-elsewhere = Esa partida es de otro chat.
rejected-join-in-group = Toca primero «Jugar» en el grupo y después vuelve aquí.
rejected-not-a-member = Es solo para miembros del grupo y, según Telegram, tú no estás en él.
rejected-not-an-operator = Solo pueden hacerlo los operadores del bot, en el chat privado.
rejected-still-played = Esta partida sigue en marcha. Primero hay que terminarla.
rejected-needs-a-person = Los administradores anónimos no pueden jugar. Escribe con tu propia cuenta para unirte.
rejected-who-is-meant = ¿De quién hablas? Responde con la orden a un mensaje suyo o escribe después @nombre o un id.
rejected-id-with-blanks = Escribe el id sin espacios, por ejemplo 1234567. Si no, sus primeras cifras podrían ser el id de otra persona.
rejected-nothing-to-prove = No hay ningún sorteo terminado que comprobar. Responde con /fair al mensaje de una partida o escribe su código después.
rejected-too-busy = Telegram no me deja enviar más aquí por ahora. Inténtalo dentro de unos segundos.

## Trabajos, webhooks e importaciones

rejected-unknown-job = No existe ese trabajo.
rejected-job-ended = Este trabajo ya ha terminado.
rejected-job-not-dead = Este trabajo ni ha fallado ni se ha cancelado.
rejected-bad-signature = La llamada no está firmada con el secreto de este webhook.
rejected-stale-call = La hora de la llamada difiere de la nuestra en más de cinco minutos.
rejected-replayed-call = Una llamada con este identificador ya se ha atendido.
rejected-bad-url = La dirección debe empezar por https:// y no llevar contraseña.
rejected-forbidden-address = La dirección pertenece a una red privada o reservada.
rejected-unknown-endpoint = No existe ese webhook.
rejected-unknown-delivery = Este webhook no tiene esa entrega.
rejected-unknown-source = No existe ese origen de webhooks.
rejected-unknown-event-type = No existe ese tipo de evento.
rejected-too-many-endpoints = Ya hay { $limit } webhooks, que es el límite.
rejected-too-many-imports = Ya hay { $limit } importaciones tuyas en espera. Inténtalo cuando terminen.
rejected-bad-call = El cuerpo de la llamada no es ningún evento conocido.

## Condiciones para jugar

rejected-not-in-channel = { $channel ->
    [private] Esta partida es para los miembros de un canal privado. Pregunta por él a quien organiza.
   *[other] Esta partida es para los miembros de un canal. Únete a { $channel } e inténtalo otra vez.
}
rejected-known-too-short = { $days ->
    [one] Esta partida es para quienes conozco desde hace un día.
   *[other] Esta partida es para quienes conozco desde hace { $days } días.
}
rejected-no-boost = Esta partida es para quienes dan un boost al grupo. Dale uno e inténtalo otra vez.
rejected-no-premium = Esta partida es para quienes tienen Telegram Premium.
rejected-premium-unknown = Esta partida es para quienes tienen Telegram Premium y eso solo se ve en Telegram. Hay que unirse allí.
rejected-channel-unreadable = No veo a los miembros de { $channel }. Hazme administrador de ese canal e inténtalo otra vez.
rejected-boosts-unreadable = No veo quién da boosts al grupo. Hazme administrador del grupo e inténtalo otra vez.
rejected-bad-rule-channel = Un canal es su @nombre, su enlace o su id, como -1001234567890.
