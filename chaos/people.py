"""Simulated people who play and record the bot's answers.

Each table is a group with a host and some players. They see only their chat, tap, and keep every answer: the audit
compares everything with the acknowledged actions.
"""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from handlers.kinds.quiz.view import LETTERS
from play.texts import Texts
from sandbox.control import Control, Refused, buttons
from sandbox.state import Chat, Message, User

LOOK_SECONDS = 0.1
"""Interval of a person's looks at the chat."""
ANSWER_SECONDS = 16.0
"""Seconds after which Telegram accepts no answer to a tap any more."""
BOARD_SECONDS = 150.0
"""Seconds without a board after a command before this is recorded."""
TRIES = 12
"""Taps of a person who is asked to try again."""
NOTICED = 20
"""Messages at the end of the chat that a person looks at."""
QUIZZES = 0.4
"""Share of quizzes among the games."""
GAME = re.compile(r"^[a-z]+:([0-9a-z]{14}|[0-9a-z]{22})(?::|$)")
TEXTS = Texts()
UNAVAILABLE = TEXTS.plain("en", "error-unavailable")
ALREADY = TEXTS.plain("en", "rejected-already-joined")
DONE = {
    "j": frozenset(TEXTS.plain("en", "tap-joined", players=count) for count in range(1, 200)),
    "l": frozenset({TEXTS.plain("en", "tap-left")}),
    "s": frozenset({TEXTS.plain("en", "tap-started")}),
    "xx": frozenset({TEXTS.plain("en", "tap-cancelled")}),
    "z": frozenset({TEXTS.plain("en", "tap-paused")}),
    "y": frozenset({TEXTS.plain("en", "tap-quiz-resumed")}),
}
"""Acknowledging texts by verb; a pick's text contains its number, an answer's its letter."""
ANSWERED = tuple(TEXTS.plain("en", "tap-answered", letter=letter, answer="\0").partition("\0")[0] for letter in LETTERS)
BROKEN = TEXTS.plain("en", "error-unexpected", trace="\0").partition("\0")[0][:20]


@dataclass(frozen=True, slots=True)
class Tap:
    """One tap and its answer. Times are monotonic seconds; `answered` is 0 if there was none."""

    update_id: int
    game_id: str
    user_id: int
    verb: str
    number: int
    pressed: float
    answered: float
    text: str

    @property
    def done(self) -> bool:
        """Return whether the answer acknowledged the action."""
        if self.verb == "p":
            return self.text == TEXTS.plain("en", "tap-picked", number=self.number)
        if self.verb == "a":
            return self.text.startswith(ANSWERED[self.number])
        return self.text in DONE.get(self.verb, ())


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

    def __init__(self, control: Control, chat: Chat, people: Sequence[User], rng: Random, diary: Diary) -> None:
        self.chat = chat
        self.games = 0
        self.stopping = False
        self._control = control
        self._people = people
        self._rng = rng
        self._diary = diary
        self._known: set[str] = set()

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
        self._control.say(self._people[0], self.chat, self._command())
        game_id = await self._opened(update_id)
        if game_id is None:
            return
        self._known.add(game_id)
        self._diary.opened[update_id] = game_id
        playing = (self._person(person, game_id) for person in self._people)
        await asyncio.gather(*playing, self._resumes(self._people[0], game_id))
        await self._until_over(game_id)

    def _command(self) -> str:
        rng = self._rng
        if rng.random() < QUIZZES:
            return f"/start_quiz {rng.randint(2, 4)} {rng.randint(3, 6)}"
        return f"/create_game Round {self.games}{rng.choice(('', '', ' reverse'))} {rng.randint(1, 2)}"

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
        """Join, perhaps leave and rejoin; then pick, perhaps move. A host may end the wait for the others."""
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
            return  # this person forgets to pick and to answer; the deadlines take effect
        if await self._button(game_id, rf"^[pa]:{game_id}:") is None:
            return
        if self._is_quiz(game_id):
            await self._answers(person, game_id)
            return
        for _ in range(1 + (rng.random() < 0.3)):
            if not await self._picks(person, game_id):
                return
            await asyncio.sleep(rng.uniform(0, 1.5))

    def _is_quiz(self, game_id: str) -> bool:
        return any(re.match(rf"^[az]:{game_id}", data) for message in self._messages() for data in _data_of(message))

    async def _answers(self, person: User, game_id: str) -> None:
        """Answer question after question, some twice. A host may pause the clock."""
        rng, last = self._rng, -1
        while (found := await self._button(game_id, rf"^a:{game_id}:(?!{last}:)\d+:\d$")) is not None:
            message, choices = found
            await asyncio.sleep(rng.uniform(0, 1.5))
            chosen = rng.choice(choices)
            tap = await self._tap(person, message, game_id, "a", chosen)
            if tap.text == UNAVAILABLE or not tap.text:
                continue  # no answer, or a request to try again: tap again
            last = int(chosen.split(":")[2])
            if rng.random() < 0.1:
                await self._tap(person, message, game_id, "a", rng.choice(choices))
            if person is self._people[0] and rng.random() < 0.1:
                await self._insist(person, game_id, "z")

    async def _resumes(self, host: User, game_id: str) -> None:
        """Resume a quiz whenever its clock is paused, until the game is over."""
        while not self._over(game_id):
            await asyncio.sleep(1)
            living = self._living(game_id)
            if living is not None and f"y:{game_id}" in _data_of(living):
                await self._insist(host, game_id, "y")

    async def _picks(self, person: User, game_id: str) -> bool:
        for _ in range(TRIES):
            found = await self._button(game_id, rf"^p:{game_id}:\d+$")
            if found is None:
                return False
            message, choices = found
            await asyncio.sleep(self._rng.uniform(0, 1.0))
            tap = await self._tap(person, message, game_id, "p", self._rng.choice(choices))
            if tap.done:
                return True
            if not tap.text or tap.text == UNAVAILABLE:
                await asyncio.sleep(self._rng.uniform(0.2, 1.0))
        return False

    async def _insist(self, person: User, game_id: str, verb: str) -> bool:
        """Tap until the action is acknowledged, or definitely refused."""
        for _ in range(TRIES):
            message = self._living(game_id)
            if message is None or self._over(game_id):
                return False
            tap = await self._tap(person, message, game_id, verb, f"{verb}:{game_id}")
            if tap.done or (verb == "j" and tap.text == ALREADY):
                return True
            if tap.text and tap.text != UNAVAILABLE:
                return False
            await asyncio.sleep(self._rng.uniform(0.2, 1.0))
        return False

    async def _tap(self, person: User, message: Message, game_id: str, verb: str, data: str) -> Tap:
        update_id, pressed = self._next_update(), time.monotonic()
        text, answered = "", 0.0
        try:
            answer = await self._control.press_data(person, message, data).answer(ANSWER_SECONDS)
            text, answered = answer.text or "", time.monotonic()
        except (TimeoutError, asyncio.CancelledError) as none:
            # The sandbox cancels the future of a pruned tap; only a cancellation of this task itself must propagate.
            if isinstance(none, asyncio.CancelledError) and (task := asyncio.current_task()) and task.cancelling():
                raise
        number = int(data.rpartition(":")[2]) if verb in "pa" else 0
        tap = Tap(update_id, game_id, person.id, verb, number, pressed, answered, text)
        self._diary.taps.append(tap)
        if not tap.done:
            self._diary.texts[text] += 1
        return tap

    # -- the chat's messages ------------------------------------------------------------------------------------

    def _living(self, game_id: str) -> Message | None:
        """Return the newest message of a game."""
        return next((message for message in self._messages() if game_id in games_of(message)), None)

    def _over(self, game_id: str) -> bool:
        return any(shows_end(message, game_id) for message in self._messages())

    async def _button(self, game_id: str, pattern: str) -> tuple[Message, list[str]] | None:
        """Wait for a message of the game with matching buttons. Returns None if the game ends without one."""
        while not self._over(game_id):
            message = self._living(game_id)
            if message is not None:
                found = [data for data in _data_of(message) if re.match(pattern, data)]
                if found:
                    return message, found
            await asyncio.sleep(LOOK_SECONDS)
        return None

    async def _until_over(self, game_id: str) -> None:
        while not self._over(game_id):  # noqa: ASYNC110 -- simulated people look now and then
            await asyncio.sleep(LOOK_SECONDS)
        self._diary.ended[game_id] = self.chat.id


def games_of(message: Message) -> set[str]:
    """Return the games that a message's buttons belong to."""
    return {found[1] for each in _data_of(message) if (found := GAME.match(each))}


def shows_end(message: Message, game_id: str) -> bool:
    """Return whether a message shows a game's end, which offers a rematch."""
    return f"r:{game_id}" in _data_of(message)


def _data_of(message: Message) -> list[str]:
    """Return the callback data of a message's buttons."""
    return [button.get("callback_data", "") for button in buttons(message)]


def gather(control: Control, number: int, people: int, rng: Random, diary: Diary) -> Table:
    """Create a group with its people."""
    users = [control.add_user(f"Player {number}.{index}") for index in range(people)]
    chat = control.add_group(f"Table {number}", users[0], users[1:])
    return Table(control, chat, users, rng, diary)
