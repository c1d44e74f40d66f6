### Partidas periódicas, el aviso al abrirse una partida y la zona horaria del grupo.

## Mensajes al grupo

recurring-soon = ⏰ <b>{ $name }</b> empieza { $moment }: { $time }
recurring-skipped = ⏭ Esta vez no hay <b>{ $name }</b>: { $time }
recurring-busy = ⏭ Nos saltamos <b>{ $name }</b> ({ $time }): aquí sigue en marcha otra partida.
recurring-missed = ⏭ Nos saltamos <b>{ $name }</b> ({ $time }): no estaba disponible y ahora ya es tarde.
recurring-muted = ⏭ No pude abrir <b>{ $name }</b> en { $chat } ({ $time }): no puedo enviar mensajes allí. Devuélveme ese permiso, por favor.
recurring-refused = ⏭ No se pudo abrir <b>{ $name }</b> ({ $time }). Revisa su plantilla.
recurring-template = ⏸ Una partida periódica queda en pausa: se borró su plantilla. Los administradores la ven en /recurring.
recurring-not-a-host = ⏸ <b>{ $name }</b> queda en pausa: quien la programó ya no organiza partidas aquí. Otro administrador puede reanudarla en /recurring.
button-remind = 🔔 Avísame

## /recurring

rec-none =
    <b>Partidas periódicas</b>

    Aún no hay ninguna. Puedo abrir por mi cuenta una de las plantillas del grupo, por ejemplo cada viernes a las 20:00.
rec-list = <b>Partidas periódicas</b>
rec-name = ⭐ <b>{ $name }</b>
rec-no-template = ⚠️ <b>Se borró la plantilla</b>
rec-schedule = 🗓 { $days } { $time } · { $rhythm } · { $city }
rec-month-day = día { $day },
rec-rhythm-day = { $every ->
    [1] cada día
   *[other] cada { $every } días
}
rec-rhythm-week = { $every ->
    [1] cada semana
   *[other] cada { $every } semanas
}
rec-rhythm-month = { $every ->
    [1] cada mes
   *[other] cada { $every } meses
}
rec-next = ▶️ Próxima: { $time }
rec-skipping = ⏭ Sin la del { $date }
rec-paused-host = ⏸ En pausa
rec-paused-template = ⏸ En pausa: se borró su plantilla
rec-paused-not-a-host = ⏸ En pausa: quien la programó ya no organiza partidas aquí
rec-last-busy = ⚠️ La última se saltó: había otra partida
rec-last-missed = ⚠️ La última se saltó: no estaba disponible
rec-last-muted = ⚠️ La última se saltó: no puedo enviar mensajes aquí
rec-last-removed = ⚠️ La última se saltó: no estaba en el grupo
rec-last-refused = ⚠️ La última no se pudo abrir: revisa la plantilla
rec-announce = { $minutes ->
    [0] 📣 Sin anuncio
   *[other] 📣 Anuncio { $ahead } antes
}
rec-new = ➕ Nueva
rec-which = <b>¿Qué plantilla abro?</b>
rec-no-templates = Guarda antes una plantilla: el formulario de una partida nueva tiene un botón para eso.
rec-to-form = ⭐ Crear una plantilla
rec-form =
    ⭐ <b>{ $name }</b>
    { $schedule }
    { $announce }
rec-create = ✅ Listo
rec-created = Desde ahora la abro yo.
rec-skip = ⏭ Saltar { $date }
rec-unskip = ↩️ No saltar { $date }
rec-pause = ⏸ Pausar
rec-resume = ▶️ Reanudar
rec-delete = 🗑 Borrar
rec-delete-sure = ¿Borrar esta partida periódica?

## La zona horaria del grupo

dlg-name-time_zone = Zona horaria
form-zone = ¿En qué zona horaria está el grupo? Toca una, o escribe una ciudad o una diferencia como UTC+3.
form-zone-found = ¿Cuál de estas?
form-zone-unknown = ⚠️ No conozco ese lugar. Prueba con una ciudad grande cercana o con una diferencia como UTC+3.

## /nextgame

next-on = 🔔 Te escribo en privado cuando se abra aquí una partida.
next-on-toast = Te escribo en privado cuando se abra aquí una partida.
next-start-first = 🔔 Apuntado. Abre una vez nuestro chat privado para que pueda escribirte.
next-to-private = Abrir el chat privado
next-on-in-private = 🔔 Te escribo aquí cuando se abra una partida en <b>{ $chat }</b>.
next-word = 🎲 ¡<b>{ $title }</b> está abierta en <b>{ $chat }</b>!
next-go = Ir a la partida
next-stop = 🔕 No más avisos
next-stop-chat = 🔕 { $chat }
next-off = 🔕 Ya no te aviso de las partidas de <b>{ $chat }</b>.
next-list = 🔔 Te escribo cuando se abre una partida en estos grupos. Toca uno para dejarlo.
next-none = 🔕 No sigues ningún grupo. Envía /nextgame en un grupo y te escribiré aquí cuando se abra allí una partida.
cmd-about-nextgame = Avisarte en privado cuando se abra una partida
cmd-about-recurring = Partidas que se abren solas
