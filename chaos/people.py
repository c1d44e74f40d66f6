"""Simulated people who play and record the bot's answers.

Each table is a group with a host and some players. They see only their chat, tap, and keep every answer: the audit
compares everything with the acknowledged actions.
"""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from fluent.syntax import FluentParser, ast

from handlers.kinds.registry import FACES
from play.access import Needs
from play.texts import FOLDER, Texts
from sandbox.control import Control, Refused, buttons
from sandbox.state import Chat, Message, User

LOOK_SECONDS = 0.1
"""Interval of a person's looks at the chat."""
ANSWER_SECONDS = 16.0
"""Seconds after which Telegram accepts no answer to a tap any more."""
BOARD_SECONDS = 150.0
"""Seconds without a board after a command before this is recorded."""
LONGEST_WAIT = 8.0
"""Maximum number of seconds between two uses of a host's buttons while nobody can move."""
TRIES = 12
"""Taps of a person who is asked to try again."""
NOTICED = 20
"""Messages at the end of the chat that a person looks at."""
LINES: Mapping[str, Callable[[Random, int], str]] = {
    "pick_number": lambda rng, game: f"/create_game Round {game}{rng.choice(('', '', ' reverse'))} {rng.randint(1, 2)}",
    "quiz": lambda rng, _: f"/start_quiz {rng.randint(2, 4)} {rng.randint(3, 6)}",
}
"""Kinds of games that are played -> the command that opens a group's nth game."""
SHORT_LINES: Mapping[str, Callable[[Random, int], str]] = {
    "pick_number": lambda rng, game: f"/create_game Round {game}{rng.choice(('', ' reverse'))} 2",
    "quiz": lambda _rng, _game: "/start_quiz 2 3",
}
"""The same for games that end soon."""
GAME = re.compile(r"^[a-z]+:([0-9a-z]{14}|[0-9a-z]{22})(?::|$)")
TEXTS = Texts()
UNAVAILABLE = TEXTS.plain("en", "error-unavailable")
ALREADY = TEXTS.plain("en", "rejected-already-joined")
OTHER_REFUSALS = ("tap-over", "tap-garbage", "tap-taken", "cmd-slow-down")
"""Texts of taps without an effect, beside those of rejections and errors."""
BROKEN = TEXTS.plain("en", "error-unexpected", trace="\0").partition("\0")[0][:20]


def _refusals() -> re.Pattern[str]:
    """Return a pattern of all English texts that refuse a tap. Values and variants of a text match anything."""
    texts = []
    for file in sorted((FOLDER / "en").glob("*.ftl")):
        for entry in FluentParser().parse(file.read_text()).body:
            if isinstance(entry, ast.Message) and entry.value is not None:
                name = entry.id.name
                if name.startswith(("rejected-", "not-now-", "error-")) or name in OTHER_REFUSALS:
                    texts += _patterns(entry.value)
    return re.compile("|".join(texts), re.DOTALL)


def _patterns(text: ast.Pattern) -> list[str]:
    """Return the patterns of a text, one for each of its variants."""
    found = [""]
    for part in text.elements:
        if isinstance(part, ast.TextElement):
            endings = [re.escape(part.value)]
        elif isinstance(part.expression, ast.SelectExpression):
            endings = [each for variant in part.expression.variants for each in _patterns(variant.value)]
        else:
            endings = [".*"]
        found = [begin + end for begin in found for end in endings]
    return found


REFUSAL = _refusals()


@dataclass(frozen=True, slots=True)
class Tap:
    """One tap and its answer. Times are monotonic seconds; `answered` is 0 if there was none."""

    update_id: int
    game_id: str
    user_id: int
    verb: str
    pressed: float
    answered: float
    text: str

    @property
    def done(self) -> bool:
        """Return whether the answer acknowledged the action: every answer does that is not known as a refusal."""
        return bool(self.text) and REFUSAL.fullmatch(self.text) is None


@dataclass(slots=True)
class Diary:
    """Observations of all people."""

    taps: list[Tap] = field(default_factory=list)
    opened: dict[int, str] = field(default_factory=dict)
    """Update id of a command that opened a game -> the game whose board appeared."""
    ended: dict[str, int] = field(default_factory=dict)
    """Game -> the chat in which its end was seen."""
    texts: Counter[str] = field(default_factory=Counter)
    """Counts of the answers other than "done"."""
    stuck: list[str] = field(default_factory=list)

    def unanswered(self) -> int:
        """Return the number of taps without an answer in time."""
        return sum(1 for tap in self.taps if not tap.answered)


class Table:
    """One group, which plays game after game until told to stop."""

    def __init__(
        self,
        control: Control,
        chat: Chat,
        people: Sequence[User],
        rng: Random,
        diary: Diary,
        lines: Mapping[str, Callable[[Random, int], str]] = LINES,
    ) -> None:
        self._lines = lines
        self.chat = chat
        self.games = 0
        self.stopping = False
        self._control = control
        self._people = people
        self._rng = rng
        self._diary = diary
        self._known: set[str] = set()
        self._face = FACES["pick_number"]

    async def play(self) -> None:
        """Play until `stopping` is set and the last game has ended."""
        while not self.stopping:
            self.games += 1
            try:
                await self._game()
            except Refused as refused:
                self._diary.stuck.append(f"chat {self.chat.id}: {refused}")
                return
            await asyncio.sleep(self._rng.uniform(0.2, 1.5))

    async def _game(self) -> None:
        update_id = self._next_update()
        kind = self._rng.choice(list(self._lines))
        self._face = FACES[kind]
        self._control.say(self._people[0], self.chat, self._lines[kind](self._rng, self.games))
        game_id = await self._opened(update_id)
        if game_id is None:
            return
        self._known.add(game_id)
        self._diary.opened[update_id] = game_id
        playing = (self._person(person, game_id) for person in self._people)
        await asyncio.gather(*playing, self._goes_on(self._people[0], game_id))
        await self._until_over(game_id)

    def _next_update(self) -> int:
        return self._control.world.updates.next_id

    async def _opened(self, update_id: int) -> str | None:
        """Wait for the board of the game that a command opens. Returns the game's id, or None."""
        began = time.monotonic()
        while time.monotonic() - began < BOARD_SECONDS:
            for message in self._messages():
                for game_id in games_of(message):
                    if game_id not in self._known:
                        return game_id
            await asyncio.sleep(LOOK_SECONDS)
        self._diary.stuck.append(f"chat {self.chat.id}: no board came for update {update_id}")
        return None

    def _messages(self) -> list[Message]:
        bot_id = self._control.world.bot_id
        messages = self.chat.messages.values()
        recent = [message for message, _ in zip(reversed(messages), range(NOTICED), strict=False)]
        return [message for message in recent if message.sender == bot_id]

    # -- one person ---------------------------------------------------------------------------------------------

    async def _person(self, person: User, game_id: str) -> None:
        """Join, perhaps leave and rejoin; then move. A host may end the wait for the others."""
        rng, host = self._rng, person is self._people[0]
        await asyncio.sleep(rng.uniform(0, 1.5))
        if not await self._insist(person, game_id, "j"):
            return
        if not host and rng.random() < 0.15:
            await self._insist(person, game_id, "l")
            await asyncio.sleep(rng.uniform(0, 0.5))
            await self._insist(person, game_id, "j")
        if host and rng.random() < 0.03:
            await asyncio.sleep(rng.uniform(0, 3))
            await self._insist(person, game_id, "xx")
            return
        if host and rng.random() < 0.6:
            await asyncio.sleep(rng.uniform(1, 2.5))
            await self._insist(person, game_id, "s")
        if rng.random() < 0.05:
            return  # this person forgets to move; the deadlines take effect
        await self._moves(person, game_id)

    async def _moves(self, person: User, game_id: str) -> None:
        """Make every decision that the game asks for, some twice. A host may use the kind's own buttons in between."""
        rng, made = self._rng, Counter[str]()
        while (found := await self._move(game_id, made)) is not None:
            message, moves = found
            await asyncio.sleep(rng.uniform(0, 1.5))
            data, decision, times = rng.choice(moves)
            tap = await self._tap(person, message, game_id, data)
            if tap.text == UNAVAILABLE or not tap.text:
                continue  # no answer, or a request to try again: tap again
            made[decision] += times if tap.done and rng.random() > 0.3 else 1
            if rng.random() < 0.1:
                await self._tap(person, message, game_id, rng.choice(moves)[0])
            if person is self._people[0] and rng.random() < 0.1:
                await self._host_acts(person, game_id)

    async def _move(self, game_id: str, made: Counter[str]) -> tuple[Message, list[tuple[str, str, int]]] | None:
        """Wait for moves that make other decisions. Returns None if the game ends without any."""
        while not self._over(game_id):
            for message in self._of_game(game_id):
                moves = self._face.moves(_labels(message))
                # Moves with other verbs only show something.
                moves = [move for move in moves if made[move[1]] < move[2] and _verb(move[0]) in self._face.verbs]
                if moves:
                    return message, moves
            await asyncio.sleep(LOOK_SECONDS)
        return None

    async def _goes_on(self, host: User, game_id: str) -> None:
        """As the host use the kind's own buttons while nobody can move, until the game is over.

        The waits grow beyond the time for which a quiz shows an answer: a host who paused and resumed it every second
        would make a quiz last longer than the suite waits.
        """
        wait = 1.0
        while not self._over(game_id):
            await asyncio.sleep(wait)
            shown = self._of_game(game_id)
            if shown and not any(self._face.moves(_labels(message)) for message in shown):
                await self._host_acts(host, game_id)
                wait = min(1.5 * wait, LONGEST_WAIT)

    async def _host_acts(self, host: User, game_id: str) -> None:
        """Tap the buttons for hosts that only this kind of game has, if its message shows any."""
        shown = {data for message in self._of_game(game_id) for data in _labels(message)}
        for verb, effect in self._face.verbs.items():
            if effect.needs is Needs.HOST and f"{verb}:{game_id}" in shown:
                await self._insist(host, game_id, verb)

    async def _insist(self, person: User, game_id: str, verb: str) -> bool:
        """Tap until the action is acknowledged, or definitely refused."""
        for _ in range(TRIES):
            data, messages = f"{verb}:{game_id}", self._of_game(game_id)
            if not messages or self._over(game_id):
                return False
            # A confirmation such as "xx" is tapped although no message shows it.
            message = next((each for each in messages if data in _labels(each)), messages[0])
            tap = await self._tap(person, message, game_id, data)
            if tap.done or (verb == "j" and tap.text == ALREADY):
                return True
            if tap.text and tap.text != UNAVAILABLE:
                return False
            await asyncio.sleep(self._rng.uniform(0.2, 1.0))
        return False

    async def _tap(self, person: User, message: Message, game_id: str, data: str) -> Tap:
        update_id, pressed = self._next_update(), time.monotonic()
        text, answered = "", 0.0
        try:
            answer = await self._control.press_data(person, message, data).answer(ANSWER_SECONDS)
            text, answered = answer.text or "", time.monotonic()
        except (TimeoutError, asyncio.CancelledError) as none:
            # The sandbox cancels the future of a pruned tap; only a cancellation of this task itself must propagate.
            if isinstance(none, asyncio.CancelledError) and (task := asyncio.current_task()) and task.cancelling():
                raise
        tap = Tap(update_id, game_id, person.id, _verb(data), pressed, answered, text)
        self._diary.taps.append(tap)
        if not tap.done:
            self._diary.texts[text] += 1
        return tap

    # -- the chat's messages ------------------------------------------------------------------------------------

    def _of_game(self, game_id: str) -> list[Message]:
        """Return the messages with buttons of a game, newest first: an announcement may stand below the board."""
        return [message for message in self._messages() if game_id in games_of(message)]

    def _over(self, game_id: str) -> bool:
        return any(shows_end(message, game_id) for message in self._messages())

    async def _until_over(self, game_id: str) -> None:
        while not self._over(game_id):  # noqa: ASYNC110 -- simulated people look now and then
            await asyncio.sleep(LOOK_SECONDS)
        self._diary.ended[game_id] = self.chat.id


def games_of(message: Message) -> set[str]:
    """Return the games that a message's buttons belong to."""
    return {found[1] for each in _labels(message) if (found := GAME.match(each))}


def shows_end(message: Message, game_id: str) -> bool:
    """Return whether a message shows a game's end, which offers a rematch."""
    return f"r:{game_id}" in _labels(message)


def _verb(data: str) -> str:
    return data.partition(":")[0]


def _labels(message: Message) -> dict[str, str]:
    """Return the labels of a message's buttons by their callback data."""
    return {button.get("callback_data", ""): button["text"] for button in buttons(message)}


def gather(
    control: Control,
    number: int,
    people: int,
    rng: Random,
    diary: Diary,
    lines: Mapping[str, Callable[[Random, int], str]] = LINES,
) -> Table:
    """Create a group whose people play the games of these lines."""
    users = [control.add_user(f"Player {number}.{index}") for index in range(people)]
    chat = control.add_group(f"Table {number}", users[0], users[1:])
    return Table(control, chat, users, rng, diary, lines)
