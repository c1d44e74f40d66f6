## The leaderboard

cmd-best-chat = The best of this group
cmd-best-all = The best of all groups
cmd-best-own-group = The best of your group
cmd-best-title-ever = <b>{ $list }</b>
cmd-best-title-week = <b>{ $list }</b> · this week
cmd-best-title-month = <b>{ $list }</b> · this month
cmd-best-title-season = <b>{ $list }</b> · this season
cmd-best-ever = All time
cmd-best-week = Week
cmd-best-month = Month
cmd-best-season = Season
cmd-best-none-ever = Nobody has finished a game yet.
cmd-best-none-week = Nobody has finished a game this week.
cmd-best-none-month = Nobody has finished a game this month.
cmd-best-none-season = Nobody has finished a game this season.
cmd-best-around-me = Around me
cmd-best-without-you = You’re not in this list yet. Finish a game and you will be.
cmd-best-champion = 👑 Last season ({ $season }): { $names }

season-over = 🏁 <b>The season is over: { $season }</b>
season-next = The new season

## Achievements

achievements-line = 🏅 { $name }: { $names }
achievement-first-win = first win
achievement-wins-10 = 10 wins
achievement-wins-50 = 50 wins
achievement-games-10 = 10 games
achievement-games-100 = 100 games
achievement-streak-5 = 5 right in a row
achievement-streak-10 = 10 right in a row
achievement-points-10000 = 10,000 points
achievement-crowd = won among 20 or more
achievement-duel = won a duel
achievement-number-one = won with number 1
achievement-last-place = took the last winning place
achievement-first-prize = won a prize

## The chart of the last weeks

weeks-button = 📊 By week
weeks-none =
    { $weeks ->
        [one] No game has ended in the last week.
       *[other] No game has ended in the last { $weeks } weeks.
    }
weeks-title =
    { $weeks ->
        [one] <b>{ $name }</b>, the last week: { $figures }
       *[other] <b>{ $name }</b>, the last { $weeks } weeks: { $figures }
    }
weeks-line = { $date }: { $figures }
weeks-count-games =
    { $games ->
        [0] no games
        [one] { $games } game
       *[other] { $games } games
    }
weeks-count-both =
    { $wins ->
        [0] { $games }, no wins
        [one] { $games }, { $wins } win
       *[other] { $games }, { $wins } wins
    }
weeks-games = Games
weeks-wins = Wins
weeks-axis = Weeks by their first day

## The results of a group as a file

results-get = 📄 Results as a file (for admins)
results-none = No game has ended in this group within the last 12 months.
results-year =
    { $rows ->
        [one] The results of the last 12 months: { $rows } row.
       *[other] The results of the last 12 months: { $rows } rows.
    }
results-newest = The newest results: { $rows } rows, the most a file can have. It goes back 12 months at most.
results-column-title = Game
results-column-kind = Kind
results-column-status = Outcome
results-column-opened = Opened
results-column-ended = Ended
results-column-name = Player
results-column-number = Number
results-column-points = Points
results-column-place = Place
results-column-prize = Prize
results-column-currency = Currency
results-column-award = Prize in words
results-column-game = Game code
results-column-player = Player’s ID
results-status =
    { $status ->
        [completed] played
       *[other] cancelled
    }
