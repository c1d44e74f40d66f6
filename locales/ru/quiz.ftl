### Викторина.

## Отказы

rejected-already-answered = Вы уже ответили. Считается первый ответ.
rejected-question-closed = Вопрос { $number } закрыт.
rejected-no-such-answer = У этого вопроса нет такого ответа.
rejected-paused = Викторина на паузе. Скоро продолжим.
rejected-not-paused = Викторина не на паузе.
rejected-wrong-question-count = Вопросов { $have }, а нужно { $need }.
rejected-bad-question = Вопрос { $number } задать нельзя. Выберите другие.
