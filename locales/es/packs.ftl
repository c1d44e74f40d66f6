### Paquetes de preguntas: qué falla en un archivo y cómo arreglarlo; por qué la IA no ha escrito nada.

## Errores en un archivo: pack-mistake-<código>, con la columna y los parámetros del código. Son mensajes.

pack-mistake-on-line = { $number ->
    [0] Línea { NUMBER($line, useGrouping: 0) }: { $mistake }
   *[other] Línea { NUMBER($line, useGrouping: 0) }, pregunta { NUMBER($number, useGrouping: 0) }: { $mistake }
}
pack-mistake-file-too-large = El archivo es demasiado grande. Envía como mucho { $limit } KB: quita las imágenes o divídelo en dos paquetes.
pack-mistake-empty-file = El archivo está vacío. Guárdalo otra vez con las preguntas.
pack-mistake-unknown-format = No conozco este tipo de archivo. Envía XLSX, ODS, CSV o JSON, o una exportación de Kahoot, Quizizz, Blooket, Moodle (GIFT, XML, Aiken) o Anki.
pack-mistake-old-excel = Es un archivo antiguo de Excel (.xls) o tiene contraseña. Guárdalo como .xlsx sin contraseña.
pack-mistake-damaged-xlsx = Esta hoja de cálculo no se puede leer. Ábrela, guárdala otra vez como .xlsx y envíala.
pack-mistake-xlsx-too-large = Este libro contiene mucho más que preguntas. Cópialas en uno nuevo y envíalo.
pack-mistake-unknown-encoding = Las letras de este archivo no se pueden leer. Guárdalo con la codificación UTF-8.
pack-mistake-bad-quotes = Las comillas no cuadran. Pon los textos con comas o comillas entre " y ", y escribe cada " interior como "".
pack-mistake-bad-json = El JSON se corta o es incorrecto en el carácter { NUMBER($column_number, useGrouping: 0) } de la línea. Busca ahí una coma, un corchete o unas comillas que falten.
pack-mistake-strange-json = Este JSON tiene demasiados niveles o un número enorme. Envía solo una lista de preguntas.
pack-mistake-no-list = No hay ninguna lista de preguntas. Escribe <code>{"{"}"questions": [ … ]{"}"}</code>.
pack-mistake-no-header = La primera línea debe dar nombre a las columnas. Se conocen estas: { $columns }
pack-mistake-missing-column = Falta la columna <code>{ $column }</code>. Añádela a la primera línea.
pack-mistake-repeated-column = La columna <code>{ $column }</code> aparece dos veces, la segunda con el número { $number }. Quita una.
pack-mistake-unknown-column = No conozco la columna { $number }, <code>{ $column }</code>. Quítala o cámbiale el nombre.
pack-mistake-misspelt-column = No conozco la columna { $number }, <code>{ $column }</code>. ¿Será <code>{ $suggestion }</code>?
pack-mistake-repeated-field = El campo <code>{ $column }</code> aparece dos veces. Quita uno.
pack-mistake-bad-base64 = <code>{ $column }</code> no está escrito en base64, como lo demás. Carga otra vez las preguntas, sin <code>encode=base64</code>.
pack-mistake-unknown-field = No conozco el campo <code>{ $column }</code>. Quítalo o cámbiale el nombre.
pack-mistake-too-many-questions = Un paquete admite { $limit } preguntas como mucho. Divídelo en dos.
pack-mistake-no-questions = No hay preguntas. Escribe una por línea, debajo de los nombres de las columnas.
pack-mistake-too-many-cells = Hay { $cells } celdas, pero solo { $columns } columnas. Pon entre comillas los textos que contengan separadores.
pack-mistake-not-an-object = Esto no es una pregunta. Escribe <code>{"{"}"question": …, "answer": …, "wrong": [ … ]{"}"}</code>.
pack-mistake-bad-list = <code>{ $column }</code> debe ser una lista de entre una y { $limit } respuestas incorrectas.
pack-mistake-not-text = <code>{ $column }</code> debe ser un texto. Ponlo entre comillas.
pack-mistake-empty-question = La pregunta está vacía. Complétala o quítala.
pack-mistake-missing-cell = <code>{ $column }</code> está vacío. Complétalo o quita la línea: una pregunta necesita una respuesta correcta y al menos una incorrecta.
pack-mistake-too-long = <code>{ $column }</code> tiene { $length } caracteres. Redúcelo a { $limit }.
pack-mistake-same-answers = <code>{ $column }</code> dice lo mismo que <code>{ $other }</code>. Las respuestas deben ser distintas: cambia una.
pack-mistake-unknown-difficulty = No conozco la dificultad «{ $given }». Escribe <code>fácil</code>, <code>media</code> o <code>difícil</code>, o nada.
pack-mistake-unknown-type = No conozco el tipo «{ $given }». Escribe <code>verdadero/falso</code>, <code>varias respuestas</code>, <code>número</code> u <code>orden</code>, o nada si hay una sola respuesta.
pack-mistake-answer-count = <code>{ $column }</code> da { $count } respuestas; este tipo de pregunta necesita de { $fewest } a { $most }. Sepáralas con |.
pack-mistake-bad-number = <code>{ $column }</code> debe ser un solo número, como 8849 u 8849 ± 50, pero es «{ $given }». No separes los miles con puntos ni comas.
pack-mistake-bad-truth = <code>{ $column }</code> debe decir si la afirmación es cierta: { $words }.
pack-mistake-no-wrong-answers = <code>{ $column }</code> debe quedar vacío: este tipo de pregunta no tiene respuestas incorrectas.
pack-mistake-bad-photo = Esto no es una foto. Indica una dirección que empiece por https://, o nada.
pack-mistake-control-character = <code>{ $column }</code> contiene un carácter invisible, { $character }. Vuelve a teclear el texto.
pack-mistake-repeated-question = { $by ->
    [question] La pregunta { NUMBER($first, useGrouping: 0) } es igual. Quita una.
   *[line] La misma pregunta ya está en la línea { NUMBER($first, useGrouping: 0) }. Quita una.
}
pack-mistake-formula-cell = La columna { $column } contiene una fórmula cuyo resultado no está en el archivo. Pon ahí el resultado como texto.
pack-mistake-error-cell = La columna { $column } contiene el error { $given }. Pon ahí un texto.
pack-mistake-date-cell = La columna { $column } contiene una fecha o una hora, que en cada país se ve de otra manera. Da a la celda formato de texto y vuelve a teclearla.
pack-mistake-number-format = La columna { $column } contiene un número en un formato que cada cual vería de una manera. Da a la celda formato de texto y vuelve a teclearla.
pack-mistake-merged-cell = La columna { $column } está combinada con la de al lado. Separa las celdas y completa cada una.
pack-mistake-far-column = Hay un texto más allá de la columna { $limit }. Ponlo todo seguido desde la primera columna.
pack-mistake-too-many-rows = Esta hoja tiene muchas más filas que preguntas puede tener un paquete. Copia las preguntas en un libro nuevo y envíalo.
pack-mistake-binary-xlsx = Es un libro binario. Guárdalo como .xlsx y envíalo.
pack-mistake-piled-accents = En <code>{ $column }</code> hay demasiados acentos sobre una letra. Vuelve a teclear el texto.
pack-mistake-no-such-answer = La columna { $column } debe decir qué respuesta es correcta: con su número, su letra o su texto, tal como está entre las respuestas.
pack-mistake-missing-right = La columna { $column } está vacía. Escribe qué respuesta es correcta.
pack-mistake-aiken-order = Debajo de la pregunta deben estar sus respuestas, <code>A. …</code>, <code>B. …</code>, y después una línea <code>Respuesta: A</code>. Quita cualquier otro texto.
pack-mistake-gift-braces = Las llaves no cuadran. Pon las respuestas entre {"{"} y {"}"}, y una línea vacía entre preguntas.
pack-mistake-damaged-xml = Este XML no se puede leer. Exporta otra vez las preguntas como Moodle XML.
pack-mistake-anki-fields = Una ficha necesita dos campos completos, anverso y reverso. Complétalos o quita la ficha.
pack-mistake-anki-backs = Todas tienen la misma respuesta, así que no hay incorrectas entre las que elegir. Envía una tabla con respuestas incorrectas.
pack-mistake-too-complex = Este archivo contiene mucho más que preguntas. Cópialas en un archivo nuevo y envíalo.
pack-mistake-garbled = <code>{ $column }</code> contiene letras dañadas: «{ $given }». Se dañaron al guardar el texto con otra codificación: toma el original y guárdalo como UTF-8. Si el signo de interrogación es correcto, pon un espacio detrás.
pack-mistake-not-a-table = Es un documento, no una tabla. Pon las preguntas en una hoja de cálculo y envíala como XLSX, ODS o CSV.
pack-mistake-packed-files = Es un archivo comprimido. Descomprímelo y envía el archivo con las preguntas.
pack-mistake-anki-package = Es un mazo de Anki. En Anki, elige Archivo → Exportar → «Notas en texto plano (.txt)» y envía ese archivo.
pack-mistake-web-page = Es una página web, no un archivo de preguntas. Descarga el archivo mismo como CSV o XLSX y envíalo.
pack-mistake-hidden-columns = Hay columnas ocultas que el paquete necesita. Muestra todas las columnas, guarda el archivo y envíalo otra vez.
pack-mistake-index-answer = La columna { $column } da un número, y unos programas cuentan las respuestas desde 0 y otros desde 1. Escribe la letra de la respuesta correcta, o su texto.
pack-mistake-ambiguous-answer = La columna { $column } dice «{ $given }», que es a la vez una respuesta y el número de otra. Escribe la letra de la respuesta correcta.
pack-mistake-no-correct-column = Ninguna columna dice qué respuesta es correcta. Añade una columna <code>Respuesta correcta</code> con su número, su letra o su texto.
pack-mistake-no-known-types = No se puede usar ninguna de estas preguntas. La trivia tiene una opción, verdadero o falso, varias respuestas, número y orden, con respuestas en palabras, no en imágenes.
pack-mistake-no-table = Aquí no hay ni una tabla ni una lista de preguntas. Escribe debajo de cada pregunta sus respuestas, <code>A) …</code>, <code>B) …</code>, y después una línea <code>Respuesta: A</code>, o envía una tabla.
pack-mistake-unclear-list = En la columna { $column } no se ve dónde termina cada respuesta. Sepáralas con punto y coma o con un salto de línea.

## Lo que un archivo tiene y un paquete no admite: pack-note-<código>, con cuántas veces y en qué líneas.

pack-notes-head = ℹ️ No se pudo importar todo:
pack-note-where = { $by ->
    [question] { $count ->
        [one] (pregunta { $lines })
       *[other] (preguntas { $lines })
    }
   *[line] { $count ->
        [one] (línea { $lines })
       *[other] (líneas { $lines })
    }
}
pack-note-several-right = { $count ->
    [one] Se omite una pregunta con más de ocho respuestas correctas
   *[other] Se omiten { $count } preguntas con más de ocho respuestas correctas
}
pack-note-other-types = { $count ->
    [one] Se omite una pregunta de un tipo que la trivia no tiene
   *[other] Se omiten { $count } preguntas de tipos que la trivia no tiene
}
pack-note-more-answers = { $count ->
    [one] Una pregunta tiene demasiadas respuestas: se omiten algunas incorrectas
   *[other] { $count } preguntas tienen demasiadas respuestas: se omiten algunas incorrectas
}
pack-note-explanations = Se omiten los comentarios sobre respuestas concretas
pack-note-long-explanations = { $count ->
    [one] Una explicación es demasiado larga y se recorta
   *[other] { $count } explicaciones son demasiado largas y se recortan
}
pack-note-alternatives = { $count ->
    [one] Una pregunta acepta cualquiera de varias respuestas correctas: solo se guarda la primera
   *[other] { $count } preguntas aceptan cualquiera de varias respuestas correctas: solo se guarda la primera
}
pack-note-partly-right = Se omiten las respuestas correctas solo en parte
pack-note-empty-answers = { $count ->
    [one] Se omite una pregunta cuyas respuestas son imágenes
   *[other] Se omiten { $count } preguntas cuyas respuestas son imágenes
}
pack-note-sounds = Se omiten el sonido y el vídeo
pack-note-formulas = Las fórmulas se muestran tal como están escritas
pack-note-times = Se omite el tiempo de cada pregunta: en la trivia hay uno para todas
pack-note-pictures = { $count ->
    [one] Se omite una imagen: añádela a su pregunta después de guardar el paquete
   *[other] Se omiten { $count } imágenes: añádelas a sus preguntas después de guardar el paquete
}
pack-note-fields = Se omiten los demás campos de las fichas
pack-note-wrong-from-others = No hay respuestas incorrectas: se usan las correctas de otras preguntas
pack-note-no-header = Ninguna línea da nombre a las columnas, así que la primera se toma como pregunta
pack-note-other-text = Se omite el texto que no es de ninguna pregunta
pack-note-answers-by-letter = La trivia muestra las respuestas sin letras y en cualquier orden: reescribe las que nombran a otras por su letra
pack-note-unnamed-columns = Se omiten las columnas sin nombre: { $names }
pack-note-english-numbers = Los números de la hoja se escriben como en inglés, por ejemplo 1,234.5: si no, da a las celdas formato de texto
pack-note-hidden-rows = { $count ->
    [one] Se omite una fila oculta
   *[other] Se omiten { $count } filas ocultas
}
pack-note-hidden-columns = { $count ->
    [one] Se omite una columna oculta
   *[other] Se omiten { $count } columnas ocultas
}
pack-note-other-columns = Se omiten las columnas que un paquete no tiene: { $names }
pack-note-other-sheets = { $count ->
    [one] Se omite otra hoja
   *[other] Se omiten otras { $count } hojas
}

## Nombres que pueden usar las tablas de preguntas, separados por comas. No importan mayúsculas, espacios ni signos.

pack-column-question = Pregunta, Preguntas, Texto de la pregunta, Enunciado, Término, Anverso
pack-column-answer = Respuesta, Respuesta correcta, Solución, Correcta, Acierto, Definición, Reverso
pack-column-wrong = Incorrecta, Respuesta incorrecta, Respuesta falsa, Falsa, Errónea, Respuesta errónea, Distractor
pack-column-wrong-list = Respuestas incorrectas, Incorrectas, Respuestas falsas, Otras respuestas, Otras opciones, Distractores
pack-column-category = Categoría, Tema, Materia, Asignatura
pack-column-difficulty = Dificultad, Nivel, Nivel de dificultad
pack-column-photo = Foto, Fotografía, Imagen, Enlace de la imagen
pack-column-option = Respuesta, Opción, Alternativa, Opción de respuesta
pack-column-correct = Respuesta correcta, Correcta, Opción correcta, Alternativa correcta, Número de la respuesta correcta, Solución
pack-column-type = Tipo, Tipo de pregunta
pack-column-explanation = Explicación, Comentario
pack-column-source = Fuente, Enlace, Referencia
pack-column-aside = Puntos, Puntuación, Tiempo, Segundos, Ronda, Notas, Autor, Autora, Fecha, Etiquetas
pack-column-options-list = Opciones, Alternativas, Respuestas, Opciones de respuesta, Posibles respuestas
pack-level-easy = fácil, sencilla
pack-level-medium = media, medio, intermedia
pack-level-hard = difícil, complicada
pack-type-choice = opción, opción única, opción múltiple
pack-type-true_false = verdadero/falso, verdadero o falso
pack-type-several = varias respuestas, varias
pack-type-number = número, numérica
pack-type-order = orden, ordenar, secuencia
pack-true = Verdadero
pack-false = Falso

## Otras palabras sobre archivos

pack-busy = Has enviado muchos archivos a la vez. Espera la respuesta a los anteriores y envía este otra vez.
pack-sample = Ejemplo: { $form }
pack-sample-question-1 = ¿Qué planeta está más cerca del Sol?
pack-sample-answers-1 = Mercurio, Venus, Marte, Júpiter
pack-sample-category-1 = Espacio
pack-sample-explanation-1 = Mercurio está a 58 millones de km del Sol; Venus, a 108.
pack-sample-question-2 = La ballena es un pez.
pack-sample-answers-2 = Falso
pack-sample-category-2 = Naturaleza
pack-sample-explanation-2 = Las ballenas son mamíferos: respiran aire y amamantan a sus crías.
pack-sample-question-3 = ¿Cuántos metros mide el Everest?
pack-sample-answers-3 = 8849 ± 100
pack-sample-category-3 = Geografía
pack-sample-explanation-3 = China y Nepal midieron juntos 8848,86 m en 2020.
pack-sample-question-4 = ¿Cuáles de estos son planetas?
pack-sample-answers-4 = Marte | Saturno, Luna, Sirio
pack-sample-category-4 = Espacio
pack-sample-explanation-4 = La Luna gira alrededor de la Tierra y Sirio es una estrella.
pack-sample-question-5 = Ordénalos del más antiguo al más reciente.
pack-sample-answers-5 = Telégrafo | Teléfono | Televisión | World Wide Web
pack-sample-category-5 = Historia
pack-sample-explanation-5 = 1837, 1876, 1926 y 1989.

pack-alike = { $by ->
    [question] La pregunta { NUMBER($line, useGrouping: 0) } es casi igual que la pregunta { NUMBER($earlier, useGrouping: 0) }: { $question }
   *[line] La línea { NUMBER($line, useGrouping: 0) } pregunta casi lo mismo que la línea { NUMBER($earlier, useGrouping: 0) }: { $question }
}

## Por qué el banco sustituye a la IA

writer-unreachable = No se puede contactar con la IA que escribe las preguntas.
writer-timeout = La IA ha tardado demasiado en escribir las preguntas.
writer-busy = La IA está ocupada.
writer-broken = El servidor de la IA ha fallado.
writer-refused = La IA se ha negado a escribir estas preguntas.
writer-junk = La IA no ha escrito nada que sirva.
writer-resting = La IA ha fallado varias veces seguidas, así que la dejamos descansar un rato.
writer-too-few = La IA ha escrito muy pocas preguntas que sirvan.
