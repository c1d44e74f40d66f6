"""Rendering of quizzes: the board in every phase, a player's own board, which ends as their summary, the rules."""

from collections.abc import Iterator
from functools import partial
from itertools import takewhile

from fsm import scoring
from fsm.kind import PlayerId
from fsm.lobby import CANCELLED, COMPLETED, PLAYERS_JOINING, WAITING_FOR_PLAYERS, Standing
from fsm.question import Question
from fsm.quiz import ACCURACY, KIND, QUESTION_OPEN, QUESTION_REVEAL, QuizGame, Score, gave
from handlers.kinds.quiz.answers import (
    LETTERS,
    answer_buttons,
    asked_html,
    explanation_html,
    right_letters,
    right_text,
    short_answer,
    tally_html,
)
from handlers.kinds.quiz.pace import note
from handlers.views import lobby
from handlers.views.message import Apart, Button, Message, Row, rows
from play.texts import Markup, Texts, name_html

TOP = 5
WINNERS, REST = 10, 2500
"""Standings that a result shows in full, and the room for the others, which are folded, in UTF-16 units."""
MISSED = 6
"""Maximum number of questions whose right answers a summary shows."""
LOBBY = frozenset({WAITING_FOR_PLAYERS, PLAYERS_JOINING})
BANK = "bank"
UNPLACED = "▫️"
"""Mark before the name of a player without points."""
MARKS = {True: "✅", False: "❌", None: "➖"}
"""Marks of a player's answers: right, wrong, and None for no answer."""


# -- the board --------------------------------------------------------------------------------------------------


def board(state: QuizGame, texts: Texts, locale: str, *, bot_username: str = "") -> Message:
    """Render the board of the group."""
    game = KIND.view(state, None)
    title = lobby.title_html(game, texts, locale, KIND)
    match game.phase:
        case phase if phase in LOBBY:
            about = _about(game, texts, locale)
            return lobby.lobby(game, game.rules, KIND, texts, locale, title=title, about=about)
        case phase if phase == QUESTION_OPEN:
            return _open(game, texts, locale, title)
        case phase if phase == QUESTION_REVEAL:
            return _reveal(game, texts, locale, title)
        case phase if phase == COMPLETED:
            return _result(game, texts, locale, bot_username)
        case _:
            return lobby.cancelled(game, KIND, texts, locale, title)


def step(state: QuizGame) -> tuple[str, int, bool]:
    """Return the part of the state whose changes are shown at once: the phase, the question, and the pause."""
    return state.phase, state.index, state.remaining is not None


def begins_with_board(state: QuizGame) -> bool:
    """Return whether the time of the phase begins with the board. If a poll asks the question, it begins with that."""
    return not (state.polled and state.phase == QUESTION_OPEN)


def apart(state: QuizGame, texts: Texts, locale: str) -> Apart | None:
    """Show each question on buttons in a message of its own, which becomes its reveal."""
    if state.polled or state.phase not in {QUESTION_OPEN, QUESTION_REVEAL}:
        return None
    title = lobby.title_html(state, texts, locale, KIND)
    above = Message(lobby.paragraphs(title, texts.html(locale, "quiz-below")))
    return Apart(above=above, part=str(state.index), heard=state.index == 0)


def closed(state: QuizGame, texts: Texts, locale: str) -> dict[str, Message]:
    """Render the last two questions that are over: a consumer that is late may never see the phase after the first."""
    current = state.index if state.phase in {QUESTION_OPEN, QUESTION_REVEAL} else state.index + 1
    return {str(index): _closed(state, index, texts, locale) for index in range(max(0, current - 2), current)}


def _closed(game: QuizGame, index: int, texts: Texts, locale: str) -> Message:
    """Render a question with its right answer; without that if the quiz was cancelled before its reveal."""
    question = game.questions[index]
    number = texts.html(locale, "quiz-head", number=index + 1, questions=game.rules.questions)
    lines = [texts.html(locale, "quiz-question", question=question.text)]
    explained = None
    if index < game.revealed:
        lines.append(texts.html(locale, "quiz-closed", answer=right_text(question, locale)))
        explained = explanation_html(question, texts, locale)
    return Message(lobby.paragraphs(number, "\n".join(lines), lobby.folded(explained) if explained else None))


def _about(game: QuizGame, texts: Texts, locale: str) -> str:
    """Render the number of questions, their subject and difficulty, the mode and the prizes."""
    rules = game.rules
    lines = [
        texts.html(locale, "quiz-about", questions=rules.questions, time=texts.duration(locale, rules.question_ms)),
        note(rules, texts, locale),
        _subject(game, texts, locale),
        _level(game, texts, locale),
        texts.html(locale, "quiz-about-accuracy") if rules.mode == ACCURACY else None,
        texts.html(locale, "quiz-about-polls") if rules.polls else None,
        lobby.prizes_html(rules, texts, locale),
    ]
    return "\n".join(line for line in lines if line)


def _subject(game: QuizGame, texts: Texts, locale: str) -> Markup | None:
    rules = game.rules
    names = [texts.html(locale, "quiz-value", value=rules.topic)] if rules.topic else []
    own = rules.pack is not None
    names += [category(texts, locale, each, own=own) for each in rules.categories if not rules.topic]
    if not names:
        return None
    return texts.html(locale, "quiz-subject", subjects=texts.listing(locale, names, len(names), budget=200))


def _level(game: QuizGame, texts: Texts, locale: str) -> Markup | None:
    if not game.rules.difficulty:
        return None
    return texts.html(locale, "quiz-level", level=texts.html(locale, f"dlg-difficulty-{game.rules.difficulty}"))


def category(texts: Texts, locale: str, name: str, *, own: bool) -> Markup:
    """Render a category. The bank's have names in every locale; a pack's (``own``) have the names its host gave."""
    known = f"quiz-category-{name}"
    if not own and texts.has(locale, known):
        return texts.html(locale, known)
    return texts.html(locale, "quiz-value", value=name)


# -- a question -------------------------------------------------------------------------------------------------


def _open(game: QuizGame, texts: Texts, locale: str, title: Markup) -> Message:
    question = game.question
    assert question is not None
    if game.remaining is not None:  # hide the question, so that a pause gives no time to think
        return _paused(game, texts, locale, title)
    polled = game.polled
    text = lobby.paragraphs(
        title,
        _head(game, texts, locale),
        texts.html(locale, "quiz-poll-below") if polled else asked_html(question, texts, locale),
        _progress(game, texts, locale),
    )
    answers = () if polled else answer_buttons(game, texts, locale)
    return Message(text, (*answers, *_hosts(game, texts, locale)))


def instead_of_poll(state: QuizGame, texts: Texts, locale: str) -> Message:
    """Render the open question with buttons, for chats in which Telegram accepts no polls."""
    game = KIND.view(state, None)
    assert game.question is not None
    text = lobby.paragraphs(_head(game, texts, locale), asked_html(game.question, texts, locale))
    return Message(text, answer_buttons(game, texts, locale))


def _paused(game: QuizGame, texts: Texts, locale: str, title: Markup) -> Message:
    text = lobby.paragraphs(title, _head(game, texts, locale), _pause(game, texts, locale))
    return Message(text, _hosts(game, texts, locale))


def _pause(game: QuizGame, texts: Texts, locale: str) -> Markup:
    return texts.html(locale, "quiz-paused", deadline=lobby.moment(game.deadline or 0))


def _head(game: QuizGame, texts: Texts, locale: str) -> Markup:
    """Render the number of the question, its category and its difficulty."""
    question = game.question
    assert question is not None
    head = texts.html(locale, "quiz-head", number=game.index + 1, questions=game.rules.questions)
    parts = [head, texts.html(locale, f"quiz-difficulty-{question.difficulty}")]
    if question.category:
        parts.insert(1, category(texts, locale, question.category, own=question.pack != BANK))
    return Markup(" · ".join(parts))


def _progress(game: QuizGame, texts: Texts, locale: str) -> Markup:
    """Render the number of players who have answered, without names and choices."""
    count = {"answered": len(game.replies), "players": len(game.players) - len(game.late)}
    if game.to_run is not None and game.polled:  # the poll starts the time, not this message
        return texts.html(locale, "quiz-progress-unseen", **count)
    return texts.html(locale, "quiz-progress", **count, deadline=lobby.ending(game))


def _hosts(game: QuizGame, texts: Texts, locale: str) -> tuple[Row, ...]:
    """Return the buttons of latecomers and hosts. A poll has no pause, because Telegram would go on taking votes."""
    clock = None
    if game.remaining is not None:
        clock = Button(texts.plain(locale, "button-resume"), f"y:{game.id}", style="primary")
    elif not (game.polled and game.phase == QUESTION_OPEN):
        clock = Button(texts.plain(locale, "button-pause"), f"z:{game.id}")
    cancel = Button(texts.plain(locale, "button-cancel"), f"x:{game.id}")
    join = Button(texts.plain(locale, "button-join"), f"j:{game.id}") if game.joinable else None
    # Three to a row are too narrow for their labels on a phone.
    return (*rows([join], 1), *rows([clock, cancel], 2))


# -- the right answer -------------------------------------------------------------------------------------------


def _reveal(game: QuizGame, texts: Texts, locale: str, title: Markup) -> Message:
    question = game.question
    assert question is not None
    text = lobby.paragraphs(
        title,
        _head(game, texts, locale),
        texts.html(locale, "quiz-question", question=question.text),
        tally_html(game, question, texts, locale),
        explanation_html(question, texts, locale),
        _best(game, texts, locale),
        _next(game, texts, locale),
    )
    return Message(text, _hosts(game, texts, locale))


def _ranked(game: QuizGame) -> tuple[list[PlayerId], tuple[int, ...]]:
    """Return the players with points, best first, and the place of each."""
    points = {player: score.points for player, score in game.scores.items() if score.points}
    ranked = sorted(points, key=lambda player: -points[player])
    return ranked, scoring.places([points[player] for player in ranked])


def _best(game: QuizGame, texts: Texts, locale: str) -> str:
    ranked, places = _ranked(game)
    if not ranked:
        return texts.html(locale, "quiz-nobody-yet")
    lines = [
        texts.html(
            locale,
            "quiz-line-gained" if player in game.gained else "quiz-line",
            mark=Markup(lobby.mark(place)),
            name=_name(game, player),
            points=game.score(player).points,
            gained=game.gained.get(player, 0),
        )
        for player, place in list(zip(ranked, places, strict=True))[:TOP]
    ]
    return "\n".join(lines)


def _next(game: QuizGame, texts: Texts, locale: str) -> Markup:
    if game.remaining is not None:
        return _pause(game, texts, locale)
    last = game.revealed == game.rules.questions
    return texts.html(locale, "quiz-soon-result" if last else "quiz-soon-next")


def _name(game: QuizGame, player: PlayerId) -> Markup:
    known = game.players.get(player)
    return name_html(known.name if known is not None else "")


# -- the result -------------------------------------------------------------------------------------------------


def _result(game: QuizGame, texts: Texts, locale: str, bot_username: str = "") -> Message:
    """Render the result: the winners, then the other standings folded."""
    winners = list(takewhile(lambda standing: standing.place is not None, game.standings))[:WINNERS]
    rest = game.standings[len(winners) :]
    names = (_folded_line(standing, texts, locale) for standing in rest)
    listed = texts.listing(locale, names, len(rest), budget=REST, most=len(rest), separator="\n")
    totals = texts.html(locale, "quiz-totals", questions=game.revealed, players=len(game.players))
    text = lobby.paragraphs(
        lobby.results_html(game, texts, locale, KIND),
        "\n".join(_line(game, standing, texts, locale) for standing in winners)
        or texts.html(locale, "quiz-nobody-at-all"),
        lobby.folded(f"{totals}\n{listed}" if rest else totals),
    )
    own = Button(texts.plain(locale, "button-own-result"), f"o:{game.id}")
    share = lobby.share_button(game, KIND, texts, locale, bot_username)
    return Message(text, rows([*lobby.rematch_button(game, texts, locale), share, own], 2))


def _folded_line(standing: Standing, texts: Texts, locale: str) -> Markup:
    """Render a standing without entities: Telegram allows a message one hundred."""
    mark = lobby.mark(standing.place) if standing.place is not None else UNPLACED
    name, points = name_html(standing.name), texts.number(locale, standing.points)
    return Markup(f"{mark} {name}: {points}")


def _line(game: QuizGame, standing: Standing, texts: Texts, locale: str) -> Markup:
    return texts.html(
        locale,
        "quiz-result-prize" if lobby.has_prize(standing) else "quiz-result",
        mark=Markup(lobby.mark(standing.place) if standing.place is not None else UNPLACED),
        name=lobby.mention(standing) if standing.place is not None else name_html(standing.name),
        points=standing.points,
        right=game.score(standing.player_id).right,
        prize=lobby.prize_text(standing, texts, locale),
    )


# -- one player's own board -------------------------------------------------------------------------------------


def own_board(state: QuizGame, player_id: PlayerId, texts: Texts, locale: str, page: int | None = None) -> Message:  # noqa: ARG001
    """Render a player's own board; after the end, the summary that players are also sent."""
    game = KIND.view(state, player_id)
    title = lobby.title_html(game, texts, locale, KIND)
    if game.phase == CANCELLED:
        return lobby.own_cancelled(game, KIND, texts, locale, title)
    say = partial(texts.html, locale)
    if player_id not in game.players:
        return Message(lobby.paragraphs(title, say("own-not-joined" if game.phase in LOBBY else "own-not-in-game")))
    if game.phase in LOBBY:
        return Message(lobby.paragraphs(title, say("own-joined")))
    if game.phase == COMPLETED:
        return _summary(game, player_id, texts, locale, title)
    return _own_question(game, player_id, texts, locale, title)


def _own_question(game: QuizGame, player_id: PlayerId, texts: Texts, locale: str, title: Markup) -> Message:
    """Render the current question, and the player's answer to it."""
    question = game.question
    assert question is not None
    score = game.score(player_id)
    standing = texts.html(locale, "quiz-own-score", points=score.points, right=score.right, of=game.revealed)
    head = _head(game, texts, locale)
    if game.phase == QUESTION_OPEN and game.remaining is not None:
        return Message(lobby.paragraphs(title, head, _pause(game, texts, locale), standing))
    answered = _own_answer(game, player_id, question, texts, locale)
    why = explanation_html(question, texts, locale) if game.phase == QUESTION_REVEAL else None
    text = lobby.paragraphs(title, head, asked_html(question, texts, locale), answered, why, standing)
    may_answer = game.phase == QUESTION_OPEN and player_id not in game.replies and player_id in game.active
    return Message(text, answer_buttons(game, texts, locale) if may_answer else ())


def _own_answer(game: QuizGame, player_id: PlayerId, question: Question, texts: Texts, locale: str) -> Markup | None:
    reply = game.replies.get(player_id)
    if player_id in game.late:
        return texts.html(locale, "quiz-own-late")
    if reply is None or reply.choice is None:
        return None
    gained = game.gained.get(player_id, 0)
    how = "answer" if game.phase == QUESTION_OPEN else "right" if player_id in game.gained else "wrong"
    if isinstance(reply.choice, int):
        answer = {"letter": Markup(LETTERS[reply.choice]), "answer": question.answers[reply.choice]}
        if how == "wrong":
            answer |= {"right": Markup(right_letters(question)), "right_answer": right_text(question, locale)}
        return texts.html(locale, f"quiz-own-{how}", **answer, gained=gained)
    right = "" if how == "answer" else right_letters(question) or right_text(question, locale)
    return texts.html(locale, f"quiz-own-{how}-so", answer=short_answer(reply.choice), right=right, gained=gained)


def _summary(game: QuizGame, player_id: PlayerId, texts: Texts, locale: str, title: Markup) -> Message:
    """Render one player's summary: place, points, a mark for each answer, and the right answers they missed."""
    own = next(standing for standing in game.standings if standing.player_id == player_id)
    score = game.score(player_id)
    place = texts.html(
        locale,
        "quiz-own-place" if own.place is not None else "quiz-own-no-place",
        medal=Markup(lobby.medal(own.place or 0)),
        place=own.place or 0,
        players=len(game.players),
        points=own.points,
        right=score.right,
        questions=game.revealed,
        streak=own.streak,
    )
    prize = (
        texts.html(locale, "quiz-own-prize", prize=lobby.prize_text(own, texts, locale))
        if lobby.has_prize(own)
        else None
    )
    marks = "".join(MARKS[how] for how in _how(game, score))
    return Message(lobby.paragraphs(title, place, prize, marks, *_missed(game, score, texts, locale)))


def _how(game: QuizGame, score: Score) -> Iterator[bool | None]:
    """Yield True, False or None for each question: answered right, wrong, or not at all."""
    for index, (question, choice) in enumerate(zip(game.questions, score.choices, strict=False)):
        # Quizzes of older versions did not record the hits.
        yield index in score.hits or question.judge(choice) if gave(choice) else None


def _missed(game: QuizGame, score: Score, texts: Texts, locale: str) -> Iterator[Markup]:
    """Yield the first questions without a right answer of the player, each with its right answer."""
    missed = [question for question, how in zip(game.questions, _how(game, score), strict=False) if not how]
    for question in missed[:MISSED]:
        yield texts.html(locale, "quiz-missed", question=question.text, answer=right_text(question, locale))


# -- rules ------------------------------------------------------------------------------------------------------


def rules(texts: Texts, locale: str) -> Message:
    """Render the rules, with the formula of the points."""
    return Message(
        texts.html(
            locale,
            "quiz-rules",
            easy=scoring.BASE[scoring.EASY],
            medium=scoring.BASE[scoring.MEDIUM],
            hard=scoring.BASE[scoring.HARD],
            speed=scoring.SPEED_PERCENT,
            step=scoring.STREAK_STEP,
            most=scoring.STREAK_MOST,
        )
    )
