### Los diálogos: /newgame, /settings, /admin.

dlg-back = ‹ Atrás
dlg-close = Cerrar
dlg-reset = Volver a los valores iniciales
dlg-none = nada
dlg-line = { $name }: <b>{ $value }</b>
dlg-reply-only = Escríbelo aquí.
dlg-reply-with-it = Toca un valor o escribe el tuyo.
dlg-unreadable = ⚠️ Así no puede ser. Escribe números en cifras, sin moneda ni unidad.
dlg-unreadable-prize = ⚠️ No entiendo ese número. Escribe, por ejemplo, <b>1000</b> o <b>12,50 euros</b>, o describe el premio con palabras.
dlg-ambiguous = ⚠️ { $text } se puede leer de dos maneras. Escribe { $low } o { $high }.
dlg-stale = Este botón ya no sirve. Envía la orden otra vez.

## Una partida nueva

dlg-newgame-create = ✅ Abrir la partida
dlg-newgame-without-you = Abierta, pero sin ti: no cumples sus condiciones.
dlg-newgame-opened = La partida está abierta.

## Los formularios de una partida nueva y de los ajustes

form-kind = <b>¿A qué jugamos?</b>
form-no-prize = 🎁 Sin premio, solo por diversión
form-players =
    👥 Empieza { $join_seconds } después de que { $min_players ->
        [one] se una el primer jugador
       *[other] se unan { $min_players } jugadores
    }
form-more = ⚙️ Más
form-ready-quick = ⚡ Rápida
form-ready-prize_draw = 🎁 Sorteo
form-ready-quiz_night = 🌙 Noche de trivia
form-for = Una partida nueva en <b>{ $chat }</b>
form-prize = 🎁 Premio
form-all = ⚙️ Todos los ajustes
form-save = ⭐ Guardar como plantilla
form-saved = ⭐ Guardada como <b>{ $name }</b>. Desde ahora /newgame la ofrece en el grupo.
form-name-template = ¿Cómo se llamará? Escribe un nombre de hasta 32 caracteres.
form-opened = ✅ La partida <b>{ $title }</b> está abierta en <b>{ $chat }</b>. Vuelve al grupo: allí puede unirse todo el mundo.
form-settings = ⚙️ Abrir los ajustes
form-settings-where = Los ajustes de este grupo están en nuestro chat privado, para no ocupar sitio aquí.
form-settings-of = ⚙️ <b>{ $chat }</b>: ajustes
form-language = ¿En qué idioma hablo en el grupo?
form-to-templates = ⭐ Plantillas
form-templates = <b>Plantillas del grupo</b>
    Los administradores abren partidas con ellas mediante /newgame.
form-templates-none = <b>Plantillas del grupo</b>
    Todavía no hay ninguna. En una partida nueva toca «Más» y después «Guardar como plantilla».
form-template = ⭐ { $name }
form-template-named = ⭐ <b>{ $name }</b>
form-rename = Cambiar el nombre
form-delete = Eliminar
form-delete-sure = ¿Eliminar la plantilla <b>{ $name }</b>?

## Ajustes

dlg-name-host_plays = Quien organiza también juega
dlg-host_plays-yes = sí
dlg-host_plays-no = no
dlg-name-openers = Quién puede abrir partidas
dlg-name-language = Idioma
dlg-openers-hosts = solo administradores
dlg-openers-everyone = todo el mundo

dlg-name-messages = Mensajes en el grupo
dlg-messages-normal = inicio, recordatorio y resultado
dlg-messages-lively = cada paso, con sonido
dlg-messages-quiet = todo en un solo mensaje, sin avisos nuevos
dlg-name-pin = Fijar el mensaje de la partida
dlg-pin-yes = mientras dure la partida
dlg-pin-no = no
dlg-pin-no-right = Todavía no puedo fijar mensajes en este grupo. Dame ese permiso.
dlg-name-picture = Imagen con los ganadores
dlg-picture-yes = con el resultado
dlg-picture-no = no
dlg-name-season = Temporada
dlg-season-quarter = un trimestre, con podio al final
dlg-season-month = un mes, con podio al final
dlg-season-no = sin podio
dlg-name-public = Páginas públicas
dlg-public-yes = quien tenga el enlace ve partidas, resultados y clasificación
dlg-public-no = no
dlg-public-what = Ahora quien tenga el enlace ve las partidas, los resultados y la clasificación de este grupo, con nombres. Toca otra vez para retirarlas.
dlg-public-url = Página pública: { $url }
dlg-name-indexed = Buscadores
dlg-indexed-yes = pueden mostrar las páginas públicas
dlg-indexed-no = no pueden mostrar las páginas públicas

## Las reglas, por su nombre

dlg-name-title = Título
dlg-name-mode = Modo
dlg-name-winners = Ganadores
dlg-name-prize = Premio
dlg-prize-none = ninguno, solo por diversión
dlg-name-split = Reparto del premio
dlg-name-percentages = Porcentajes
dlg-name-min_players = Mínimo jugadores
dlg-name-max_players = Máximo jugadores
dlg-name-lobby_seconds = Espera máxima
dlg-name-join_seconds = Última llamada

dlg-split-auto = la mitad al primero, después menos
dlg-split-equal = partes iguales
dlg-split-percentages = porcentajes propios

dlg-about-title = Cómo se llama la partida: una línea de hasta 64 caracteres.
dlg-about-winners = Cuántos puestos ganan: de 1 a 10.
dlg-about-prize =
    Qué se puede ganar: con palabras (<i>entrada de cine</i>), una cantidad (<i>100 euros</i>) o una lista, con una línea por puesto.

    Una cantidad se reparte entre los ganadores. Un premio con palabras es para cada uno de ellos.
dlg-about-split = Cómo se reparten los ganadores el fondo de premios.
dlg-about-percentages =
    { $winners ->
        [one] Hay un solo ganador, que se lo lleva todo. Aumenta primero el número de ganadores.
       *[other] { $winners } porcentajes que sumen 100, empezando por el primer puesto. Por ejemplo: 50 30 20
    }
dlg-about-min_players = La partida empieza cuando se haya unido este número de jugadores.
dlg-about-max_players = Con este número la partida está completa y empieza enseguida.
dlg-about-lobby_seconds = Cuánto se espera a que haya suficientes jugadores, en segundos. Después la partida se cancela.
dlg-about-join_seconds = Cuánto tiempo más se puede entrar cuando ya hay suficientes jugadores, en segundos.

## Operadores

dlg-admin = <b>Gestión</b>
dlg-admin-health = { $name }: { $state }
dlg-admin-refresh = Actualizar
dlg-admin-to-games = Partidas en marcha
dlg-admin-to-ban = Vetos
dlg-admin-to-cast = Mensaje a todos los chats
dlg-admin-games = <b>Partidas en marcha</b>
dlg-admin-games-earlier = ◀ Anteriores
dlg-admin-games-later = Siguientes ▶
dlg-admin-game = { $kind }, chat <code>{ $chat }</code>, tema { $topic }, organiza { $host }, versión { $version }
dlg-admin-end = Terminar a la fuerza
dlg-admin-end-sure = ¿Terminar esta partida sin resultado?
dlg-admin-ended = ✅ La partida se ha cancelado.
dlg-admin-ban = <b>Vetos en todos los chats</b>
    Para vetar a alguien, escribe su id y después el motivo.
dlg-admin-ban-whom = ⚠️ Escribe el id de alguien que no sea operador de este bot.
dlg-admin-banned = ✅ { $player } ya no puede jugar en ningún chat.
dlg-admin-unban = Readmitir a { $name }
dlg-admin-unbanned = ✅ { $player } puede volver a jugar.
dlg-admin-to-dashboard = Panel
dlg-admin-dashboard = Este botón abre el panel una sola vez, en los próximos cinco minutos. No lo compartas: da acceso en tu nombre.
dlg-admin-dashboard-open = Abrir el panel
dlg-admin-to-flags = Opciones
dlg-admin-flags = <b>Opciones en prueba</b>
dlg-admin-flag = <code>{ $flag }</code>: { $percent } %{ $on ->
    [0] { "" }
   *[other] , siempre activa en { $on }
}{ $off ->
    [0] { "" }
   *[other] , siempre desactivada en { $off }
} — { $about }
dlg-admin-flags-how = Escribe una opción y un porcentaje, por ejemplo { $example } 10; sin porcentaje se deshace tu cambio.
dlg-admin-flag-wrong = ⚠️ No conozco esa opción, o el porcentaje no va de 0 a 100.
dlg-admin-flag-set = ✅ { $flag } está activa en el { $percent } % de los chats.
flag-second-draw-format = El sorteo queda ligado de antemano a las reglas, la partida y la baliza (formato 2 de pruebas). Desactivada: formato 1, si las reglas de la partida lo permiten.
flag-native-polls = Las trivias pueden preguntar con las encuestas de Telegram. Desactivada: con botones, elija lo que elija el chat.
flag-api-writes = La API HTTP acepta cambios. Desactivada: responde 503 con el código flag-off; las lecturas siguen.
dlg-admin-cast = <b>Mensaje a todos los chats</b>
    Escríbelo aquí. Lo verás otra vez antes de que se envíe.
dlg-admin-cast-long = ⚠️ Demasiado largo: como mucho { $limit } caracteres.
dlg-admin-cast-sure = <b>¿Enviar esto a todos los chats?</b>
dlg-admin-cast-send = Enviar
dlg-admin-cast-sent = ✅ En camino. Puedes seguirlo aquí, y te avisaré cuando termine.
dlg-admin-cast-done =
    { $count ->
        [one] ✅ Tu mensaje ha llegado a { $count } chat.
       *[other] ✅ Tu mensaje ha llegado a { $count } chats.
    }
dlg-admin-cast-cancelled =
    { $count ->
        [one] ⏹ El envío se ha detenido. Ya había llegado a { $count } chat.
       *[other] ⏹ El envío se ha detenido. Ya había llegado a { $count } chats.
    }
dlg-admin-cast-line = <b>N.º { $job }</b> «{ $text }»: { $status ->
    [queued] en curso, enviado a { $sent } de { $total }, { $queued } en cola
    [running] en curso, enviado a { $sent } de { $total }, { $queued } en cola
    [stopping] deteniéndose, enviado a { $sent } de { $total }
    [done] terminado, enviado a { $sent } de { $total }
    [cancelled] detenido, enviado a { $sent } de { $total }
   *[dead] ha fallado, enviado a { $sent } de { $total }
}
dlg-admin-cast-failed = Sin enviar: { $reasons }
dlg-admin-cast-reason = { $reason ->
    [withdrawn] retirado: { $count }
    [blocked] bot bloqueado: { $count }
    [removed] bot expulsado: { $count }
    [no_rights] sin permiso para escribir: { $count }
    [expired] caducado en la cola: { $count }
    [skipped] chat inactivo: { $count }
    [crowded] cola del chat llena: { $count }
    [unknown] resultado desconocido: { $count }
   *[refused] rechazado por Telegram: { $count }
}
dlg-admin-cast-stop = Detener n.º { $job }
dlg-admin-cast-stopping = ⏹ Deteniendo. Los mensajes que siguen en la cola no se enviarán.
dlg-admin-to-audit = Registro
dlg-admin-audit = <b>Últimos cambios</b>
    Escribe el ID de una persona o de un grupo para ver solo los suyos.
dlg-admin-audit-of = <b>Últimos cambios: <code>{ $id }</code></b>
    Escribe otro ID, o 0 para verlos todos.
dlg-admin-audit-line = { $when } <code>{ $actor }</code> { $action }{ $has ->
    [target] {" "}<code>{ $target }</code>
   *[none] {""}
}{ $where ->
    [chat] , chat <code>{ $chat }</code>
   *[none] {""}
}{ $done ->
    [done] {""}
   *[refused] : ⚠️ { $outcome }
}
dlg-admin-audit-newer = ◀ Más recientes
dlg-admin-audit-older = Más antiguos ▶
dlg-admin-audit-wrong = ⚠️ Escribe el ID como número: el de un grupo empieza con un signo menos.
webhook-disabled = { $reason ->
    [gone] ⚠️ El webhook <code>{ $endpoint }</code> está desactivado: su receptor ha respondido que ya no existe.
   *[other] ⚠️ El webhook <code>{ $endpoint }</code> está desactivado: todas las llamadas han fallado durante cinco días.
}
dlg-admin-to-tokens = Tokens de la API
dlg-admin-tokens = <b>Tokens de la API HTTP</b>
    Para crear uno, escribe su rol, después los chats a los que se limita y los días que será válido:
    <code>host -1001234567890 90</code>. Roles: viewer, host, operator.
dlg-admin-token = <code>{ $token }</code> { $role }, chats { $chats } { $name }
dlg-admin-token-made = ✅ Solo se muestra una vez. Cópialo ahora: <code>{ $token }</code>
dlg-admin-token-wrong = ⚠️ Escribe un rol y después los chats y los días con números: host -1001234567890 90
dlg-admin-token-revoked = ✅ El token { $token } está revocado.
dlg-admin-revoke = Revocar { $token }

## Condiciones para jugar

dlg-name-channel = Solo de un canal
dlg-about-channel = Solo podrán jugar los miembros de este canal. Escribe su @nombre o su enlace. Antes hazme administrador allí: si no, no veo a sus miembros.
dlg-name-known_days = Me conocen hace
dlg-about-known_days = Solo podrá jugar quien yo haya visto por primera vez hace al menos tantos días. Así no entran cuentas nuevas.
dlg-known_days = { $days ->
    [one] un día
   *[other] { $days } días
}
dlg-name-booster = Solo con boost
dlg-about-booster = Solo podrá jugar quien haya dado un boost al grupo. Para verlo tengo que ser administrador del grupo.
dlg-booster-yes = sí
dlg-booster-no = no
dlg-name-premium = Solo con Premium
dlg-about-premium = Solo podrá jugar quien tenga Telegram Premium.
dlg-premium-yes = sí
dlg-premium-no = no
