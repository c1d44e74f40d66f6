### Общее для всех видов игр: доски, кнопки, ответы на нажатия.
### Всплывающий ответ (tap-…, button-…) — до 200 знаков и без разметки; остальное — сообщения в HTML.

## Списки и промежутки времени

list-more = { $list } и ещё { $more }
duration-hours = { $count } ч
duration-minutes = { $count } мин
duration-seconds = { $count } с

## Живое сообщение

board-title = { $sign } <b>{ $title }</b>
board-results = 🏆 <b>{ $title }</b>: итоги
picture-number = № { $number }
board-over = 🏁 Игра окончена. Итоги — в сообщении ниже. 👇
board-called-off = 🚫 Игра отменена. Подробности — в сообщении ниже. 👇
board-prize = 💰 Приз: <b>{ $pool }</b>
board-prizes = 💰 Призы, всего <b>{ $pool }</b>: { $shares }
board-prize-each = 🎁 Приз каждому из { $winners } победителей: <b>{ $pool }</b>
board-prizes-words = 🎁 Призы: { $prizes }
board-prize-place = { $mark } { $prize }
board-cancelled = { $reason ->
    [lobby_expired] Вовремя набралось слишком мало игроков, поэтому игра отменена.
    [operator] Игру отменили те, кто управляет этим ботом.
    [bot_removed] Бота удалили из чата, поэтому игра отменена.
   *[host] Игру отменил ведущий.
}

lobby-players = { $players ->
    [0] 👥 Пока никого. Мест: { $seats }.
   *[other] 👥 <b>{ $players } из { $seats }</b> в игре:
}
lobby-without-winners = { $count ->
    [1] 🎽 Прошлый победитель в этой игре не участвует.
    [one] 🎽 Эта игра без { $count } прошлого победителя.
   *[other] 🎽 Эта игра без { $count } прошлых победителей.
}
lobby-waiting = { $missing ->
    [one] ⏳ Нужен ещё { $missing } игрок. Запись закроется { $deadline }.
    [few] ⏳ Нужны ещё { $missing } игрока. Запись закроется { $deadline }.
   *[other] ⏳ Нужно ещё { $missing } игроков. Запись закроется { $deadline }.
}
lobby-joining = ⏳ Начало { $deadline }. Ещё можно присоединиться.
lobby-host = Ведущий: { $host }

button-join = Играю
button-leave = Выйти
button-start = Начать сейчас
button-extend = +1 минута
button-cancel = Отменить игру
button-rules = Правила
button-rematch = Ещё раз
button-rematch-everyone = Всем
button-rematch-not-winners = { $count ->
    [1] Всем, кроме победителя
    [one] Всем, кроме { $count } победителя
   *[other] Всем, кроме { $count } победителей
}
button-fair = Проверить розыгрыш
button-share = Поделиться
button-pick = Выбрать число
button-pick-privately = Выбрать тайно
button-open-app = 📱 Открыть игру
button-pick-in-chat = В личном чате
button-confirm-cancel = Да, отменить
button-keep-playing = Играем дальше

share-text = «{ $title }»: { $winner } забирает победу. Играйте с нами!
share-text-nobody = Мы сыграли в «{ $title }». Играйте с нами!

last-call = 📣 <b>{ $title }</b>: последний шанс! { $players ->
    [one] В игре { $players } игрок
    [few] В игре { $players } игрока
   *[other] В игре { $players } игроков
}, начало в { $time }.
late-group = ⏰ { $names }: ваш ход, до { $time }.
late-private = ⏰ Вы ещё не выбрали, а время уже на исходе.

## Своя доска игрока

own-joined = Вы в игре. Когда она начнётся, играть можно будет прямо здесь.
own-not-joined = Вы ещё не в игре. Нажмите <b>Играю</b> в группе.
own-not-in-game = Вы не участвуете в этой игре. Ждём вас в следующей.
confirm-cancel = Отменить игру «{ $title }»? Победителей не будет, и вернуть игру нельзя.

## Ответы на нажатия

tap-done = Готово.
tap-joined = { $players ->
    [one] Вы в игре. Уже { $players } игрок.
    [few] Вы в игре. Уже { $players } игрока.
   *[other] Вы в игре. Уже { $players } игроков.
}
tap-left = Вы вышли из игры.
tap-started = Запись закрыта. Поехали!
tap-extended = У всех есть ещё минута.
tap-cancelled = Игра отменена.
tap-taken = Это число занято. Попробуйте другое.
tap-turn-hint = ‹ и › листают по одной странице, « и » — сразу по несколько.
tap-no-pages = Сейчас листать нечего.
tap-rematch = Новая игра открыта, и вы уже в ней.
tap-rematch-without-you = Новая игра открыта. Вы уже побеждали, поэтому в этот раз без вас.
tap-rematch-command = Ваше приложение не может показать вопрос. Отправьте /newgame.
rematch-question = Ещё раз <b>{ $title }</b>. Кому можно играть?
tap-over = Эта игра закончилась.
tap-no-own-board = Показать это только вам здесь не получается. Играйте, пожалуйста, в общем сообщении.
tap-garbage = Такой кнопки я не знаю. Возможно, она осталась от прежней версии.
tap-cancel-command = Чтобы отменить игру, отправьте /cancel_game.
tap-fair-command = Доказательство розыгрыша — по команде /fair.

## Words by which people say that there is no prize

prize-none-words = нет, ничего, без приза, нет приза, приза нет, никакого

## Currencies: the code, then the sign, then the words that people write

currency-words =
    EUR: €, евро;
    $: $, доллар, доллара, долларов, долл, бакс, бакса, баксов;
    USD: US$;
    GBP: £, фунт, фунта, фунтов;
    RUB: ₽, рубль, рубля, рублей, руб, р;
    UAH: ₴, гривна, гривны, гривен, грн;
    KZT: ₸, тенге, тг;
    BYN: Br;
    PLN: zł, злотый, злотых;
    CHF: Fr, франк, франка, франков;
    ¥: ¥, иена, иены, иен, юань, юаня, юаней;
    INR: ₹, рупия, рупии, рупий;
    TRY: ₺, лира, лиры, лир;
    ILS: ₪, шекель, шекеля, шекелей;
    BRL: R$;
    BTC: ₿, биткоин, биткоина, биткоинов;
    TON: тон, тонкоин;
    USDT: usdt;
    XTR: ⭐, ⭐️, звезда, звезды, звёзды, звезд, звёзд;

## Условия участия

lobby-conditions = 🔑 Кто может играть: { $conditions }
condition-channel = подписчики { $channel }
condition-private-channel = подписчики закрытого канала
condition-known = те, кого я знаю не меньше { $days ->
    [one] { $days } дня
   *[other] { $days } дней
}
condition-boost = те, кто дал буст этому чату
condition-premium = владельцы Telegram Premium
