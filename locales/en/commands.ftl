### Answers to commands, and their descriptions in Telegram’s menus.

## Trouble

cmd-slow-down = Slow down, please: I can’t keep up.
cmd-try-again = That didn’t work just now, and nothing has changed. Please try again.
cmd-try-later = I can’t reach my records right now. Games go on; please try that again later.
cmd-left-alone = That message made me fail twice, so I won’t try it again. Please send something else.
cmd-our-mistake = Something went wrong on my side, and it’s been noted. If you report it, quote { $trace }.
cmd-not-understood = I don’t know that one. See /help for what I can do.

## Greetings and help

cmd-start =
    Hello, { $name }! I host games that groups play together.

    Add me to a group, and its admins can open a game with /newgame. Everybody else joins with a tap.
    Your results are in /stats.
cmd-start-group = I’m ready. Admins open a game with /newgame or /create_game; /help shows the rest.
cmd-add-to-group = Add me to a group
cmd-use-in-group = Games are opened and run in groups. Add me to yours, and send the command there.
cmd-added =
    Hello! I host games that you play together: a draw of numbers that anyone can check, and quizzes.

    An admin opens a game, everybody else joins with a tap.
cmd-added-play = 🎲 Play now
cmd-added-settings = ⚙️ Settings
cmd-rights = I can do more with these rights:
cmd-right-can-send-messages = ✉️ Send messages: without it nobody sees a game
cmd-right-can-send-polls = 📊 Send polls: quiz questions as Telegram’s own polls
cmd-right-can-send-photos = 🖼 Send photos: pictures of quiz questions and results
cmd-right-can-pin-messages = 📌 Pin messages: the game stays in sight while people chat
cmd-muted-from-the-start = You’ve added me to { $chat }, but I may not send messages there, so nobody sees me. Please give me the right to <b>send messages</b>, then write /newgame there.
cmd-muted-now = Nothing shows up in { $chat }, because I may not send messages there. Please give me the right to <b>send messages</b>, then try again.
cmd-muted = I can’t send messages in { $chat } any more, so games there can’t show anything. Please let me write again.
cmd-help-private =
    <b>What you can do here</b>
    /status – how your games stand
    /games – the games you’re in
    /stats – your results
    /leaderboard – the best players of all groups
    /history – games you’ve played
    /fair – the proof of a draw, for anybody to check
    /nextgame – a private word when a game opens
    /verify – prove that a wallet is yours
    /privacy – what I keep about you, and its erasure
    /language – your language{ $commands }

    Games are opened in groups: add me to one.
cmd-help-group =
    <b>For everybody</b>
    /join, /leave – get in or out of the game
    /status, /games – what’s on
    /stats – your results
    /leaderboard – the best players of this group
    /history – what’s been played here
    /fair – the proof of a draw, for anybody to check
    /nextgame – a private word when a game opens

    <blockquote expandable><b>For admins</b>
    /newgame – open a game
    { $commands }
    /startnow – start without waiting
    /extend [seconds] – more time
    /remove – take a player out: reply to their message
    /cancel_game – end the game without a result
    /recurring – games that open by themselves
    /settings, /language – the group’s rules and language
    /ban, /unban – keep somebody out: reply to their message</blockquote>
cmd-help-operator = <b>For operators</b>: /admin – live games, health, bans, messages to all chats

## Playing

cmd-joined =
    { $count ->
        [one] You’re in { $title }, and you’re the first.
       *[other] You’re in { $title }: { $count } players so far.
    }
cmd-left = You’ve left { $title }.
cmd-status = <b>{ $title }</b> · 👥 { $count } · <code>{ $game }</code>
cmd-phase =
    { $phase ->
        [waiting_for_players] Waiting for players
        [players_joining] Last call to join
        [completed] Finished
        [cancelled] Cancelled
       *[other] Under way
    }
cmd-time-up = ⏳ Time’s up { $when }
cmd-you-are-in = You’re in.
cmd-you-are-out = You’re not in this game.

## Leading a game

cmd-started = { $title } starts now.
cmd-extended =
    { $seconds ->
        [one] { $title }: { $seconds } more second.
       *[other] { $title }: { $seconds } more seconds.
    }
cmd-removed = { $name } is out of { $title }.
cmd-remove-not-in-game = { $name } isn’t in this game.
cmd-cancelled = { $title } is cancelled.
cmd-usage-extend = Write it like this: /extend 60 (seconds to add)
cmd-banned-somebody = { $name } is banned from the games here.
cmd-banned-already = { $name } is already banned from the games here.
cmd-unbanned = { $name } may play here again.
cmd-not-banned = { $name } isn’t banned from the games here.

## Lists

cmd-page-back = ‹ Back
cmd-page-on = Next ›
cmd-games-title = <b>Games on now</b>
cmd-games-line = <b>{ $title }</b> · { $phase } · 👥 { $count } · <code>{ $game }</code>
cmd-games-none = There’s no game on here.
cmd-games-none-private = You’re not in any game right now.
cmd-games-open = Open { $title }
cmd-stats-title = <b>{ $name }</b>
cmd-stats-line =
    { $games ->
        [one] { $kind }: { $wins } of { $games } game won
       *[other] { $kind }: { $wins } of { $games } games won
    }
cmd-stats-points = ⭐ { $points }, longest streak { $streak }
cmd-stats-none = { $name } hasn’t finished a game yet.
cmd-best-line = { $mark } { $name }: { $wins } of { $games } won
cmd-prizes = 💰 { $prizes }
cmd-points = ⭐ { $points }
cmd-best-show-all = All groups
cmd-best-show-chat = This group
cmd-best-listed = Only people who chose to be seen are in this list.
cmd-best-show-me = Show me in this list
cmd-best-hide-me = Hide me from this list
cmd-history-chat = <b>Played here</b>
cmd-history-own = <b>Played by you</b>
cmd-history-line =
    { $status ->
        [completed] { $when } <b>{ $title }</b>, players: { $players }, won by { $winners } · <code>{ $game }</code>
        [nobody] { $when } <b>{ $title }</b>, players: { $players }, nobody won · <code>{ $game }</code>
        [void] { $when } <b>{ $title }</b>, ⚠️ draw void, players: { $players } · <code>{ $game }</code>
       *[other] { $when } <b>{ $title }</b>, cancelled · <code>{ $game }</code>
    }
cmd-history-winner = { $name } ({ $prize })
cmd-history-void =
    { $void ->
        [one] ⚠️ One draw here was called off after picking had closed.
       *[other] ⚠️ { $void } draws here were called off after picking had closed.
    }
cmd-history-none = No games yet.

## Languages

cmd-language-name = English
cmd-language-own = Which language shall we use?
cmd-language-chat = Which language shall I speak in this group?
cmd-language-own-set = I’ll speak English with you from now on.
cmd-language-chat-set = I’ll speak English here from now on.
cmd-usage-language = I speak { $locales }. Write it like this: /language en

## Menus

cmd-description =
    Games that a group plays together. { $kinds }

    Add me to a group; its admins open a game with /newgame.
cmd-description-short = Games that a group plays together, with draws that anyone can check.
cmd-about-start = Say hello
cmd-about-help = What I can do
cmd-about-join = Join the game
cmd-about-leave = Leave the game
cmd-about-status = How the game stands
cmd-about-games = Games on now
cmd-about-stats = Your results
cmd-about-leaderboard = The best players
cmd-about-history = Games that have ended
cmd-about-fair = The proof of a draw
cmd-about-language = Choose a language
cmd-about-privacy = Your data: see, copy, erase
cmd-about-newgame = Open a game
cmd-about-startnow = Start without waiting
cmd-about-extend = More time: [seconds]
cmd-about-remove = Take a player out
cmd-about-cancel_game = End the game without a result
cmd-about-settings = The group’s rules
cmd-about-ban = Keep somebody out
cmd-about-unban = Let somebody in again
cmd-about-admin = Operate the bot
