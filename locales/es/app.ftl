# La miniaplicación. Su página también muestra los logros de figures.ftl.

app-loading = Cargando…
app-again = Reintentar
app-offline = Sin conexión. Revisa la red y vuelve a intentarlo.
app-reconnecting = Reconectando…
app-lost-access = Ya no puedes ver esta partida.
app-not-sent = No se ha podido enviar. Vuelve a intentarlo.
app-outside = Abre esta página desde Telegram: toca «Abrir la partida» debajo de una partida de tu grupo.
app-no-chat = Abre una partida desde tu grupo para ver aquí sus partidas.
app-sections = Secciones
app-games = Partidas
app-leaders = Clasificación
app-profile = Perfil
app-no-games = No hay ninguna partida en curso. Las abre un anfitrión en el grupo.
app-unknown-kind = A este juego solo se puede jugar en el chat.
app-kind-pick_number = Elige tu número
app-kind-quiz = Trivia
app-phase-waiting_for_players = Esperando jugadores
app-phase-players_joining = Última llamada
app-phase-number_selection = Elección de números
app-phase-drawing = Sorteo en curso
app-phase-question_open = Pregunta abierta
app-phase-question_reveal = Respuesta correcta
app-phase-paused = En pausa. Sigue sola en
app-phase-completed = Terminada
app-phase-cancelled = Cancelada
app-players =
    { $count ->
        [one] { $count } jugador
       *[other] { $count } jugadores
    }
app-needed =
    { $count ->
        [one] Empieza con { $count } jugador
       *[other] Empieza con { $count } jugadores
    }
app-join = Jugar
app-leave = Salir de la partida
app-start-now = Empezar ya
app-board = Números
app-search = Buscar un número
app-zoom = Tamaño de los números
app-free = { $number }, libre
app-yours = { $number }, tuyo
app-taken = { $number }, ocupado
app-taken-by = { $number }, ocupado por { $name }
app-picked = El { $number } es tuyo
app-your-number = Tu número: { $number }
app-pick-one = Elige un número libre
app-watching = Estás viendo esta partida
app-number = número { $number }
app-drawn = Números sorteados
app-sealed = Sellado antes de la primera elección: { $hash }
app-results = Resultados
app-points =
    { $count ->
        [one] { $count } punto
       *[other] { $count } puntos
    }
app-question = Pregunta { $number } de { $total }
app-time-left = Tiempo restante
app-your-answer = Tu respuesta
app-confirm = Confirmar
app-answered = Respuesta registrada
app-own-answer = Tu respuesta: { $answer }
app-late = Respondes desde la próxima pregunta.
app-no-number = Esto no es un número. Escribe cifras, como 12 o 3,5.
app-right-answer = Respuesta correcta: { $answer }
app-gained = ¡Correcto! +{ $count }
app-not-right = Esta vez, sin puntos.
app-statistics = Estadísticas
app-achievements = Logros
app-history = Tus partidas
app-nothing-yet = Aún no hay nada
app-games-count =
    { $count ->
        [one] { $count } partida
       *[other] { $count } partidas
    }
app-wins =
    { $count ->
        [one] { $count } victoria
       *[other] { $count } victorias
    }
app-period-week = Semana
app-period-month = Mes
app-period-season = Temporada
app-period-all = Todo
app-public-about = Partidas, resultados y clasificación
app-public-gone = Aquí no hay nada, o el grupo ya no lo muestra.
app-public-results = Resultados
app-public-none = No hay ninguna partida en curso.
app-public-proof = Prueba del sorteo
app-public-checks =
    { $count ->
        [one] { $count } comprobación en este dispositivo
       *[other] { $count } comprobaciones en este dispositivo
    }
app-public-replay = Repetir el sorteo
app-public-download = Descargar la prueba
app-open = Abrir una partida
app-settings = Ajustes
app-hosts-only = En este grupo solo los administradores abren partidas.
app-session-over = Tu sesión ha terminado. Cierra esta página y ábrela de nuevo desde el grupo.
app-kind = Juego
app-title = Título
app-prize = Premio
app-prize-hint = Una cantidad, como 100 USDT, o unas palabras. Vacío: sin premio.
app-pack = Preguntas de
app-pack-bank = la colección incluida
app-rule-winners = Ganadores
app-rule-min_players = Mínimo de jugadores
app-rule-max_players = Máximo de jugadores
app-rule-questions = Preguntas
app-rule-question_seconds = Segundos para responder
app-preview = Así se verá
app-preview-players = De { $least } a { $most } jugadores
app-preview-questions =
    { $count ->
        [one] { $count } pregunta, { $seconds } s para responder
       *[other] { $count } preguntas, { $seconds } s para cada una
    }
app-preview-winners =
    { $count ->
        [one] { $count } ganador
       *[other] { $count } ganadores
    }
app-save = Guardar
app-saved = Guardado
app-new-games = Partidas nuevas
app-group = Grupo
app-set-openers = Cualquiera puede abrir partidas
app-set-public = Páginas públicas: quien tenga el enlace ve partidas, resultados y clasificación
app-set-indexed = Los buscadores pueden mostrar las páginas públicas
