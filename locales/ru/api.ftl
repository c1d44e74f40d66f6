### Refusals of the HTTP API. Refusals of games are in rejected.ftl.

rejected-not-found = По этому адресу ничего нет.
rejected-method-not-allowed = У этого адреса нет такого метода. Его методы перечислены в заголовке Allow.
rejected-bad-request = Запрос не прочесть: JSON в теле неполон или испорчен.
rejected-invalid-request = Запрос неверен: { $detail }
rejected-too-large = Тело больше { $limit } байт.
rejected-request-timeout = Тело запроса не пришло вовремя. Отправьте запрос ещё раз.
rejected-unsupported-media-type = Тип тела должен быть таким, как указано в справочнике, а само тело — без сжатия.
rejected-too-many-requests = Слишком много запросов. Повторите через { $seconds } с.
rejected-idempotency-key-missing = Для записи нужен заголовок Idempotency-Key: от 1 до 128 видимых символов ASCII.
rejected-idempotency-key-reused = Этот Idempotency-Key уже использован для другого запроса. Для каждого запроса нужен новый.
rejected-request-in-progress = На этот запрос уже готовится ответ. Повторите его, чтобы получить ответ.
rejected-bad-cursor = Этот курсор не относится к этому списку с такими фильтрами.
rejected-bad-query = В запросе GraphQL ошибка: { $detail }
rejected-query-too-long = Запрос GraphQL слишком длинный: лексем должно быть не больше { $limit }.
rejected-query-too-deep = Запрос GraphQL вложен слишком глубоко: уровней должно быть не больше { $limit }.
rejected-too-many-aliases = Слишком много псевдонимов и повторов полей в запросе GraphQL: допустимо не больше { $limit }, а в интроспекции — ни одного.
rejected-query-too-costly = Запрос GraphQL слишком дорогой: { $cost } при пределе { $limit }. Запросите страницы покороче.
rejected-query-too-slow = Запрос GraphQL выполнялся дольше { $seconds } с.
rejected-unknown-query = Сохранённого запроса с таким id нет.
rejected-too-many-connections = У токена или процесса уже { $limit } живых подключений — больше нельзя.
rejected-too-many-watched = Одно подключение следит не более чем за { $limit } играми и чатами.
rejected-wrong-origin = Страницам с этого адреса доступ закрыт.
rejected-away = Сейчас ответить не получается. Неизвестно, внесены ли изменения: отправьте тот же запрос ещё раз.
rejected-bug = Что-то пошло не так. Оператор найдёт причину по коду { $trace }.
rejected-not-authenticated = В заголовке Authorization нужен действующий токен: Bearer tombola_...
rejected-bad-launch = Telegram не подтвердил, что страницу открыли вы. Закройте её и откройте из чата ещё раз.
rejected-stale-launch = Страница открыта слишком давно. Закройте её и откройте из чата ещё раз.
rejected-bad-login = Ссылка уже использована или устарела. Запросите у бота новую.
rejected-tokens-only = Это можно сделать только с токеном API.
rejected-unknown-token = Такого токена нет.
rejected-needs-a-token = Ход за другого человека может сделать только токен API.
rejected-precondition-failed = С момента чтения что-то изменилось. Прочитайте ещё раз, потом меняйте.
rejected-settings-changed = Эти настройки сейчас меняют другие. Попробуйте ещё раз.
rejected-unknown-chat = Бот не знает этого чата.
rejected-unknown-player = Этот человек здесь неизвестен.
rejected-unknown-pack = У чата нет такого набора.
rejected-not-in-log = В открытом журнале этой игры пока нет, или в ней не было розыгрыша.
rejected-pack-unreadable =
    { $count ->
        [one] В файле { $count } ошибка. Ничего не сохранено.
        [few] В файле { $count } ошибки. Ничего не сохранено.
       *[many] В файле { $count } ошибок. Ничего не сохранено.
    }
rejected-too-many-packs = У чата уже { $limit } наборов, больше нельзя. Сначала удалите один.
rejected-pack-name-taken = У чата уже есть набор с таким названием.
rejected-too-many-files = Слишком много файлов ждут очереди. Попробуйте чуть позже.
rejected-broadcast-too-long = Сообщение слишком длинное: не больше { $limit } символов.
rejected-joined-elsewhere = Этот игрок присоединился в Telegram, поэтому сделать за него ход нельзя.
rejected-flag-off = Оператор это отключил: { $flag }.
rejected-unknown-flag = В этой версии нет такого флага.
rejected-bad-flag-setting = Для флага нужна доля от 0 до 100, и ни один чат не может быть с обеих сторон.
