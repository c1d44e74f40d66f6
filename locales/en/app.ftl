# The Mini App. Its page also shows the achievements of figures.ftl.

app-loading = Loading…
app-again = Try again
app-offline = No connection. Check the network and try again.
app-reconnecting = Reconnecting…
app-lost-access = You can no longer see this game.
app-not-sent = It could not be sent. Try again.
app-outside = Open this page from Telegram: tap “Open the game” under a game in your group.
app-no-chat = Open a game from your group to see its games here.
app-sections = Sections
app-games = Games
app-leaders = Leaderboard
app-profile = Profile
app-no-games = No game is on. A host opens one in the group.
app-unknown-kind = This game can only be played in the chat.
app-kind-pick_number = Pick Your Number
app-kind-quiz = Quiz
app-phase-waiting_for_players = Waiting for players
app-phase-players_joining = Last call to join
app-phase-number_selection = Picking numbers
app-phase-drawing = The draw is on
app-phase-question_open = A question is open
app-phase-question_reveal = The right answer
app-phase-paused = Paused. Goes on by itself in
app-phase-completed = Finished
app-phase-cancelled = Cancelled
app-players =
    { $count ->
        [one] { $count } player
       *[other] { $count } players
    }
app-needed =
    { $count ->
        [one] Starts with { $count } player
       *[other] Starts with { $count } players
    }
app-join = Join
app-leave = Leave
app-start-now = Start now
app-board = Numbers
app-search = Find a number
app-zoom = Size of the numbers
app-free = { $number }, free
app-yours = { $number }, yours
app-taken = { $number }, taken
app-taken-by = { $number }, taken by { $name }
app-picked = { $number } is yours
app-your-number = Your number: { $number }
app-pick-one = Pick a free number
app-watching = You’re watching this game
app-number = number { $number }
app-drawn = Drawn numbers
app-sealed = Sealed before the first pick: { $hash }
app-results = Results
app-points =
    { $count ->
        [one] { $count } point
       *[other] { $count } points
    }
app-question = Question { $number } of { $total }
app-time-left = Time left
app-your-answer = Your answer
app-confirm = Confirm
app-answered = Your answer is in
app-own-answer = Your answer: { $answer }
app-late = You answer from the next question on.
app-no-number = This is not a number. Try digits, such as 12 or 3.5.
app-right-answer = Right answer: { $answer }
app-gained = Right! +{ $count }
app-not-right = No points this time.
app-statistics = Statistics
app-achievements = Achievements
app-history = Your games
app-nothing-yet = Nothing here yet
app-games-count =
    { $count ->
        [one] { $count } game
       *[other] { $count } games
    }
app-wins =
    { $count ->
        [one] { $count } win
       *[other] { $count } wins
    }
app-period-week = Week
app-period-month = Month
app-period-season = Season
app-period-all = All time
app-public-about = Games, results and leaderboard
app-public-gone = There is nothing at this address, or the group no longer shows it.
app-public-results = Results
app-public-none = No game is on.
app-public-proof = Proof of the draw
app-public-checks =
    { $count ->
        [one] { $count } check, made on this device
       *[other] { $count } checks, made on this device
    }
app-public-replay = Replay the draw
app-public-download = Download the proof
app-open = Open a game
app-settings = Settings
app-hosts-only = Only admins open games in this group.
app-session-over = Your session has ended. Close this page and open it again from the group.
app-kind = Game
app-title = Title
app-prize = Prize
app-prize-hint = An amount such as 100 USDT, or words. Empty: no prize.
app-pack = Questions from
app-pack-bank = built-in bank
app-rule-winners = Winners
app-rule-min_players = Minimum players
app-rule-max_players = Maximum players
app-rule-questions = Questions
app-rule-question_seconds = Seconds to answer
app-preview = Preview
app-preview-players = { $least }–{ $most } players
app-preview-questions =
    { $count ->
        [one] { $count } question, { $seconds } s to answer
       *[other] { $count } questions, { $seconds } s each
    }
app-preview-winners =
    { $count ->
        [one] { $count } winner
       *[other] { $count } winners
    }
app-save = Save
app-saved = Saved
app-new-games = New games
app-group = Group
app-set-openers = Everybody may open games
app-set-public = Public pages: anyone with the link sees games, results and the leaderboard
app-set-indexed = Search engines may list the public pages
