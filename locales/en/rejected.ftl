### Refusals: rejected-<code>, with the parameters of the Rejected type of that name; not-now-<command> where a
### command in its wrong phase deserves more than the general answer. Without markup: they are toasts.

## In every kind of game

rejected-not-now = { $phase ->
    [completed] This game is over.
    [cancelled] This game was cancelled.
   *[other] That’s not possible at this point of the game.
}
not-now-join = { $phase ->
    [completed] This game is over. Catch the next one.
    [cancelled] This game was cancelled. Catch the next one.
   *[other] The game has begun without you. Catch the next one.
}
not-now-leave = { $phase ->
    [completed] This game is over.
    [cancelled] This game was cancelled.
   *[other] The game has begun, so it’s too late to leave.
}
not-now-remove = { $phase ->
    [completed] This game is over.
    [cancelled] This game was cancelled.
   *[other] Nobody can be removed at this point.
}
not-now-start-now = { $phase ->
    [completed] This game is over.
    [cancelled] This game was cancelled.
   *[other] The game has already started.
}
not-now-extend = { $phase ->
    [completed] This game is over.
    [cancelled] This game was cancelled.
   *[other] There’s nothing to extend at this point.
}
not-now-cancel = { $phase ->
    [cancelled] The game is cancelled already.
   *[other] This game is over.
}
rejected-too-late = Too late: time was up a moment ago.
rejected-unknown-game = That game ended long ago.
rejected-already-joined = You’re already in.
rejected-not-in-game = You’re not in this game.
rejected-game-full = { $limit ->
    [one] The only seat is taken.
   *[other] All { $limit } seats are taken.
}
rejected-not-enough-players = Not enough players yet: { $have } of { $need }.
rejected-place-taken = { $limit ->
    [one] There’s a game on here already.
   *[other] There are { $limit } games on here already.
}
rejected-bad-title = A title is one line of at most { $limit } characters.
rejected-bad-extension = { $limit_seconds ->
    [one] A game can be extended by one second at a time.
   *[other] A game can be extended by 1 to { $limit_seconds } seconds at a time.
}
rule-name = { $rule ->
    [winners] { dlg-name-winners }
    [prize_pool] { dlg-name-prize_pool }
    [min_players] { dlg-name-min_players }
    [max_players] { dlg-name-max_players }
    [lobby_seconds] { dlg-name-lobby_seconds }
    [join_seconds] { dlg-name-join_seconds }
    [selection_seconds] { dlg-name-selection_seconds }
    [reveal_seconds] { dlg-name-reveal_seconds }
    [numbers] { dlg-name-numbers }
    [range_multiplier] { dlg-name-range_multiplier }
    [max_number] { dlg-name-max_number }
    [questions] { dlg-name-questions }
    [question_seconds] { dlg-name-question_seconds }
    [difficulty] { dlg-name-difficulty }
    [topic] { dlg-name-topic }
   *[other] { $rule }
}
rejected-bad-rule = { $rule ->
    [percentages] There must be one percentage for each winner, all above zero and 100 in sum. You gave { $given }.
    [mode] The mode is { $low } or { $high }. You gave { $given }.
    [beacon_policy] Late random number: { $low } or { $high }. You gave { $given }.
    [absent] Players without a number: { $low } or { $high }. You gave { $given }.
    [split] The split is auto, equal or percentages. You gave { $given }.
    [prize_pool] The prize pool can be up to a trillion, with up to 8 decimals. You gave { $given }.
   *[other] { rule-name }: from { $low } to { $high }. You gave { $given }.
}

## Pick Your Number

not-now-pick-number = { $phase ->
    [waiting_for_players] Numbers come when the game starts.
    [players_joining] Numbers come when the game starts.
    [drawing] Picking is closed: the draw is on.
    [cancelled] This game was cancelled.
   *[other] This game is over.
}
rejected-number-taken = { NUMBER($number, useGrouping: 0) } is taken. Try another one.
rejected-number-out-of-range = { NUMBER($number, useGrouping: 0) } isn’t on the board: it goes from 1 to { NUMBER($highest, useGrouping: 0) }.
rejected-draw-sealed = Picking is over, so the draw can’t be stopped any more.
rejected-already-yours = { NUMBER($number, useGrouping: 0) } is yours already.
