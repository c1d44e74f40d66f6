### What commands answer, and what Telegram's menus say of them.

## Refusals of commands

rejected-no-game-here = No game is being played here. A host opens one with /newgame.
rejected-which-game = Several games are being played here. Name one after the command: { $games }
rejected-game-elsewhere = That game belongs to another chat. Join it there.
rejected-not-a-host = Only administrators of the group may do that.
rejected-needs-a-person = An anonymous administrator can't play. Write as yourself to join.
rejected-who-is-meant = Whom do you mean? Answer a message of theirs with the command, or write @name or the id after it.
rejected-nothing-to-prove = There is no finished draw to prove. Answer a game's message with /fair, or write its id after it.
rejected-too-busy = Telegram lets me send no more here right now. Please try again in a few seconds.

## Trouble

cmd-slow-down = Slowly, please: I can't keep up with you.
cmd-banned = You are banned from the games here.
cmd-try-again = That did not work just now and nothing was changed. Please try again.
cmd-try-later = I can't reach my records right now. Games go on; please try that again later.
cmd-our-mistake = Something went wrong on my side. It is logged under { $trace }; please quote that if you report it.
cmd-not-understood = I don't know that one. /help shows what I can do.

## Greetings and help

cmd-start =
    Hello, { $name }! I host games that groups play together.

    Add me to a group, and its administrators can open a game with /newgame. Everybody else joins with a tap.
    What you have won is in /stats.
cmd-start-group = I am ready. Administrators open a game with /newgame or /create_game; /help shows the rest.
cmd-add-to-group = Add me to a group
cmd-use-in-group = Games are opened and led in groups. Add me to yours, and use the command there.
cmd-added =
    Hello! I host games that you play together.

    Administrators open one with /newgame, and everybody joins with a tap. Rules of this group: /settings, language: /language.

    All that I need is the right to send messages.
cmd-muted = I may not send messages in { $chat } any more, so games there can't show anything. Please let me write again.
cmd-help-private =
    <b>What you can do here</b>
    /status – how your games stand
    /games – the games that you are in
    /stats – what you have won
    /leaderboard – the best players of all
    /history – games that you have played
    /fair – the proof of a draw, for anybody to check
    /verify – prove that a wallet is yours
    /language – your language
    /pack – your own quiz questions: send a file, look, change, get it back

    Games are opened in groups: add me to one.
cmd-help-group =
    <b>For everybody</b>
    /join, /leave – get in or out of the game
    /status, /games – what is being played
    /stats – what you have won
    /leaderboard – the best players of this group
    /history – what has been played here
    /fair – the proof of a draw, for anybody to check

    <b>For administrators</b>
    /newgame – open a game, rule by rule
    /create_game [title] [reverse] [winners] – the same in one line
    /start_quiz [questions] [seconds] [players] – open a quiz
    /startnow, /extend [seconds] – less or more time to join
    /remove – take a player out; answer their message
    /cancel_game – end the game without a result
    /settings, /language – the rules and the language of this group
    /ban, /unban – keep somebody out; answer their message
cmd-help-operator = <b>For operators</b>: /admin – live games, health, bans, a word to all chats

## Playing

cmd-joined =
    { $count ->
        [one] You are in: { $title }. You are the first.
       *[other] You are in: { $title }. There are { $count } of you now.
    }
cmd-left = You are out of { $title }.
cmd-status =
    { $count ->
        [one] <b>{ $title }</b>, { $count } player · <code>{ $game }</code>
       *[other] <b>{ $title }</b>, { $count } players · <code>{ $game }</code>
    }
cmd-phase =
    { $phase ->
        [waiting_for_players] Waiting for players
        [players_joining] Last call to join
        [number_selection] Everybody is picking a number
        [drawing] The draw is on
        [question_open] A question is open
        [question_reveal] The right answer is being shown
        [completed] Finished
        [cancelled] Cancelled
       *[other] Under way
    }
cmd-until = Until { $when }
cmd-you-are-in = You are in.
cmd-you-are-out = You are not in this game.
cmd-your-number = Your number is <b>{ $number }</b>.

## Leading a game

cmd-started = { $title } starts now.
cmd-extended =
    { $seconds ->
        [one] { $title } has { $seconds } second more.
       *[other] { $title } has { $seconds } seconds more.
    }
cmd-removed = { $name } is out of { $title }.
cmd-cancelled = { $title } is cancelled.
cmd-usage-extend = Write it like this: /extend 60 (the seconds to add)
cmd-banned-somebody = { $name } is banned from the games here.
cmd-unbanned = { $name } may play here again.
cmd-ban-not-hosts = An administrator can't be banned.

## Lists

cmd-page-back = ‹ Back
cmd-page-on = On ›
cmd-games-title = <b>Games being played</b>
cmd-games-line =
    { $count ->
        [one] { $title }: { cmd-phase }, { $count } player · <code>{ $game }</code>
       *[other] { $title }: { cmd-phase }, { $count } players · <code>{ $game }</code>
    }
cmd-games-none = No game is being played here.
cmd-games-none-private = You are in no game.
cmd-games-open = Open { $title }
cmd-kind =
    { $kind ->
        [pick_number] Pick Your Number
        [quiz] Quiz
       *[other] { $kind }
    }
cmd-stats-title = <b>{ $name }</b>
cmd-stats-line =
    { $games ->
        [one] { cmd-kind }: { $games } game, won { $wins }, prizes { $prizes }
       *[other] { cmd-kind }: { $games } games, won { $wins }, prizes { $prizes }
    }
cmd-stats-points = Points { $points }, best streak { $streak }
cmd-stats-none = { $name } has not finished a game yet.
cmd-best-chat = <b>The best of this group</b>
cmd-best-all = <b>The best of all</b>
cmd-best-line = { $place }. { $name } – won { $wins } of { $games }, prizes { $prizes }
cmd-best-line-points = { $place }. { $name } – won { $wins } of { $games }, prizes { $prizes }, points { $points }
cmd-best-none = Nobody has finished a game yet.
cmd-best-show-all = Of all groups
cmd-best-show-chat = Of this group
cmd-history-chat = <b>What has been played here</b>
cmd-history-own = <b>What you have played</b>
cmd-history-line =
    { $status ->
        [completed] { $when } <b>{ $title }</b>, players: { $players }, won by { $winners } · <code>{ $game }</code>
       *[other] { $when } <b>{ $title }</b>, cancelled · <code>{ $game }</code>
    }
cmd-history-none = Nothing yet.

## Languages

cmd-language-name = English
cmd-language-own = Which language shall I speak with you?
cmd-language-chat = Which language shall I speak in this group?
cmd-language-own-set = I speak English with you now.
cmd-language-chat-set = I speak English here now.
cmd-usage-language = I speak { $locales }. Write it like this: /language en

## Menus

cmd-description =
    Games that a group plays together. Pick Your Number: everybody takes a number, and a draw that anyone can check decides.

    Add me to a group; administrators open a game with /newgame.
cmd-description-short = Games that a group plays together, with draws that anyone can check.
cmd-about-start = Say hello
cmd-about-help = What I can do
cmd-about-join = Join the game
cmd-about-leave = Leave the game
cmd-about-status = How the game stands
cmd-about-games = Games being played
cmd-about-stats = What you have won
cmd-about-leaderboard = The best players
cmd-about-history = Games that have ended
cmd-about-fair = The proof of a draw
cmd-about-language = Choose a language
cmd-about-newgame = Open a game
cmd-about-create_game = Open a game: [title] [reverse] [winners]
cmd-about-startnow = Start without waiting
cmd-about-extend = More time: [seconds]
cmd-about-remove = Take a player out
cmd-about-cancel_game = End the game without a result
cmd-about-settings = The rules of this group
cmd-about-ban = Keep somebody out
cmd-about-unban = Let somebody in again
cmd-about-admin = Operate the bot
