### Регулярные игры, сообщение об открытии игры и часовой пояс группы.

## Сообщения группе

recurring-soon = ⏰ <b>{ $name }</b> начнётся { $moment }: { $time }
recurring-skipped = ⏭ <b>{ $name }</b> в этот раз не состоится: { $time }
recurring-busy = ⏭ <b>{ $name }</b> ({ $time }): пропускаем, здесь ещё идёт другая игра.
recurring-missed = ⏭ <b>{ $name }</b> ({ $time }): пропускаем, меня не было на связи, а теперь уже поздно.
recurring-muted = ⏭ Не удалось открыть <b>{ $name }</b> в чате { $chat } ({ $time }): мне нельзя там писать. Разрешите мне снова отправлять сообщения.
recurring-refused = ⏭ <b>{ $name }</b> ({ $time }): открыть не удалось. Проверьте шаблон.
recurring-template = ⏸ Регулярная игра на паузе: её шаблон удалён. Админы увидят её в /recurring.
recurring-not-a-host = ⏸ <b>{ $name }</b> на паузе: тот, кто её настроил, больше не ведёт здесь игры. Другой админ может продолжить её в /recurring.
button-remind = 🔔 Напомнить мне

## /recurring

rec-none =
    <b>Регулярные игры</b>

    Пока их нет. Я могу сам открывать игру по вашему шаблону, например каждую пятницу в 20:00.
rec-list = <b>Регулярные игры</b>
rec-name = ⭐ <b>{ $name }</b>
rec-no-template = ⚠️ <b>Шаблон удалён</b>
rec-schedule = 🗓 { $days } { $time } · { $rhythm } · { $city }
rec-month-day = { $day }-го числа,
rec-rhythm-day = { $every ->
    [1] каждый день
    [one] раз в { $every } день
    [few] раз в { $every } дня
   *[other] раз в { $every } дней
}
rec-rhythm-week = { $every ->
    [1] каждую неделю
    [one] раз в { $every } неделю
    [few] раз в { $every } недели
   *[other] раз в { $every } недель
}
rec-rhythm-month = { $every ->
    [1] каждый месяц
    [one] раз в { $every } месяц
    [few] раз в { $every } месяца
   *[other] раз в { $every } месяцев
}
rec-next = ▶️ Ближайшая: { $time }
rec-skipping = ⏭ Без { $date }
rec-paused-host = ⏸ На паузе
rec-paused-template = ⏸ На паузе: шаблон удалён
rec-paused-not-a-host = ⏸ На паузе: тот, кто её настроил, больше не ведёт здесь игры
rec-last-busy = ⚠️ Прошлая пропущена: шла другая игра
rec-last-missed = ⚠️ Прошлая пропущена: меня не было на связи
rec-last-muted = ⚠️ Прошлая пропущена: мне нельзя здесь писать
rec-last-removed = ⚠️ Прошлая пропущена: меня не было в группе
rec-last-refused = ⚠️ Прошлую открыть не удалось: проверьте шаблон
rec-announce = { $minutes ->
    [0] 📣 Без анонса
   *[other] 📣 Анонс за { $ahead }
}
rec-new = ➕ Новая
rec-which = <b>Какой шаблон открывать?</b>
rec-no-templates = Сначала сохраните шаблон: в форме новой игры есть такая кнопка.
rec-to-form = ⭐ Создать шаблон
rec-form =
    ⭐ <b>{ $name }</b>
    { $schedule }
    { $announce }
rec-create = ✅ Готово
rec-created = ✅ Готово, теперь буду открывать эту игру сам.
rec-skip = ⏭ Пропустить { $date }
rec-unskip = ↩️ Не пропускать { $date }
rec-pause = ⏸ Пауза
rec-resume = ▶️ Продолжить
rec-delete = 🗑 Удалить
rec-delete-sure = Удалить эту регулярную игру?

## Часовой пояс группы

dlg-name-time_zone = Часовой пояс
form-zone = В каком часовом поясе живёт группа? Выберите или напишите город либо сдвиг, например UTC+3.
form-zone-found = Что из этого?
form-zone-unknown = ⚠️ Такого места я не знаю. Напишите крупный город поблизости или сдвиг, например UTC+3.

## /nextgame

next-on = 🔔 Напишу вам в личку, когда здесь откроется игра.
next-on-toast = Напишу вам в личку, когда здесь откроется игра.
next-start-first = 🔔 Принято. Откройте один раз личный чат со мной, чтобы я мог вам написать.
next-to-private = Открыть личный чат
next-on-in-private = 🔔 Напишу сюда, когда в группе <b>{ $chat }</b> откроется игра.
next-word = 🎲 В группе <b>{ $chat }</b> открыта игра <b>{ $title }</b>!
next-go = К игре
next-stop = 🔕 Больше не писать
next-stop-chat = 🔕 { $chat }
next-off = 🔕 Больше не буду писать об играх в группе <b>{ $chat }</b>.
next-list = 🔔 Я пишу вам, когда открывается игра в этих группах. Нажмите на группу, чтобы перестать.
next-none = 🔕 Вы не следите ни за одной группой. Отправьте /nextgame в группе, и я напишу сюда, когда там откроется игра.
cmd-about-nextgame = Сообщить в личку об открытии игры
cmd-about-recurring = Игры, которые открываются сами
