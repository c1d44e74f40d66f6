## Таблица лучших

cmd-best-chat = Лучшие в группе
cmd-best-all = Лучшие среди всех
cmd-best-own-group = Лучшие в вашей группе
cmd-best-title-ever = <b>{ $list }</b>
cmd-best-title-week = <b>{ $list }</b> · неделя
cmd-best-title-month = <b>{ $list }</b> · месяц
cmd-best-title-season = <b>{ $list }</b> · сезон
cmd-best-ever = Всё время
cmd-best-week = Неделя
cmd-best-month = Месяц
cmd-best-season = Сезон
cmd-best-none-ever = Ещё никто не доиграл до конца.
cmd-best-none-week = На этой неделе ещё никто не доиграл до конца.
cmd-best-none-month = В этом месяце ещё никто не доиграл до конца.
cmd-best-none-season = В этом сезоне ещё никто не доиграл до конца.
cmd-best-around-me = Моё место
cmd-best-without-you = Вас в этом списке пока нет: доиграйте хотя бы одну игру.
cmd-best-champion = 👑 Прошлый сезон ({ $season }): { $names }

season-over = 🏁 <b>Сезон окончен: { $season }</b>
season-next = Новый сезон

## Достижения

achievements-line = 🏅 { $name }: { $names }
achievement-first-win = первая победа
achievement-wins-10 = 10 побед
achievement-wins-50 = 50 побед
achievement-games-10 = 10 игр
achievement-games-100 = 100 игр
achievement-streak-5 = 5 верных ответов подряд
achievement-streak-10 = 10 верных ответов подряд
achievement-points-10000 = 10 000 очков
achievement-crowd = победа среди 20 и более игроков
achievement-duel = победа в дуэли
achievement-number-one = победа с номером 1
achievement-last-place = последнее призовое место
achievement-first-prize = выигранный приз

## Диаграмма последних недель

weeks-button = 📊 По неделям
weeks-none =
    { $weeks ->
        [one] За последнюю { $weeks } неделю не сыграно ни одной игры.
        [few] За последние { $weeks } недели не сыграно ни одной игры.
       *[other] За последние { $weeks } недель не сыграно ни одной игры.
    }
weeks-title =
    { $weeks ->
        [one] <b>{ $name }</b> за последнюю { $weeks } неделю: { $figures }
        [few] <b>{ $name }</b> за последние { $weeks } недели: { $figures }
       *[other] <b>{ $name }</b> за последние { $weeks } недель: { $figures }
    }
weeks-line = { $date }: { $figures }
weeks-count-games =
    { $games ->
        [0] игр не было
        [one] { $games } игра
        [few] { $games } игры
       *[other] { $games } игр
    }
weeks-count-both =
    { $wins ->
        [0] { $games }, без побед
        [one] { $games }, { $wins } победа
        [few] { $games }, { $wins } победы
       *[other] { $games }, { $wins } побед
    }
weeks-games = Игры
weeks-wins = Победы
weeks-axis = Начало недели

## Результаты группы файлом

results-get = 📄 Результаты файлом (для админов)
results-none = За последние 12 месяцев в этой группе не закончилось ни одной игры.
results-year =
    { $rows ->
        [one] Результаты за последние 12 месяцев: { $rows } строка.
        [few] Результаты за последние 12 месяцев: { $rows } строки.
       *[other] Результаты за последние 12 месяцев: { $rows } строк.
    }
results-newest = Последние результаты, строк: { $rows }. Больше в файл не помещается, и охватывает он не больше 12 месяцев.
results-column-title = Игра
results-column-kind = Вид
results-column-status = Итог
results-column-opened = Открыта
results-column-ended = Закончена
results-column-name = Игрок
results-column-number = Число
results-column-points = Очки
results-column-place = Место
results-column-prize = Приз
results-column-currency = Валюта
results-column-award = Приз словами
results-column-game = Код игры
results-column-player = ID игрока
results-status =
    { $status ->
        [completed] сыграна
       *[other] отменена
    }
