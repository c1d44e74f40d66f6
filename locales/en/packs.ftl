### Packs of questions: what is wrong with a file and how to mend it; what keeps a model from writing.

## Mistakes in a file: pack-mistake-<code>, with the column and the code’s own parameters. They are messages.

pack-mistake-on-line = { $number ->
    [0] Line { NUMBER($line, useGrouping: 0) }: { $mistake }
   *[other] Line { NUMBER($line, useGrouping: 0) }, question { NUMBER($number, useGrouping: 0) }: { $mistake }
}
pack-mistake-file-too-large = The file is too large. Send at most { $limit } KB: leave out pictures, or make two packs of it.
pack-mistake-empty-file = The file is empty. Save it again with the questions in it.
pack-mistake-unknown-format = I don’t know this kind of file. Send CSV, JSON or XLSX.
pack-mistake-old-excel = This is an old Excel file or one with a password. Save it as .xlsx without a password.
pack-mistake-damaged-xlsx = This workbook can’t be read. Open it, save it again as .xlsx, and send that.
pack-mistake-xlsx-too-large = This workbook holds far more than questions. Copy them into a new one and send that.
pack-mistake-unknown-encoding = The letters of this file can’t be read. Save it in the encoding UTF-8.
pack-mistake-bad-quotes = The quotation marks don’t match. Put a text with commas or quotes between " and ", and write " inside as "".
pack-mistake-bad-json = The JSON ends or breaks at character { NUMBER($column_number, useGrouping: 0) } of the line. Look for a missing comma, bracket or quotation mark there.
pack-mistake-strange-json = This JSON is nested too deep or holds a monstrous number. Keep to a list of questions.
pack-mistake-no-list = There’s no list of questions. Write <code>{"{"}"questions": [ … ]{"}"}</code>.
pack-mistake-no-header = The first line must name the columns. These are known: { $columns }
pack-mistake-missing-column = The column <code>{ $column }</code> is missing. Add it to the first line.
pack-mistake-repeated-column = The column <code>{ $column }</code> is there twice, the second time as number { $number }. Remove one.
pack-mistake-unknown-column = { $suggestion ->
    [NONE] Column { $number }, <code>{ $column }</code>, is unknown. Remove it or rename it.
   *[other] Column { $number }, <code>{ $column }</code>, is unknown. Did you mean <code>{ $suggestion }</code>?
}
pack-mistake-repeated-field = The field <code>{ $column }</code> is there twice. Remove one.
pack-mistake-bad-base64 = <code>{ $column }</code> is not written in base64, as the rest is. Load the questions again, without <code>encode=base64</code>.
pack-mistake-unknown-field = The field <code>{ $column }</code> is unknown. Remove it or rename it.
pack-mistake-too-many-questions = A pack holds at most { $limit } questions. Make two packs of it.
pack-mistake-no-questions = There are no questions in it. Write one a line, below the names of the columns.
pack-mistake-too-many-cells = There are { $cells } cells, but only { $columns } columns. Put a text with separators in it between quotation marks.
pack-mistake-not-an-object = This is no question. Write <code>{"{"}"question": …, "answer": …, "wrong": [ … ]{"}"}</code>.
pack-mistake-bad-list = <code>{ $column }</code> must be a list of one to { $limit } wrong answers.
pack-mistake-not-text = <code>{ $column }</code> must be a text. Put it between quotation marks.
pack-mistake-empty-question = The question is empty. Fill it in or remove it.
pack-mistake-missing-cell = <code>{ $column }</code> is empty. Fill it in: a question needs a right answer and at least one wrong one.
pack-mistake-too-long = <code>{ $column }</code> has { $length } characters. Shorten it to { $limit }.
pack-mistake-same-answers = <code>{ $column }</code> says the same as <code>{ $other }</code>. Answers must differ: change one.
pack-mistake-unknown-difficulty = I don’t know the difficulty “{ $given }”. Write <code>easy</code>, <code>medium</code> or <code>hard</code>, or nothing.
pack-mistake-bad-photo = This is no photo. Give an address that begins with https://, or nothing.
pack-mistake-control-character = <code>{ $column }</code> holds an invisible character, { $character }. Type the text anew.
pack-mistake-repeated-question = { $by ->
    [question] Question { NUMBER($first, useGrouping: 0) } asks the same. Remove one.
   *[line] The same question is on line { NUMBER($first, useGrouping: 0) } already. Remove one.
}
pack-mistake-formula-cell = Column { $column } holds a formula. Put its result there as text.
pack-mistake-error-cell = Column { $column } holds the error { $given }. Put a text there.
pack-mistake-date-cell = Column { $column } holds a date or a time, which everybody would see differently. Format the cell as text and type it anew.

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
