### Refusals: rejected-<code>, with the parameters of the Rejected type of that name; not-now-<command> if a
### command in the wrong phase deserves more than the general answer. Without markup: they are toasts.

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
rejected-won-before = You have already won in this series. This rematch is for the others.
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
rejected-bad-rule = { $name }: from { $low } to { $high }. You gave { $given }.
rejected-bad-rule-percentages = There must be one percentage for each winner, all above zero and 100 in sum. You gave { $given }.
rejected-bad-rule-mode = The mode is { $low } or { $high }. You gave { $given }.
rejected-bad-rule-split = The split is auto, equal or percentages. You gave { $given }.
rejected-bad-rule-prize = A prize can have up to { $high } characters, and this one has more: { $given }.
rejected-bad-rule-prizes = There can be up to { $high } prizes, one for each winner. You gave { $given }.
rejected-bad-rule-amounts = There can be one amount for each winner, each above 0.
rejected-bad-rule-prize_pool = The prize pool can be up to a trillion, with up to 8 decimals. You gave { $given }.
rejected-not-yours = Somebody else opened this menu. Send the command yourself to get your own.
rejected-cannot-ban = Admins can’t be banned.
rejected-erasure-under-way = Your data is being erased already.

## In commands and permissions

rejected-no-game-here = There’s no game on here. An admin can open one with /newgame.
rejected-which-game = Several games are on here. Write the id of one after the command: { $games }
rejected-bad-name = A name has 1 to { $limit } characters.
rejected-name-taken = Another template has this name.
rejected-too-many-templates = The group has { $limit } templates already. Delete one first.
rejected-no-such-template = This template has been deleted.
rejected-no-such-recurring = This recurring game has been deleted.
rejected-too-many-recurring = The group has { $limit } recurring games already. Delete one first.
rejected-being-changed = Somebody else is changing this right now. Please try again.
rejected-unknown-time-zone = I don’t know a time zone of that name.
rejected-too-many-subscriptions = You follow { $limit } groups already. Send /nextgame in our private chat to drop one.
rejected-muted = I may not send messages in this group, so nobody would see the game. Please give me that right first.
rejected-not-a-host = Only admins of the group can do that.
rejected-banned = You’re banned from games in this chat.
rejected-elsewhere = That game is in another chat.
rejected-join-in-group = Join with the button in the group, then come back here.
rejected-not-a-member = That’s only for members of the group, and Telegram says you aren’t one.
rejected-not-an-operator = Only operators of the bot can do that, in the private chat.
rejected-still-played = This game is still on. First things first.
rejected-needs-a-person = Anonymous admins can’t play. Write as yourself to join.
rejected-who-is-meant = Who do you mean? Reply to a message of theirs with the command, or write @name or an id after it.
rejected-id-with-blanks = Please write the id without spaces, like 1234567. Otherwise its first digits could be somebody else’s id.
rejected-nothing-to-prove = There’s no finished draw to prove. Reply to a game’s message with /fair, or write its id after it.
rejected-too-busy = Telegram won’t let me send more here right now. Please try again in a few seconds.

## Jobs, webhooks and imports

rejected-unknown-job = There is no such job.
rejected-job-ended = This job has ended already.
rejected-job-not-dead = This job has neither failed nor been cancelled.
rejected-bad-signature = The call is not signed with the secret of this webhook.
rejected-stale-call = The time in the call is more than five minutes from ours.
rejected-replayed-call = A call with this id has been handled already.
rejected-bad-url = The address must begin with https:// and have no password in it.
rejected-forbidden-address = The address belongs to a private or reserved network.
rejected-unknown-endpoint = There is no such webhook.
rejected-unknown-delivery = This webhook has no such delivery.
rejected-unknown-source = There is no such source of webhooks.
rejected-unknown-event-type = There is no such type of event.
rejected-too-many-endpoints = There are { $limit } webhooks already, which is the limit.
rejected-too-many-imports = { $limit } of your imports are waiting already. Try again when they are done.
rejected-bad-call = The body of the call is no event that is known here.

## Conditions to join

rejected-not-in-channel = { $channel ->
    [private] This game is for members of a private channel. Ask the host about it.
   *[other] This game is for members of a channel. Join { $channel }, then try again.
}
rejected-known-too-short = { $days ->
    [one] This game is for people whom I’ve known for a day.
   *[other] This game is for people whom I’ve known for { $days } days.
}
rejected-no-boost = This game is for people who boost the group. Boost it, then try again.
rejected-no-premium = This game is for people with Telegram Premium.
rejected-premium-unknown = This game is for people with Telegram Premium, and only Telegram shows who has it. They have to join there.
rejected-channel-unreadable = I can’t see the members of { $channel }. Make me an admin of that channel, then try again.
rejected-boosts-unreadable = I can’t see who boosts this group. Make me an admin of the group, then try again.
rejected-bad-rule-channel = A channel is its @name, its link, or its id like -1001234567890.
