# The dashboard of hosts and operators.

## Around

dash-title = Tombola: dashboard
dash-loading = Loading…
dash-again = Try again
dash-offline = No connection. Check the network and try again.
dash-reconnecting = Reconnecting…
dash-not-sent = It could not be sent. Try again.
dash-sign-in = Sign in
dash-sign-out = Sign out
dash-login-link = This link signs you in once.
dash-login-how = Send /admin to the bot in private and tap “Dashboard”. It answers with a link that opens this page.
dash-pages = Pages
dash-sections = Sections
dash-cancel = Cancel
dash-done = Done
dash-none = Nothing here yet.
dash-more = Show more
dash-refresh = Refresh
dash-save = Save
dash-make = Create
dash-delete = Delete
dash-open = Open
dash-name = Name
dash-details = Details
dash-everything = All
dash-days = Days
dash-days-hint = Empty: without an end.
dash-since = From
dash-until = To
dash-page-chats = Chats
dash-page-games = Games
dash-page-bans = Bans
dash-page-broadcasts = Broadcasts
dash-page-tokens = Tokens
dash-page-jobs = Jobs
dash-page-system = System
dash-page-audit = Audit log
dash-part-games = Games
dash-part-open = Open a game
dash-part-packs = Question packs
dash-part-recurring = Recurring games
dash-part-settings = Settings
dash-part-results = Results
dash-part-bans = Bans
dash-part-webhooks = Webhooks

## Columns

dash-column-game = Game
dash-column-phase = Phase
dash-column-players = Players
dash-column-chat = Chat
dash-column-opened = Opened
dash-column-time = Time
dash-column-player = Person
dash-column-happened = Event
dash-column-reason = Reason
dash-column-since = Since
dash-column-until = Until
dash-column-step = Action
dash-column-text = Text
dash-column-status = Status
dash-column-progress = Progress
dash-column-token = Token
dash-column-role = Role
dash-column-chats = Chats
dash-column-used = Last used
dash-column-number = Number
dash-column-kind = Kind
dash-column-attempts = Attempts
dash-column-error = Error
dash-column-flag = Flag
dash-column-about = About
dash-column-percent = Percent
dash-column-source = Set by
dash-column-dependency = Service
dash-column-state = State
dash-column-history = History
dash-column-process = Process
dash-column-roles = Roles
dash-column-version = Version
dash-column-load = Load
dash-column-jobs = Leads
dash-column-action = Action
dash-column-outcome = Outcome
dash-column-origin = Origin
dash-column-language = Language
dash-column-name = Name
dash-column-questions = Questions
dash-column-title = Title
dash-column-template = Template
dash-column-rhythm = Rhythm
dash-column-next = Next
dash-column-type = Type
dash-column-address = Address

## Games

dash-kind-pick_number = Pick Your Number
dash-kind-quiz = Quiz
dash-phase-waiting_for_players = Waiting for players
dash-phase-players_joining = Last call to join
dash-phase-number_selection = Picking numbers
dash-phase-drawing = The draw is on
dash-phase-question_open = A question is open
dash-phase-question_reveal = The right answer
dash-phase-paused = Paused
dash-phase-completed = Finished
dash-phase-cancelled = Cancelled
dash-live = Live
dash-ended = Ended
dash-no-games = No games.
dash-find-game = Find a game
dash-game-id = Game id
dash-host = Host
dash-ends = Next deadline
dash-ended-at = Ended
dash-steps = Actions
dash-cancel-game = Cancel the game
dash-cancel-game-sure = Cancel this game? Nobody wins, and it can’t be undone.
dash-force-end = Force its end
dash-force-end-sure = End this game now, whatever its phase? It can’t be undone.
dash-timeline = Timeline
dash-player = Person
dash-everybody = Everybody
dash-search = Search
dash-search-hint = A number, a name or a word.
dash-was-told = { $action } was refused: { $answer }
dash-told-number-taken = the number was taken
dash-told-number-out-of-range = the number isn’t on the board
dash-told-already-yours = they had this number already
dash-told-already-answered = they had answered already
dash-told-question-closed = the question was closed
dash-told-not-now = not possible in that phase
dash-told-too-late = too late
dash-event-game_opened = The game was opened.
dash-event-player_joined = { $player } joined.
dash-event-player_left = { $player } left.
dash-event-player_removed = { $player } was removed.
dash-event-selection_opened = The board was opened, from 1 to { $highest }.
dash-event-number_picked = { $player } picked { $number }.
dash-event-selection_closed = Picking was closed.
dash-event-numbers_drawn = Drawn: { $drawn }
dash-event-question_opened = Question { $question } was asked.
dash-event-answer_given = { $player } answered question { $question }: { $choice }
dash-event-question_revealed = The answer to question { $question } was shown.
dash-event-game_completed = The game ended.
dash-event-game_cancelled = The game was cancelled.

## Bans

dash-player-id = Telegram id
dash-no-bans = Nobody is banned.
dash-ban-new = Ban a person
dash-ban = Ban
dash-ban-sure = Ban { $player } from the games of all chats, and remove them from live ones?
dash-ban-chat-sure = Ban { $player } from the games of this chat, and remove them from live ones?
dash-unban = Unban
dash-unban-sure = Let { $name } play again?

## Broadcasts

dash-cast-new = New broadcast
dash-cast-text = Text, without markup
dash-preview = Preview
dash-cast-next = Review and send
dash-send = Send
dash-cast-begun = The broadcast has begun.
dash-cast-progress = { $sent } of { $total } sent, { $waiting } waiting
dash-cast-blocked = blocked
dash-cast-removed = removed
dash-cast-no_rights = no rights
dash-cast-expired = expired
dash-cast-skipped = inactive
dash-cast-crowded = too many messages
dash-cast-refused = refused
dash-cast-unknown = unknown
dash-stop = Stop
dash-stop-sure = Stop this job? Work that is done stays done.
dash-status-queued = queued
dash-status-running = running
dash-status-done = done
dash-status-dead = failed for good
dash-status-cancelled = cancelled

## Tokens

dash-role-viewer = viewer
dash-role-host = host
dash-role-operator = operator
dash-all-chats = all
dash-revoked = revoked
dash-revoke = Revoke
dash-revoke-sure = Revoke the token { $token }? Programs that use it stop working.
dash-token-new = New token
dash-chats-hint = Ids of chats, or empty for all.
dash-token-once = This token is shown only now. Copy it.

## Jobs

dash-jobs-about = Work that must not be lost. Jobs that failed for good wait here until somebody repeats them.
dash-repeat = Repeat

## System

dash-health = Health
dash-health-about = Times of answers since this page was opened.
dash-health-line = Last { $last } ms, longest { $most } ms, failures: { $failed }
dash-well = well
dash-ill = failing
dash-processes = Processes
dash-load = { $percent } % processor, { $updates } updates/s, live games: { $games }
dash-flags = Feature flags
dash-flag-sure = Set { $flag } to { $percent } %?
dash-set = Set
dash-reset = Reset
dash-reset-sure = Take back the setting of { $flag }?
dash-source-definition = the default
dash-source-file = the file
dash-source-operator = an operator

## Audit log

dash-filter = Filter
dash-filter-actor = Person’s id
dash-filter-chat = Chat’s id
dash-filter-target = Game, person, pack or token
dash-filter-token = Beginning of a token

## Chats

dash-own-chats = Chats that you host
dash-every-chat = All chats
dash-no-chats = No chat yet. Add the bot to a group where you are an administrator, and send it a command there.
dash-active = active
dash-inactive = inactive
dash-openers = Who can open games
dash-openers-hosts = Administrators
dash-openers-everyone = Everyone
dash-time-zone = Time zone
dash-time-zone-hint = Such as Europe/Madrid.
dash-messages = Messages in the group
dash-open-game = Open the game
dash-opened = The game is open.
dash-title-of-game = Title
dash-title-hint = Empty: the name of the kind.
dash-questions-from = Questions from
dash-as-set = as set for the chat
dash-all-rules = All rules

## Packs

dash-pack-new = New pack
dash-pack-about = Write questions here, or choose a file. Mistakes are shown as you type.
dash-import = Or a file: CSV, JSON, XLSX
dash-question = Question { $number }
dash-right-answer = Right answer
dash-wrong-answer = Wrong answer { $number }
dash-add-question = Add a question
dash-remove-question = Remove it
dash-save-pack = Save the pack
dash-pack-nameless = It still needs a name.
dash-pack-saved = The pack is saved.
dash-open-quiz = Open a quiz
dash-copy = Edit a copy
dash-line = Line { $number }
dash-file-large = The file is larger than 1 MB.
dash-export = Download { $format }
dash-delete-pack-sure = Delete the pack “{ $name }” with its questions? It can’t be undone.
dash-results-about = Games that have ended, with winners and prizes.

## Recurring games

dash-templates = Templates
dash-template = Template
dash-template-new = New template
dash-delete-template-sure = Delete the template “{ $name }”? Recurring games that use it pause.
dash-recurring = Recurring games
dash-recurring-new = New recurring game
dash-delete-recurring-sure = Delete this recurring game?
dash-rhythm = Rhythm
dash-every = Every
dash-time = Time
dash-month-day = Day of the month
dash-weekdays = Days
dash-on-day = day { $day }
dash-announce = Announce so many minutes before
dash-unit-day = days
dash-unit-week = weeks
dash-unit-month = months
dash-day-monday = Monday
dash-day-tuesday = Tuesday
dash-day-wednesday = Wednesday
dash-day-thursday = Thursday
dash-day-friday = Friday
dash-day-saturday = Saturday
dash-day-sunday = Sunday
dash-paused = paused
dash-skipped = the next is skipped
dash-runs = on
dash-pause = Pause
dash-resume = Resume
dash-skip = Skip the next
dash-unskip = Don’t skip

## Webhooks

dash-deliveries = Deliveries
dash-resend = Send again
dash-example = Send an example
dash-turn-on = Turn on
dash-turn-off = Turn off
dash-on = on
dash-off = off:
dash-delete-webhook-sure = Delete this webhook? Events that wait for it are lost.
dash-webhook-new = New webhook
dash-description = Description
dash-secret-once = The secret of the signatures is shown only now. Copy it.
dash-delivery-pending = waiting
dash-delivery-delivered = delivered
dash-delivery-failed = failed
dash-delivery-missed = missed

## Counts

dash-cast-sure = { $count ->
    [one] Send this to one chat? It can’t be taken back.
   *[other] Send this to { $count } chats? It can’t be taken back from those that have it.
}
dash-pack-good = { $count ->
    [one] One question, no mistakes.
   *[other] { $count } questions, no mistakes.
}
dash-pack-size = { $count ->
    [one] { $name } (one question)
   *[other] { $name } ({ $count } questions)
}
dash-copy-partly = { $count ->
    [one] One question has a type that this editor lacks, and is left out.
   *[other] { $count } questions have types that this editor lacks, and are left out.
}
dash-every-day = { $count ->
    [one] every day
   *[other] every { $count } days
}
dash-every-week = { $count ->
    [one] every week
   *[other] every { $count } weeks
}
dash-every-month = { $count ->
    [one] every month
   *[other] every { $count } months
}
