### The quiz.

## Refusals

rejected-already-answered = { $choice ->
    [0] You’ve already answered A. The first answer counts.
    [1] You’ve already answered B. The first answer counts.
    [2] You’ve already answered C. The first answer counts.
    [3] You’ve already answered D. The first answer counts.
   *[other] You’ve already answered. The first answer counts.
}
not-now-answer = { $phase ->
    [waiting_for_players] Questions come when the quiz starts.
    [players_joining] Questions come when the quiz starts.
    [completed] This quiz is over.
    [cancelled] This quiz was cancelled.
   *[other] The question is closed.
}
not-now-draft = { $phase ->
    [waiting_for_players] Questions come when the quiz starts.
    [players_joining] Questions come when the quiz starts.
    [completed] This quiz is over.
    [cancelled] This quiz was cancelled.
   *[other] The question is closed.
}
not-now-confirm = { $phase ->
    [waiting_for_players] Questions come when the quiz starts.
    [players_joining] Questions come when the quiz starts.
    [completed] This quiz is over.
    [cancelled] This quiz was cancelled.
   *[other] The question is closed.
}
rejected-question-closed = Question { $number } is closed.
rejected-no-such-answer = This question has no such answer.
rejected-answer-incomplete = Choose an answer first, then tap “Done”.
rejected-from-next-question = You joined during this question, so you answer from the next one on.
rejected-last-question = The last question is being asked already. Join the next quiz.
rejected-paused = The quiz is paused. It goes on in a moment.
rejected-not-paused = The quiz isn’t paused.
rejected-poll-runs = A poll can’t be paused while it’s open. Tap again when its answer is shown.
rejected-wrong-question-count = There are { $have } questions, but { $need } are needed.
rejected-bad-question = Question { $number } can’t be asked like this. Choose others.

## The quiz

quiz-name = Quiz
quiz-sign = 🧠
quiz-hint = The same questions for everybody; the first answer counts. Harder questions and quicker right answers earn more, and so do streaks.
quiz-value = { $value }

quiz-category-geography = Geography
quiz-category-history = History
quiz-category-science = Science
quiz-category-nature = Nature
quiz-category-technology = Technology
quiz-category-art = Art
quiz-category-literature = Literature
quiz-category-music = Music
quiz-category-film = Film
quiz-category-sport = Sport
quiz-category-food = Food
quiz-category-space = Space
quiz-category-maths = Maths
quiz-difficulty-easy = easy
quiz-difficulty-medium = medium
quiz-difficulty-hard = hard

## The lobby

quiz-about = { $questions ->
    [one] ❓ One question, { $time } to answer it.
   *[other] ❓ { $questions } questions, { $time } for each.
}
quiz-pace = ⏱ Telegram lets a bot send a group 20 messages a minute, so a question with its answer takes at least { $time }.
quiz-subject = 📚 About: { $subjects }
quiz-level = 💪 Questions: { $level }
quiz-about-accuracy = 🎯 Only right answers count, not how quick they are.
quiz-about-polls = 📊 Questions come as Telegram quiz polls.

## A question

quiz-head = Question { $number } of { $questions }
quiz-question = <b>{ $question }</b>
quiz-answer = <b>{ $letter }</b>  { $answer }
quiz-how-several = 👇 Several answers are right. Tap all of them, then “Done”.
quiz-how-order = 👇 Tap them in the right order, from first to last.
quiz-how-number = 👇 Tap the number, then “Done”. Nobody else sees it.
button-answer-done = Done
tap-answered-so = Your answer: { $answer }. It’s locked in.
tap-draft = So far: { $answer }
tap-draft-empty = Nothing chosen yet.
quiz-button = { $letter }  { $answer }
quiz-poll-below = 👇 The question is in the poll. Votes of those who joined count, and the first one is final.
quiz-progress = ⏳ Closes { $deadline } · answered: { $answered } of { $players }
quiz-progress-unseen = Answered: { $answered } of { $players }
quiz-paused = ⏸ The quiz is paused. A host can go on; otherwise it goes on by itself { $deadline }.
quiz-polls-refused = I can’t send polls here, so the answers are on buttons.
quiz-photo-missing = The photo of this question can’t be shown. The answers count all the same.

button-pause = Pause
button-resume = Go on
tap-answered = Your answer: { $letter }, { $answer }. It’s locked in.
tap-paused = Paused: the clock has stopped.
tap-quiz-resumed = The clock is running again.

## The right answer

quiz-tally-right = ✅ <b>{ $letter }  { $answer }</b>  { $bar } { $count }
quiz-tally-of = { $answered ->
    [0] Nobody answered.
   *[other] Right: { $right } of { $answered }
}
quiz-item = { $place }. <b>{ $letter }  { $answer }</b>
quiz-number = ✅ <b>{ $answer }</b>
quiz-number-closest = ✅ <b>{ $answer }</b>, the closest answers count
quiz-explanation = 💡 { $text }
quiz-explanation-source = 💡 { $text } ({ $source })
quiz-source = 🔗 { $source }
quiz-tally = ▫️ { $letter }  { $answer }  { $bar } { $count }
quiz-below = 👇 The quiz is on. Each question comes as a new message.
quiz-closed = ✅ <b>{ $answer }</b>
quiz-nobody-yet = Nobody has any points yet.
quiz-line = { $mark } { $name }: <b>{ $points }</b>
quiz-line-gained = { $mark } { $name }: <b>{ $points }</b> (+{ $gained })
quiz-soon-next = The next question is coming up…
quiz-soon-result = That was the last question. The result is coming up…

## The result

quiz-result = { $mark } { $name }: <b>{ $points }</b> · ✅ { $right }
quiz-result-prize = { $mark } { $name }: <b>{ $points }</b> · ✅ { $right } · 💰 <b>{ $prize }</b>
quiz-nobody-at-all = Nobody got a single one right. Next time!
quiz-totals = Questions: { $questions }, players: { $players }.
button-own-result = My result

## A player’s own board

quiz-own-answer = You answered <b>{ $letter }  { $answer }</b>. It’s locked in.
quiz-own-right = ✅ <b>{ $letter }  { $answer }</b> is right: +{ $gained }
quiz-own-wrong = ❌ { $letter }  { $answer }. Right is <b>{ $right }  { $right_answer }</b>.
quiz-own-answer-so = You answered <b>{ $answer }</b>. It’s locked in.
quiz-own-right-so = ✅ <b>{ $answer }</b> is right: +{ $gained }
quiz-own-wrong-so = ❌ { $answer }. Right is <b>{ $right }</b>.
quiz-own-late = You’re in. You answer from the next question on.
quiz-own-score = Your points: <b>{ $points }</b>, right: { $right } of { $of }
quiz-own-place =
    { $medal } Your place: <b>{ $place }</b> of { $players }
    Points: <b>{ $points }</b>. Right: { $right } of { $questions }. Longest streak: { $streak }.
quiz-own-no-place =
    No points this time. Players: { $players }.
    Right: { $right } of { $questions }.
quiz-own-prize = 💰 You won <b>{ $prize }</b>. Congratulations!
quiz-missed = { $question } <b>{ $answer }</b>

## Rules

quiz-rules =
    🧠 <b>Quiz</b>

    <b>1.</b> Join while the lobby is open. Then everybody gets the same questions.
    <b>2.</b> Tap an answer before the time is up. The first one counts, and nobody sees it before the right answer is shown.
    <b>3.</b> When everybody has answered, the question ends early.
    <b>4.</b> You can join while it runs, and answer from the next question on, if the host allows it.

    <blockquote expandable><b>A right answer</b>
    Several right ones: all of them and no other. Order: every item in its place. Number: within the tolerance, or the closest of all. Nothing is given for a half-right answer. Where more than one tap is needed, only “Done” counts, in an order the last item.

    <b>Points for a right answer</b>
    base + base × { $speed } % × time left ÷ time for the question + streak
    Base: easy { $easy }, medium { $medium }, hard { $hard }.
    Streak: { $step } for each right answer in a row before this one, { $most } at most.
    The result is rounded down. A wrong answer or none earns nothing and ends the streak. The time is taken when your answer reaches me.

    🎯 When only right answers count, the part for speed is missing.

    🏅 Equal points share a place, and the prizes of the places that they take.</blockquote>
quiz-fair = A quiz has no draw: points decide. How they are counted is in the rules.

## Opening

rejected-no-questions = There are no questions like that. Try other categories, another difficulty or another pack.
cmd-usage-start_quiz = Write it like this: /start_quiz 10 15 20 (questions, seconds for each, most players), or only the first of these.
cmd-about-start_quiz = Open a quiz: [questions] [seconds] [players]
cmd-about-pack = Your own quiz questions
quiz-bank-instead = { $reason } { $host }, the questions come from the built-in bank instead.
quiz-bank-partly = { $reason } { $host }, { $written ->
    [one] { $written } question is the AI’s, the others come from the built-in bank.
   *[other] { $written } questions are the AI’s, the others come from the built-in bank.
}
quiz-written = ✍️ The questions are written: { $topic }

## The form

quiz-newgame-choose = 🧠 Quiz
quiz-form =
    🧠 { $questions ->
        [one] { $questions } question
       *[other] { $questions } questions
    }, { $question_seconds } each · { $winners ->
        [one] { $winners } winner
       *[other] { $winners } winners
    }
quiz-newgame = <b>New game: Quiz</b>
quiz-newgame-instead = 🧠 Make it a quiz
quiz-settings =
    <b>The group’s rules for quizzes</b>
    Every new quiz starts with these.
quiz-settings-open = 🧠 Rules for quizzes
dlg-name-questions = Questions
dlg-name-question_seconds = Time to answer
dlg-name-difficulty = Difficulty
dlg-name-categories = Categories
dlg-name-pack = Questions from
dlg-name-topic = Topic for the AI
dlg-name-polls = Asked with
dlg-name-late_join = Joining late
dlg-late_join-no = no
dlg-late_join-yes = yes, from the next question
dlg-quiz-mode-normal = right and quick
dlg-quiz-mode-accuracy = right answers only
dlg-difficulty-any = any
dlg-difficulty-easy = easy
dlg-difficulty-medium = medium
dlg-difficulty-hard = hard
dlg-categories-any = all
dlg-pack-bank = the built-in bank
dlg-topic-none = none
dlg-polls-no = buttons
dlg-polls-yes = Telegram’s quiz polls
dlg-about-questions = How many questions to ask.
dlg-about-question_seconds = How long everybody has to answer, in seconds.
dlg-about-difficulty = How hard the questions are; harder ones are worth more.
dlg-about-categories = What the questions are about. Tap to choose, tap again to leave out; none chosen means all.
dlg-about-pack = Questions of the built-in bank, or of a pack of yours. Send me one with /pack in our private chat.
dlg-about-topic = An AI writes the questions about this while people join: up to 100 characters. If it fails, the built-in bank steps in.
dlg-about-polls = Buttons below the question, or Telegram’s own quiz polls. A poll tells voters at once whether they were right, and can’t be paused.
dlg-about-late_join = Whether people may still join while the quiz runs. They answer from the next question on.
dlg-quiz-about-mode = Points for right answers alone, or also for quick ones.
dlg-quiz-about-reveal_seconds = How long the right answer is shown, in seconds.
dlg-quiz-name-reveal_seconds = Showing the answer

## Packs

pack-list = { $count ->
    [0]
        <b>Your packs</b>
        You have none yet.

        Send me a file with questions: XLSX, ODS, CSV or JSON. The first line names the columns: <code>{ $columns }</code>. The first three are needed. Files of Kahoot, Quizizz, Blooket, Moodle, Anki and Open Trivia DB are fine as they are. For a file on the web, send <code>/pack https://…</code>.
   *[other]
        <b>Your packs</b>
        Choose one, or send me a file with questions (XLSX, ODS, CSV or JSON) to add another. Columns: <code>{ $columns }</code>
}
pack-item = { $name } ({ $size })
pack-preview = { $count ->
    [one] <b>{ $name }</b>: { $count } question. Shall I keep it?
   *[other] <b>{ $name }</b>: { $count } questions. Shall I keep them?
}
pack-alike-head = ⚠️ Nearly the same questions:
pack-and-more = … and { $count } more
pack-question = <b>{ $question }</b>
pack-answers = ✅ { $right } · ❌ { $wrong }
pack-answer = ✅ { $right }
pack-about = { $category } · { $difficulty }
pack-photo = 🖼 with a photo
pack-save = Keep it
pack-discard = Don’t keep it
pack-saved = <b>{ $name }</b> is yours. To play it, send /newgame in your group and choose the quiz, then { form-more } › { form-all } › { dlg-name-pack }.
pack-discarded = Nothing was kept.
pack-refused = { $count ->
    [one] ❌ <b>{ $name }</b> has a mistake, so nothing was kept. Fix it and send the file again.
   *[other] ❌ <b>{ $name }</b> has mistakes, so nothing was kept. Fix them and send the file again.
}
pack-too-big = ❌ <b>{ $name }</b> is too large: at most { $limit } KB. Leave out everything but the questions, or make two packs of it.
pack-not-loaded = I couldn’t get that file from Telegram. Please send it again.
pack-too-many = You have { $limit } packs already. Delete one first.
pack-name-taken = You have a pack of that name already.
pack-imported = ✅ <b>{ $name }</b> is yours: { $count ->
    [one] { $count } question.
   *[other] { $count } questions.
} To play it, send /newgame in your group and choose the quiz, then { form-more } › { form-all } › { dlg-name-pack }.
pack-not-imported = ❌ <b>{ $name }</b> is not imported. { $reason }
pack-import-begun = I’m fetching the file. You will be told when the pack is ready.
pack-import-too-big = The file is larger than { $limit } KB.
pack-import-status = The server has answered with the status { $status }.
pack-import-unreachable = The server could not be reached.
pack-import-cancelled = The import was stopped.
pack-question-taken = That question is in this pack already.
pack-full = A pack holds at most { $limit } questions.
pack-gone = That isn’t there any more.
pack-open = <b>{ $name }</b>, questions: { $size }
pack-view = See the questions
pack-rename = Rename
pack-export = Get it as { $form }
pack-delete = Delete
pack-delete-sure = Delete <b>{ $name }</b> and its questions for good?
pack-delete-yes = Yes, delete
pack-deleted = The pack is deleted.
pack-new-name = Send the new name of <b>{ $name }</b>: up to { $limit } characters.
pack-page = <b>{ $name }</b>, page { $page } of { $pages }
pack-add = Add a question
pack-change = Change it
pack-remove = Delete this question
pack-write =
    Send the question like this, one thing per line:

    the question
    the right answer
    a wrong answer
    up to two more wrong answers
    #category, if you like
pack-photo-how = To show a photo with it, send me the photo now.
pack-photo-away = Without the photo
pack-difficulty = Difficulty: { $difficulty }
pack-changed = The question is changed.
pack-added = The question is added.
pack-removed = The question is deleted.
pack-in-private = Your packs of questions live in our private chat. Send /pack there.

## In the texts of every kind

quiz-cancelled-everybody_removed = All the players were removed, so the game is cancelled.
quiz-phase-question_open = A question is open
quiz-phase-question_reveal = Showing the right answer
cmd-help-start_quiz = /start_quiz [questions] [seconds] [players] – open a quiz
quiz-pitch = Quiz: the quickest right answers win.
cmd-help-pack = /pack – your own quiz questions: send a file, look, change, get it back
