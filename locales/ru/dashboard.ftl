# The dashboard of hosts and operators.

## Around

dash-title = Tombola: панель управления
dash-loading = Загрузка…
dash-again = Повторить
dash-offline = Нет связи. Проверьте сеть и попробуйте ещё раз.
dash-reconnecting = Восстанавливаем связь…
dash-not-sent = Не удалось отправить. Попробуйте ещё раз.
dash-sign-in = Войти
dash-sign-out = Выйти
dash-login-link = По этой ссылке можно войти один раз.
dash-login-how = Отправьте боту /admin в личном чате и нажмите «Панель управления». Он пришлёт ссылку на эту страницу.
dash-pages = Страницы
dash-sections = Разделы
dash-cancel = Отмена
dash-done = Готово
dash-none = Пока ничего нет.
dash-more = Показать ещё
dash-refresh = Обновить
dash-save = Сохранить
dash-make = Создать
dash-delete = Удалить
dash-open = Открыть
dash-name = Название
dash-details = Подробности
dash-everything = Все
dash-days = Дней
dash-days-hint = Пусто: бессрочно.
dash-since = С
dash-until = По
dash-page-chats = Чаты
dash-page-games = Игры
dash-page-bans = Блокировки
dash-page-broadcasts = Рассылки
dash-page-tokens = Токены
dash-page-jobs = Задания
dash-page-system = Система
dash-page-audit = Журнал
dash-part-games = Игры
dash-part-open = Открыть игру
dash-part-packs = Наборы вопросов
dash-part-recurring = Регулярные игры
dash-part-settings = Настройки
dash-part-results = Результаты
dash-part-bans = Блокировки
dash-part-webhooks = Вебхуки

## Columns

dash-column-game = Игра
dash-column-phase = Этап
dash-column-players = Игроки
dash-column-chat = Чат
dash-column-opened = Открыта
dash-column-time = Время
dash-column-player = Человек
dash-column-happened = Событие
dash-column-reason = Причина
dash-column-since = С
dash-column-until = До
dash-column-step = Действие
dash-column-text = Текст
dash-column-status = Статус
dash-column-progress = Ход
dash-column-token = Токен
dash-column-role = Роль
dash-column-chats = Чаты
dash-column-used = Использован
dash-column-number = Номер
dash-column-kind = Вид
dash-column-attempts = Попытки
dash-column-error = Ошибка
dash-column-flag = Флаг
dash-column-about = О чём
dash-column-percent = Процент
dash-column-source = Задано
dash-column-dependency = Служба
dash-column-state = Состояние
dash-column-history = История
dash-column-process = Процесс
dash-column-roles = Роли
dash-column-version = Версия
dash-column-load = Нагрузка
dash-column-jobs = Ведёт
dash-column-action = Действие
dash-column-outcome = Итог
dash-column-origin = Источник
dash-column-language = Язык
dash-column-name = Название
dash-column-questions = Вопросы
dash-column-title = Заголовок
dash-column-template = Шаблон
dash-column-rhythm = Расписание
dash-column-next = Следующая
dash-column-type = Тип
dash-column-address = Адрес

## Games

dash-kind-pick_number = Выбери число
dash-kind-quiz = Викторина
dash-phase-waiting_for_players = Ждёт игроков
dash-phase-players_joining = Последний сбор
dash-phase-number_selection = Выбор чисел
dash-phase-drawing = Идёт розыгрыш
dash-phase-question_open = Идёт вопрос
dash-phase-question_reveal = Правильный ответ
dash-phase-paused = Пауза
dash-phase-completed = Завершена
dash-phase-cancelled = Отменена
dash-live = Идут
dash-ended = Завершены
dash-no-games = Игр нет.
dash-find-game = Найти игру
dash-game-id = Номер игры
dash-host = Ведущий
dash-ends = Ближайший срок
dash-ended-at = Завершена
dash-steps = Действия
dash-cancel-game = Отменить игру
dash-cancel-game-sure = Отменить игру? Победителей не будет, вернуть её нельзя.
dash-force-end = Завершить принудительно
dash-force-end-sure = Завершить игру сейчас, на любом этапе? Вернуть её нельзя.
dash-timeline = Ход игры
dash-player = Человек
dash-everybody = Все
dash-search = Поиск
dash-search-hint = Число, имя или слово.
dash-was-told = Отказ на { $action }: { $answer }
dash-told-number-taken = число уже занято
dash-told-number-out-of-range = такого числа нет на поле
dash-told-already-yours = это число уже было у него
dash-told-already-answered = ответ уже был дан
dash-told-question-closed = вопрос уже закрыт
dash-told-not-now = на этом этапе нельзя
dash-told-too-late = слишком поздно
dash-event-game_opened = Игра открыта.
dash-event-player_joined = Вступление: { $player }.
dash-event-player_left = Выход: { $player }.
dash-event-player_removed = Удаление: { $player }.
dash-event-selection_opened = Поле открыто, числа от 1 до { $highest }.
dash-event-number_picked = { $player }: выбрано число { $number }.
dash-event-selection_closed = Выбор завершён.
dash-event-numbers_drawn = Выпали: { $drawn }
dash-event-question_opened = Задан вопрос { $question }.
dash-event-answer_given = { $player }: ответ на вопрос { $question }: { $choice }
dash-event-question_revealed = Показан ответ на вопрос { $question }.
dash-event-game_completed = Игра завершена.
dash-event-game_cancelled = Игра отменена.

## Bans

dash-player-id = Номер в Telegram
dash-no-bans = Никто не заблокирован.
dash-ban-new = Заблокировать
dash-ban = Заблокировать
dash-ban-sure = Заблокировать { $player } в играх всех чатов и убрать из идущих?
dash-ban-chat-sure = Заблокировать { $player } в играх этого чата и убрать из идущих?
dash-unban = Разблокировать
dash-unban-sure = Снова пустить { $name } в игры?

## Broadcasts

dash-cast-new = Новая рассылка
dash-cast-text = Текст без разметки
dash-preview = Предпросмотр
dash-cast-next = Проверить и отправить
dash-send = Отправить
dash-cast-begun = Рассылка началась.
dash-cast-progress = отправлено { $sent } из { $total }, ждут { $waiting }
dash-cast-blocked = заблокировали бота
dash-cast-removed = бот удалён
dash-cast-no_rights = нет прав
dash-cast-expired = просрочено
dash-cast-skipped = неактивны
dash-cast-crowded = слишком много сообщений
dash-cast-refused = отказ
dash-cast-unknown = неизвестно
dash-stop = Остановить
dash-stop-sure = Остановить задание? Сделанное останется.
dash-status-queued = в очереди
dash-status-running = выполняется
dash-status-done = готово
dash-status-dead = не удалось
dash-status-cancelled = отменено

## Tokens

dash-role-viewer = наблюдатель
dash-role-host = ведущий
dash-role-operator = оператор
dash-all-chats = все
dash-revoked = отозван
dash-revoke = Отозвать
dash-revoke-sure = Отозвать токен { $token }? Программы с ним перестанут работать.
dash-token-new = Новый токен
dash-chats-hint = Номера чатов; пусто — все.
dash-token-once = Токен виден только сейчас. Скопируйте его.

## Jobs

dash-jobs-about = Работа, которую нельзя потерять. Неудавшиеся задания ждут здесь, пока их не повторят.
dash-repeat = Повторить

## System

dash-health = Состояние служб
dash-health-about = Время ответов с открытия страницы.
dash-health-line = Последний { $last } мс, наибольший { $most } мс, сбоев: { $failed }
dash-well = в порядке
dash-ill = сбой
dash-processes = Процессы
dash-load = процессор { $percent } %, обновлений/с: { $updates }, игр: { $games }
dash-flags = Флаги
dash-flag-sure = Установить { $flag } на { $percent } %?
dash-set = Задать
dash-reset = Сбросить
dash-reset-sure = Отменить настройку { $flag }?
dash-source-definition = по умолчанию
dash-source-file = файл
dash-source-operator = оператор

## Audit log

dash-filter = Отобрать
dash-filter-actor = Номер человека
dash-filter-chat = Номер чата
dash-filter-target = Игра, человек, набор или токен
dash-filter-token = Начало токена

## Chats

dash-own-chats = Чаты, которые вы ведёте
dash-every-chat = Все чаты
dash-no-chats = Чатов пока нет. Добавьте бота в группу, где вы администратор, и отправьте там команду.
dash-active = активен
dash-inactive = неактивен
dash-openers = Кто открывает игры
dash-openers-hosts = Администраторы
dash-openers-everyone = Все
dash-time-zone = Часовой пояс
dash-time-zone-hint = Например, Europe/Moscow.
dash-messages = Сообщения в группе
dash-open-game = Открыть игру
dash-opened = Игра открыта.
dash-title-of-game = Название
dash-title-hint = Пусто: название вида игры.
dash-questions-from = Вопросы из
dash-as-set = как настроено в чате
dash-all-rules = Все правила

## Packs

dash-pack-new = Новый набор
dash-pack-about = Напишите вопросы здесь или выберите файл. Ошибки видны сразу.
dash-import = Или файл: CSV, JSON, XLSX
dash-question = Вопрос { $number }
dash-right-answer = Правильный ответ
dash-wrong-answer = Неверный ответ { $number }
dash-add-question = Добавить вопрос
dash-remove-question = Убрать
dash-save-pack = Сохранить набор
dash-pack-nameless = Осталось дать название.
dash-pack-saved = Набор сохранён.
dash-open-quiz = Открыть викторину
dash-copy = Изменить копию
dash-line = Строка { $number }
dash-file-large = Файл больше 1 МБ.
dash-export = Скачать { $format }
dash-delete-pack-sure = Удалить набор «{ $name }» вместе с вопросами? Вернуть его нельзя.
dash-results-about = Завершённые игры с победителями и призами.

## Recurring games

dash-templates = Шаблоны
dash-template = Шаблон
dash-template-new = Новый шаблон
dash-delete-template-sure = Удалить шаблон «{ $name }»? Регулярные игры по нему встанут на паузу.
dash-recurring = Регулярные игры
dash-recurring-new = Новая регулярная игра
dash-delete-recurring-sure = Удалить эту регулярную игру?
dash-rhythm = Расписание
dash-every = Каждые
dash-time = Время
dash-month-day = День месяца
dash-weekdays = Дни
dash-on-day = { $day }-го числа
dash-announce = Объявить за столько минут
dash-unit-day = дни
dash-unit-week = недели
dash-unit-month = месяцы
dash-day-monday = понедельник
dash-day-tuesday = вторник
dash-day-wednesday = среда
dash-day-thursday = четверг
dash-day-friday = пятница
dash-day-saturday = суббота
dash-day-sunday = воскресенье
dash-paused = на паузе
dash-skipped = следующая пропущена
dash-runs = идёт
dash-pause = Пауза
dash-resume = Продолжить
dash-skip = Пропустить следующую
dash-unskip = Не пропускать

## Webhooks

dash-deliveries = Доставки
dash-resend = Отправить снова
dash-example = Отправить пример
dash-turn-on = Включить
dash-turn-off = Выключить
dash-on = включён
dash-off = выключен:
dash-delete-webhook-sure = Удалить вебхук? Ждущие события пропадут.
dash-webhook-new = Новый вебхук
dash-description = Описание
dash-secret-once = Секрет подписей виден только сейчас. Скопируйте его.
dash-delivery-pending = ждёт
dash-delivery-delivered = доставлено
dash-delivery-failed = не удалось
dash-delivery-missed = пропущено

## Counts

dash-cast-sure = { $count ->
    [one] Отправить в { $count } чат? Доставленное не отозвать.
    [few] Отправить в { $count } чата? Доставленное не отозвать.
    [many] Отправить в { $count } чатов? Доставленное не отозвать.
   *[other] Отправить в { $count } чата? Доставленное не отозвать.
}
dash-pack-good = { $count ->
    [one] { $count } вопрос, ошибок нет.
    [few] { $count } вопроса, ошибок нет.
    [many] { $count } вопросов, ошибок нет.
   *[other] { $count } вопроса, ошибок нет.
}
dash-pack-size = { $count ->
    [one] { $name } ({ $count } вопрос)
    [few] { $name } ({ $count } вопроса)
    [many] { $name } ({ $count } вопросов)
   *[other] { $name } ({ $count } вопроса)
}
dash-copy-partly = { $count ->
    [one] { $count } вопрос другого типа не показан.
    [few] { $count } вопроса других типов не показаны.
    [many] { $count } вопросов других типов не показаны.
   *[other] { $count } вопроса других типов не показаны.
}
dash-every-day = { $count ->
    [one] раз в { $count } день
    [few] раз в { $count } дня
    [many] раз в { $count } дней
   *[other] раз в { $count } дня
}
dash-every-week = { $count ->
    [one] раз в { $count } неделю
    [few] раз в { $count } недели
    [many] раз в { $count } недель
   *[other] раз в { $count } недели
}
dash-every-month = { $count ->
    [one] раз в { $count } месяц
    [few] раз в { $count } месяца
    [many] раз в { $count } месяцев
   *[other] раз в { $count } месяца
}
