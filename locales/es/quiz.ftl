### La trivia.

## Rechazos

rejected-already-answered = { $choice ->
    [0] Ya has respondido A. Vale la primera respuesta.
    [1] Ya has respondido B. Vale la primera respuesta.
    [2] Ya has respondido C. Vale la primera respuesta.
    [3] Ya has respondido D. Vale la primera respuesta.
   *[other] Ya has respondido. Vale la primera respuesta.
}
not-now-answer = { $phase ->
    [waiting_for_players] Las preguntas llegan cuando empiece la trivia.
    [players_joining] Las preguntas llegan cuando empiece la trivia.
    [completed] Esta trivia ha terminado.
    [cancelled] Esta trivia se canceló.
   *[other] La pregunta está cerrada.
}
not-now-draft = { $phase ->
    [waiting_for_players] Las preguntas llegan cuando empiece la trivia.
    [players_joining] Las preguntas llegan cuando empiece la trivia.
    [completed] Esta trivia ha terminado.
    [cancelled] Esta trivia se canceló.
   *[other] La pregunta está cerrada.
}
not-now-confirm = { $phase ->
    [waiting_for_players] Las preguntas llegan cuando empiece la trivia.
    [players_joining] Las preguntas llegan cuando empiece la trivia.
    [completed] Esta trivia ha terminado.
    [cancelled] Esta trivia se canceló.
   *[other] La pregunta está cerrada.
}
rejected-question-closed = La pregunta { $number } está cerrada.
rejected-no-such-answer = Esta pregunta no tiene esa respuesta.
rejected-answer-incomplete = Elige primero una respuesta y luego toca «Listo».
rejected-from-next-question = Te has unido durante esta pregunta: puedes responder desde la siguiente.
rejected-last-question = Ya va la última pregunta. Únete a la próxima trivia.
rejected-paused = La trivia está en pausa. Sigue dentro de un momento.
rejected-not-paused = La trivia no está en pausa.
rejected-poll-runs = Una encuesta no se puede pausar mientras está abierta. Toca otra vez cuando se vea la respuesta.
rejected-wrong-question-count = Hay { $have } preguntas, pero hacen falta { $need }.
rejected-bad-question = La pregunta { $number } no se puede hacer así. Elige otras.

## La trivia

quiz-name = Trivia
quiz-sign = 🧠
quiz-hint = Las mismas preguntas para todos; vale la primera respuesta. Dan más puntos las preguntas difíciles, las respuestas correctas más rápidas y las rachas.
quiz-value = { $value }

quiz-category-geography = Geografía
quiz-category-history = Historia
quiz-category-science = Ciencia
quiz-category-nature = Naturaleza
quiz-category-technology = Tecnología
quiz-category-art = Arte
quiz-category-literature = Literatura
quiz-category-music = Música
quiz-category-film = Cine
quiz-category-sport = Deporte
quiz-category-food = Comida
quiz-category-space = Espacio
quiz-category-maths = Matemáticas
quiz-difficulty-easy = fácil
quiz-difficulty-medium = media
quiz-difficulty-hard = difícil

## La inscripción

quiz-about = { $questions ->
    [one] ❓ Una pregunta, { $time } para responder.
   *[other] ❓ { $questions } preguntas, { $time } para cada una.
}
quiz-pace = ⏱ Telegram permite al bot 20 mensajes por minuto en un grupo, así que cada pregunta con su respuesta dura al menos { $time }.
quiz-subject = 📚 Temas: { $subjects }
quiz-level = 💪 Preguntas: { $level }
quiz-about-accuracy = 🎯 Solo cuentan las respuestas correctas, no la rapidez.
quiz-about-polls = 📊 Las preguntas llegan como encuestas de Telegram.

## Una pregunta

quiz-head = Pregunta { $number } de { $questions }
quiz-question = <b>{ $question }</b>
quiz-answer = <b>{ $letter }</b>  { $answer }
quiz-how-several = 👇 Hay varias correctas. Tócalas todas y luego «Listo».
quiz-how-order = 👇 Tócalas en orden, de la primera a la última.
quiz-how-number = 👇 Marca el número y luego «Listo». Nadie más lo ve.
button-answer-done = Listo
tap-answered-so = Tu respuesta: { $answer }. Queda registrada.
tap-draft = Por ahora: { $answer }
tap-draft-empty = Aún no has elegido nada.
quiz-button = { $letter }  { $answer }
quiz-poll-below = 👇 La pregunta está en la encuesta. Cuentan los votos de quienes juegan y el primero es definitivo.
quiz-progress = ⏳ Se cierra { $deadline } · respuestas: { $answered } de { $players }
quiz-progress-unseen = Respuestas: { $answered } de { $players }
quiz-paused = ⏸ La trivia está en pausa. La reanuda quien organiza; si no, sigue sola { $deadline }.
quiz-polls-refused = Aquí no puedo enviar encuestas, así que las respuestas están en los botones.
quiz-photo-missing = La foto de esta pregunta no se puede mostrar. Las respuestas cuentan igual.

button-pause = Pausa
button-resume = Seguir
tap-answered = Tu respuesta: { $letter }, { $answer }. Ya no se puede cambiar.
tap-paused = En pausa: el tiempo está parado.
tap-quiz-resumed = El tiempo vuelve a correr.

## La respuesta correcta

quiz-tally-right = ✅ <b>{ $letter }  { $answer }</b>  { $bar } { $count }
quiz-tally-of = { $answered ->
    [0] Nadie ha respondido.
   *[other] Aciertos: { $right } de { $answered }
}
quiz-item = { $place }. <b>{ $letter }  { $answer }</b>
quiz-number = ✅ <b>{ $answer }</b>
quiz-number-closest = ✅ <b>{ $answer }</b>; cuentan las respuestas más cercanas
quiz-explanation = 💡 { $text }
quiz-explanation-source = 💡 { $text } ({ $source })
quiz-source = 🔗 { $source }
quiz-tally = ▫️ { $letter }  { $answer }  { $bar } { $count }
quiz-below = 👇 La trivia está en marcha. Cada pregunta llega en un mensaje nuevo.
quiz-closed = ✅ <b>{ $answer }</b>
quiz-nobody-yet = Nadie tiene puntos todavía.
quiz-line = { $mark } { $name }: <b>{ $points }</b>
quiz-line-gained = { $mark } { $name }: <b>{ $points }</b> (+{ $gained })
quiz-soon-next = Enseguida llega la pregunta siguiente…
quiz-soon-result = Era la última pregunta. Enseguida llega el resultado…

## El resultado

quiz-result = { $mark } { $name }: <b>{ $points }</b> · ✅ { $right }
quiz-result-prize = { $mark } { $name }: <b>{ $points }</b> · ✅ { $right } · 💰 <b>{ $prize }</b>
quiz-nobody-at-all = Nadie ha acertado ni una. ¡Otra vez será!
quiz-totals = Preguntas: { $questions }; jugadores: { $players }.
button-own-result = Mi resultado

## El tablero de cada jugador

quiz-own-answer = Has respondido <b>{ $letter }  { $answer }</b>. Ya no se puede cambiar.
quiz-own-right = ✅ <b>{ $letter }  { $answer }</b> es correcta: +{ $gained }
quiz-own-wrong = ❌ { $letter }  { $answer }. La correcta es <b>{ $right }  { $right_answer }</b>.
quiz-own-answer-so = Has respondido <b>{ $answer }</b>. Queda registrado.
quiz-own-right-so = ✅ <b>{ $answer }</b> es correcto: +{ $gained }
quiz-own-wrong-so = ❌ { $answer }. Lo correcto es <b>{ $right }</b>.
quiz-own-late = Ya estás dentro. Respondes desde la próxima pregunta.
quiz-own-score = Tus puntos: <b>{ $points }</b>; aciertos: { $right } de { $of }
quiz-own-place =
    { $medal } Tu puesto: <b>{ $place }</b> de { $players }
    Puntos: <b>{ $points }</b>. Aciertos: { $right } de { $questions }. Mejor racha: { $streak }.
quiz-own-no-place =
    Esta vez sin puntos. Jugadores: { $players }.
    Aciertos: { $right } de { $questions }.
quiz-own-prize = 💰 Has ganado <b>{ $prize }</b>. ¡Enhorabuena!
quiz-missed = { $question } <b>{ $answer }</b>

## Reglas

quiz-rules =
    🧠 <b>Trivia</b>

    <b>1.</b> Únete mientras la inscripción esté abierta. Después todos reciben las mismas preguntas.
    <b>2.</b> Toca una respuesta antes de que se acabe el tiempo. Vale la primera y nadie la ve hasta que se muestra la correcta.
    <b>3.</b> Cuando todos han respondido, la pregunta termina antes.
    <b>4.</b> Si el anfitrión lo permite, puedes unirte sobre la marcha y responder desde la pregunta siguiente.

    <blockquote expandable><b>Qué es una respuesta correcta</b>
    Varias correctas: todas y ninguna otra. Orden: cada elemento en su sitio. Número: dentro del margen, o el más cercano de todos. Una respuesta correcta a medias no da puntos. Si hacen falta varios toques, cuenta «Listo»; en un orden, el último elemento.

    <b>Puntos por una respuesta correcta</b>
    base + base × { $speed } % × tiempo restante ÷ tiempo de la pregunta + racha
    Base: fácil { $easy }, media { $medium }, difícil { $hard }.
    Racha: { $step } por cada acierto seguido antes de este, { $most } como mucho.
    El resultado se redondea hacia abajo. Una respuesta incorrecta, o ninguna, no da puntos y corta la racha. El tiempo se mide cuando tu respuesta me llega.

    🎯 Si solo cuentan los aciertos, no hay puntos por rapidez.

    🏅 Quienes empatan a puntos comparten el puesto y los premios de los puestos que ocupan.</blockquote>
quiz-fair = En una trivia no hay sorteo: deciden los puntos. Las reglas explican cómo se cuentan.

## Abrir

rejected-no-questions = No hay preguntas así. Prueba con otras categorías, otra dificultad u otro paquete.
cmd-usage-start_quiz = Escríbelo así: /start_quiz 10 15 20 (preguntas, segundos para cada una, máximo de jugadores), o solo lo primero.
cmd-about-start_quiz = Abrir una trivia: [preguntas] [segundos] [jugadores]
cmd-about-pack = Tus propias preguntas de trivia
quiz-bank-instead = { $reason } { $host }, las preguntas salen en su lugar del banco incluido.
quiz-bank-partly = { $reason } { $host }, { $written ->
    [one] { $written } pregunta es de la IA; las demás salen del banco incluido.
   *[other] { $written } preguntas son de la IA; las demás salen del banco incluido.
}
quiz-written = ✍️ Las preguntas están escritas: { $topic }

## El formulario

quiz-newgame-choose = 🧠 Trivia
quiz-form =
    🧠 { $questions ->
        [one] { $questions } pregunta
       *[other] { $questions } preguntas
    }, { $question_seconds } cada una · { $winners ->
        [one] { $winners } ganador
       *[other] { $winners } ganadores
    }
quiz-newgame = <b>Partida nueva: Trivia</b>
quiz-newgame-instead = 🧠 Jugar a la trivia
quiz-settings =
    <b>Las reglas del grupo para la trivia</b>
    Con ellas empieza cada trivia nueva.
quiz-settings-open = 🧠 Reglas de la trivia
dlg-name-questions = Preguntas
dlg-name-question_seconds = Para responder
dlg-name-difficulty = Dificultad
dlg-name-categories = Categorías
dlg-name-pack = Origen de las preguntas
dlg-name-topic = Tema para la IA
dlg-name-polls = Se responde con
dlg-name-late_join = Unirse tarde
dlg-late_join-no = no
dlg-late_join-yes = sí, desde la siguiente
dlg-quiz-mode-normal = aciertos y rapidez
dlg-quiz-mode-accuracy = solo aciertos
dlg-difficulty-any = de todo tipo
dlg-difficulty-easy = fáciles
dlg-difficulty-medium = medias
dlg-difficulty-hard = difíciles
dlg-categories-any = todas
dlg-pack-bank = el banco incluido
dlg-topic-none = ninguno
dlg-polls-no = botones
dlg-polls-yes = encuestas de Telegram
dlg-about-questions = Cuántas preguntas se hacen.
dlg-about-question_seconds = Cuánto tiempo hay para responder, en segundos.
dlg-about-difficulty = Cómo de difíciles son las preguntas; las más difíciles valen más.
dlg-about-categories = De qué tratan las preguntas. Toca para elegir y otra vez para quitar; si no eliges ninguna, valen todas.
dlg-about-pack = Preguntas del banco incluido o de un paquete tuyo. Envíamelo con /pack en nuestro chat privado.
dlg-about-topic = Una IA escribe preguntas sobre esto mientras la gente se une: hasta 100 caracteres. Si falla, se usa el banco incluido.
dlg-about-polls = Botones debajo de la pregunta o encuestas de Telegram. Una encuesta dice enseguida si has acertado y no se puede pausar.
dlg-about-late_join = Si se puede entrar con la trivia en marcha. Quien entra responde desde la pregunta siguiente.
dlg-quiz-about-mode = Puntos solo por acertar o también por la rapidez.
dlg-quiz-about-reveal_seconds = Cuánto tiempo se ve la respuesta correcta, en segundos.
dlg-quiz-name-reveal_seconds = Respuesta a la vista

## Paquetes

pack-list = { $count ->
    [0]
        <b>Tus paquetes</b>
        Todavía no tienes ninguno.

        Envíame un archivo con preguntas: XLSX, ODS, CSV o JSON. La primera línea da nombre a las columnas: <code>{ $columns }</code>. Las tres primeras son necesarias. Los archivos de Kahoot, Quizizz, Blooket, Moodle, Anki y Open Trivia DB valen tal como están. Un archivo de la web se carga con <code>/pack https://…</code>.
   *[other]
        <b>Tus paquetes</b>
        Elige uno o envíame un archivo con preguntas (XLSX, ODS, CSV o JSON) para añadir otro. Columnas: <code>{ $columns }</code>
}
pack-item = { $name } ({ $size })
pack-preview = { $count ->
    [one] <b>{ $name }</b>: { $count } pregunta. ¿La guardo?
   *[other] <b>{ $name }</b>: { $count } preguntas. ¿Las guardo?
}
pack-alike-head = ⚠️ Preguntas casi iguales:
pack-and-more = … y { $count } más
pack-question = <b>{ $question }</b>
pack-answers = ✅ { $right } · ❌ { $wrong }
pack-answer = ✅ { $right }
pack-about = { $category } · { $difficulty }
pack-photo = 🖼 con foto
pack-save = Guardar
pack-discard = No guardar
pack-saved = Paquete <b>{ $name }</b> guardado. Para jugarlo, envía /newgame en tu grupo, elige la trivia y luego { form-more } › { form-all } › { dlg-name-pack }.
pack-discarded = No se ha guardado nada.
pack-refused = { $count ->
    [one] ❌ <b>{ $name }</b> tiene un error, así que no se ha guardado nada. Corrígelo y envía el archivo otra vez.
   *[other] ❌ <b>{ $name }</b> tiene errores, así que no se ha guardado nada. Corrígelos y envía el archivo otra vez.
}
pack-too-big = ❌ <b>{ $name }</b> es demasiado grande: como mucho { $limit } KB. Quita todo menos las preguntas o divídelo en dos paquetes.
pack-not-loaded = No he podido descargar ese archivo de Telegram. Envíalo otra vez.
pack-imported = ✅ Ya tienes <b>{ $name }</b>: { $count ->
    [one] { $count } pregunta.
   *[other] { $count } preguntas.
} Para jugarlo, envía /newgame en tu grupo, elige la trivia y luego { form-more } › { form-all } › { dlg-name-pack }.
pack-not-imported = ❌ <b>{ $name }</b> no se ha importado. { $reason }
pack-import-begun = Estoy descargando el archivo. Te avisaré cuando el paquete esté listo.
pack-import-too-big = El archivo supera los { $limit } KB.
pack-import-status = El servidor ha respondido con el estado { $status }.
pack-import-unreachable = No se pudo contactar con el servidor.
pack-import-cancelled = La importación se ha detenido.
pack-too-many = Ya tienes { $limit } paquetes. Elimina uno primero.
pack-name-taken = Ya tienes un paquete con ese nombre.
pack-question-taken = Esa pregunta ya está en este paquete.
pack-full = Un paquete admite { $limit } preguntas como mucho.
pack-gone = Eso ya no existe.
pack-open = <b>{ $name }</b>, preguntas: { $size }
pack-view = Ver las preguntas
pack-rename = Cambiar el nombre
pack-export = Recibir como { $form }
pack-delete = Eliminar
pack-delete-sure = ¿Eliminar <b>{ $name }</b> y sus preguntas para siempre?
pack-delete-yes = Sí, eliminar
pack-deleted = El paquete se ha eliminado.
pack-new-name = Envía el nuevo nombre de <b>{ $name }</b>: hasta { $limit } caracteres.
pack-page = <b>{ $name }</b>, página { $page } de { $pages }
pack-add = Añadir una pregunta
pack-change = Cambiarla
pack-remove = Eliminar esta pregunta
pack-write =
    Envía la pregunta así, cada cosa en una línea:

    la pregunta
    la respuesta correcta
    una respuesta incorrecta
    hasta dos respuestas incorrectas más
    #categoría, si quieres
pack-photo-how = Para mostrar una foto con ella, envíamela ahora.
pack-photo-away = Sin la foto
pack-difficulty = Dificultad: { $difficulty }
pack-changed = La pregunta se ha cambiado.
pack-added = La pregunta se ha añadido.
pack-removed = La pregunta se ha eliminado.
pack-in-private = Tus paquetes de preguntas están en nuestro chat privado. Envía /pack allí.

## En los textos de todos los juegos

quiz-cancelled-everybody_removed = Han quitado a todos los jugadores, así que la partida se cancela.
quiz-phase-question_open = Pregunta abierta
quiz-phase-question_reveal = Respuesta a la vista
cmd-help-start_quiz = /start_quiz [preguntas] [segundos] [jugadores]: abrir una trivia
quiz-pitch = Trivia: ganan los aciertos más rápidos.
cmd-help-pack = /pack: tus propias preguntas de trivia (enviar un archivo, verlas, cambiarlas, recuperarlas)
