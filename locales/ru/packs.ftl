### Наборы вопросов: ошибки в файле и как их исправить; почему нейросеть ничего не написала.

## Ошибки в файле: pack-mistake-<код>, со столбцом и параметрами кода. Это сообщения.

pack-mistake-on-line = { $number ->
    [0] Строка { NUMBER($line, useGrouping: 0) }: { $mistake }
   *[other] Строка { NUMBER($line, useGrouping: 0) }, вопрос { NUMBER($number, useGrouping: 0) }: { $mistake }
}
pack-mistake-file-too-large = Файл слишком велик. Пришлите не больше { $limit } КБ: уберите картинки или разделите набор на два.
pack-mistake-empty-file = Файл пуст. Сохраните его ещё раз вместе с вопросами.
pack-mistake-unknown-format = Такие файлы мне незнакомы. Пришлите XLSX, ODS, CSV или JSON либо выгрузку из Kahoot, Quizizz, Blooket, Moodle (GIFT, XML, Aiken) или Anki.
pack-mistake-old-excel = Это файл старого Excel (.xls) или файл с паролем. Сохраните его как .xlsx без пароля.
pack-mistake-damaged-xlsx = Эту таблицу не прочесть. Откройте её, сохраните ещё раз как .xlsx и пришлите.
pack-mistake-xlsx-too-large = В этой книге гораздо больше, чем вопросы. Скопируйте их в новую и пришлите её.
pack-mistake-unknown-encoding = Буквы этого файла не прочесть. Сохраните его в кодировке UTF-8.
pack-mistake-bad-quotes = Кавычки не сходятся. Текст с запятыми или кавычками возьмите в " и ", а " внутри него пишите как "".
pack-mistake-bad-json = JSON обрывается или испорчен на символе { NUMBER($column_number, useGrouping: 0) } строки. Поищите там пропущенную запятую, скобку или кавычку.
pack-mistake-strange-json = В этом JSON слишком глубокая вложенность или огромное число. Оставьте только список вопросов.
pack-mistake-no-list = Здесь нет списка вопросов. Напишите <code>{"{"}"questions": [ … ]{"}"}</code>.
pack-mistake-no-header = Первая строка должна называть столбцы. Известны такие: { $columns }
pack-mistake-missing-column = Не хватает столбца <code>{ $column }</code>. Добавьте его в первую строку.
pack-mistake-repeated-column = Столбец <code>{ $column }</code> встречается дважды, второй раз под номером { $number }. Уберите лишний.
pack-mistake-unknown-column = Столбец { $number }, <code>{ $column }</code>, неизвестен. Уберите или переименуйте его.
pack-mistake-misspelt-column = Столбец { $number }, <code>{ $column }</code>, неизвестен. Может быть, <code>{ $suggestion }</code>?
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
pack-mistake-missing-cell = Столбец <code>{ $column }</code> не заполнен. Заполните его или уберите строку: вопросу нужен верный ответ и хотя бы один неверный.
pack-mistake-too-long = В <code>{ $column }</code> символов: { $length }. Сократите до { $limit }.
pack-mistake-same-answers = В <code>{ $column }</code> то же, что в <code>{ $other }</code>. Ответы должны различаться: измените один.
pack-mistake-unknown-difficulty = Сложность «{ $given }» мне незнакома. Напишите <code>лёгкий</code>, <code>средний</code> или <code>сложный</code> либо ничего.
pack-mistake-unknown-type = Тип «{ $given }» мне незнаком. Напишите <code>верно/неверно</code>, <code>несколько ответов</code>, <code>число</code> или <code>порядок</code>, а для обычного выбора — ничего.
pack-mistake-answer-count = В столбце <code>{ $column }</code> ответов получается { $count }, а такому вопросу нужно от { $fewest } до { $most }. Разделяйте их знаком |.
pack-mistake-bad-number = В столбце <code>{ $column }</code> должно быть одно число, например 8849 или 8849 ± 50, а там «{ $given }». Тысячи точками и запятыми не отделяйте.
pack-mistake-bad-truth = В столбце <code>{ $column }</code> нужно указать, верно ли утверждение: { $words }.
pack-mistake-no-wrong-answers = Столбец <code>{ $column }</code> должен быть пустым: у такого вопроса нет неверных ответов.
pack-mistake-bad-photo = Это не фотография. Укажите адрес, который начинается с https://, или ничего.
pack-mistake-control-character = В <code>{ $column }</code> есть невидимый символ { $character }. Наберите текст заново.
pack-mistake-repeated-question = { $by ->
    [question] Вопрос { NUMBER($first, useGrouping: 0) } точно такой же. Уберите один из них.
   *[line] Этот вопрос уже есть в строке { NUMBER($first, useGrouping: 0) }. Уберите один из них.
}
pack-mistake-formula-cell = В столбце { $column } формула, а её результата в файле нет. Поставьте туда результат текстом.
pack-mistake-error-cell = В столбце { $column } ошибка { $given }. Поставьте туда текст.
pack-mistake-date-cell = В столбце { $column } дата или время, а в разных странах они выглядят по-разному. Сделайте ячейку текстовой и наберите заново.
pack-mistake-number-format = В столбце { $column } число в формате, который каждый увидит по-своему. Сделайте ячейку текстовой и наберите заново.
pack-mistake-merged-cell = Ячейка в столбце { $column } объединена с соседней. Разъедините ячейки и заполните каждую.
pack-mistake-far-column = Правее столбца { $limit } есть текст. Расположите всё подряд, начиная с первого столбца.
pack-mistake-too-many-rows = Строк на этом листе гораздо больше, чем может быть вопросов в наборе. Скопируйте вопросы в новую книгу и пришлите её.
pack-mistake-binary-xlsx = Это двоичная книга Excel. Сохраните её как .xlsx и пришлите.
pack-mistake-piled-accents = В <code>{ $column }</code> на одной букве слишком много надстрочных знаков. Наберите текст заново.
pack-mistake-no-such-answer = Столбец { $column } должен называть верный ответ: его номером, буквой или текстом, как он записан среди ответов.
pack-mistake-missing-right = Столбец { $column } пуст. Укажите, какой ответ верный.
pack-mistake-aiken-order = Под вопросом должны стоять ответы <code>А. …</code>, <code>Б. …</code>, а затем строка <code>Ответ: А</code>. Остальной текст уберите.
pack-mistake-gift-braces = Фигурные скобки не сходятся. Возьмите ответы в {"{"} и {"}"}, а вопросы разделите пустой строкой.
pack-mistake-damaged-xml = Этот XML не прочесть. Выгрузите вопросы ещё раз в формате Moodle XML.
pack-mistake-anki-fields = В карточке должны быть заполнены два поля, лицо и оборот. Заполните их или уберите карточку.
pack-mistake-anki-backs = Ответ везде один и тот же, поэтому неверных взять неоткуда. Пришлите таблицу с неверными ответами.
pack-mistake-too-complex = В этом файле гораздо больше, чем вопросы. Скопируйте их в новый файл и пришлите его.
pack-mistake-garbled = В <code>{ $column }</code> испорченные буквы: «{ $given }». Так бывает, если текст когда-то сохранили не в той кодировке: возьмите исходный файл и сохраните его в UTF-8. После нужного вопросительного знака поставьте пробел.
pack-mistake-not-a-table = Это документ, а не таблица. Перенесите вопросы в таблицу и пришлите её как XLSX, ODS или CSV.
pack-mistake-packed-files = Это архив. Распакуйте его и пришлите сам файл с вопросами.
pack-mistake-anki-package = Это колода Anki. В Anki выберите «Файл» → «Экспортировать» → «Записи в виде обычного текста (.txt)» и пришлите полученный файл.
pack-mistake-web-page = Это веб-страница, а не файл с вопросами. Скачайте сам файл как CSV или XLSX и пришлите его.
pack-mistake-hidden-columns = Нужные для набора столбцы скрыты. Покажите все столбцы, сохраните файл и пришлите снова.
pack-mistake-index-answer = В столбце { $column } номер, а одни программы считают ответы с 0, другие с 1. Напишите букву верного ответа или его текст.
pack-mistake-ambiguous-answer = В столбце { $column } стоит «{ $given }»: это и сам ответ, и номер другого. Напишите букву верного ответа.
pack-mistake-no-correct-column = Ни один столбец не говорит, какой ответ верный. Добавьте столбец <code>Верный ответ</code> с его номером, буквой или текстом.
pack-mistake-no-known-types = Ни одного вопроса взять не удалось. В викторине есть выбор ответа, «верно или неверно», несколько ответов, число и порядок, а ответы — слова, не картинки.
pack-mistake-no-table = Ни таблицы, ни списка вопросов здесь не видно. Под каждым вопросом напишите ответы <code>А) …</code>, <code>Б) …</code>, а затем строку <code>Ответ: А</code>, или пришлите таблицу.
pack-mistake-unclear-list = В столбце { $column } не видно, где кончается каждый ответ. Разделите их точкой с запятой или переносом строки.

## Что в файле есть, а в наборе быть не может: pack-note-<код>, сколько раз и где.

pack-notes-head = ℹ️ Не всё удалось перенести:
pack-note-where = { $by ->
    [question] { $count ->
        [one] (вопрос { $lines })
       *[other] (вопросы { $lines })
    }
   *[line] { $count ->
        [one] (строка { $lines })
       *[other] (строки { $lines })
    }
}
pack-note-several-right = { $count ->
    [one] { $count } вопрос, где больше восьми верных ответов, пропущен
    [few] { $count } вопроса, где больше восьми верных ответов, пропущены
   *[other] { $count } вопросов, где больше восьми верных ответов, пропущено
}
pack-note-other-types = { $count ->
    [one] { $count } вопрос такого типа, которого в викторине нет, пропущен
    [few] { $count } вопроса таких типов, которых в викторине нет, пропущены
   *[other] { $count } вопросов таких типов, которых в викторине нет, пропущено
}
pack-note-more-answers = { $count ->
    [one] В { $count } вопросе слишком много ответов: часть неверных пропущена
    [few] В { $count } вопросах слишком много ответов: часть неверных пропущена
   *[other] В { $count } вопросах слишком много ответов: часть неверных пропущена
}
pack-note-explanations = Комментарии к отдельным ответам не взяты
pack-note-long-explanations = { $count ->
    [one] { $count } слишком длинное пояснение обрезано
    [few] { $count } слишком длинных пояснения обрезаны
   *[other] { $count } слишком длинных пояснений обрезано
}
pack-note-alternatives = { $count ->
    [one] В { $count } вопросе засчитывается любой из нескольких верных ответов: взят только первый
    [few] В { $count } вопросах засчитывается любой из нескольких верных ответов: взят только первый
   *[other] В { $count } вопросах засчитывается любой из нескольких верных ответов: взят только первый
}
pack-note-partly-right = Частично верные ответы пропущены
pack-note-empty-answers = { $count ->
    [one] { $count } вопрос, где ответы — картинки, пропущен
    [few] { $count } вопроса, где ответы — картинки, пропущены
   *[other] { $count } вопросов, где ответы — картинки, пропущено
}
pack-note-sounds = Звук и видео не взяты
pack-note-formulas = Формулы останутся такими, как набраны
pack-note-times = Время на отдельные вопросы не взято: в викторине оно одно на все
pack-note-pictures = { $count ->
    [one] { $count } картинка не взята: добавьте её к вопросу, когда сохраните набор
    [few] { $count } картинки не взяты: добавьте их к вопросам, когда сохраните набор
   *[other] { $count } картинок не взято: добавьте их к вопросам, когда сохраните набор
}
pack-note-fields = Остальные поля карточек не взяты
pack-note-wrong-from-others = Неверных ответов нет: вместо них взяты верные ответы на другие вопросы
pack-note-no-header = Строки с названиями столбцов нет, поэтому первая строка взята как вопрос
pack-note-other-text = Текст, который не относится к вопросам, пропущен
pack-note-answers-by-letter = Викторина показывает ответы без букв и в любом порядке: перепишите ответы, которые ссылаются на буквы
pack-note-unnamed-columns = Столбцы без названия пропущены: { $names }
pack-note-english-numbers = Числа таблицы записаны по-английски, например 1,234.5: если нужно иначе, сделайте ячейки текстовыми
pack-note-hidden-rows = { $count ->
    [one] { $count } скрытая строка пропущена
    [few] { $count } скрытые строки пропущены
   *[other] { $count } скрытых строк пропущено
}
pack-note-hidden-columns = { $count ->
    [one] { $count } скрытый столбец пропущен
    [few] { $count } скрытых столбца пропущены
   *[other] { $count } скрытых столбцов пропущено
}
pack-note-other-columns = Пропущены столбцы, которых в наборах нет: { $names }
pack-note-other-sheets = { $count ->
    [one] Ещё { $count } лист пропущен
    [few] Ещё { $count } листа пропущены
   *[other] Ещё { $count } листов пропущено
}

## Названия, которые могут быть в таблицах с вопросами, через запятую. Регистр, пробелы и знаки не важны.

pack-column-question = Вопрос, Вопросы, Текст вопроса, Задание, Формулировка, Термин, Лицевая сторона
pack-column-answer = Ответ, Верный ответ, Правильный ответ, Верный, Правильный, Определение, Оборотная сторона
pack-column-wrong = Неверный, Неверный ответ, Неправильный, Неправильный ответ, Ошибочный ответ, Ложный ответ, Дистрактор
pack-column-wrong-list = Неверные ответы, Неправильные ответы, Неверные, Неправильные, Неверные варианты, Неправильные варианты, Остальные варианты, Другие варианты
pack-column-category = Категория, Тема, Рубрика, Раздел
pack-column-difficulty = Сложность, Уровень, Уровень сложности, Трудность
pack-column-photo = Фото, Фотография, Картинка, Изображение, Ссылка на фото, Ссылка на картинку
pack-column-option = Ответ, Вариант, Вариант ответа
pack-column-correct = Верный ответ, Верный вариант, Верный, Правильный ответ, Правильный вариант, Правильный, Номер верного ответа, Номер правильного ответа, Номер ответа
pack-column-type = Тип, Тип вопроса
pack-column-explanation = Пояснение, Объяснение, Комментарий
pack-column-source = Источник, Ссылка
pack-column-aside = Баллы, Очки, Балл, Время, Секунды, Раунд, Тур, Заметки, Примечание, Примечания, Автор, Дата, Теги
pack-column-options-list = Варианты, Варианты ответа, Варианты ответов, Ответы, Все ответы, Все варианты
pack-level-easy = лёгкий, легко, простой
pack-level-medium = средний, средне
pack-level-hard = сложный, трудный, сложно
pack-type-choice = выбор, один ответ
pack-type-true_false = верно/неверно, верно или неверно, да/нет
pack-type-several = несколько ответов, несколько
pack-type-number = число
pack-type-order = порядок, по порядку
pack-true = Верно
pack-false = Неверно

## Прочее о файлах

pack-busy = Вы прислали много файлов сразу. Дождитесь ответа на прежние и пришлите этот ещё раз.
pack-sample = Образец: { $form }
pack-sample-question-1 = Какая планета ближе всех к Солнцу?
pack-sample-answers-1 = Меркурий, Венера, Марс, Юпитер
pack-sample-category-1 = Космос
pack-sample-explanation-1 = От Меркурия до Солнца 58 млн км, от Венеры — 108.
pack-sample-question-2 = Кит — это рыба.
pack-sample-answers-2 = Неверно
pack-sample-category-2 = Природа
pack-sample-explanation-2 = Киты — млекопитающие: дышат воздухом и кормят детёнышей молоком.
pack-sample-question-3 = Какова высота Эвереста в метрах?
pack-sample-answers-3 = 8849 ± 100
pack-sample-category-3 = География
pack-sample-explanation-3 = В 2020 году Китай и Непал вместе намерили 8848,86 м.
pack-sample-question-4 = Что из этого — планеты?
pack-sample-answers-4 = Марс | Сатурн, Луна, Сириус
pack-sample-category-4 = Космос
pack-sample-explanation-4 = Луна — спутник Земли, а Сириус — звезда.
pack-sample-question-5 = Расставьте по порядку, начиная с самого старого.
pack-sample-answers-5 = Телеграф | Телефон | Телевидение | Всемирная паутина
pack-sample-category-5 = История
pack-sample-explanation-5 = 1837, 1876, 1926 и 1989 годы.

pack-alike = { $by ->
    [question] Вопрос { NUMBER($line, useGrouping: 0) } почти повторяет вопрос { NUMBER($earlier, useGrouping: 0) }: { $question }
   *[line] Строка { NUMBER($line, useGrouping: 0) } спрашивает почти то же, что строка { NUMBER($earlier, useGrouping: 0) }: { $question }
}

## Почему вместо нейросети вопросы дал встроенный банк

writer-unreachable = Нейросеть, которая пишет вопросы, недоступна.
writer-timeout = Нейросеть слишком долго писала вопросы.
writer-busy = Нейросеть занята.
writer-broken = На сервере нейросети сбой.
writer-refused = Нейросеть отказалась писать такие вопросы.
writer-junk = Нейросеть не написала ничего пригодного.
writer-resting = Нейросеть несколько раз подряд не справилась, поэтому пока её не спрашиваем.
writer-too-few = Нейросеть написала слишком мало пригодных вопросов.
