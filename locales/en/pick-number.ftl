### Pick Your Number.

pick-number-name = Pick Your Number
pick-number-sign = 🎱
pick-number-hint = Take a number nobody else has. Whose number is drawn first wins. In reverse mode, whoever is drawn is out, and the last one standing wins.

## The lobby

pick-number-about = { $winners ->
    [one] Everyone takes a number. Whoever’s number is drawn first wins.
   *[other] Everyone takes a number. The first { $winners } players to be drawn win.
}
pick-number-about-reverse = { $winners ->
    [one] 🔄 Reverse: everyone takes a number, and whoever is drawn is out. The last one standing wins.
   *[other] 🔄 Reverse: everyone takes a number, and whoever is drawn is out. The last { $winners } standing win.
}
pick-number-beacon-used = 🎲 A public random number, unknown to anyone beforehand, is mixed into the draw. { $policy ->
    [void] If it doesn’t come, nobody wins.
   *[wait] If it is late, the draw waits for it.
}

## Picking

pick-number-pick = Take a number from 1 to { NUMBER($highest, useGrouping: 0) }. Until time is up you can change it.
pick-number-pick-secretly = 🙈 Take a number from 1 to { NUMBER($highest, useGrouping: 0) } with the button below. Nobody sees who has which number until picking closes.
pick-number-picked-count = ✅ Picked: <b>{ $picked }</b> of { $players }
pick-number-picked = ✅ Picked, { $picked } of { $players }:
pick-number-missing = 💭 Still thinking: { $names }
pick-number-open-until = ⏳ Picking is open until { $time }
pick-number-closes = ⏳ Picking closes { $at }
pick-number-seal =
    🔒 The draw is sealed:
    <code>{ $commitment }</code>

## The two messages of a draw to keep

pick-number-begun = 🎱 <b>{ $title }</b>: picking has begun, from 1 to { NUMBER($highest, useGrouping: 0) }!
pick-number-sealed =
    🔒 The draw is sealed. <b>Keep this message.</b>
    Seal <code>{ $commitment }</code>
    Game <code>{ $game }</code>
pick-number-bound = { $winners ->
    [one] Numbers from 1 to { NUMBER($highest, useGrouping: 0) }, the first one drawn wins.
   *[other] Numbers from 1 to { NUMBER($highest, useGrouping: 0) }, the first { $winners } drawn win.
}
pick-number-bound-reverse = { $winners ->
    [one] 🔄 Numbers from 1 to { NUMBER($highest, useGrouping: 0) }, the last one standing wins.
   *[other] 🔄 Numbers from 1 to { NUMBER($highest, useGrouping: 0) }, the last { $winners } standing win.
}
pick-number-bound-absent = { $policy ->
    [auto] Players who don’t pick get a free number.
   *[drop] Players who don’t pick drop out.
}
pick-number-bound-beacon = 🎲 drand <code>{ $chain }</code>; if it is late, { $policy ->
    [void] the draw is void.
   *[wait] the draw waits, a day at most.
}
pick-number-bound-alone = Without a public random number.
pick-number-bound-seed = 🌱 Seed { NUMBER($number, useGrouping: 0) } of { NUMBER($size, useGrouping: 0) } prepared for this chat: <code>{ $root }</code>
pick-number-bound-fresh = 🌱 A seed made just now: none was prepared for this chat.
pick-number-over = { $entries ->
    [one] ✋ <b>{ $title }</b>: picking is over, one number is in. The draw begins!
   *[other] ✋ <b>{ $title }</b>: picking is over, { $entries } numbers are in. The draw begins!
}
pick-number-final =
    🧾 The list is final. <b>Keep this message.</b>
    Entries ({ $entries }) <code>{ $digest }</code>
    Game <code>{ $game }</code>
pick-number-final-beacon = 🎲 drand round { $round } decides, { $at }
pick-number-final-file = The list is in the file, whose SHA-256 this is.

## The draw

pick-number-awaiting-beacon = 🔒 All numbers are in, and nothing can change any more. The draw begins when the public random number is out: drand round { $round }, { $at }.
pick-number-beacon-late = The public random number is late. { $policy ->
    [void] If it doesn’t come soon, the draw is void.
   *[wait] The draw waits for it, a day at most.
}
pick-number-drum-roll = { $entries ->
    [one] One number is in. The first draw comes in a moment…
   *[other] { $entries } numbers are in. The first draw comes in a moment…
}
pick-number-drawn = 🎲 Drawn: { $numbers }
pick-number-place = { $mark } { $name } with { NUMBER($number, useGrouping: 0) }
pick-number-places-left = { $left ->
    [one] One more place to win…
   *[other] { $left } more places to win…
}
pick-number-out = 💥 Out ({ $out }), latest first: { $names }
pick-number-standing = 🧍 Standing ({ $standing }): { $names }

## The result

pick-number-winner = { $mark } { $name } with { NUMBER($number, useGrouping: 0) }
pick-number-winner-prize = { $mark } { $name } with { NUMBER($number, useGrouping: 0) }: <b>{ $prize }</b>
pick-number-tally = { $players ->
    [one] One player; { $drawn } of { $highest } numbers drawn.
   *[other] { $players } players; { $drawn } of { $highest } numbers drawn.
}
pick-number-rest = Also played: { $names }
pick-number-without = Without a number: { $names }
pick-number-assigned = Given a random number: { $names }
pick-number-opened =
    🔓 Seed: <code>{ $seed }</code>
    🔒 Sealed as: <code>{ $commitment }</code>

## A player’s own board

pick-number-own-pick = Your pick, from 1 to { NUMBER($highest, useGrouping: 0) }:
pick-number-own-number = You have <b>{ NUMBER($number, useGrouping: 0) }</b>. To change it, tap another free one.
pick-number-own-drawing = You’re in the draw with <b>{ NUMBER($number, useGrouping: 0) }</b>. Fingers crossed.
pick-number-own-out = Your <b>{ NUMBER($number, useGrouping: 0) }</b> was drawn.
pick-number-own-without = You had no number when picking closed, so you sat this one out.
pick-number-own-lost = No luck for <b>{ NUMBER($number, useGrouping: 0) }</b> this time. Good game.
pick-number-own-won = { $place } You won with <b>{ NUMBER($number, useGrouping: 0) }</b>. Congratulations!
pick-number-own-won-prize = { $place } You won <b>{ $prize }</b> with <b>{ NUMBER($number, useGrouping: 0) }</b>. Congratulations!
pick-number-own-line = Your number is <b>{ $number }</b>.

## Answers to taps

tap-picked = You have { NUMBER($number, useGrouping: 0) }.

## Rules and proof

pick-number-rules =
    🎱 <b>Pick Your Number</b>

    <b>1.</b> Join while the lobby is open. Once enough players are in, there’s a last call; then the board opens.
    <b>2.</b> Take a free number, in the group or privately. A number has one owner. Until time is up you can change it.
    <b>3.</b> Numbers are drawn from the whole board. Free ones are passed over; the first players drawn win, in that order.

    🔄 <b>Reverse mode:</b> whoever is drawn is out. The last ones standing win; the very last takes first place.

    <blockquote expandable>💰 <b>Prizes:</b> first place gets half and the rest falls from there, or equal parts, or the host’s own percentages. They always add up to the pool.

    🔒 <b>Fair:</b> before anyone picks, the bot publishes the fingerprint (SHA-256) of the rules and a secret seed. Once picking is over, nobody can stop the draw. The seed comes with the result, and anyone can recompute it: /fair.</blockquote>
pick-number-proof-early = The draw is sealed when picking begins. Then its fingerprint stands in the game’s message.
pick-number-proof-sealed =
    🔒 Rules and secret seed of the draw are sealed. SHA-256 of both:
    <code>{ $commitment }</code>

    When the game is over, the seed is published, and you can check that neither has changed.
pick-number-proof = { $entries ->
    [one]
        Seed and entry give the order of the draw ({ $drawn } drawn). Check it without trusting me, with verify.html or verify.py.

        <blockquote expandable>🔒 Sealed before picking: <code>{ $commitment }</code>
        🔓 The seed: <code>{ $seed }</code>
        🧾 SHA-256 of the one entry, from 1 to { NUMBER($highest, useGrouping: 0) }: <code>{ $digest }</code></blockquote>
   *[other]
        Seed and entries give the order of the draw ({ $drawn } drawn). Check it without trusting me, with verify.html or verify.py.

        <blockquote expandable>🔒 Sealed before picking: <code>{ $commitment }</code>
        🔓 The seed: <code>{ $seed }</code>
        🧾 SHA-256 of the { $entries } entries, from 1 to { NUMBER($highest, useGrouping: 0) }: <code>{ $digest }</code></blockquote>
}
pick-number-proof-beacon = 🎲 Round { $round } of the drand beacon was mixed in.
pick-number-proof-void = ⚠️ The draw is void: nobody won. Its seed and entries are here all the same.
pick-number-proof-no-beacon = 🎲 Round { $round } of the drand beacon was awaited, but did not come in time; the draw went on without it.

## The forms

pick-number-newgame-choose = 🎱 Pick Your Number
pick-number-form =
    🎯 { $mode ->
        [reverse] { $winners ->
            [one] The last one standing wins
           *[other] The last { $winners } standing win
        }
       *[normal] { $winners ->
            [one] The first number drawn wins
           *[other] The first { $winners } numbers drawn win
        }
    } · { $selection_seconds } to pick
pick-number-newgame = <b>New game: Pick Your Number</b>
pick-number-newgame-instead = 🎱 Make it Pick Your Number
pick-number-settings =
    <b>The group’s rules for Pick Your Number</b>
    Every new game starts with these.
pick-number-settings-open = 🎱 Rules for Pick Your Number
dlg-pick-number-about-mode = Normally, whoever’s number is drawn first wins. In reverse mode, a drawn number is out, and the last ones standing win.
dlg-name-selection_seconds = Time to pick
dlg-about-selection_seconds = How long everybody has to pick a number, in seconds.
dlg-name-reveal_seconds = Between two draws
dlg-about-reveal_seconds = How long a drawn number stands before the next one, in seconds.
dlg-name-beacon_policy = Random number late
dlg-about-beacon_policy = Only if this bot mixes a public random number into draws: what happens when it doesn’t come in time. Waiting ends after a day.
dlg-name-absent = Without a number
dlg-about-absent = What happens to a player who hasn’t picked when time is up.
dlg-name-picks = Who has which number
dlg-about-picks = Seen by everybody at once, or hidden until picking closes. If hidden, everybody picks on a board of their own.
dlg-picks-open = seen by everybody
dlg-picks-secret = hidden until picking closes
dlg-name-numbers = Range of numbers
dlg-about-numbers = Numbers go from 1 to this. Left to me, there are enough for all players.
dlg-name-range_multiplier = Numbers per player
dlg-about-range_multiplier = How many numbers there are for each player.
dlg-name-max_number = Highest number
dlg-about-max_number = The range never goes beyond this.
dlg-pick-number-mode-normal = drawn numbers win
dlg-pick-number-mode-reverse = last ones standing win
dlg-beacon_policy-wait = the draw waits
dlg-beacon_policy-void = nobody wins
dlg-absent-drop = drops out
dlg-absent-auto = gets a random number
dlg-numbers-auto = fits the players

## Refusals

not-now-pick-number = { $phase ->
    [waiting_for_players] Numbers come when the game starts.
    [players_joining] Numbers come when the game starts.
    [drawing] Picking is closed: the draw is on.
    [cancelled] This game was cancelled.
   *[other] This game is over.
}
rejected-number-taken = { NUMBER($number, useGrouping: 0) } is taken. Try another one.
rejected-number-out-of-range = { NUMBER($number, useGrouping: 0) } isn’t on the board: it goes from 1 to { NUMBER($highest, useGrouping: 0) }.
rejected-already-yours = { NUMBER($number, useGrouping: 0) } is yours already.

## In the texts of every kind

pick-number-cancelled-nobody_picked = Nobody picked a number, so the game is cancelled: there was nothing to draw.
pick-number-phase-number_selection = Picking numbers
pick-number-phase-drawing = The draw is on
cmd-about-create_game = Open a game: [title] [reverse] [winners]
cmd-help-create_game = /create_game [title] [reverse] [winners] – the same in one line
pick-number-pitch = Pick Your Number: everybody takes a number, and a draw that anyone can check decides.
rejected-bad-rule-picks = Who sees the picks: { $low } or { $high }. You gave { $given }.
rejected-bad-rule-absent = Players without a number: { $low } or { $high }. You gave { $given }.
pick-number-cancelled-void_operator = The people who run this bot ended the draw before its number was out. Nobody wins; seed and entries are published.
pick-number-cancelled-void_beacon = The public random number didn’t come, so the draw is void. Nobody wins; seed and entries are published.
rejected-bad-rule-beacon_policy = Late random number: { $low } or { $high }. You gave { $given }.
rejected-draw-sealed = Picking is over, so the draw can’t be stopped any more.
