### Викторина.

## Отказы

rejected-already-answered = { $choice ->
    [0] Вы уже ответили A. Считается первый ответ.
    [1] Вы уже ответили B. Считается первый ответ.
    [2] Вы уже ответили C. Считается первый ответ.
    [3] Вы уже ответили D. Считается первый ответ.
   *[other] Вы уже ответили. Считается первый ответ.
}
not-now-answer = { $phase ->
    [waiting_for_players] Вопросы придут, когда викторина начнётся.
    [players_joining] Вопросы придут, когда викторина начнётся.
    [completed] Эта викторина закончилась.
    [cancelled] Эту викторину отменили.
   *[other] Вопрос уже закрыт.
}
not-now-draft = { $phase ->
    [waiting_for_players] Вопросы придут, когда викторина начнётся.
    [players_joining] Вопросы придут, когда викторина начнётся.
    [completed] Эта викторина закончилась.
    [cancelled] Эту викторину отменили.
   *[other] Вопрос уже закрыт.
}
not-now-confirm = { $phase ->
    [waiting_for_players] Вопросы придут, когда викторина начнётся.
    [players_joining] Вопросы придут, когда викторина начнётся.
    [completed] Эта викторина закончилась.
    [cancelled] Эту викторину отменили.
   *[other] Вопрос уже закрыт.
}
rejected-question-closed = Вопрос { $number } закрыт.
rejected-no-such-answer = У этого вопроса нет такого ответа.
rejected-answer-incomplete = Сначала выберите ответ, потом нажмите «Готово».
rejected-from-next-question = Вы вошли во время этого вопроса — отвечать можно со следующего.
rejected-last-question = Уже идёт последний вопрос. Присоединяйтесь к следующей викторине.
rejected-paused = Викторина на паузе. Скоро продолжим.
rejected-not-paused = Викторина не на паузе.
rejected-poll-runs = Пока опрос открыт, его нельзя поставить на паузу. Нажмите ещё раз, когда появится ответ.
rejected-wrong-question-count = Вопросов — { $have }, а нужно { $need }.
rejected-bad-question = Вопрос { $number } задать нельзя. Выберите другие.

## Викторина

quiz-name = Викторина
quiz-sign = 🧠
quiz-hint = Всем одни и те же вопросы, первый ответ окончательный. За трудные вопросы, быстрые ответы и серии очков больше.
quiz-value = { $value }

quiz-category-geography = География
quiz-category-history = История
quiz-category-science = Наука
quiz-category-nature = Природа
quiz-category-technology = Техника
quiz-category-art = Искусство
quiz-category-literature = Литература
quiz-category-music = Музыка
quiz-category-film = Кино
quiz-category-sport = Спорт
quiz-category-food = Еда
quiz-category-space = Космос
quiz-category-maths = Математика
quiz-difficulty-easy = лёгкий
quiz-difficulty-medium = средний
quiz-difficulty-hard = сложный

## Лобби

quiz-about = { $questions ->
    [one] ❓ { $questions } вопрос, { $time } на каждый.
    [few] ❓ { $questions } вопроса, { $time } на каждый.
   *[other] ❓ { $questions } вопросов, { $time } на каждый.
}
quiz-pace = ⏱ Telegram разрешает боту 20 сообщений в минуту на группу, поэтому вопрос вместе с ответом занимает не меньше { $time }.
quiz-subject = 📚 О чём: { $subjects }
quiz-level = 💪 Вопросы: { $level }
quiz-about-accuracy = 🎯 Считаются только верные ответы, скорость не важна.
quiz-about-polls = 📊 Вопросы приходят опросами Telegram.

## Вопрос

quiz-head = Вопрос { $number } из { $questions }
quiz-question = <b>{ $question }</b>
quiz-answer = <b>{ $letter }</b>  { $answer }
quiz-how-several = 👇 Верных ответов несколько. Выберите все и нажмите «Готово».
quiz-how-order = 👇 Нажимайте по порядку — от первого к последнему.
quiz-how-number = 👇 Наберите число и нажмите «Готово». Другие его не видят.
button-answer-done = Готово
tap-answered-so = Ваш ответ: { $answer }. Принято.
tap-draft = Пока так: { $answer }
tap-draft-empty = Пока ничего не выбрано.
quiz-button = { $letter }  { $answer }
quiz-poll-below = 👇 Вопрос в опросе. Считаются голоса тех, кто в игре; первый голос окончательный.
quiz-progress = ⏳ Закроется { $deadline } · ответили: { $answered } из { $players }
quiz-progress-unseen = Ответили: { $answered } из { $players }
quiz-paused = ⏸ Викторина на паузе. Её продолжит ведущий; если нет, она продолжится сама { $deadline }.
quiz-photo-missing = Фотографию к этому вопросу показать не удалось. Ответы всё равно засчитываются.
quiz-polls-refused = Опросы мне здесь запрещены, поэтому ответы на кнопках.

button-pause = Пауза
button-resume = Продолжить
tap-answered = Ваш ответ: { $letter }, { $answer }. Он принят и окончателен.
tap-paused = Пауза: время остановлено.
tap-quiz-resumed = Время снова идёт.

## Верный ответ

quiz-tally-right = ✅ <b>{ $letter }  { $answer }</b>  { $bar } { $count }
quiz-tally-of = { $answered ->
    [0] Никто не ответил.
   *[other] Верно: { $right } из { $answered }
}
quiz-item = { $place }. <b>{ $letter }  { $answer }</b>
quiz-number = ✅ <b>{ $answer }</b>
quiz-number-closest = ✅ <b>{ $answer }</b>, засчитаны самые близкие ответы
quiz-explanation = 💡 { $text }
quiz-explanation-source = 💡 { $text } ({ $source })
quiz-source = 🔗 { $source }
quiz-tally = ▫️ { $letter }  { $answer }  { $bar } { $count }
quiz-below = 👇 Викторина идёт. Каждый вопрос приходит новым сообщением.
quiz-closed = ✅ <b>{ $answer }</b>
quiz-nobody-yet = Очков пока ни у кого нет.
quiz-line = { $mark } { $name }: <b>{ $points }</b>
quiz-line-gained = { $mark } { $name }: <b>{ $points }</b> (+{ $gained })
quiz-soon-next = Сейчас будет следующий вопрос…
quiz-soon-result = Это был последний вопрос. Сейчас будут итоги…

## Итоги

quiz-result = { $mark } { $name }: <b>{ $points }</b> · ✅ { $right }
quiz-result-prize = { $mark } { $name }: <b>{ $points }</b> · ✅ { $right } · 💰 <b>{ $prize }</b>
quiz-nobody-at-all = Ни одного верного ответа. В следующий раз получится!
quiz-totals = Вопросов: { $questions }, игроков: { $players }.
button-own-result = Мой результат

## Своя доска игрока

quiz-own-answer = Ваш ответ: <b>{ $letter }  { $answer }</b>. Он принят и окончателен.
quiz-own-right = ✅ <b>{ $letter }  { $answer }</b> — верно: +{ $gained }
quiz-own-wrong = ❌ { $letter }  { $answer }. Верный ответ — <b>{ $right }  { $right_answer }</b>.
quiz-own-answer-so = Ваш ответ: <b>{ $answer }</b>. Принято.
quiz-own-right-so = ✅ <b>{ $answer }</b> — верно: +{ $gained }
quiz-own-wrong-so = ❌ { $answer }. Верно: <b>{ $right }</b>.
quiz-own-late = Вы в игре. Отвечать можно со следующего вопроса.
quiz-own-score = Ваши очки: <b>{ $points }</b>, верных: { $right } из { $of }
quiz-own-place =
    { $medal } Ваше место: <b>{ $place }</b> из { $players }
    Очки: <b>{ $points }</b>. Верных: { $right } из { $questions }. Лучшая серия: { $streak }.
quiz-own-no-place =
    На этот раз без очков. Игроков: { $players }.
    Верных: { $right } из { $questions }.
quiz-own-prize = 💰 Ваш приз — <b>{ $prize }</b>. Поздравляем!
quiz-missed = { $question } <b>{ $answer }</b>

## Правила

quiz-rules =
    🧠 <b>Викторина</b>

    <b>1.</b> Присоединяйтесь, пока открыта запись. Потом все получают одни и те же вопросы.
    <b>2.</b> Нажмите на ответ, пока не вышло время. Первый ответ окончательный, и до показа верного ответа его никто не видит.
    <b>3.</b> Если ответили все, вопрос закрывается раньше.
    <b>4.</b> Если ведущий разрешил, войти можно и по ходу игры: отвечать — со следующего вопроса.

    <blockquote expandable><b>Что считается верным</b>
    Несколько верных ответов: выбраны все и ни одного лишнего. Порядок: каждый пункт на своём месте. Число: в пределах допуска или ближе всех. За частично верный ответ очков нет. Если нажать нужно не раз, засчитывается «Готово», а в порядке — последний пункт.

    <b>Очки за верный ответ</b>
    основа + основа × { $speed } % × остаток времени ÷ время на вопрос + серия
    Основа: лёгкий { $easy }, средний { $medium }, сложный { $hard }.
    Серия: { $step } за каждый верный ответ подряд перед этим, не больше { $most }.
    Итог округляется в меньшую сторону. Неверный ответ или его отсутствие очков не даёт и прерывает серию. Время засекается, когда ваш ответ доходит до меня.

    🎯 Когда считаются только верные ответы, части за скорость нет.

    🏅 При равных очках место общее, а призы этих мест делятся поровну.</blockquote>
quiz-fair = В викторине нет розыгрыша: решают очки. Как они считаются, сказано в правилах.

## Открытие

rejected-no-questions = Таких вопросов нет. Выберите другие категории, другую сложность или другой набор.
cmd-usage-start_quiz = Пишите так: /start_quiz 10 15 20 (число вопросов, секунд на каждый, наибольшее число игроков). Можно указать только первое.
cmd-about-start_quiz = Открыть викторину: [вопросы] [секунды] [игроки]
cmd-about-pack = Свои вопросы для викторины
quiz-bank-instead = { $reason } { $host }, вопросы будут из встроенного банка.
quiz-bank-partly = { $reason } { $host }, { $written ->
    [one] { $written } вопрос от нейросети, остальные из встроенного банка.
    [few] { $written } вопроса от нейросети, остальные из встроенного банка.
   *[other] { $written } вопросов от нейросети, остальные из встроенного банка.
}
quiz-written = ✍️ Вопросы написаны: { $topic }

## Форма

quiz-newgame-choose = 🧠 Викторина
quiz-form =
    🧠 { $questions ->
        [one] { $questions } вопрос
        [few] { $questions } вопроса
       *[many] { $questions } вопросов
    } по { $question_seconds } · победителей: { $winners }
quiz-newgame = <b>Новая игра: «Викторина»</b>
quiz-newgame-instead = 🧠 Сделать викториной
quiz-settings =
    <b>Правила группы для викторин</b>
    С ними начинается каждая новая викторина.
quiz-settings-open = 🧠 Правила викторин
dlg-name-questions = Число вопросов
dlg-name-question_seconds = Время на ответ
dlg-name-difficulty = Сложность
dlg-name-categories = Категории
dlg-name-pack = Откуда вопросы
dlg-name-topic = Тема для нейросети
dlg-name-polls = Как отвечать
dlg-name-late_join = Вход по ходу игры
dlg-late_join-no = нельзя
dlg-late_join-yes = можно, со следующего вопроса
dlg-quiz-mode-normal = верно и быстро
dlg-quiz-mode-accuracy = только верные ответы
dlg-difficulty-any = любая
dlg-difficulty-easy = лёгкие
dlg-difficulty-medium = средние
dlg-difficulty-hard = сложные
dlg-categories-any = все
dlg-pack-bank = встроенный банк
dlg-topic-none = нет
dlg-polls-no = кнопками
dlg-polls-yes = в опросах Telegram
dlg-about-questions = Сколько вопросов задать.
dlg-about-question_seconds = Сколько времени на ответ, в секундах.
dlg-about-difficulty = Насколько сложны вопросы; за сложные очков больше.
dlg-about-categories = О чём вопросы. Нажмите, чтобы выбрать, ещё раз — чтобы убрать; если не выбрано ничего, подойдут все.
dlg-about-pack = Вопросы встроенного банка или вашего набора. Пришлите его командой /pack в чате со мной.
dlg-about-topic = Нейросеть пишет вопросы об этом, пока собираются игроки: до 100 символов. Если не справится, выручит встроенный банк.
dlg-about-polls = Кнопки под вопросом или опросы Telegram. Опрос сразу говорит, верен ли ответ, и его нельзя поставить на паузу.
dlg-about-late_join = Можно ли присоединиться, когда викторина уже идёт. Отвечать новички начинают со следующего вопроса.
dlg-quiz-about-mode = Очки только за верные ответы или ещё и за быстрые.
dlg-quiz-about-reveal_seconds = Сколько виден верный ответ, в секундах.
dlg-quiz-name-reveal_seconds = Показ ответа

## Наборы

pack-list = { $count ->
    [0]
        <b>Ваши наборы</b>
        Пока ни одного.

        Пришлите мне файл с вопросами: XLSX, ODS, CSV или JSON. Первая строка называет столбцы: <code>{ $columns }</code>. Первые три обязательны. Файлы Kahoot, Quizizz, Blooket, Moodle, Anki и Open Trivia DB годятся как есть. Файл из интернета загрузит команда <code>/pack https://…</code>.
   *[other]
        <b>Ваши наборы</b>
        Выберите набор или пришлите ещё один файл с вопросами (XLSX, ODS, CSV или JSON). Столбцы: <code>{ $columns }</code>
}
pack-item = { $name } ({ $size })
pack-preview = { $count ->
    [one] <b>{ $name }</b>: { $count } вопрос. Сохранить?
    [few] <b>{ $name }</b>: { $count } вопроса. Сохранить?
   *[other] <b>{ $name }</b>: { $count } вопросов. Сохранить?
}
pack-alike-head = ⚠️ Почти одинаковые вопросы:
pack-and-more = … и ещё { $count }
pack-question = <b>{ $question }</b>
pack-answers = ✅ { $right } · ❌ { $wrong }
pack-answer = ✅ { $right }
pack-about = { $category } · { $difficulty }
pack-photo = 🖼 с фотографией
pack-save = Сохранить
pack-discard = Не сохранять
pack-saved = Набор <b>{ $name }</b> сохранён. Чтобы сыграть, отправьте /newgame в своей группе, выберите викторину, затем { form-more } › { form-all } › { dlg-name-pack }.
pack-discarded = Ничего не сохранено.
pack-refused = { $count ->
    [one] ❌ В файле <b>{ $name }</b> { $count } ошибка, ничего не сохранено. Исправьте и пришлите снова.
    [few] ❌ В файле <b>{ $name }</b> { $count } ошибки, ничего не сохранено. Исправьте и пришлите снова.
   *[other] ❌ В файле <b>{ $name }</b> { $count } ошибок, ничего не сохранено. Исправьте и пришлите снова.
}
pack-too-big = ❌ Файл <b>{ $name }</b> слишком велик: не больше { $limit } КБ. Уберите всё, кроме вопросов, или разделите набор на два.
pack-not-loaded = Не удалось получить файл от Telegram. Пришлите его ещё раз.
pack-too-many = У вас уже { $limit } наборов. Сначала удалите какой-нибудь.
pack-name-taken = Набор с таким названием у вас уже есть.
pack-imported = ✅ Набор <b>{ $name }</b> ваш: { $count ->
    [one] { $count } вопрос.
    [few] { $count } вопроса.
   *[other] { $count } вопросов.
} Чтобы сыграть, отправьте /newgame в своей группе, выберите викторину, затем { form-more } › { form-all } › { dlg-name-pack }.
pack-not-imported = ❌ Набор <b>{ $name }</b> не загружен. { $reason }
pack-import-begun = Загружаю файл. Когда набор будет готов, вам об этом напишут.
pack-import-too-big = Файл больше { $limit } КБ.
pack-import-status = Сервер ответил с кодом { $status }.
pack-import-unreachable = Сервер недоступен.
pack-import-cancelled = Загрузка остановлена.
pack-question-taken = Такой вопрос в этом наборе уже есть.
pack-full = В наборе не больше { $limit } вопросов.
pack-gone = Этого уже нет.
pack-open = <b>{ $name }</b>, вопросов: { $size }
pack-view = Посмотреть вопросы
pack-rename = Переименовать
pack-export = Получить как { $form }
pack-delete = Удалить
pack-delete-sure = Удалить <b>{ $name }</b> с вопросами навсегда?
pack-delete-yes = Да, удалить
pack-deleted = Набор удалён.
pack-new-name = Пришлите новое название для <b>{ $name }</b>: до { $limit } символов.
pack-page = <b>{ $name }</b>, страница { $page } из { $pages }
pack-add = Добавить вопрос
pack-change = Изменить
pack-remove = Удалить этот вопрос
pack-write =
    Пришлите вопрос так, каждое на своей строке:

    вопрос
    верный ответ
    неверный ответ
    ещё один или два неверных
    #категория, если хотите
pack-photo-how = Чтобы показать вместе с вопросом фотографию, пришлите её сейчас.
pack-photo-away = Убрать фотографию
pack-difficulty = Уровень: { $difficulty }
pack-changed = Вопрос изменён.
pack-added = Вопрос добавлен.
pack-removed = Вопрос удалён.
pack-in-private = Наборы вопросов хранятся в чате со мной. Напишите там /pack.

## В общих текстах

quiz-cancelled-everybody_removed = Всех игроков убрали, поэтому игра отменена.
quiz-phase-question_open = Открыт вопрос
quiz-phase-question_reveal = Показан верный ответ
cmd-help-start_quiz = /start_quiz [вопросы] [секунды] [игроки] — открыть викторину
quiz-pitch = «Викторина»: побеждают быстрые верные ответы.
cmd-help-pack = /pack — свои вопросы для викторины: прислать файл, посмотреть, исправить, получить обратно
