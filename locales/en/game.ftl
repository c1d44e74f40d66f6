### Texts that all kinds of games share: boards, buttons, and the answers to taps.
### A toast (tap-…, button-…) has at most 200 characters and no markup; everything else is a message in HTML.

## Lists and spans of time

list-more = { $list } and { $more } more
duration-hours = { $count } h
duration-minutes = { $count } min
duration-seconds = { $count } s

## The living message

board-title = { $sign } <b>{ $title }</b>
board-results = 🏆 <b>{ $title }</b>: results
picture-number = #{ $number }
board-over = 🏁 It’s over. The result is in the message below. 👇
board-called-off = 🚫 Cancelled. More in the message below. 👇
board-prize = 💰 Prize: <b>{ $pool }</b>
board-prizes = 💰 Prizes, <b>{ $pool }</b> in all: { $shares }
board-prize-each = 🎁 Prize for each of the { $winners } winners: <b>{ $pool }</b>
board-prizes-words = 🎁 Prizes: { $prizes }
board-prize-place = { $mark } { $prize }
board-cancelled = { $reason ->
    [lobby_expired] Not enough players joined in time, so the game is cancelled.
    [operator] The people who run this bot cancelled the game.
    [bot_removed] The bot was removed from the chat, so the game is cancelled.
   *[host] A host cancelled the game.
}

lobby-players = { $players ->
    [0] 👥 Nobody has joined yet. Seats: { $seats }.
   *[other] 👥 <b>{ $players } of { $seats }</b> joined:
}
lobby-without-winners = { $count ->
    [one] 🎽 This rematch is without its earlier winner.
   *[other] 🎽 This rematch is without its { $count } earlier winners.
}
lobby-waiting = { $missing ->
    [one] ⏳ One more player and we can start. The lobby closes { $deadline }.
   *[other] ⏳ { $missing } more players and we can start. The lobby closes { $deadline }.
}
lobby-joining = ⏳ Starting { $deadline }. You can still join.
lobby-host = Opened by { $host }

button-join = Join
button-leave = Leave
button-start = Start now
button-extend = +1 minute
button-cancel = Cancel game
button-rules = Rules
button-rematch = Rematch
button-rematch-everyone = Everyone
button-rematch-not-winners = { $count ->
    [one] All but the winner so far
   *[other] All but the { $count } winners so far
}
button-fair = How it was drawn
button-share = Share
button-pick = Pick your number
button-pick-privately = Pick privately
button-open-app = 📱 Open the game
button-pick-in-chat = In private chat
button-confirm-cancel = Yes, cancel it
button-keep-playing = Keep playing

share-text = { $winner } has won { $title }. Play with us!
share-text-nobody = We played { $title }. Play with us!

last-call = { $players ->
    [one] 📣 <b>{ $title }</b>: last call! One player is in, and it starts at { $time }.
   *[other] 📣 <b>{ $title }</b>: last call! { $players } players are in, and it starts at { $time }.
}
late-group = ⏰ { $names }: it’s your turn, until { $time }.
late-private = ⏰ You haven’t chosen yet, and time is running out.

## A player’s own board

own-joined = You’re in. I’ll be here when the game starts.
own-not-joined = You haven’t joined yet. Tap <b>Join</b> in the group.
own-not-in-game = You’re not in this game. Catch the next one.
confirm-cancel = Cancel { $title }? Nobody wins, and it can’t be undone.

## Answers to taps

tap-done = Done.
tap-joined = { $players ->
    [one] You’re in, and you’re the first.
   *[other] You’re in: { $players } players so far.
}
tap-left = You’ve left the game.
tap-started = Joining is closed. Here we go.
tap-extended = Everyone has one more minute.
tap-cancelled = The game is cancelled.
tap-taken = That number is taken. Try another one.
tap-turn-hint = ‹ and › turn the page, « and » jump further.
tap-no-pages = There are no pages to turn now.
tap-rematch = A rematch is open, and you’re in it.
tap-rematch-without-you = A rematch is open. As an earlier winner, you sit this one out.
tap-rematch-command = Your app can’t show the question. Please use /newgame.
rematch-question = Rematch of <b>{ $title }</b>. Who may join?
tap-over = This game is over.
tap-no-own-board = This can’t be shown to you alone here. Please play in the group’s message.
tap-garbage = I don’t know this button. It may come from an older version of me.
tap-cancel-command = To cancel the game, send /cancel_game.
tap-fair-command = For the proof of the draw, send /fair.

## Words by which people say that there is no prize

prize-none-words = no, none, nothing, no prize, without a prize

## Currencies: the code, then the sign, then the words that people write

currency-words =
    EUR: €, euro, euros;
    $: $, dollar, dollars, buck, bucks;
    USD: US$;
    GBP: £, pound, pounds, quid;
    RUB: ₽, ruble, rubles, rouble, roubles;
    UAH: ₴, hryvnia, hryvnias;
    KZT: ₸, tenge;
    BYN: Br;
    PLN: zł, zloty, zlotys;
    CHF: Fr, franc, francs;
    ¥: ¥, yen, yuan;
    INR: ₹, rupee, rupees;
    TRY: ₺, lira, liras;
    ILS: ₪, shekel, shekels;
    BRL: R$, reais;
    BTC: ₿, bitcoin, bitcoins;
    TON: ton, toncoin;
    USDT: usdt, tether;
    XTR: ⭐, ⭐️, star, stars;

## Conditions to join

lobby-conditions = 🔑 Who may join: { $conditions }
condition-channel = members of { $channel }
condition-private-channel = members of a private channel
condition-known = people I’ve known for { $days ->
    [one] a day
   *[other] { $days } days
}
condition-boost = boosters of this chat
condition-premium = Telegram Premium users
