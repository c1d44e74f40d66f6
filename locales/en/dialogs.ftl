### The dialogs: /newgame, /settings, /admin.

dlg-back = ‹ Back
dlg-close = Close
dlg-reset = Back to the defaults
dlg-none = none
dlg-line = { $name }: <b>{ $value }</b>
dlg-reply-only = Write it here.
dlg-reply-with-it = Tap a value, or write your own.
dlg-unreadable = ⚠️ That doesn’t work here. Please write plain numbers, in digits, without a currency or a unit.
dlg-unreadable-prize = ⚠️ I can’t read that number. Write it like <b>1000</b> or <b>12.50 euro</b>, or describe the prize in words.
dlg-ambiguous = ⚠️ { $text } can be read in two ways. Please write { $low } or { $high }.
dlg-stale = This button is out of date. Please send the command again.

## A new game

dlg-newgame-create = ✅ Open the game
dlg-newgame-without-you = Opened, without you: you don’t meet its conditions.
dlg-newgame-opened = The game is open.

## The forms of a new game and of the settings

form-kind = <b>What shall we play?</b>
form-no-prize = 🎁 No prize, just for fun
form-players =
    👥 Starts { $join_seconds } after { $min_players ->
        [one] the first player joins
       *[other] { $min_players } players have joined
    }
form-more = ⚙️ More
form-ready-quick = ⚡ Quick
form-ready-prize_draw = 🎁 Prize draw
form-ready-quiz_night = 🌙 Quiz night
form-for = A new game in <b>{ $chat }</b>
form-prize = 🎁 Prize
form-all = ⚙️ All settings
form-save = ⭐ Save as a template
form-saved = ⭐ Saved as <b>{ $name }</b>. From now on /newgame offers it in the group.
form-name-template = What should it be called? Write a name of up to 32 characters.
form-opened = ✅ <b>{ $title }</b> is open in <b>{ $chat }</b>. Go back to the group: everybody can join there.
form-settings = ⚙️ Open the settings
form-settings-where = The settings of this group are in our private chat, so that they take no room here.
form-settings-of = ⚙️ <b>{ $chat }</b>: settings
form-language = Which language shall I speak in the group?
form-to-templates = ⭐ Templates
form-templates = <b>Templates of the group</b>
    Admins open a game from them with /newgame.
form-templates-none = <b>Templates of the group</b>
    There are none yet. In a new game tap “More”, then “Save as a template”.
form-template = ⭐ { $name }
form-template-named = ⭐ <b>{ $name }</b>
form-rename = Rename
form-delete = Delete
form-delete-sure = Delete the template <b>{ $name }</b>?

## Settings

dlg-name-host_plays = The host plays too
dlg-host_plays-yes = yes
dlg-host_plays-no = no
dlg-name-openers = Who can open games
dlg-name-language = Language
dlg-openers-hosts = only admins
dlg-openers-everyone = everybody

dlg-name-messages = Messages in the group
dlg-messages-normal = start, reminder and result
dlg-messages-lively = every turn, with a sound
dlg-messages-quiet = all in one message, no new ones
dlg-name-pin = Pin the game’s message
dlg-pin-yes = while a game is on
dlg-pin-no = no
dlg-pin-no-right = I can’t pin messages in this group yet. Please give me that right.
dlg-name-picture = Picture of the winners
dlg-picture-yes = with the result
dlg-picture-no = no
dlg-name-season = Season
dlg-season-quarter = a quarter, with a podium at its end
dlg-season-month = a month, with a podium at its end
dlg-season-no = no podiums
dlg-name-public = Public pages
dlg-public-yes = anyone with the link sees games, results and the leaderboard
dlg-public-no = no
dlg-public-what = Anyone with the link can now see this group’s games, results and leaderboard, with names. Tap again to take them away.
dlg-public-url = Public page: { $url }
dlg-name-indexed = Search engines
dlg-indexed-yes = may list the public pages
dlg-indexed-no = may not list the public pages

## The rules, by name

dlg-name-title = Title
dlg-name-mode = Mode
dlg-name-winners = Winners
dlg-name-prize = Prize
dlg-prize-none = none, just for fun
dlg-name-split = Prize split
dlg-name-percentages = Shares
dlg-name-min_players = Minimum players
dlg-name-max_players = Maximum players
dlg-name-lobby_seconds = Wait for players
dlg-name-join_seconds = Last call

dlg-split-auto = first takes half, then less
dlg-split-equal = equal parts
dlg-split-percentages = your own shares

dlg-about-title = What the game is called: one line, up to 64 characters.
dlg-about-winners = How many places win: 1 to 10.
dlg-about-prize =
    What can be won: words (<i>cinema ticket</i>), an amount (<i>100 euro</i>), or a list, one line for each place.

    The winners share an amount. A prize in words is for each of them.
dlg-about-split = How the winners share the prize pool.
dlg-about-percentages =
    { $winners ->
        [one] There is one winner, who takes it all. Choose more winners first.
       *[other] { $winners } percentages that make 100, first place first, such as: 50 30 20
    }
dlg-about-min_players = The game starts once this many have joined.
dlg-about-max_players = The game is full at this many, and starts at once.
dlg-about-lobby_seconds = How long to wait for enough players, in seconds. Then the game is cancelled.
dlg-about-join_seconds = How long others can still join once there are enough, in seconds.

## Operators

dlg-admin = <b>Operations</b>
dlg-admin-health = { $name }: { $state }
dlg-admin-refresh = Refresh
dlg-admin-to-games = Live games
dlg-admin-to-ban = Bans
dlg-admin-to-cast = Message to all chats
dlg-admin-games = <b>Live games</b>
dlg-admin-games-earlier = ◀ Previous
dlg-admin-games-later = Next ▶
dlg-admin-game = { $kind }, chat <code>{ $chat }</code>, topic { $topic }, opened by { $host }, version { $version }
dlg-admin-end = End by force
dlg-admin-end-sure = End this game without a result?
dlg-admin-ended = ✅ The game is cancelled.
dlg-admin-ban = <b>Banned everywhere</b>
    To ban somebody, write their id, then the reason.
dlg-admin-ban-whom = ⚠️ Write the id of somebody who isn’t an operator of this bot.
dlg-admin-banned = ✅ { $player } is banned everywhere.
dlg-admin-unban = Unban { $name }
dlg-admin-unbanned = ✅ { $player } may play again.
dlg-admin-to-tokens = API tokens
dlg-admin-tokens = <b>Tokens of the HTTP API</b>
    To make one, write its role, then the chats to which it is limited and the days for which it is valid:
    <code>host -1001234567890 90</code>. Roles: viewer, host, operator.
dlg-admin-token = <code>{ $token }</code> { $role }, chats { $chats } { $name }
dlg-admin-token-made = ✅ This is shown once. Copy it now: <code>{ $token }</code>
dlg-admin-token-wrong = ⚠️ Write a role, then chats and days as numbers: host -1001234567890 90
dlg-admin-token-revoked = ✅ { $token } is revoked.
dlg-admin-revoke = Revoke { $token }
dlg-admin-to-dashboard = Dashboard
dlg-admin-dashboard = This button opens the dashboard once, in the next five minutes. Don’t pass it on: it signs in as you.
dlg-admin-dashboard-open = Open the dashboard
dlg-admin-to-flags = Feature flags
dlg-admin-flags = <b>Feature flags</b>
dlg-admin-flag = <code>{ $flag }</code>: { $percent } %{ $on ->
    [0] { "" }
   *[other] , always on in { $on }
}{ $off ->
    [0] { "" }
   *[other] , always off in { $off }
} — { $about }
dlg-admin-flags-how = Write a flag and a share, such as { $example } 10, or without a share to take your change back.
dlg-admin-flag-wrong = ⚠️ I don’t know that flag, or the share is not from 0 to 100.
dlg-admin-flag-set = ✅ { $flag } is on for { $percent } % of the chats.
flag-second-draw-format = Draws commit to rules, game and beacon (format 2 of proofs). Off: format 1, where the game’s rules allow it.
flag-native-polls = Quizzes may ask by Telegram’s own polls. Off: by buttons, whatever the chat has chosen.
flag-api-writes = The HTTP API accepts writes. Off: it answers them with 503 and the code flag-off; reads go on.
dlg-admin-cast = <b>Message to all chats</b>
    Write it here. You’ll see it once more before it is sent.
dlg-admin-cast-long = ⚠️ Too long: at most { $limit } characters.
dlg-admin-cast-sure = <b>Send this to every chat?</b>
dlg-admin-cast-send = Send
dlg-admin-cast-sent = ✅ On its way. You can follow it here, and I’ll tell you when it is done.
dlg-admin-cast-done =
    { $count ->
        [one] ✅ Your message has reached { $count } chat.
       *[other] ✅ Your message has reached { $count } chats.
    }
dlg-admin-cast-cancelled =
    { $count ->
        [one] ⏹ The broadcast is stopped. It had reached { $count } chat.
       *[other] ⏹ The broadcast is stopped. It had reached { $count } chats.
    }
dlg-admin-cast-line = <b>#{ $job }</b> “{ $text }”: { $status ->
    [queued] under way, sent to { $sent } of { $total }, { $queued } in the queue
    [running] under way, sent to { $sent } of { $total }, { $queued } in the queue
    [stopping] stopping, sent to { $sent } of { $total }
    [done] done, sent to { $sent } of { $total }
    [cancelled] stopped, sent to { $sent } of { $total }
   *[dead] failed, sent to { $sent } of { $total }
}
dlg-admin-cast-failed = Not sent: { $reasons }
dlg-admin-cast-reason = { $reason ->
    [withdrawn] withdrawn { $count }
    [blocked] bot blocked { $count }
    [removed] bot removed { $count }
    [no_rights] no right to write { $count }
    [expired] waited too long { $count }
    [skipped] chat inactive { $count }
    [crowded] queue of the chat full { $count }
    [unknown] result unknown { $count }
   *[refused] refused by Telegram { $count }
}
dlg-admin-cast-stop = Stop #{ $job }
dlg-admin-cast-stopping = ⏹ Stopping. Messages that are still in the queue won’t be sent.
dlg-admin-to-audit = Audit log
dlg-admin-audit = <b>Latest changes</b>
    Write the id of a person or a group to see only theirs.
dlg-admin-audit-of = <b>Latest changes: <code>{ $id }</code></b>
    Write another id, or 0 for all.
dlg-admin-audit-line = { $when } <code>{ $actor }</code> { $action }{ $has ->
    [target] {" "}<code>{ $target }</code>
   *[none] {""}
}{ $where ->
    [chat] , chat <code>{ $chat }</code>
   *[none] {""}
}{ $done ->
    [done] {""}
   *[refused] : ⚠️ { $outcome }
}
dlg-admin-audit-newer = ◀ Newer
dlg-admin-audit-older = Older ▶
dlg-admin-audit-wrong = ⚠️ Write an id as a number: a group’s begins with a minus sign.
webhook-disabled = { $reason ->
    [gone] ⚠️ The webhook <code>{ $endpoint }</code> is switched off: its receiver has answered that it is gone for good.
   *[other] ⚠️ The webhook <code>{ $endpoint }</code> is switched off: all calls to it have failed for five days.
}

## Conditions to join

dlg-name-channel = Members of a channel
dlg-about-channel = Only members of this channel can join. Write its @name or link; make me an admin there first, or I can’t see its members.
dlg-name-known_days = Known to me for
dlg-about-known_days = Only people whom I first saw at least so many days ago can join, which keeps new accounts out.
dlg-known_days = { $days ->
    [one] a day
   *[other] { $days } days
}
dlg-name-booster = Boosters only
dlg-about-booster = Only people who boost this group can join. I have to be an admin of the group to see that.
dlg-booster-yes = yes
dlg-booster-no = no
dlg-name-premium = Premium only
dlg-about-premium = Only people with Telegram Premium can join.
dlg-premium-yes = yes
dlg-premium-no = no
