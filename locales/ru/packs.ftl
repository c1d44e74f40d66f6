### Наборы вопросов: что не так с файлом и как это исправить; почему модель ничего не написала.

## Ошибки в файле: pack-mistake-<код>, со столбцом и параметрами кода. Это сообщения.

pack-mistake-on-line = { $number ->
    [0] Строка { NUMBER($line, useGrouping: 0) }: { $mistake }
   *[other] Строка { NUMBER($line, useGrouping: 0) }, вопрос { NUMBER($number, useGrouping: 0) }: { $mistake }
}
pack-mistake-file-too-large = Файл слишком велик. Пришлите не больше { $limit } КБ: уберите картинки или разделите набор на два.
pack-mistake-empty-file = Файл пуст. Сохраните его ещё раз вместе с вопросами.
pack-mistake-unknown-format = Такие файлы мне незнакомы. Пришлите CSV, JSON или XLSX.
pack-mistake-old-excel = Это файл старого Excel или файл с паролем. Сохраните его как .xlsx без пароля.
pack-mistake-damaged-xlsx = Эту книгу не прочесть. Откройте её, сохраните ещё раз как .xlsx и пришлите.
pack-mistake-xlsx-too-large = В этой книге гораздо больше, чем вопросы. Скопируйте их в новую и пришлите её.
pack-mistake-unknown-encoding = Буквы этого файла не прочесть. Сохраните его в кодировке UTF-8.
pack-mistake-bad-quotes = Кавычки не сходятся. Текст с запятыми или кавычками возьмите в " и ", а " внутри него пишите как "".
pack-mistake-bad-json = JSON обрывается или ломается на символе { NUMBER($column_number, useGrouping: 0) } строки. Поищите там пропущенную запятую, скобку или кавычку.
pack-mistake-strange-json = В этом JSON слишком глубокая вложенность или чудовищное число. Оставьте список вопросов.
pack-mistake-no-list = Здесь нет списка вопросов. Напишите <code>{"{"}"questions": [ … ]{"}"}</code>.
pack-mistake-no-header = Первая строка должна называть столбцы. Известны такие: { $columns }
pack-mistake-missing-column = Не хватает столбца <code>{ $column }</code>. Добавьте его в первую строку.
pack-mistake-repeated-column = Столбец <code>{ $column }</code> встречается дважды, второй раз под номером { $number }. Уберите лишний.
pack-mistake-unknown-column = { $suggestion ->
    [NONE] Столбец { $number }, <code>{ $column }</code>, неизвестен. Уберите или переименуйте его.
   *[other] Столбец { $number }, <code>{ $column }</code>, неизвестен. Может быть, <code>{ $suggestion }</code>?
}
pack-mistake-repeated-field = Поле <code>{ $column }</code> встречается дважды. Уберите лишнее.
pack-mistake-bad-base64 = <code>{ $column }</code> записано не в base64, как остальное. Загрузите вопросы ещё раз, без <code>encode=base64</code>.
pack-mistake-unknown-field = Поле <code>{ $column }</code> неизвестно. Уберите или переименуйте его.
pack-mistake-too-many-questions = В наборе может быть не больше { $limit } вопросов. Разделите его на два.
pack-mistake-no-questions = Здесь нет вопросов. Пишите по одному в строке под названиями столбцов.
pack-mistake-too-many-cells = Ячеек { $cells }, а столбцов только { $columns }. Текст, в котором есть разделители, возьмите в кавычки.
pack-mistake-not-an-object = Это не вопрос. Напишите <code>{"{"}"question": …, "answer": …, "wrong": [ … ]{"}"}</code>.
pack-mistake-bad-list = В <code>{ $column }</code> должен быть список неверных ответов, от одного до { $limit }.
pack-mistake-not-text = В <code>{ $column }</code> должен быть текст. Возьмите его в кавычки.
pack-mistake-empty-question = Вопрос пуст. Заполните его или уберите.
pack-mistake-missing-cell = <code>{ $column }</code> не заполнено. Вопросу нужен верный ответ и хотя бы один неверный.
pack-mistake-too-long = В <code>{ $column }</code> символов: { $length }. Сократите до { $limit }.
pack-mistake-same-answers = В <code>{ $column }</code> то же, что в <code>{ $other }</code>. Ответы должны различаться: измените один.
pack-mistake-unknown-difficulty = Сложность «{ $given }» мне незнакома. Напишите <code>easy</code>, <code>medium</code> или <code>hard</code> либо ничего.
pack-mistake-bad-photo = Это не фотография. Укажите адрес, который начинается с https://, или ничего.
pack-mistake-control-character = В <code>{ $column }</code> есть невидимый символ { $character }. Наберите текст заново.
pack-mistake-repeated-question = { $by ->
    [question] Вопрос { NUMBER($first, useGrouping: 0) } точно такой же. Уберите один из них.
   *[line] Этот вопрос уже есть в строке { NUMBER($first, useGrouping: 0) }. Уберите один из них.
}
pack-mistake-formula-cell = В столбце { $column } формула. Поставьте туда её результат текстом.
pack-mistake-error-cell = В столбце { $column } ошибка { $given }. Поставьте туда текст.
pack-mistake-date-cell = В столбце { $column } дата или время, а их каждый увидит по-своему. Сделайте ячейку текстовой и наберите заново.

pack-alike = { $by ->
    [question] Вопрос { NUMBER($line, useGrouping: 0) } почти повторяет вопрос { NUMBER($earlier, useGrouping: 0) }: { $question }
   *[line] Строка { NUMBER($line, useGrouping: 0) } спрашивает почти то же, что строка { NUMBER($earlier, useGrouping: 0) }: { $question }
}

## Почему вместо модели вопросы дал встроенный набор

writer-unreachable = Нейросеть, которая пишет вопросы, недоступна.
writer-timeout = Нейросеть слишком долго писала вопросы.
writer-busy = Нейросеть занята.
writer-broken = На сервере нейросети сбой.
writer-refused = Нейросеть отказалась писать такие вопросы.
writer-junk = Нейросеть не написала ничего пригодного.
writer-resting = Нейросеть несколько раз подряд не справилась, поэтому пока её не спрашиваем.
writer-too-few = Нейросеть написала слишком мало пригодных вопросов.
