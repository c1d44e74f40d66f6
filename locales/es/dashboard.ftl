# The dashboard of hosts and operators.

## Around

dash-title = Tombola: panel
dash-loading = Cargando…
dash-again = Reintentar
dash-offline = Sin conexión. Revisa la red e inténtalo de nuevo.
dash-reconnecting = Reconectando…
dash-not-sent = No se pudo enviar. Inténtalo de nuevo.
dash-sign-in = Entrar
dash-sign-out = Salir
dash-login-link = Este enlace permite entrar una vez.
dash-login-how = Envía /admin al bot en privado y pulsa «Panel». Te dará un enlace que abre esta página.
dash-pages = Páginas
dash-sections = Secciones
dash-cancel = Cancelar
dash-done = Hecho
dash-none = Aún no hay nada.
dash-more = Mostrar más
dash-refresh = Actualizar
dash-save = Guardar
dash-make = Crear
dash-delete = Borrar
dash-open = Abrir
dash-name = Nombre
dash-details = Detalles
dash-everything = Todos
dash-days = Días
dash-days-hint = Vacío: sin fin.
dash-since = Desde
dash-until = Hasta
dash-page-chats = Grupos
dash-page-games = Partidas
dash-page-bans = Vetos
dash-page-broadcasts = Difusiones
dash-page-tokens = Claves
dash-page-jobs = Tareas
dash-page-system = Sistema
dash-page-audit = Registro
dash-part-games = Partidas
dash-part-open = Abrir partida
dash-part-packs = Paquetes de preguntas
dash-part-recurring = Partidas periódicas
dash-part-settings = Ajustes
dash-part-results = Resultados
dash-part-bans = Vetos
dash-part-webhooks = Avisos web

## Columns

dash-column-game = Partida
dash-column-phase = Fase
dash-column-players = Jugadores
dash-column-chat = Grupo
dash-column-opened = Abierta
dash-column-time = Hora
dash-column-player = Persona
dash-column-happened = Suceso
dash-column-reason = Motivo
dash-column-since = Desde
dash-column-until = Hasta
dash-column-step = Acción
dash-column-text = Texto
dash-column-status = Estado
dash-column-progress = Progreso
dash-column-token = Clave
dash-column-role = Rol
dash-column-chats = Grupos
dash-column-used = Último uso
dash-column-number = Número
dash-column-kind = Tipo
dash-column-attempts = Intentos
dash-column-error = Fallo
dash-column-flag = Opción
dash-column-about = Sobre
dash-column-percent = Porcentaje
dash-column-source = Origen
dash-column-dependency = Servicio
dash-column-state = Estado
dash-column-history = Historial
dash-column-process = Proceso
dash-column-roles = Funciones
dash-column-version = Versión
dash-column-load = Carga
dash-column-jobs = Dirige
dash-column-action = Acción
dash-column-outcome = Resultado
dash-column-origin = Origen
dash-column-language = Idioma
dash-column-name = Nombre
dash-column-questions = Preguntas
dash-column-title = Título
dash-column-template = Plantilla
dash-column-rhythm = Ritmo
dash-column-next = Próxima
dash-column-type = Tipo
dash-column-address = Dirección

## Games

dash-kind-pick_number = Elige tu número
dash-kind-quiz = Concurso
dash-phase-waiting_for_players = Esperando jugadores
dash-phase-players_joining = Último aviso
dash-phase-number_selection = Eligiendo números
dash-phase-drawing = Sorteo en curso
dash-phase-question_open = Pregunta abierta
dash-phase-question_reveal = La respuesta correcta
dash-phase-paused = En pausa
dash-phase-completed = Terminada
dash-phase-cancelled = Cancelada
dash-live = En curso
dash-ended = Terminadas
dash-no-games = No hay partidas.
dash-find-game = Buscar una partida
dash-game-id = Id de la partida
dash-host = Anfitrión
dash-ends = Próximo plazo
dash-ended-at = Terminó
dash-steps = Acciones
dash-cancel-game = Cancelar la partida
dash-cancel-game-sure = ¿Cancelar esta partida? Nadie gana y no se puede deshacer.
dash-force-end = Forzar el final
dash-force-end-sure = ¿Terminar esta partida ahora, en cualquier fase? No se puede deshacer.
dash-timeline = Cronología
dash-player = Persona
dash-everybody = Todos
dash-search = Buscar
dash-search-hint = Un número, un nombre o una palabra.
dash-was-told = { $action } se rechazó: { $answer }
dash-told-number-taken = el número estaba ocupado
dash-told-number-out-of-range = el número no está en el tablero
dash-told-already-yours = ya tenía ese número
dash-told-already-answered = ya había respondido
dash-told-question-closed = la pregunta estaba cerrada
dash-told-not-now = no era posible en esa fase
dash-told-too-late = demasiado tarde
dash-event-game_opened = Se abrió la partida.
dash-event-player_joined = { $player } se unió.
dash-event-player_left = { $player } salió.
dash-event-player_removed = Se retiró a { $player }.
dash-event-selection_opened = Se abrió el tablero, del 1 al { $highest }.
dash-event-number_picked = { $player } eligió el { $number }.
dash-event-selection_closed = Se cerró la elección.
dash-event-numbers_drawn = Salieron: { $drawn }
dash-event-question_opened = Se hizo la pregunta { $question }.
dash-event-answer_given = { $player } respondió a la pregunta { $question }: { $choice }
dash-event-question_revealed = Se mostró la respuesta a la pregunta { $question }.
dash-event-game_completed = La partida terminó.
dash-event-game_cancelled = Se canceló la partida.

## Bans

dash-player-id = Id de Telegram
dash-no-bans = No hay nadie vetado.
dash-ban-new = Vetar a alguien
dash-ban = Vetar
dash-ban-sure = ¿Vetar a { $player } en todos los chats y retirarlo de las partidas en curso?
dash-ban-chat-sure = ¿Vetar a { $player } en este chat y retirarlo de las partidas en curso?
dash-unban = Quitar el veto
dash-unban-sure = ¿Dejar jugar de nuevo a { $name }?

## Broadcasts

dash-cast-new = Nueva difusión
dash-cast-text = Texto sin formato
dash-preview = Vista previa
dash-cast-next = Revisar y enviar
dash-send = Enviar
dash-cast-begun = La difusión ha empezado.
dash-cast-progress = { $sent } de { $total } enviados, { $waiting } en espera
dash-cast-blocked = bloqueado
dash-cast-removed = eliminado
dash-cast-no_rights = sin permisos
dash-cast-expired = caducado
dash-cast-skipped = inactivo
dash-cast-crowded = demasiados mensajes
dash-cast-refused = rechazado
dash-cast-unknown = desconocido
dash-stop = Detener
dash-stop-sure = ¿Detener esta tarea? Lo hecho se queda.
dash-status-queued = en cola
dash-status-running = en marcha
dash-status-done = hecho
dash-status-dead = fallida
dash-status-cancelled = cancelada

## Tokens

dash-role-viewer = observador
dash-role-host = anfitrión
dash-role-operator = operador
dash-all-chats = todos
dash-revoked = revocado
dash-revoke = Revocar
dash-revoke-sure = ¿Revocar el token { $token }? Los programas que lo usan dejarán de funcionar.
dash-token-new = Nuevo token
dash-chats-hint = Ids de chats, o vacío para todos.
dash-token-once = Este token solo se muestra ahora. Cópialo.

## Jobs

dash-jobs-about = Trabajo que no se debe perder. Las tareas fallidas esperan aquí hasta que alguien las repita.
dash-repeat = Repetir

## System

dash-health = Salud
dash-health-about = Tiempos de respuesta desde que se abrió esta página.
dash-health-line = Último { $last } ms, máximo { $most } ms, fallos: { $failed }
dash-well = bien
dash-ill = falla
dash-processes = Procesos
dash-load = procesador { $percent } %, { $updates } actualizaciones/s, partidas: { $games }
dash-flags = Opciones
dash-flag-sure = ¿Poner { $flag } al { $percent } %?
dash-set = Fijar
dash-reset = Restablecer
dash-reset-sure = ¿Quitar el ajuste de { $flag }?
dash-source-definition = por defecto
dash-source-file = el archivo
dash-source-operator = un operador

## Audit log

dash-filter = Filtrar
dash-filter-actor = Id de la persona
dash-filter-chat = Id del chat
dash-filter-target = Partida, persona, paquete o token
dash-filter-token = Comienzo de un token

## Chats

dash-own-chats = Chats de los que eres anfitrión
dash-every-chat = Todos los chats
dash-no-chats = Aún no hay chats. Añade el bot a un grupo donde seas administrador y envíale un comando allí.
dash-active = activo
dash-inactive = inactivo
dash-openers = Quién puede abrir partidas
dash-openers-hosts = Administradores
dash-openers-everyone = Todos
dash-time-zone = Zona horaria
dash-time-zone-hint = Por ejemplo, Europe/Madrid.
dash-messages = Mensajes en el grupo
dash-open-game = Abrir la partida
dash-opened = La partida está abierta.
dash-title-of-game = Título
dash-title-hint = Vacío: el nombre del tipo.
dash-questions-from = Preguntas de
dash-as-set = según los ajustes del chat
dash-all-rules = Todas las reglas

## Packs

dash-pack-new = Paquete nuevo
dash-pack-about = Escribe preguntas aquí o elige un archivo. Los errores se ven al escribir.
dash-import = O un archivo: CSV, JSON, XLSX
dash-question = Pregunta { $number }
dash-right-answer = Respuesta correcta
dash-wrong-answer = Respuesta incorrecta { $number }
dash-add-question = Añadir una pregunta
dash-remove-question = Quitarla
dash-save-pack = Guardar el paquete
dash-pack-nameless = Solo falta un nombre.
dash-pack-saved = El paquete está guardado.
dash-open-quiz = Abrir un concurso
dash-copy = Editar una copia
dash-line = Línea { $number }
dash-file-large = El archivo supera 1 MB.
dash-export = Descargar { $format }
dash-delete-pack-sure = ¿Borrar el paquete «{ $name }» con sus preguntas? No se puede deshacer.
dash-results-about = Partidas terminadas, con ganadores y premios.

## Recurring games

dash-templates = Plantillas
dash-template = Plantilla
dash-template-new = Nueva plantilla
dash-delete-template-sure = ¿Borrar la plantilla «{ $name }»? Las partidas periódicas que la usan se pausan.
dash-recurring = Partidas periódicas
dash-recurring-new = Nueva partida periódica
dash-delete-recurring-sure = ¿Borrar esta partida periódica?
dash-rhythm = Ritmo
dash-every = Cada
dash-time = Hora
dash-month-day = Día del mes
dash-weekdays = Días
dash-on-day = día { $day }
dash-announce = Anunciar estos minutos antes
dash-unit-day = días
dash-unit-week = semanas
dash-unit-month = meses
dash-day-monday = lunes
dash-day-tuesday = martes
dash-day-wednesday = miércoles
dash-day-thursday = jueves
dash-day-friday = viernes
dash-day-saturday = sábado
dash-day-sunday = domingo
dash-paused = en pausa
dash-skipped = se omite la próxima
dash-runs = activa
dash-pause = Pausar
dash-resume = Reanudar
dash-skip = Omitir la próxima
dash-unskip = No omitir

## Webhooks

dash-deliveries = Entregas
dash-resend = Reenviar
dash-example = Enviar un ejemplo
dash-turn-on = Activar
dash-turn-off = Desactivar
dash-on = activo
dash-off = inactivo:
dash-delete-webhook-sure = ¿Borrar este webhook? Los eventos pendientes se pierden.
dash-webhook-new = Nuevo webhook
dash-description = Descripción
dash-secret-once = El secreto de las firmas solo se muestra ahora. Cópialo.
dash-delivery-pending = en espera
dash-delivery-delivered = entregado
dash-delivery-failed = fallida
dash-delivery-missed = perdida

## Counts

dash-cast-sure = { $count ->
    [one] ¿Enviar esto a un chat? No se puede retirar.
   *[other] ¿Enviar esto a { $count } chats? No se puede retirar de los que ya lo tienen.
}
dash-pack-good = { $count ->
    [one] Una pregunta, sin errores.
   *[other] { $count } preguntas, sin errores.
}
dash-pack-size = { $count ->
    [one] { $name } (una pregunta)
   *[other] { $name } ({ $count } preguntas)
}
dash-copy-partly = { $count ->
    [one] Una pregunta es de un tipo que este editor no tiene y se omite.
   *[other] { $count } preguntas son de tipos que este editor no tiene y se omiten.
}
dash-every-day = { $count ->
    [one] cada día
   *[other] cada { $count } días
}
dash-every-week = { $count ->
    [one] cada semana
   *[other] cada { $count } semanas
}
dash-every-month = { $count ->
    [one] cada mes
   *[other] cada { $count } meses
}
