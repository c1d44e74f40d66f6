### The quiz.

## Refusals

rejected-already-answered = You’ve already answered. The first answer counts.
rejected-question-closed = Question { $number } is closed.
rejected-no-such-answer = This question has no such answer.
rejected-paused = The quiz is paused. It goes on in a moment.
rejected-not-paused = The quiz isn’t paused.
rejected-wrong-question-count = There are { $have } questions, but { $need } are needed.
rejected-bad-question = Question { $number } can’t be asked like this. Choose others.
