### Packs of questions: mistakes in a file and their repair; reasons why a model wrote no questions.

## Mistakes in a file: pack-mistake-<code>, with the column and the code’s own parameters. They are messages.

pack-mistake-on-line = { $number ->
    [0] Line { NUMBER($line, useGrouping: 0) }: { $mistake }
   *[other] Line { NUMBER($line, useGrouping: 0) }, question { NUMBER($number, useGrouping: 0) }: { $mistake }
}
pack-mistake-file-too-large = The file is too large. Send at most { $limit } KB: leave out pictures, or make two packs of it.
pack-mistake-empty-file = The file is empty. Save it again with the questions in it.
pack-mistake-unknown-format = I don’t know this kind of file. Send XLSX, ODS, CSV or JSON, or an export of Kahoot, Quizizz, Blooket, Moodle (GIFT, XML, Aiken) or Anki.
pack-mistake-old-excel = This is an old Excel file (.xls) or one with a password. Save it as .xlsx without a password.
pack-mistake-damaged-xlsx = This spreadsheet can’t be read. Open it, save it again as .xlsx, and send that.
pack-mistake-xlsx-too-large = This workbook holds far more than questions. Copy them into a new one and send that.
pack-mistake-unknown-encoding = The letters of this file can’t be read. Save it in the encoding UTF-8.
pack-mistake-bad-quotes = The quotation marks don’t match. Put a text with commas or quotes between " and ", and write " inside as "".
pack-mistake-bad-json = The JSON ends or breaks at character { NUMBER($column_number, useGrouping: 0) } of the line. Look for a missing comma, bracket or quotation mark there.
pack-mistake-strange-json = This JSON is nested too deeply or contains an enormous number. Send just a list of questions.
pack-mistake-no-list = There’s no list of questions. Write <code>{"{"}"questions": [ … ]{"}"}</code>.
pack-mistake-no-header = The first line must name the columns. These are known: { $columns }
pack-mistake-missing-column = The column <code>{ $column }</code> is missing. Add it to the first line.
pack-mistake-repeated-column = The column <code>{ $column }</code> is there twice, the second time as number { $number }. Remove one.
pack-mistake-unknown-column = Column { $number }, <code>{ $column }</code>, is unknown. Remove it or rename it.
pack-mistake-misspelt-column = Column { $number }, <code>{ $column }</code>, is unknown. Did you mean <code>{ $suggestion }</code>?
pack-mistake-repeated-field = The field <code>{ $column }</code> is there twice. Remove one.
pack-mistake-bad-base64 = <code>{ $column }</code> is not written in base64, as the rest is. Load the questions again, without <code>encode=base64</code>.
pack-mistake-unknown-field = The field <code>{ $column }</code> is unknown. Remove it or rename it.
pack-mistake-too-many-questions = A pack holds at most { $limit } questions. Make two packs of it.
pack-mistake-no-questions = There are no questions in it. Write one a line, below the names of the columns.
pack-mistake-too-many-cells = There are { $cells } cells, but only { $columns } columns. Put a text with separators in it between quotation marks.
pack-mistake-not-an-object = This isn’t a question. Write <code>{"{"}"question": …, "answer": …, "wrong": [ … ]{"}"}</code>.
pack-mistake-bad-list = <code>{ $column }</code> must be a list of one to { $limit } wrong answers.
pack-mistake-not-text = <code>{ $column }</code> must be a text. Put it between quotation marks.
pack-mistake-empty-question = The question is empty. Fill it in or remove it.
pack-mistake-missing-cell = <code>{ $column }</code> is empty. Fill it in, or remove the line: a question needs a right answer and at least one wrong one.
pack-mistake-too-long = <code>{ $column }</code> has { $length } characters. Shorten it to { $limit }.
pack-mistake-same-answers = <code>{ $column }</code> says the same as <code>{ $other }</code>. Answers must differ: change one.
pack-mistake-unknown-difficulty = I don’t know the difficulty “{ $given }”. Write <code>easy</code>, <code>medium</code> or <code>hard</code>, or nothing.
pack-mistake-unknown-type = I don’t know the type “{ $given }”. Write <code>true/false</code>, <code>several answers</code>, <code>number</code> or <code>order</code>, or nothing for a choice.
pack-mistake-answer-count = <code>{ $column }</code> makes { $count } answers; this type of question needs { $fewest } to { $most }. Put | between them.
pack-mistake-bad-number = <code>{ $column }</code> must be one number, like 8849 or 8849 ± 50, but is “{ $given }”. Leave out commas and points between thousands.
pack-mistake-bad-truth = <code>{ $column }</code> must say whether the statement is true: { $words }.
pack-mistake-no-wrong-answers = <code>{ $column }</code> must be empty: this type of question has no wrong answers.
pack-mistake-bad-photo = This isn’t a photo. Give an address that begins with https://, or nothing.
pack-mistake-control-character = <code>{ $column }</code> holds an invisible character, { $character }. Type the text anew.
pack-mistake-repeated-question = { $by ->
    [question] Question { NUMBER($first, useGrouping: 0) } asks the same. Remove one.
   *[line] The same question is on line { NUMBER($first, useGrouping: 0) } already. Remove one.
}
pack-mistake-formula-cell = Column { $column } holds a formula whose result is not in the file. Put the result there as text.
pack-mistake-error-cell = Column { $column } holds the error { $given }. Put a text there.
pack-mistake-date-cell = Column { $column } holds a date or a time that looks different in each country. Format the cell as text and type it anew.
pack-mistake-number-format = Column { $column } holds a number in a format that everybody would see differently. Format the cell as text and type it anew.
pack-mistake-merged-cell = Column { $column } is merged with its neighbour. Split the cells and fill in each.
pack-mistake-far-column = There’s a text beyond column { $limit }. Put everything side by side from the first column on.
pack-mistake-too-many-rows = This sheet has far more rows than a pack may have questions. Copy the questions into a new one and send that.
pack-mistake-binary-xlsx = This is a binary workbook. Save it as .xlsx and send that.
pack-mistake-piled-accents = In <code>{ $column }</code>, accents are piled on one letter. Type the text anew.
pack-mistake-no-such-answer = Column { $column } must tell which answer is right: by its number, its letter or its text, as one of the answers has it.
pack-mistake-missing-right = Column { $column } is empty. Write which answer is right.
pack-mistake-aiken-order = A question needs its answers below it as <code>A. …</code>, <code>B. …</code>, then a line <code>ANSWER: A</code>. Remove any other text.
pack-mistake-gift-braces = The curly brackets don’t match. Put the answers between {"{"} and {"}"}, and an empty line between questions.
pack-mistake-damaged-xml = This XML can’t be read. Export the questions again as Moodle XML.
pack-mistake-anki-fields = A note needs two filled fields, front and back. Fill them in or remove the note.
pack-mistake-anki-backs = All have the same answer, so there are no wrong ones to choose from. Send a table with wrong answers.
pack-mistake-too-complex = This file holds far more than questions. Copy them into a new file and send that.
pack-mistake-garbled = <code>{ $column }</code> holds broken letters: “{ $given }”. They broke when the text was once saved in the wrong encoding: take the original and save it as UTF-8. If a question mark is meant, put a space after it.
pack-mistake-not-a-table = This is a document, not a table. Put the questions into a spreadsheet and send that as XLSX, ODS or CSV.
pack-mistake-packed-files = This is an archive. Unpack it and send the file with the questions.
pack-mistake-anki-package = This is a deck of Anki. Choose File → Export → “Notes in Plain Text (.txt)” in Anki and send that.
pack-mistake-web-page = This is a web page, not a file of questions. Download the file itself as CSV or XLSX and send that.
pack-mistake-hidden-columns = Columns that a pack needs are hidden. Show all columns, save the file and send it again.
pack-mistake-index-answer = Column { $column } gives a number, and some programs count answers from 0, others from 1. Write the letter of the right answer, or its text.
pack-mistake-ambiguous-answer = Column { $column } says “{ $given }”, which is both an answer and the number of another one. Write the letter of the right answer.
pack-mistake-no-correct-column = No column tells which answer is right. Add a column <code>Correct answer</code> with its number, letter or text.
pack-mistake-no-known-types = None of these questions can be taken over. The quiz has choice, true or false, several answers, number and order, with answers in words, not in pictures.
pack-mistake-no-table = I find neither a table nor a list of questions here. Write each question with its answers below it, <code>A) …</code>, <code>B) …</code>, then a line <code>Answer: A</code>; or send a table.
pack-mistake-unclear-list = Column { $column } doesn’t show where each answer ends. Put a semicolon or a line break between them.

## Parts of a file that a pack can’t hold: pack-note-<code>, with their number and their lines.

pack-notes-head = ℹ️ Not everything could be imported:
pack-note-where = { $by ->
    [question] { $count ->
        [one] (question { $lines })
       *[other] (questions { $lines })
    }
   *[line] { $count ->
        [one] (line { $lines })
       *[other] (lines { $lines })
    }
}
pack-note-several-right = { $count ->
    [one] One question with more than eight right answers is left out
   *[other] { $count } questions with more than eight right answers are left out
}
pack-note-other-types = { $count ->
    [one] One question of a type that the quiz doesn’t have is left out
   *[other] { $count } questions of types that the quiz doesn’t have are left out
}
pack-note-more-answers = { $count ->
    [one] One question has too many answers: some of the wrong ones are left out
   *[other] { $count } questions have too many answers: some of the wrong ones are left out
}
pack-note-explanations = Comments on single answers are left out
pack-note-long-explanations = { $count ->
    [one] One explanation is too long and cut
   *[other] { $count } explanations are too long and cut
}
pack-note-alternatives = { $count ->
    [one] One question takes any of several right answers: only the first is kept
   *[other] { $count } questions take any of several right answers: only the first is kept
}
pack-note-partly-right = Answers that are partly right are left out
pack-note-empty-answers = { $count ->
    [one] One question whose answers are pictures is left out
   *[other] { $count } questions whose answers are pictures are left out
}
pack-note-sounds = Sounds and videos are left out
pack-note-formulas = Formulas are shown as they are typed
pack-note-times = Times per question are left out: the quiz has one for all
pack-note-pictures = { $count ->
    [one] One picture is left out: add it to its question after keeping the pack
   *[other] { $count } pictures are left out: add them to their questions after keeping the pack
}
pack-note-fields = Further fields of notes are left out
pack-note-wrong-from-others = There are no wrong answers: the right ones of other questions are used
pack-note-no-header = No line names the columns, so the first line is taken for a question
pack-note-other-text = Text that belongs to no question is left out
pack-note-answers-by-letter = The quiz shows answers in any order and without letters: rewrite those that name others by letter
pack-note-unnamed-columns = Columns without a name are left out: { $names }
pack-note-english-numbers = Numbers of the spreadsheet are written as in English: 1,234.5
pack-note-hidden-rows = { $count ->
    [one] One hidden row is left out
   *[other] { $count } hidden rows are left out
}
pack-note-hidden-columns = { $count ->
    [one] One hidden column is left out
   *[other] { $count } hidden columns are left out
}
pack-note-other-columns = Columns that a pack doesn’t have are left out: { $names }
pack-note-other-sheets = { $count ->
    [one] One other sheet is left out
   *[other] { $count } other sheets are left out
}

## Names that tables of questions may use, separated by commas. Case, spaces and signs don’t matter.

pack-column-question = Question, Questions, Question text, Prompt, Term, Front
pack-column-answer = Answer, Right answer, Correct answer, Right, Correct, Definition, Back
pack-column-wrong = Wrong, Wrong answer, Incorrect, Incorrect answer, Distractor, False answer
pack-column-wrong-list = Wrong answers, Incorrect answers, Other answers, Other options, Distractors, False answers
pack-column-category = Category, Topic, Subject, Theme
pack-column-difficulty = Difficulty, Level, Difficulty level
pack-column-photo = Photo, Picture, Image, Image link, Photo link
pack-column-option = Answer, Option, Choice, Answer option, Variant
pack-column-correct = Correct answer, Correct option, Correct choice, Correct, Right answer, Right option, Right
pack-column-type = Type, Question type
pack-column-explanation = Explanation, Comment
pack-column-source = Source, Link, Reference
pack-column-aside = Points, Score, Time, Time limit, Seconds, Round, Notes, Author, Date, Tags
pack-column-options-list = Options, Choices, Answers, Answer options, Answer choices, Possible answers, All answers
pack-level-easy = easy, simple
pack-level-medium = medium, normal
pack-level-hard = hard, difficult
pack-type-choice = choice, single choice, multiple choice
pack-type-true_false = true/false, true or false
pack-type-several = several answers, several, multiple answers
pack-type-number = number, numeric
pack-type-order = order, in order, sequence
pack-true = True
pack-false = False

## Other words about files

pack-busy = You’ve sent many files at once. Wait until the earlier ones are answered, then send this one again.
pack-sample = Sample file: { $form }
pack-sample-question-1 = Which planet is closest to the Sun?
pack-sample-answers-1 = Mercury, Venus, Mars, Jupiter
pack-sample-category-1 = Space
pack-sample-explanation-1 = Mercury is 58 million km from the Sun, Venus 108.
pack-sample-question-2 = A whale is a fish.
pack-sample-answers-2 = False
pack-sample-category-2 = Nature
pack-sample-explanation-2 = Whales are mammals: they breathe air and suckle their young.
pack-sample-question-3 = How high is Mount Everest, in metres?
pack-sample-answers-3 = 8849 ± 100
pack-sample-category-3 = Geography
pack-sample-explanation-3 = China and Nepal measured 8848.86 m together in 2020.
pack-sample-question-4 = Which of these are planets?
pack-sample-answers-4 = Mars | Saturn, Moon, Sirius
pack-sample-category-4 = Space
pack-sample-explanation-4 = The Moon orbits the Earth, and Sirius is a star.
pack-sample-question-5 = Put them in order, the oldest first.
pack-sample-answers-5 = Telegraph | Telephone | Television | World Wide Web
pack-sample-category-5 = History
pack-sample-explanation-5 = 1837, 1876, 1926 and 1989.

pack-alike = { $by ->
    [question] Question { NUMBER($line, useGrouping: 0) } asks nearly the same as question { NUMBER($earlier, useGrouping: 0) }: { $question }
   *[line] Line { NUMBER($line, useGrouping: 0) } asks nearly the same as line { NUMBER($earlier, useGrouping: 0) }: { $question }
}

## Why the bank stepped in for the model

writer-unreachable = The AI that writes questions can’t be reached.
writer-timeout = The AI took too long to write questions.
writer-busy = The AI is busy.
writer-broken = The AI’s server failed.
writer-refused = The AI refused to write these questions.
writer-junk = The AI wrote nothing that could be used.
writer-resting = The AI has failed several times in a row, so it’s left alone for a while.
writer-too-few = The AI wrote too few questions that could be used.
