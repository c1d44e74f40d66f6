### The dialogs: /newgame, /settings, /admin.

dlg-back = ‹ Back
dlg-close = Close
dlg-reset = Back to the defaults
dlg-none = none
dlg-line = { $name }: <b>{ $value }</b>
dlg-reply-with-it = Tap a value, or answer this message with your own.
dlg-unreadable = ⚠️ I can't read that. Please write it in digits.
dlg-not-yours = This is somebody else's to fill in.
dlg-stale = This button is out of date. Please begin anew.

## A new game

dlg-newgame = <b>A new game of Pick Your Number</b>
dlg-newgame-create = ✅ Open the game
dlg-newgame-opened = The game is open.

## Settings

dlg-settings = <b>What games of this group begin with</b>
dlg-name-openers = Who may open games
dlg-name-language = Language
dlg-openers-hosts = administrators
dlg-openers-everyone = everybody
dlg-openers-to-hosts = Let administrators alone open games
dlg-openers-to-everyone = Let everybody open games

## The rules, by name

dlg-name-title = Title
dlg-name-mode = Mode
dlg-name-winners = Winners
dlg-name-prize_pool = Prize pool
dlg-name-split = Split
dlg-name-percentages = Shares
dlg-name-min_players = Players at least
dlg-name-max_players = Players at most
dlg-name-lobby_seconds = Wait for players
dlg-name-join_seconds = Last call
dlg-name-selection_seconds = Time to pick
dlg-name-reveal_seconds = Between two draws
dlg-name-absent = Who picks nothing
dlg-name-numbers = Range of numbers
dlg-name-range_multiplier = Numbers a player
dlg-name-max_number = Highest number

dlg-mode-normal = drawn numbers win
dlg-mode-reverse = the last ones standing win
dlg-split-auto = half to the first, the rest falling
dlg-split-equal = equal parts
dlg-split-percentages = your own shares
dlg-absent-drop = is out
dlg-absent-auto = gets a random number
dlg-numbers-auto = by the number of players

dlg-about-title = What the game is called: up to 64 characters.
dlg-about-mode = In the normal mode numbers are drawn until enough of them belong to somebody. In reverse mode a drawn number is out.
dlg-about-winners = How many places win: 1 to 10.
dlg-about-prize_pool = What is shared out in all. 0 is a game for the fun of it.
dlg-about-split = How the winners share the pool.
dlg-about-percentages =
    { $winners ->
        [one] Only one place wins, so it has it all: 100. Choose more winners first.
       *[other] { $winners } percentages that make 100, best place first, such as: 50 30 20
    }
dlg-about-min_players = The game waits until so many have joined.
dlg-about-max_players = With so many the game is full and starts at once.
dlg-about-lobby_seconds = If too few have joined by then the game is cancelled. In seconds.
dlg-about-join_seconds = How long others can still join once enough are there. In seconds.
dlg-about-selection_seconds = How long everybody has to pick a number. In seconds.
dlg-about-reveal_seconds = How long each drawn number stands before the next. In seconds.
dlg-about-absent = What becomes of a player who has no number when time is up.
dlg-about-numbers = Numbers go from 1 to this.
dlg-about-range_multiplier = The range is this times the number of players.
dlg-about-max_number = The range never goes beyond this.

## Operators

dlg-admin = <b>Operations</b>
dlg-admin-health = { $name }: { $state }
dlg-admin-refresh = Refresh
dlg-admin-to-games = Live games
dlg-admin-to-ban = Bans
dlg-admin-to-cast = A word to all chats
dlg-admin-games = <b>Live games</b>
dlg-admin-game = { $kind }, chat <code>{ $chat }</code>, topic { $topic }, opened by { $host }, version { $version }
dlg-admin-end = End by force
dlg-admin-end-sure = End this game without a result?
dlg-admin-ended = ✅ The game is cancelled.
dlg-admin-ban = <b>Banned everywhere</b>
    To ban somebody, write their id, and after it the reason.
dlg-admin-ban-whom = ⚠️ Write the id of a person who is no operator.
dlg-admin-banned = ✅ { $player } is banned everywhere.
dlg-admin-unban = Unban { $name }
dlg-admin-unbanned = ✅ { $player } may play again.
dlg-admin-cast = <b>A word to all chats</b>
    Write it. You will see it before it goes out.
dlg-admin-cast-long = ⚠️ Too long: at most { $limit } characters.
dlg-admin-cast-sure = <b>Send this to every chat?</b>
dlg-admin-cast-send = Send
dlg-admin-cast-sent =
    { $count ->
        [one] ✅ On its way to { $count } chat.
       *[other] ✅ On its way to { $count } chats.
    }
