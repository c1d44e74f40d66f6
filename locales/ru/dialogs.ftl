### Диалоги: /newgame, /settings, /admin.

dlg-back = ‹ Назад
dlg-close = Закрыть
dlg-reset = Вернуть как было
dlg-none = нет
dlg-line = { $name }: <b>{ $value }</b>
dlg-reply-with-it = Нажмите на значение или ответьте своим на это сообщение.
dlg-unreadable = ⚠️ Не могу это прочесть. Напишите цифрами.
dlg-not-yours = Это заполняет другой человек.
dlg-stale = Эта кнопка устарела. Начните заново.

## Новая игра

dlg-newgame = <b>Новая игра «Выбери число»</b>
dlg-newgame-create = ✅ Открыть игру
dlg-newgame-opened = Игра открыта.

## Настройки

dlg-settings = <b>С чего начинаются игры этой группы</b>
dlg-name-openers = Кто открывает игры
dlg-name-language = Язык
dlg-openers-hosts = администраторы
dlg-openers-everyone = все
dlg-openers-to-hosts = Пусть игры открывают только администраторы
dlg-openers-to-everyone = Пусть игры открывают все

## Правила по именам

dlg-name-title = Название
dlg-name-mode = Режим
dlg-name-winners = Победителей
dlg-name-prize_pool = Призовой фонд
dlg-name-split = Делёж
dlg-name-percentages = Доли
dlg-name-min_players = Игроков не меньше
dlg-name-max_players = Игроков не больше
dlg-name-lobby_seconds = Ждать игроков
dlg-name-join_seconds = Последний вызов
dlg-name-selection_seconds = Время на выбор
dlg-name-reveal_seconds = Между числами
dlg-name-absent = Кто не выбрал
dlg-name-numbers = Диапазон чисел
dlg-name-range_multiplier = Чисел на игрока
dlg-name-max_number = Наибольшее число

dlg-mode-normal = выигрывают выпавшие числа
dlg-mode-reverse = выигрывают оставшиеся последними
dlg-split-auto = половина первому, остальным по убыванию
dlg-split-equal = поровну
dlg-split-percentages = свои доли
dlg-absent-drop = выбывает
dlg-absent-auto = получает случайное число
dlg-numbers-auto = по числу игроков

dlg-about-title = Как называется игра: не длиннее 64 символов.
dlg-about-mode = В обычном режиме числа тянут, пока у нужного их количества не найдётся хозяин. В обратном выпавшее число выбывает.
dlg-about-winners = Сколько мест выигрывает: от 1 до 10.
dlg-about-prize_pool = Что делят победители. 0 – игра ради удовольствия.
dlg-about-split = Как победители делят фонд.
dlg-about-percentages =
    { $winners ->
        [one] Доли для { $winners } победителя: проценты, в сумме 100, с первого места.
       *[other] Доли для { $winners } победителей: проценты, в сумме 100, с первого места, например: 50 30 20
    }
dlg-about-min_players = Игра ждёт, пока не вступит столько человек.
dlg-about-max_players = Когда столько набралось, игра полна и начинается сразу.
dlg-about-lobby_seconds = Если к этому времени вступило слишком мало, игра отменяется. В секундах.
dlg-about-join_seconds = Сколько ещё можно вступать, когда игроков уже достаточно. В секундах.
dlg-about-selection_seconds = Сколько времени у всех на выбор числа. В секундах.
dlg-about-reveal_seconds = Сколько стоит выпавшее число перед следующим. В секундах.
dlg-about-absent = Что станет с игроком, который не выбрал числа вовремя.
dlg-about-numbers = Числа идут от 1 до этого.
dlg-about-range_multiplier = Диапазон – это число, умноженное на число игроков.
dlg-about-max_number = Дальше этого диапазон не идёт.

## Операторы

dlg-admin = <b>Управление</b>
dlg-admin-health = { $name }: { $state }
dlg-admin-refresh = Обновить
dlg-admin-to-games = Идущие игры
dlg-admin-to-ban = Запреты
dlg-admin-to-cast = Объявление
dlg-admin-games = <b>Идущие игры</b>
dlg-admin-game = { $kind }, чат <code>{ $chat }</code>, тема { $topic }, открыл { $host }, версия { $version }
dlg-admin-end = Закончить принудительно
dlg-admin-end-sure = Закончить эту игру без результата?
dlg-admin-ended = ✅ Игра отменена.
dlg-admin-ban = <b>Запрещено везде</b>
    Чтобы закрыть доступ, напишите id человека и после него причину.
dlg-admin-ban-whom = ⚠️ Напишите id человека, который не оператор.
dlg-admin-banned = ✅ { $player } не может играть нигде.
dlg-admin-unban = Вернуть доступ: { $name }
dlg-admin-unbanned = ✅ { $player } снова может играть.
dlg-admin-cast = <b>Объявление во все чаты</b>
    Напишите его. Перед отправкой вы его увидите.
dlg-admin-cast-long = ⚠️ Слишком длинно: не больше { $limit } символов.
dlg-admin-cast-sure = <b>Отправить это во все чаты?</b>
dlg-admin-cast-send = Отправить
dlg-admin-cast-sent =
    { $count ->
        [one] ✅ Отправляется в { $count } чат.
        [few] ✅ Отправляется в { $count } чата.
       *[other] ✅ Отправляется в { $count } чатов.
    }
