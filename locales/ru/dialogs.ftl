### Диалоги: /newgame, /settings, /admin.

dlg-back = ‹ Назад
dlg-close = Закрыть
dlg-reset = Сбросить настройки
dlg-none = нет
dlg-line = { $name }: <b>{ $value }</b>
dlg-reply-only = Напишите его здесь.
dlg-reply-with-it = Выберите значение или напишите своё.
dlg-unreadable = ⚠️ Так не получится. Напишите число обычными цифрами, без валюты и единиц.
dlg-unreadable-prize = ⚠️ Не получается прочитать число. Напишите, например, <b>1000</b> или <b>12,50 евро</b> — или назовите приз словами.
dlg-ambiguous = ⚠️ { $text } можно прочесть по-разному. Напишите { $low } или { $high }.
dlg-stale = Эта кнопка устарела. Отправьте команду ещё раз.

## Новая игра

dlg-newgame-create = ✅ Открыть игру
dlg-newgame-without-you = Игра открыта, но без вас: вы не подходите под её условия.
dlg-newgame-opened = Игра открыта.

## Формы новой игры и настроек

form-kind = <b>Во что сыграем?</b>
form-no-prize = 🎁 Без приза, просто так
form-players =
    👥 Старт через { $join_seconds } после того, как наберётся { $min_players ->
        [one] { $min_players } игрок
        [few] { $min_players } игрока
       *[many] { $min_players } игроков
    }
form-more = ⚙️ Ещё
form-ready-quick = ⚡ Быстро
form-ready-prize_draw = 🎁 Розыгрыш
form-ready-quiz_night = 🌙 На весь вечер
form-for = Новая игра в группе <b>{ $chat }</b>
form-prize = 🎁 Приз
form-all = ⚙️ Все настройки
form-save = ⭐ Сохранить как шаблон
form-saved = ⭐ Шаблон <b>{ $name }</b> сохранён. Теперь он есть в /newgame в группе.
form-name-template = Как его назвать? Напишите название, до 32 символов.
form-opened = ✅ Игра <b>{ $title }</b> открыта в группе <b>{ $chat }</b>. Вернитесь туда: там можно присоединиться.
form-settings = ⚙️ Открыть настройки
form-settings-where = Настройки этой группы — в нашем личном чате, чтобы не занимать место здесь.
form-settings-of = ⚙️ <b>{ $chat }</b>: настройки
form-language = На каком языке мне говорить в группе?
form-to-templates = ⭐ Шаблоны
form-templates = <b>Шаблоны группы</b>
    Администраторы открывают по ним игры командой /newgame.
form-templates-none = <b>Шаблоны группы</b>
    Пока ни одного. В новой игре нажмите «Ещё», затем «Сохранить как шаблон».
form-template = ⭐ { $name }
form-template-named = ⭐ <b>{ $name }</b>
form-rename = Переименовать
form-delete = Удалить
form-delete-sure = Удалить шаблон <b>{ $name }</b>?

## Настройки

dlg-name-host_plays = Ведущий тоже играет
dlg-host_plays-yes = да
dlg-host_plays-no = нет
dlg-name-openers = Кто открывает игры
dlg-name-language = Язык
dlg-openers-hosts = только администраторы
dlg-openers-everyone = все

dlg-name-messages = Сообщения в группе
dlg-messages-normal = начало, напоминание, итог
dlg-messages-lively = каждый шаг, со звуком
dlg-messages-quiet = всё в одном сообщении, без новых
dlg-name-pin = Закреплять сообщение игры
dlg-pin-yes = пока идёт игра
dlg-pin-no = нет
dlg-pin-no-right = Пока я не могу закреплять сообщения в этой группе. Дайте мне такое право.
dlg-name-picture = Картинка с победителями
dlg-picture-yes = вместе с итогом
dlg-picture-no = нет
dlg-name-season = Сезон
dlg-season-quarter = квартал, в конце — пьедестал
dlg-season-month = месяц, в конце — пьедестал
dlg-season-no = без пьедестала
dlg-name-public = Открытые страницы
dlg-public-yes = игры, итоги и рейтинг видны всем, у кого есть ссылка
dlg-public-no = нет
dlg-public-what = Теперь все, у кого есть ссылка, видят игры, итоги и рейтинг этой группы с именами. Нажмите ещё раз, чтобы закрыть доступ.
dlg-public-url = Открытая страница: { $url }
dlg-name-indexed = Поисковики
dlg-indexed-yes = могут показывать открытые страницы
dlg-indexed-no = не показывают открытые страницы

## Правила по именам

dlg-name-title = Название
dlg-name-mode = Режим
dlg-name-winners = Число победителей
dlg-name-prize = Приз
dlg-prize-none = нет, играем просто так
dlg-name-split = Как делить приз
dlg-name-percentages = Доли
dlg-name-min_players = Минимум игроков
dlg-name-max_players = Максимум игроков
dlg-name-lobby_seconds = Ждать игроков
dlg-name-join_seconds = Последний шанс

dlg-split-auto = первому половина, дальше меньше
dlg-split-equal = поровну
dlg-split-percentages = свои доли

dlg-about-title = Как называется игра: одна строка, до 64 символов.
dlg-about-winners = Сколько призовых мест: от 1 до 10.
dlg-about-prize =
    Что можно выиграть: словами (<i>билет в кино</i>), суммой (<i>100 евро</i>) или списком — каждое место с новой строки.

    Сумму победители делят. Приз, названный словами, получает каждый из них.
dlg-about-split = Как победители делят призовой фонд.
dlg-about-percentages =
    { $winners ->
        [1] Победитель один, всё достанется ему. Сначала добавьте победителей.
        [one] Проценты для { $winners } победителя, в сумме 100, с первого места.
       *[other] Проценты для { $winners } победителей, в сумме 100, с первого места, например: 50 30 20
    }
dlg-about-min_players = Игра начнётся, когда наберётся столько игроков.
dlg-about-max_players = Когда наберётся столько, места закончатся и игра начнётся сразу.
dlg-about-lobby_seconds = Сколько ждать, пока соберётся достаточно игроков, в секундах. Потом игра отменяется.
dlg-about-join_seconds = Сколько ещё можно присоединяться, когда игроков уже достаточно, в секундах.

## Операторы

dlg-admin = <b>Управление</b>
dlg-admin-health = { $name }: { $state }
dlg-admin-refresh = Обновить
dlg-admin-to-games = Текущие игры
dlg-admin-to-ban = Чёрный список
dlg-admin-to-cast = Рассылка по чатам
dlg-admin-games = <b>Текущие игры</b>
dlg-admin-games-earlier = ◀ Предыдущие
dlg-admin-games-later = Следующие ▶
dlg-admin-game = { $kind }, чат <code>{ $chat }</code>, тема { $topic }, ведущий { $host }, версия { $version }
dlg-admin-end = Закончить принудительно
dlg-admin-end-sure = Закончить эту игру без результата?
dlg-admin-ended = ✅ Игра отменена.
dlg-admin-ban = <b>Чёрный список для всех чатов</b>
    Чтобы закрыть кому-то доступ, напишите id, а после него причину.
dlg-admin-ban-whom = ⚠️ Нужен id человека, который не оператор этого бота.
dlg-admin-banned = ✅ Доступ закрыт во всех чатах: { $player }.
dlg-admin-unban = Вернуть доступ: { $name }
dlg-admin-unbanned = ✅ Доступ снова открыт: { $player }.
dlg-admin-to-tokens = Токены API
dlg-admin-tokens = <b>Токены HTTP API</b>
    Чтобы создать токен, напишите роль, потом чаты, которыми он ограничен, и срок в днях:
    <code>host -1001234567890 90</code>. Роли: viewer, host, operator.
dlg-admin-token = <code>{ $token }</code> { $role }, чаты { $chats } { $name }
dlg-admin-token-made = ✅ Показываем один раз, скопируйте сейчас: <code>{ $token }</code>
dlg-admin-token-wrong = ⚠️ Напишите роль, потом числами чаты и дни: host -1001234567890 90
dlg-admin-token-revoked = ✅ Токен { $token } отозван.
dlg-admin-revoke = Отозвать { $token }
dlg-admin-to-dashboard = Панель управления
dlg-admin-dashboard = Кнопка откроет панель управления один раз, в ближайшие пять минут. Не пересылайте её: по ней входят от вашего имени.
dlg-admin-dashboard-open = Открыть панель
dlg-admin-to-flags = Флаги
dlg-admin-flags = <b>Флаги</b>
dlg-admin-flag = <code>{ $flag }</code>: { $percent } %{ $on ->
    [0] { "" }
   *[other] , всегда включён: { $on }
}{ $off ->
    [0] { "" }
   *[other] , всегда выключен: { $off }
} — { $about }
dlg-admin-flags-how = Напишите флаг и долю чатов, например { $example } 10; без доли изменение отменится.
dlg-admin-flag-wrong = ⚠️ Такого флага нет, или доля не от 0 до 100.
dlg-admin-flag-set = ✅ { $flag } включён для { $percent } % чатов.
flag-second-draw-format = Розыгрыш заранее связан с правилами, игрой и маяком (формат доказательств 2). Выключено: формат 1, если правила игры это допускают.
flag-native-polls = Викторины могут задавать вопросы опросами Telegram. Выключено: только кнопками, что бы ни выбрал чат.
flag-api-writes = HTTP API принимает изменения. Выключено: на них он отвечает 503 с кодом flag-off, а чтение работает.
dlg-admin-cast = <b>Рассылка по всем чатам</b>
    Напишите текст. Перед отправкой вы увидите, как он выглядит.
dlg-admin-cast-long = ⚠️ Слишком длинно: не больше { $limit } символов.
dlg-admin-cast-sure = <b>Отправить это во все чаты?</b>
dlg-admin-cast-send = Отправить
dlg-admin-cast-sent = ✅ Рассылка началась. Следить за ней можно здесь, а когда она закончится, я напишу вам.
dlg-admin-cast-done =
    { $count ->
        [one] ✅ Сообщение дошло до { $count } чата.
        [few] ✅ Сообщение дошло до { $count } чатов.
       *[other] ✅ Сообщение дошло до { $count } чатов.
    }
dlg-admin-cast-cancelled =
    { $count ->
        [one] ⏹ Рассылка остановлена. Сообщение успело дойти до { $count } чата.
        [few] ⏹ Рассылка остановлена. Сообщение успело дойти до { $count } чатов.
       *[other] ⏹ Рассылка остановлена. Сообщение успело дойти до { $count } чатов.
    }
dlg-admin-cast-line = <b>№ { $job }</b> «{ $text }»: { $status ->
    [queued] идёт, отправлено { $sent } из { $total }, в очереди { $queued }
    [running] идёт, отправлено { $sent } из { $total }, в очереди { $queued }
    [stopping] останавливается, отправлено { $sent } из { $total }
    [done] завершена, отправлено { $sent } из { $total }
    [cancelled] остановлена, отправлено { $sent } из { $total }
   *[dead] не удалась, отправлено { $sent } из { $total }
}
dlg-admin-cast-failed = Не отправлено: { $reasons }
dlg-admin-cast-reason = { $reason ->
    [withdrawn] отозвано — { $count }
    [blocked] бот заблокирован — { $count }
    [removed] бот удалён из чата — { $count }
    [no_rights] нет права писать — { $count }
    [expired] истёк срок — { $count }
    [skipped] чат неактивен — { $count }
    [crowded] очередь чата полна — { $count }
    [unknown] результат неизвестен — { $count }
   *[refused] отказ Telegram — { $count }
}
dlg-admin-cast-stop = Остановить № { $job }
dlg-admin-cast-stopping = ⏹ Останавливаю. Сообщения, которые ещё в очереди, не уйдут.
dlg-admin-to-audit = Журнал действий
dlg-admin-audit = <b>Последние действия</b>
    Чтобы увидеть только нужные, напишите ID человека или группы.
dlg-admin-audit-of = <b>Последние действия: <code>{ $id }</code></b>
    Напишите другой ID или 0, чтобы увидеть все.
dlg-admin-audit-line = { $when } <code>{ $actor }</code> { $action }{ $has ->
    [target] {" "}<code>{ $target }</code>
   *[none] {""}
}{ $where ->
    [chat] , чат <code>{ $chat }</code>
   *[none] {""}
}{ $done ->
    [done] {""}
   *[refused] : ⚠️ { $outcome }
}
dlg-admin-audit-newer = ◀ Новее
dlg-admin-audit-older = Старее ▶
dlg-admin-audit-wrong = ⚠️ Напишите ID числом: у группы он начинается со знака минус.
webhook-disabled = { $reason ->
    [gone] ⚠️ Вебхук <code>{ $endpoint }</code> отключён: получатель ответил, что его больше нет.
   *[other] ⚠️ Вебхук <code>{ $endpoint }</code> отключён: пять дней подряд ни один вызов не удался.
}

## Условия участия

dlg-name-channel = Подписка на канал
dlg-about-channel = Играть смогут только подписчики этого канала. Напишите его @имя или ссылку. Сначала сделайте меня там администратором: иначе подписчиков мне не видно.
dlg-name-known_days = Стаж знакомства
dlg-about-known_days = Играть смогут только те, кого я впервые увидел не меньше стольких дней назад. Так не пройдут новые аккаунты.
dlg-known_days = { $days ->
    [one] { $days } день
    [few] { $days } дня
   *[other] { $days } дней
}
dlg-name-booster = Только за буст
dlg-about-booster = Играть смогут только те, кто дал группе буст. Чтобы это видеть, мне нужно быть её администратором.
dlg-booster-yes = да
dlg-booster-no = нет
dlg-name-premium = Только с Premium
dlg-about-premium = Играть смогут только владельцы Telegram Premium.
dlg-premium-yes = да
dlg-premium-no = нет
