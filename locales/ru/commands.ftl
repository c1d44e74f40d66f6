### Ответы на команды и подписи в меню Telegram.

## Неполадки

cmd-slow-down = Помедленнее, пожалуйста: я не успеваю.
cmd-try-again = Сейчас не получилось, ничего не изменилось. Попробуйте ещё раз.
cmd-try-later = Сейчас у меня нет доступа к данным. Игры продолжаются, а это попробуйте чуть позже.
cmd-left-alone = Это сообщение дважды вызвало сбой, поэтому отвечать на него я больше не пытаюсь. Пришлите, пожалуйста, другое.
cmd-our-mistake = У меня что-то сломалось, ошибка записана. Если будете сообщать о ней, укажите код { $trace }.
cmd-not-understood = Такой команды я не знаю. Что я умею, покажет /help.

## Приветствия и помощь

cmd-start =
    Здравствуйте, { $name }! Я веду игры для групп.

    Добавьте меня в группу, и её администраторы смогут открыть игру командой /newgame. Остальные присоединяются одним нажатием.
    Ваши результаты — по команде /stats.
cmd-start-group = Я на месте. Администраторы открывают игру командами /newgame и /create_game, об остальном расскажет /help.
cmd-add-to-group = Добавить в группу
cmd-use-in-group = Игры открывают и ведут в группах. Добавьте меня в свою и отправьте команду там.
cmd-added =
    Здравствуйте! Я провожу игры для всей группы: розыгрыши с числами, которые может проверить каждый, и викторины.

    Игру открывает администратор, остальные присоединяются одним нажатием.
cmd-added-play = 🎲 Сыграть
cmd-added-settings = ⚙️ Настройки
cmd-rights = С этими правами я умею больше:
cmd-right-can-send-messages = ✉️ Отправка сообщений: без неё игру никто не увидит
cmd-right-can-send-polls = 📊 Опросы: вопросы викторины как опросы Telegram
cmd-right-can-send-photos = 🖼 Фото: картинки к вопросам и результатам
cmd-right-can-pin-messages = 📌 Закрепление: игра остаётся на виду, пока все общаются
cmd-muted-from-the-start = Вы добавили меня в группу «{ $chat }», но писать там мне нельзя, и меня никто не видит. Разрешите мне, пожалуйста, <b>отправлять сообщения</b>, а потом напишите там /newgame.
cmd-muted-now = В группе «{ $chat }» ничего не видно, потому что писать там мне нельзя. Разрешите мне, пожалуйста, <b>отправлять сообщения</b> и попробуйте ещё раз.
cmd-muted = Мне больше нельзя писать в группе «{ $chat }», поэтому игры там ничего не покажут. Пожалуйста, разрешите мне снова писать.
cmd-help-private =
    <b>Что можно делать здесь</b>
    /status — как идут ваши игры
    /games — игры, в которых вы участвуете
    /stats — ваши результаты
    /leaderboard — лучшие игроки
    /history — сыгранные вами игры
    /fair — доказательство розыгрыша: проверить может каждый
    /nextgame — сообщить в личку, когда откроется игра
    /verify — подтвердить, что кошелёк ваш
    /privacy — что я о вас храню и как это удалить
    /language — ваш язык{ $commands }

    Игры открывают в группах: добавьте меня в свою.
cmd-help-group =
    <b>Для всех</b>
    /join, /leave — присоединиться к игре или выйти
    /status, /games — что сейчас идёт
    /stats — ваши результаты
    /leaderboard — лучшие игроки группы
    /history — что здесь сыграно
    /fair — доказательство розыгрыша: проверить может каждый
    /nextgame — сообщить в личку, когда откроется игра

    <blockquote expandable><b>Для администраторов</b>
    /newgame — открыть игру
    { $commands }
    /startnow — начать, не дожидаясь
    /extend [секунды] — добавить времени
    /remove — убрать игрока: ответьте на его сообщение
    /cancel_game — закончить игру без результата
    /recurring — игры, которые открываются сами
    /settings, /language — правила и язык группы
    /ban, /unban — закрыть или открыть доступ: ответьте на сообщение человека</blockquote>
cmd-help-operator = <b>Для операторов</b>: /admin — текущие игры, состояние сервисов, чёрный список, рассылка по чатам

## Игра

cmd-joined = Вы в игре «{ $title }». Игроков: { $count }.
cmd-left = Вы вышли из игры «{ $title }».
cmd-status = <b>{ $title }</b> · 👥 { $count } · <code>{ $game }</code>
cmd-phase =
    { $phase ->
        [waiting_for_players] Ждём игроков
        [players_joining] Последний шанс присоединиться
        [completed] Завершена
        [cancelled] Отменена
       *[other] Идёт
    }
cmd-time-up = ⏳ Время выйдет { $when }
cmd-you-are-in = Вы в игре.
cmd-you-are-out = Вы не в этой игре.

## Ведение игры

cmd-started = Начинаем: «{ $title }».
cmd-extended =
    { $seconds ->
        [one] { $title }: ещё { $seconds } секунда.
        [few] { $title }: ещё { $seconds } секунды.
       *[other] { $title }: ещё { $seconds } секунд.
    }
cmd-removed = { $name } больше не участвует в игре «{ $title }».
cmd-remove-not-in-game = { $name } не участвует в этой игре.
cmd-cancelled = Игра «{ $title }» отменена.
cmd-usage-extend = Пишите так: /extend 60 (сколько секунд добавить)
cmd-banned-somebody = { $name } больше не может здесь играть.
cmd-banned-already = { $name } и так не может здесь играть.
cmd-unbanned = { $name } снова может здесь играть.
cmd-not-banned = { $name } и так может здесь играть.

## Списки

cmd-page-back = ‹ Назад
cmd-page-on = Дальше ›
cmd-games-title = <b>Сейчас идут</b>
cmd-games-line = <b>{ $title }</b> · { $phase } · 👥 { $count } · <code>{ $game }</code>
cmd-games-none = Здесь сейчас нет игры.
cmd-games-none-private = Вы сейчас ни в одной игре.
cmd-games-open = Открыть «{ $title }»
cmd-stats-title = <b>{ $name }</b>
cmd-stats-line =
    { $games ->
        [one] { $kind }: побед — { $wins } в { $games } игре
       *[other] { $kind }: побед — { $wins } в { $games } играх
    }
cmd-stats-points = ⭐ { $points }, лучшая серия: { $streak }
cmd-stats-none = { $name }: пока ни одной игры, сыгранной до конца.
cmd-best-line = { $mark } { $name }: побед — { $wins } из { $games }
cmd-prizes = 💰 { $prizes }
cmd-points = ⭐ { $points }
cmd-best-show-all = Все группы
cmd-best-show-chat = Эта группа
cmd-best-listed = В этом списке только те, кто разрешил себя показывать.
cmd-best-show-me = Показать меня в списке
cmd-best-hide-me = Убрать меня из списка
cmd-history-chat = <b>Сыграно здесь</b>
cmd-history-own = <b>Сыграно вами</b>
cmd-history-line =
    { $status ->
        [completed] { $when } <b>{ $title }</b>, игроков: { $players }, победили: { $winners } · <code>{ $game }</code>
        [nobody] { $when } <b>{ $title }</b>, игроков: { $players }, без победителей · <code>{ $game }</code>
        [void] { $when } <b>{ $title }</b>, ⚠️ розыгрыш недействителен, игроков: { $players } · <code>{ $game }</code>
       *[other] { $when } <b>{ $title }</b>, отменена · <code>{ $game }</code>
    }
cmd-history-winner = { $name } ({ $prize })
cmd-history-void =
    { $void ->
        [one] ⚠️ { $void } розыгрыш здесь прерван уже после закрытия выбора.
        [few] ⚠️ { $void } розыгрыша здесь прерваны уже после закрытия выбора.
       *[other] ⚠️ { $void } розыгрышей здесь прервано уже после закрытия выбора.
    }
cmd-history-none = Игр пока нет.

## Языки

cmd-language-name = Русский
cmd-language-own = На каком языке нам говорить?
cmd-language-chat = На каком языке мне говорить в этой группе?
cmd-language-own-set = Теперь говорим по-русски.
cmd-language-chat-set = Теперь я говорю здесь по-русски.
cmd-usage-language = Я знаю такие языки: { $locales }. Пишите так: /language ru

## Меню

cmd-description =
    Игры для всей группы. { $kinds }

    Добавьте меня в группу; администраторы открывают игру командой /newgame.
cmd-description-short = Игры для всей группы с розыгрышами, которые может проверить каждый.
cmd-about-start = Поздороваться
cmd-about-help = Что я умею
cmd-about-join = Присоединиться к игре
cmd-about-leave = Выйти из игры
cmd-about-status = Как идёт игра
cmd-about-games = Текущие игры
cmd-about-stats = Ваши результаты
cmd-about-leaderboard = Лучшие игроки
cmd-about-history = Завершённые игры
cmd-about-fair = Доказательство розыгрыша
cmd-about-language = Выбрать язык
cmd-about-privacy = Ваши данные: увидеть, получить, удалить
cmd-about-newgame = Открыть игру
cmd-about-startnow = Начать, не дожидаясь
cmd-about-extend = Добавить времени: [секунды]
cmd-about-remove = Убрать игрока
cmd-about-cancel_game = Закончить игру без результата
cmd-about-settings = Правила группы
cmd-about-ban = Закрыть доступ
cmd-about-unban = Снова открыть доступ
cmd-about-admin = Управление ботом
