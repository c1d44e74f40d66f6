### Respuestas a las órdenes y lo que dicen de ellas los menús de Telegram.

## Problemas

cmd-slow-down = Más despacio, por favor: no doy abasto.
cmd-try-again = Ahora no ha funcionado y nada ha cambiado. Inténtalo otra vez.
cmd-try-later = Ahora mismo no tengo acceso a los datos. Las partidas siguen; inténtalo más tarde.
cmd-left-alone = Ese mensaje me ha hecho fallar dos veces, así que no lo intentaré más. Envía otra cosa, por favor.
cmd-our-mistake = Algo me ha fallado y ha quedado registrado. Si nos escribes, indica el código { $trace }.
cmd-not-understood = No conozco esa orden. Con /help verás qué sé hacer.

## Saludos y ayuda

cmd-start =
    ¡Hola, { $name }! Organizo partidas para jugar en grupo.

    Añádeme a un grupo y sus administradores podrán abrir una partida con /newgame. Los demás se unen con un toque.
    Tus resultados están en /stats.
cmd-start-group = Todo listo. Los administradores abren una partida con /newgame o /create_game; el resto está en /help.
cmd-add-to-group = Añadirme a un grupo
cmd-use-in-group = Las partidas se abren y se juegan en grupos. Añádeme al tuyo y envía la orden allí.
cmd-added =
    ¡Hola! Organizo juegos para todo el grupo: sorteos de números que cualquiera puede comprobar y trivias.

    Un administrador abre una partida y los demás se unen con un toque.
cmd-added-play = 🎲 Jugar ahora
cmd-added-settings = ⚙️ Ajustes
cmd-rights = Con estos permisos puedo hacer más:
cmd-right-can-send-messages = ✉️ Enviar mensajes: sin él nadie ve la partida
cmd-right-can-send-polls = 📊 Enviar encuestas: preguntas de trivia como encuestas de Telegram
cmd-right-can-send-photos = 🖼 Enviar fotos: imágenes de preguntas y resultados
cmd-right-can-pin-messages = 📌 Fijar mensajes: la partida sigue a la vista mientras se charla
cmd-muted-from-the-start = Me has añadido a «{ $chat }», pero allí no puedo enviar mensajes y nadie me ve. Dame, por favor, permiso para <b>enviar mensajes</b> y después escribe allí /newgame.
cmd-muted-now = En «{ $chat }» no se ve nada porque allí no puedo enviar mensajes. Dame, por favor, permiso para <b>enviar mensajes</b> e inténtalo de nuevo.
cmd-muted = Ya no puedo enviar mensajes en «{ $chat }», así que las partidas no pueden mostrar nada. Deja que vuelva a escribir, por favor.
cmd-help-private =
    <b>Qué puedes hacer aquí</b>
    /status: cómo van tus partidas
    /games: las partidas en las que estás
    /stats: tus resultados
    /leaderboard: los mejores de todos los grupos
    /history: las partidas que has jugado
    /fair: la prueba de un sorteo, que cualquiera puede comprobar
    /nextgame: aviso en privado cuando se abra una partida
    /verify: demostrar que una billetera es tuya
    /privacy: lo que guardo sobre ti y cómo borrarlo
    /language: tu idioma{ $commands }

    Las partidas se abren en grupos: añádeme a uno.
cmd-help-group =
    <b>Para todo el mundo</b>
    /join, /leave: entrar en la partida o salir
    /status, /games: qué se está jugando
    /stats: tus resultados
    /leaderboard: los mejores de este grupo
    /history: qué se ha jugado aquí
    /fair: la prueba de un sorteo, que cualquiera puede comprobar
    /nextgame: aviso en privado cuando se abra una partida

    <blockquote expandable><b>Para administradores</b>
    /newgame: abrir una partida
    { $commands }
    /startnow: empezar sin esperar
    /extend [segundos]: más tiempo
    /remove: quitar a alguien de la partida; responde a un mensaje suyo
    /cancel_game: terminar la partida sin resultado
    /recurring: partidas que se abren solas
    /settings, /language: las reglas y el idioma del grupo
    /ban, /unban: vetar a alguien o readmitirlo; responde a un mensaje suyo</blockquote>
cmd-help-operator = <b>Para operadores</b>: /admin (partidas en marcha, estado, vetos y mensajes a todos los chats)

## Jugar

cmd-joined =
    { $count ->
        [one] Estás en «{ $title }». De momento no hay nadie más.
       *[other] Estás en «{ $title }»: { $count } jugadores de momento.
    }
cmd-left = Has salido de «{ $title }».
cmd-status = <b>{ $title }</b> · 👥 { $count } · <code>{ $game }</code>
cmd-phase =
    { $phase ->
        [waiting_for_players] Faltan jugadores
        [players_joining] Última llamada para unirse
        [completed] Terminada
        [cancelled] Cancelada
       *[other] En marcha
    }
cmd-time-up = ⏳ El tiempo se acaba { $when }
cmd-you-are-in = Estás dentro.
cmd-you-are-out = No estás en esta partida.

## Dirigir una partida

cmd-started = Empieza «{ $title }».
cmd-extended =
    { $seconds ->
        [one] { $title }: { $seconds } segundo más.
       *[other] { $title }: { $seconds } segundos más.
    }
cmd-removed = { $name } ya no está en «{ $title }».
cmd-remove-not-in-game = { $name } no está en esta partida.
cmd-cancelled = La partida «{ $title }» se ha cancelado.
cmd-usage-extend = Escríbelo así: /extend 60 (segundos que se añaden)
cmd-banned-somebody = { $name } ya no puede jugar aquí.
cmd-banned-already = { $name } ya tiene prohibido jugar aquí.
cmd-unbanned = { $name } puede volver a jugar aquí.
cmd-not-banned = { $name } no tiene prohibido jugar aquí.

## Listas

cmd-page-back = ‹ Atrás
cmd-page-on = Siguiente ›
cmd-games-title = <b>Partidas en marcha</b>
cmd-games-line = <b>{ $title }</b> · { $phase } · 👥 { $count } · <code>{ $game }</code>
cmd-games-none = Aquí no hay ninguna partida en marcha.
cmd-games-none-private = Ahora no estás en ninguna partida.
cmd-games-open = Abrir «{ $title }»
cmd-stats-title = <b>{ $name }</b>
cmd-stats-line =
    { $games ->
        [one] { $kind }: victorias, { $wins } en { $games } partida
       *[other] { $kind }: victorias, { $wins } en { $games } partidas
    }
cmd-stats-points = ⭐ { $points }, mejor racha: { $streak }
cmd-stats-none = { $name } todavía no ha terminado ninguna partida.
cmd-best-line = { $mark } { $name }: victorias, { $wins } de { $games }
cmd-prizes = 💰 { $prizes }
cmd-points = ⭐ { $points }
cmd-best-show-all = Todos los grupos
cmd-best-show-chat = Este grupo
cmd-best-listed = En esta lista solo están quienes han querido aparecer.
cmd-best-show-me = Quiero aparecer en la lista
cmd-best-hide-me = No quiero aparecer en la lista
cmd-history-chat = <b>Partidas jugadas aquí</b>
cmd-history-own = <b>Partidas que has jugado</b>
cmd-history-line =
    { $status ->
        [completed] { $when } <b>{ $title }</b>, jugadores: { $players }, victoria de { $winners } · <code>{ $game }</code>
        [nobody] { $when } <b>{ $title }</b>, jugadores: { $players }, sin ganadores · <code>{ $game }</code>
        [void] { $when } <b>{ $title }</b>, ⚠️ sorteo nulo, jugadores: { $players } · <code>{ $game }</code>
       *[other] { $when } <b>{ $title }</b>, cancelada · <code>{ $game }</code>
    }
cmd-history-winner = { $name } ({ $prize })
cmd-history-void =
    { $void ->
        [one] ⚠️ Aquí se anuló un sorteo después de cerrarse la elección.
       *[other] ⚠️ Aquí se anularon { $void } sorteos después de cerrarse la elección.
    }
cmd-history-none = Todavía no hay partidas.

## Idiomas

cmd-language-name = Español
cmd-language-own = ¿En qué idioma hablamos?
cmd-language-chat = ¿En qué idioma hablo en este grupo?
cmd-language-own-set = A partir de ahora te hablaré en español.
cmd-language-chat-set = A partir de ahora aquí hablaré en español.
cmd-usage-language = Hablo estos idiomas: { $locales }. Escríbelo así: /language es

## Menús

cmd-description =
    Juegos para todo el grupo. { $kinds }

    Añádeme a un grupo; sus administradores abren una partida con /newgame.
cmd-description-short = Juegos para todo el grupo, con sorteos que cualquiera puede comprobar.
cmd-about-start = Saludar
cmd-about-help = Qué sé hacer
cmd-about-join = Unirse a la partida
cmd-about-leave = Salir de la partida
cmd-about-status = Cómo va la partida
cmd-about-games = Partidas en marcha
cmd-about-stats = Tus resultados
cmd-about-leaderboard = Los mejores jugadores
cmd-about-history = Partidas terminadas
cmd-about-fair = La prueba de un sorteo
cmd-about-language = Elegir idioma
cmd-about-privacy = Tus datos: ver, copiar, borrar
cmd-about-newgame = Abrir una partida
cmd-about-startnow = Empezar sin esperar
cmd-about-extend = Más tiempo: [segundos]
cmd-about-remove = Quitar a alguien de la partida
cmd-about-cancel_game = Terminar la partida sin resultado
cmd-about-settings = Las reglas del grupo
cmd-about-ban = Vetar a alguien
cmd-about-unban = Volver a admitir a alguien
cmd-about-admin = Gestionar el bot
