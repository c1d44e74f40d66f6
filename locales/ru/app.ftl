# Мини-приложение. На его странице видны и достижения из figures.ftl.

app-loading = Загружаем…
app-again = Ещё раз
app-offline = Нет связи. Проверьте интернет и попробуйте ещё раз.
app-reconnecting = Восстанавливаем связь…
app-lost-access = Эта игра вам больше не видна.
app-not-sent = Не удалось отправить. Попробуйте ещё раз.
app-outside = Откройте эту страницу из Telegram: кнопка «Открыть игру» есть под игрой в группе.
app-no-chat = Откройте игру из своей группы — здесь появятся её игры.
app-sections = Разделы
app-games = Игры
app-leaders = Лидеры
app-profile = Профиль
app-no-games = Сейчас ничего не идёт. Игру в группе открывает ведущий.
app-unknown-kind = В эту игру можно сыграть только в чате.
app-kind-pick_number = Выбери число
app-kind-quiz = Викторина
app-phase-waiting_for_players = Ждём игроков
app-phase-players_joining = Набор заканчивается
app-phase-number_selection = Выбираем числа
app-phase-drawing = Идёт розыгрыш
app-phase-question_open = Вопрос открыт
app-phase-question_reveal = Правильный ответ
app-phase-paused = Пауза. Продолжится сама через
app-phase-completed = Игра окончена
app-phase-cancelled = Игра отменена
app-players =
    { $count ->
        [one] { $count } игрок
        [few] { $count } игрока
       *[many] { $count } игроков
    }
app-needed =
    { $count ->
        [one] Нужен хотя бы { $count } игрок
        [few] Нужно хотя бы { $count } игрока
       *[many] Нужно хотя бы { $count } игроков
    }
app-join = Играю
app-leave = Выйти из игры
app-start-now = Начать сейчас
app-board = Числа
app-search = Найти число
app-zoom = Размер чисел
app-free = { $number }, свободно
app-yours = { $number }, ваше
app-taken = { $number }, занято
app-taken-by = { $number }, занято: { $name }
app-picked = { $number } — ваше число
app-your-number = Ваше число: { $number }
app-pick-one = Выберите свободное число
app-watching = Вы смотрите эту игру
app-number = число { $number }
app-drawn = Выпавшие числа
app-sealed = Запечатано до первого выбора: { $hash }
app-results = Итоги
app-points =
    { $count ->
        [one] { $count } очко
        [few] { $count } очка
       *[many] { $count } очков
    }
app-question = Вопрос { $number } из { $total }
app-time-left = Осталось времени
app-your-answer = Ваш ответ
app-confirm = Готово
app-answered = Ответ принят
app-own-answer = Ваш ответ: { $answer }
app-late = Вы отвечаете со следующего вопроса.
app-no-number = Это не число. Введите цифры, например 12 или 3,5.
app-right-answer = Правильный ответ: { $answer }
app-gained = Верно! +{ $count }
app-not-right = В этот раз без очков.
app-statistics = Статистика
app-achievements = Достижения
app-history = Ваши игры
app-nothing-yet = Пока пусто
app-games-count =
    { $count ->
        [one] { $count } игра
        [few] { $count } игры
       *[many] { $count } игр
    }
app-wins =
    { $count ->
        [one] { $count } победа
        [few] { $count } победы
       *[many] { $count } побед
    }
app-period-week = Неделя
app-period-month = Месяц
app-period-season = Сезон
app-period-all = Всё время
app-public-about = Игры, итоги и рейтинг
app-public-gone = Здесь ничего нет, или группа больше это не показывает.
app-public-results = Итоги
app-public-none = Сейчас игр нет.
app-public-proof = Доказательство розыгрыша
app-public-checks =
    { $count ->
        [one] { $count } проверка на этом устройстве
        [few] { $count } проверки на этом устройстве
       *[many] { $count } проверок на этом устройстве
    }
app-public-replay = Показать розыгрыш
app-public-download = Скачать доказательство
app-open = Открыть игру
app-settings = Настройки
app-hosts-only = В этой группе игры открывают только администраторы.
app-session-over = Сеанс закончился. Закройте страницу и откройте её снова из группы.
app-kind = Игра
app-title = Название
app-prize = Приз
app-prize-hint = Сумма, например 100 USDT, или словами. Пусто — без приза.
app-pack = Вопросы
app-pack-bank = из общей базы
app-rule-winners = Победителей
app-rule-min_players = Минимум игроков
app-rule-max_players = Максимум игроков
app-rule-questions = Вопросов
app-rule-question_seconds = Секунд на ответ
app-preview = Как это будет
app-preview-players = Игроков: от { $least } до { $most }
app-preview-questions =
    { $count ->
        [one] { $count } вопрос, по { $seconds } с на ответ
        [few] { $count } вопроса, по { $seconds } с на ответ
       *[many] { $count } вопросов, по { $seconds } с на ответ
    }
app-preview-winners =
    { $count ->
        [one] { $count } победитель
        [few] { $count } победителя
       *[many] { $count } победителей
    }
app-save = Сохранить
app-saved = Сохранено
app-new-games = Новые игры
app-group = Группа
app-set-openers = Игры могут открывать все
app-set-public = Открытые страницы: игры, итоги и рейтинг видны всем, у кого есть ссылка
app-set-indexed = Поисковики могут показывать открытые страницы
