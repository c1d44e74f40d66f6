### Ответы на команды и подписи в меню Telegram.

## Отказы

rejected-no-game-here = Здесь сейчас нет игры. Администратор открывает её командой /newgame.
rejected-which-game = Здесь идёт несколько игр. Укажите одну после команды: { $games }
rejected-game-elsewhere = Эта игра из другого чата. Вступить в неё можно там.
rejected-not-a-host = Это могут только администраторы группы.
rejected-needs-a-person = Анонимный администратор не может играть. Чтобы вступить, напишите от своего имени.
rejected-who-is-meant = О ком речь? Ответьте командой на сообщение этого человека или напишите после неё @имя или id.
rejected-nothing-to-prove = Нет завершённого розыгрыша. Ответьте командой /fair на сообщение игры или напишите после неё id.
rejected-too-busy = Telegram пока не даёт мне писать сюда. Попробуйте через несколько секунд.

## Неполадки

cmd-slow-down = Помедленнее, пожалуйста: я не успеваю.
cmd-banned = Вам закрыт доступ к играм здесь.
cmd-try-again = Сейчас не получилось, ничего не изменилось. Попробуйте ещё раз.
cmd-try-later = Сейчас мне недоступны записи. Игры продолжаются, а это попробуйте позже.
cmd-our-mistake = У меня что-то сломалось. В журнале это записано под номером { $trace }: назовите его, если будете сообщать.
cmd-not-understood = Этого я не знаю. Что я умею, покажет /help.

## Приветствия и помощь

cmd-start =
    Здравствуйте, { $name }! Я веду игры для всей группы.

    Добавьте меня в группу, и её администраторы смогут открыть игру командой /newgame. Остальные вступают одним нажатием.
    Ваши победы покажет /stats.
cmd-start-group = Я на месте. Администраторы открывают игру командами /newgame и /create_game, об остальном расскажет /help.
cmd-add-to-group = Добавить в группу
cmd-use-in-group = Игры открывают и ведут в группах. Добавьте меня в свою и отправьте команду там.
cmd-added =
    Здравствуйте! Я веду игры для всей группы.

    Администраторы открывают игру командой /newgame, вступить можно одним нажатием. Правила этой группы: /settings, язык: /language.

    Мне нужно только право отправлять сообщения.
cmd-muted = Мне больше нельзя писать в { $chat }, поэтому игры там ничего не покажут. Пожалуйста, разрешите мне снова писать.
cmd-help-private =
    <b>Что можно здесь</b>
    /status – как идут ваши игры
    /games – игры, в которых вы участвуете
    /stats – что вы выиграли
    /leaderboard – лучшие игроки
    /history – сыгранные вами игры
    /fair – доказательство розыгрыша, которое может проверить каждый
    /verify – подтвердить, что кошелёк ваш
    /language – ваш язык
    /pack – свои вопросы для викторины: прислать файл, посмотреть, исправить, получить обратно

    Игры открывают в группах: добавьте меня в свою.
cmd-help-group =
    <b>Для всех</b>
    /join, /leave – вступить в игру или выйти
    /status, /games – что сейчас идёт
    /stats – что вы выиграли
    /leaderboard – лучшие игроки группы
    /history – что здесь сыграно
    /fair – доказательство розыгрыша, которое может проверить каждый

    <b>Для администраторов</b>
    /newgame – открыть игру, выбрав правила
    /create_game [название] [reverse] [победителей] – то же одной строкой
    /start_quiz [вопросы] [секунды] [игроки] – открыть викторину
    /startnow, /extend [секунды] – меньше или больше времени на вступление
    /remove – убрать игрока: ответьте на его сообщение
    /cancel_game – закончить игру без результата
    /settings, /language – правила и язык группы
    /ban, /unban – закрыть или открыть доступ: ответьте на сообщение человека
cmd-help-operator = <b>Для операторов</b>: /admin – идущие игры, состояние, запреты, объявление во все чаты

## Игра

cmd-joined =
    { $count ->
        [one] Вы в игре: { $title }. Вас теперь { $count }.
       *[other] Вы в игре: { $title }. Вас теперь { $count }.
    }
cmd-left = Вы вышли из игры { $title }.
cmd-status =
    { $count ->
        [one] <b>{ $title }</b>, { $count } игрок · <code>{ $game }</code>
        [few] <b>{ $title }</b>, { $count } игрока · <code>{ $game }</code>
       *[other] <b>{ $title }</b>, { $count } игроков · <code>{ $game }</code>
    }
cmd-phase =
    { $phase ->
        [waiting_for_players] Ждём игроков
        [players_joining] Последняя возможность вступить
        [number_selection] Все выбирают числа
        [drawing] Идёт розыгрыш
        [question_open] Открыт вопрос
        [question_reveal] Показан верный ответ
        [completed] Завершена
        [cancelled] Отменена
       *[other] Идёт
    }
cmd-until = До { $when }
cmd-you-are-in = Вы в игре.
cmd-you-are-out = Вы не в этой игре.
cmd-your-number = Ваше число – <b>{ $number }</b>.

## Ведение игры

cmd-started = { $title } начинается.
cmd-extended =
    { $seconds ->
        [one] { $title }: ещё { $seconds } секунда.
        [few] { $title }: ещё { $seconds } секунды.
       *[other] { $title }: ещё { $seconds } секунд.
    }
cmd-removed = { $name } больше не в игре { $title }.
cmd-cancelled = { $title }: игра отменена.
cmd-usage-extend = Пишите так: /extend 60 (сколько секунд добавить)
cmd-banned-somebody = { $name } больше не может играть здесь.
cmd-unbanned = { $name } снова может играть здесь.
cmd-ban-not-hosts = Администратору нельзя закрыть доступ.

## Списки

cmd-page-back = ‹ Назад
cmd-page-on = Дальше ›
cmd-games-title = <b>Идущие игры</b>
cmd-games-line =
    { $count ->
        [one] { $title }: { cmd-phase }, { $count } игрок · <code>{ $game }</code>
        [few] { $title }: { cmd-phase }, { $count } игрока · <code>{ $game }</code>
       *[other] { $title }: { cmd-phase }, { $count } игроков · <code>{ $game }</code>
    }
cmd-games-none = Здесь сейчас нет игры.
cmd-games-none-private = Вы сейчас не играете.
cmd-games-open = Открыть { $title }
cmd-kind =
    { $kind ->
        [pick_number] Выбери число
        [quiz] Викторина
       *[other] { $kind }
    }
cmd-stats-title = <b>{ $name }</b>
cmd-stats-line =
    { $games ->
        [one] { cmd-kind }: { $games } игра, побед { $wins }, призы { $prizes }
        [few] { cmd-kind }: { $games } игры, побед { $wins }, призы { $prizes }
       *[other] { cmd-kind }: { $games } игр, побед { $wins }, призы { $prizes }
    }
cmd-stats-points = Очки { $points }, лучшая серия { $streak }
cmd-stats-none = { $name } ещё не сыграл ни одной игры до конца.
cmd-best-chat = <b>Лучшие в группе</b>
cmd-best-all = <b>Лучшие из всех</b>
cmd-best-line = { $place }. { $name } – побед { $wins } из { $games }, призы { $prizes }
cmd-best-line-points = { $place }. { $name } – побед { $wins } из { $games }, призы { $prizes }, очки { $points }
cmd-best-none = Ещё никто не сыграл игру до конца.
cmd-best-show-all = Из всех групп
cmd-best-show-chat = Из этой группы
cmd-history-chat = <b>Что здесь сыграно</b>
cmd-history-own = <b>Что вы сыграли</b>
cmd-history-line =
    { $status ->
        [completed] { $when } <b>{ $title }</b>, игроков: { $players }, победили: { $winners } · <code>{ $game }</code>
       *[other] { $when } <b>{ $title }</b>, отменена · <code>{ $game }</code>
    }
cmd-history-none = Пока ничего.

## Языки

cmd-language-name = Русский
cmd-language-own = На каком языке мне говорить с вами?
cmd-language-chat = На каком языке мне говорить в этой группе?
cmd-language-own-set = Теперь я говорю с вами по-русски.
cmd-language-chat-set = Теперь я говорю здесь по-русски.
cmd-usage-language = Я знаю: { $locales }. Пишите так: /language ru

## Меню

cmd-description =
    Игры для всей группы. «Выбери число»: каждый берёт число, а решает розыгрыш, который может проверить любой.

    Добавьте меня в группу; администраторы открывают игру командой /newgame.
cmd-description-short = Игры для всей группы с розыгрышами, которые может проверить каждый.
cmd-about-start = Поздороваться
cmd-about-help = Что я умею
cmd-about-join = Вступить в игру
cmd-about-leave = Выйти из игры
cmd-about-status = Как идёт игра
cmd-about-games = Идущие игры
cmd-about-stats = Что вы выиграли
cmd-about-leaderboard = Лучшие игроки
cmd-about-history = Завершённые игры
cmd-about-fair = Доказательство розыгрыша
cmd-about-language = Выбрать язык
cmd-about-newgame = Открыть игру
cmd-about-create_game = Открыть игру: [название] [reverse] [победителей]
cmd-about-startnow = Начать, не дожидаясь
cmd-about-extend = Больше времени: [секунды]
cmd-about-remove = Убрать игрока
cmd-about-cancel_game = Закончить игру без результата
cmd-about-settings = Правила группы
cmd-about-ban = Закрыть доступ
cmd-about-unban = Снова открыть доступ
cmd-about-admin = Управление ботом
