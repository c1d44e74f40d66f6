"""Handling of taps, from the callback data to the answer. The fast path and the aiogram path both call `Taps`.

This module does not import aiogram. Callback data is ``<verb>:<game>[:<argument>]`` and is not trusted, because a
modified app can send anything. A tap is answered after its command is durable. The calls in an ``Answer`` are made in
addition.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from fsm.engine import Engine, Outcome, Promise, Unavailable
from fsm.kind import Game, PlayerId, Rejected, UnknownGame
from fsm.lobby import is_barred, winners_so_far
from handlers.boards import Boards
from handlers.kinds.registry import FACES, VERBS, of_state
from handlers.kinds.verb import Tap, Verb, whole
from handlers.views.lobby import deep_link
from handlers.views.message import Button, Message, edit_params, ephemeral_edit_params, send_params
from play.access import UNMET, Access, Needs
from play.opening import Openings
from play.texts import Texts
from storage.archive import Archive
from storage.keys import is_game_id
from storage.leases import STORE_GONE
from storage.people import People

__all__ = ["Answer", "Call", "Tap", "Taps"]

REMEMBERED = 8192
"""Number of own boards, and of answers, that are kept in memory."""
GAMES_REMEMBERED = 4096
"""Number of games whose newest message id is kept in memory. For other games Redis is asked."""

EVERYONE, NOT_WINNERS = "a", "n"
"""Arguments of the verb ``r``: everybody may join the rematch, or everybody but the earlier winners."""
PROOF_LINK: Final = "f_"
"""Prefix of the deep link that sends the proof of a draw in private."""
REMATCH_LINK: Final = "r_"
"""Prefix of the deep link that asks for a rematch in private, where an ephemeral message cannot be shown."""

_UNCHANGED: Final = frozenset({"already-yours", "too-late", "already-joined", "not-in-game"})
"""Codes of refusals after which an own board is still up to date."""
_FAILED: Final = frozenset({"unavailable", "error"})
"""Outcomes after which the same update may succeed if it is delivered again."""


class Call(msgspec.Struct, frozen=True):
    """A Bot API call that belongs to a tap.

    Attributes:
        method: name of the Bot API method.
        params: all parameters of the method.
        then: the call to make after this one has succeeded.
        otherwise: the call to make after this one has failed.
        own: the game whose own board the call sends; empty for other calls.
    """

    method: str
    params: dict[str, Any]
    then: "Call | None" = None
    otherwise: "Call | None" = None
    own: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a tap, and the calls that belong to it.

    Attributes:
        text: the toast, at most 200 UTF-16 units; None for an empty answer.
        alert: True if the toast is a dialog that the person has to close.
        url: a link that the person's app opens; None for none.
        calls: the calls to make after the toast, in order.
        answered_by_calls: True if one of the calls answers the tap, because the answer depends on their results.
        outcome: the label for metrics: `done`, `duplicate`, a refusal's code, `garbage`, `unavailable`, `error`, or
            `shown` if the tap changes no game.
        error: the exception behind the outcome `error`, which the caller logs with the tap's trace.
    """

    text: str | None = None
    alert: bool = False
    url: str | None = None
    calls: tuple[Call, ...] = ()
    answered_by_calls: bool = False
    outcome: str = "done"
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class _Showing:
    """A verb that is not simply a command to its game: it shows something, asks for confirmation, or opens a game."""

    do: Callable[[Tap, Game, str, str], Awaitable[Answer]]
    """The method that handles the verb, given the tap, its game, its argument and the locale."""
    needs: Needs = Needs.LOOK
    """The permission that the verb needs."""
    ended: bool = False
    """True if the verb also works for games that only the archive still has."""


class Taps:
    """Answers taps.

    Args:
        engine: executes the commands.
        texts: the texts of toasts and own boards.
        people: the locales and names of people.
        access: authorises taps.
        openings: opens rematches.
        boards: the boards of groups.
        archive: games that have expired in Redis.
        bot_username: username for deep links; if it is empty, no links are made.
        verbs: kind -> verb in the callback data -> the command that it stands for.
    """

    def __init__(  # noqa: PLR0913 -- called once, with keywords
        self,
        *,
        engine: Engine,
        texts: Texts,
        people: People,
        access: Access,
        openings: Openings,
        boards: Boards,
        archive: Archive,
        bot_username: str = "",
        verbs: Mapping[str, Mapping[str, Verb]] = VERBS,
    ) -> None:
        self._engine = engine
        self._texts = texts
        self._people = people
        self._access = access
        self._openings = openings
        self._boards = boards
        self._archive = archive
        self._bot_username = bot_username
        self._verbs = verbs
        self._showing: Mapping[str, _Showing] = {
            "o": _Showing(self._open_own),
            "b": _Showing(self._turn_own),
            "g": _Showing(self._open_own),  # turned the page of the group's board, in messages of older versions
            "f": _Showing(self._fair, ended=True),
            "x": _Showing(self._ask_cancel, needs=Needs.HOST),
            "r": _Showing(self._rematch, needs=Needs.HOST, ended=True),
        }
        self._known = (
            frozenset(verb for table in verbs.values() for verb in table) | self._showing.keys() | {"h", "k", "n"}
        )
        self._own = _Recent(REMEMBERED)
        self._newest = _Recent(GAMES_REMEMBERED)
        self._beside = _Recent(GAMES_REMEMBERED)
        """Games and messages with their buttons that are newer than the board, such as the one about their start."""
        self._answered: OrderedDict[int, Answer] = OrderedDict()

    def knows(self, data: str) -> bool:
        """Return whether callback data begins with a verb. If not, the tap belongs to a dialog."""
        return data.partition(":")[0] in self._known

    def begin(self, tap: Tap, asker: Promise[Answer]) -> bool:
        """Start a tap on the fast path and return True, or do nothing and return False. Never awaits, never raises.

        The fast path takes a tap if it is a command, was made on the group's newest board, and its game, locale and
        permission are all in memory. ``asker`` gets the answer when the command is durable. All other taps are for
        `answer`.
        """
        try:
            return self._begin(tap, asker)
        except Exception:  # noqa: BLE001 -- `answer` meets the same error, and reports it
            return False

    def _begin(self, tap: Tap, asker: Promise[Answer]) -> bool:
        name, _, rest = tap.data.partition(":")
        game_id, _, arg = rest.partition(":")
        game = self._engine.known(game_id)
        # Taps on an own board or an old board need further calls to Telegram, which `answer` makes.
        if game is None or tap.update_id in self._answered or tap.is_own or not self._is_newest(tap, game_id):
            return False
        verb = self._verbs[of_state(game).kind.name].get(name)
        locale = self._people.remembered_locale(tap.user_id)
        # A locale of None is not in memory; an empty one means that the person has chosen none.
        if verb is None or locale is None or not self._access.allows(tap.actor, game, verb.needs):
            return False
        command = verb.command(tap, arg)
        if command is None:
            return False
        self._people.saw_player(tap.user_id, tap.user_name, tap.username)
        asking = _TapPromise(self, tap, verb, locale or self._texts.pick(tap.language), asker)
        self._engine.submit(game_id, command, command_id=tap.command_id, received=tap.received, asker=asking)
        return True

    def confirmed(self, tap: Tap, verb: Verb, outcome: Outcome, locale: str) -> Answer:
        """Return the answer to a tap whose command was executed, without further calls, and remember it."""
        text = self._confirmation(tap, verb, outcome.state, locale)
        return self._remembered(tap, Answer(text=text, outcome="duplicate" if outcome.duplicate else "done"))

    def failed(self, tap: Tap, error: Exception, locale: str) -> Answer:
        """Return the answer to a tap whose command was refused or failed. Only a refusal is remembered."""
        if isinstance(error, Rejected):
            alert = isinstance(error, UNMET)  # the person has to do something elsewhere, and a toast is soon gone
            answer = Answer(text=self._texts.refusal(locale, error), alert=alert, outcome=error.code)
            return self._remembered(tap, answer)
        if isinstance(error, (Unavailable, *STORE_GONE)):
            return self._toast(locale, "error-unavailable", "unavailable")
        text = self._texts.plain(locale, "error-unexpected", trace=tap.trace)
        return Answer(text=text, alert=True, outcome="error", error=error)

    async def answer(self, tap: Tap) -> Answer:
        """Handle a tap and return its answer. Raises nothing but ``CancelledError``.

        Idempotent: the same update again gets the same answer and has no further effect, so that a refused command is
        not executed later, unnoticed. If this process does not remember the update, the engine recognises its command
        id.
        """
        answered = self._answered.get(tap.update_id)
        if answered is not None:
            return msgspec.structs.replace(answered, calls=(), outcome="duplicate")
        locale = self._texts.pick(tap.language)
        try:
            self._people.saw_player(tap.user_id, tap.user_name, tap.username)
            chosen = self._people.remembered_locale(tap.user_id)
            if chosen is None:
                chosen = await self._people.locale_of_player(tap.user_id)
            locale = chosen or locale
            return self._remembered(tap, await self._answer(tap, locale))
        except Exception as error:  # noqa: BLE001 -- every tap is answered; the caller logs the error
            return self.failed(tap, error, locale)

    def _remembered(self, tap: Tap, answer: Answer) -> Answer:
        """Return the answer, and keep it for the same update unless a second delivery may succeed."""
        if answer.outcome not in _FAILED:
            self._answered[tap.update_id] = answer
            if len(self._answered) > REMEMBERED:
                self._answered.popitem(last=False)
        return answer

    async def too_fast(self, tap: Tap) -> Answer:
        """Return the answer to a tap that flood control has dropped."""
        locale = await self._people.locale_of_player(tap.user_id) or self._texts.pick(tap.language)
        return self._toast(locale, "cmd-slow-down", "flood")

    async def _answer(self, tap: Tap, locale: str) -> Answer:
        verb, _, rest = tap.data.partition(":")
        if verb == "h":
            return self._rules(tap, rest, locale)
        if verb == "n":  # a disabled button, on a Bot API server that has none
            return self._toast(locale, "tap-taken", "shown")
        if verb == "k":
            return Answer(calls=self._closing(tap), outcome="shown")
        game_id, _, arg = rest.partition(":")
        if verb not in self._known or not is_game_id(game_id):
            return self._toast(locale, "tap-garbage", "garbage")
        showing = self._showing.get(verb)
        if showing is None:
            known = self._engine.known(game_id) or (await self._engine.look(game_id)).state
            return await self._execute(tap, known, verb, arg, locale)
        game = await self._game(game_id, ended=showing.ended)
        await self._access.authorise(tap.actor, game, showing.needs)
        return await showing.do(tap, game, arg, locale)

    # -- commands to a game -------------------------------------------------------------------------------------

    async def _execute(self, tap: Tap, game: Game, name: str, arg: str, locale: str) -> Answer:
        """Execute the command of a verb, and confirm it in a toast. Raises the errors of ``Access.authorise``."""
        verb = self._verbs[of_state(game).kind.name].get(name)
        command = None if verb is None else verb.command(tap, arg)
        if verb is None or command is None:
            return self._toast(locale, "tap-garbage", "garbage")
        if not self._access.allows(tap.actor, game, verb.needs):
            await self._access.authorise(tap.actor, game, verb.needs)
        try:
            outcome = await self._engine.execute(game.id, command, command_id=tap.command_id, received=tap.received)
        except Rejected as refusal:
            text = self._texts.refusal(locale, refusal)
            calls = await self._after_refusal(tap, verb, game.id, arg, refusal=refusal, locale=locale)
            return Answer(text=text, calls=calls, outcome=refusal.code)
        text = self._confirmation(tap, verb, outcome.state, locale)
        if tap.is_own:
            calls = self._own_after(tap, verb, outcome.state, locale)
        else:
            calls = () if self._is_newest(tap, game.id) else await self._without_orphan(tap, game.id)
        return Answer(text=text, calls=calls, outcome="duplicate" if outcome.duplicate else "done")

    def _confirmation(self, tap: Tap, verb: Verb, game: Game, locale: str) -> str:
        text_id, args = verb.done(game, tap)
        return self._texts.plain(locale, text_id, **args)

    async def _game(self, game_id: str, *, ended: bool = False) -> Game:
        """Return the game as the store has it; if ``ended`` is True, also one that only the archive has.

        This process may remember a state in which the person has not joined yet, or the game has not ended.

        Raises ``UnknownGame`` and ``Unavailable``.
        """
        try:
            return (await self._engine.look(game_id)).state
        except UnknownGame:
            game = await self._archive.finished(game_id) if ended else None
            if game is None:
                raise
            return game

    def _own_after(self, tap: Tap, verb: Verb, game: Game, locale: str) -> tuple[Call, ...]:
        if verb.closes:
            return self._closing(tap)
        return self._own_board_again(tap, game, locale, None)

    async def _after_refusal(
        self, tap: Tap, verb: Verb, game_id: str, arg: str, *, refusal: Rejected, locale: str
    ) -> tuple[Call, ...]:
        """Return the calls after a refusal. Most refusals show that the tapped own board is out of date; redraw it."""
        if not tap.is_own:
            return await self._without_orphan(tap, game_id)
        if verb.closes:
            return self._closing(tap)
        if refusal.code in _UNCHANGED:
            return ()
        game = await self._game(game_id)
        return self._own_board_again(tap, game, locale, verb.page(game, arg))

    # -- verbs that show something ------------------------------------------------------------------------------

    async def _open_own(self, tap: Tap, game: Game, _arg: str, locale: str) -> Answer:
        """Handle ``o``: show the player's own board as an ephemeral message, or link to it in the private chat."""
        if tap.user_id not in game.players:
            return self._toast(locale, "own-not-in-game", "not-in-game")
        board = self.opened(tap.user_id, game, locale)
        url = deep_link(self._bot_username, game.id) if self._bot_username else None
        own = "" if of_state(game).kind.machine.is_final(game.phase) else game.id  # a final board is never edited
        return self._show(tap, board, url=url, instead="tap-no-own-board", locale=locale, own=own)

    def opened(self, player_id: PlayerId, game: Game, locale: str) -> Message:
        """Return a player's own board for a new message, and remember its content until the message is tapped."""
        board = of_state(game).own_board(game, player_id, self._texts, locale)
        self._own.changed((player_id, game.id, 0), hash(board))
        return board

    async def _turn_own(self, tap: Tap, game: Game, arg: str, locale: str) -> Answer:
        """Handle ``b``: turn the page of the player's own board."""
        page = self._page(game, arg)
        if isinstance(page, str) or not tap.is_own:
            return self._toast(locale, page if isinstance(page, str) else "tap-garbage", "shown")
        return Answer(calls=self._own_board_again(tap, game, locale, page), outcome="shown")

    def _page(self, game: Game, arg: str) -> int | str:
        """Return the page in the argument, or the id of a text that says why there is none."""
        count = of_state(game).pages(game)
        if count == 1:
            return "tap-no-pages"
        page = whole(arg)
        return "tap-turn-hint" if page is None or page >= count else page

    async def _fair(self, tap: Tap, game: Game, _arg: str, locale: str) -> Answer:
        """Handle ``f``: show the summary of the draw's proof."""
        summary = of_state(game).proof_summary(game, self._texts, locale)
        link = f"https://t.me/{self._bot_username}?start={PROOF_LINK}{game.id}" if self._bot_username else None
        return self._show(tap, summary, instead="tap-fair-command", locale=locale, url=link)

    def _rules(self, tap: Tap, kind: str, locale: str) -> Answer:
        """Handle ``h``: show the rules of a kind."""
        view = FACES.get(kind)
        if view is None:
            return self._toast(locale, "tap-garbage", "garbage")
        return self._show(tap, view.rules(self._texts, locale), instead=view.hint, locale=locale)

    async def _ask_cancel(self, tap: Tap, game: Game, _arg: str, locale: str) -> Answer:
        """Handle ``x``: ask a host to confirm the cancelling of a game."""
        view, texts = of_state(game), self._texts
        if view.kind.machine.is_final(game.phase):
            return self._toast(locale, "tap-over", "not-now")
        yes = Button(texts.plain(locale, "button-confirm-cancel"), f"xx:{game.id}", style="danger")
        no = Button(texts.plain(locale, "button-keep-playing"), f"k:{game.id}")
        title = game.title or texts.plain(locale, view.title)
        question = Message(texts.html(locale, "confirm-cancel", title=title), ((yes, no),))
        return self._show(tap, question, instead="tap-cancel-command", locale=locale)

    async def _rematch(self, tap: Tap, old: Game, arg: str, locale: str) -> Answer:
        """Handle ``r``: open a rematch, which its host joins. If somebody has won, first ask who may join it."""
        if not arg and of_state(old).kind.machine.is_final(old.phase) and winners_so_far(old):
            link = f"https://t.me/{self._bot_username}?start={REMATCH_LINK}{old.id}" if self._bot_username else None
            question = self.rematch_question(old, locale)
            return self._show(tap, question, instead="tap-rematch-command", locale=locale, url=link)
        opened = await self._openings.rematch(
            tap.actor, old, without_winners=arg == NOT_WINNERS, command_id=tap.command_id, received=tap.received
        )
        state: Any = opened.state
        left_out = "tap-rematch-without-you" if is_barred(state.rules, tap.user_id) else "dlg-newgame-without-you"
        calls = self._closing(tap) if tap.is_own else ()
        text = self._texts.plain(locale, "tap-rematch" if tap.user_id in state.players else left_out)
        return Answer(text=text, calls=calls)

    def rematch_question(self, old: Game, locale: str) -> Message:
        """Return the question to a host: a rematch for everyone, or without those who have won so far."""
        texts, title = self._texts, old.title or self._texts.plain(locale, of_state(old).title)
        count = len(winners_so_far(old))
        everyone = Button(texts.plain(locale, "button-rematch-everyone"), f"r:{old.id}:{EVERYONE}", style="primary")
        others = Button(texts.plain(locale, "button-rematch-not-winners", count=count), f"r:{old.id}:{NOT_WINNERS}")
        return Message(texts.html(locale, "rematch-question", title=title), ((everyone,), (others,)))

    # -- calls that belong to a tap -----------------------------------------------------------------------------

    def _show(
        self, tap: Tap, message: Message, *, locale: str, instead: str, url: str | None = None, own: str = ""
    ) -> Answer:
        """Show a message to the person alone. If Telegram refuses it, the tap is answered with a link or a toast."""
        if tap.is_private:
            return Answer(calls=(Call("sendMessage", send_params(message, tap.chat_id), own=own),), outcome="shown")
        if tap.ephemeral_message_id is not None and not tap.is_real:
            return self._toast(locale, instead, "shown")
        query: dict[str, Any] = {"callback_query_id": tap.query_id}
        other = {"url": url} if url else {"text": self._texts.plain(locale, instead), "show_alert": True}
        answered = Call("answerCallbackQuery", query)
        otherwise = Call("answerCallbackQuery", query | other)
        if tap.ephemeral_message_id is not None:  # no reply to it is possible, so it is edited
            edit = ephemeral_edit_params(message, tap.chat_id, tap.user_id, tap.ephemeral_message_id)
            call = Call("editEphemeralMessageText", edit, answered, otherwise)
        else:
            receiver = {"receiver_user_id": tap.user_id, "callback_query_id": tap.query_id}
            params = send_params(message, tap.chat_id, tap.topic_id)
            call = Call("sendMessage", {**params, "ephemeral_message_parameters": receiver}, answered, otherwise, own)
        return Answer(calls=(call,), answered_by_calls=True, outcome="shown")

    def _own_board_again(self, tap: Tap, game: Game, locale: str, page: int | None) -> tuple[Call, ...]:
        """Return the edit of the tapped own board; nothing if it is up to date, as Telegram refuses an equal edit.

        If the message lacks the tapped button, the callback data is forged, and the message is left as it is.
        """
        if not tap.is_real:
            return ()
        board = of_state(game).own_board(game, tap.user_id, self._texts, locale, page)
        if not self._changed(tap, game.id, board):
            return ()
        if tap.ephemeral_message_id is not None:
            params = ephemeral_edit_params(board, tap.chat_id, tap.user_id, tap.ephemeral_message_id)
            return (Call("editEphemeralMessageText", params),)
        return (Call("editMessageText", edit_params(board, tap.chat_id, tap.message_id)),)

    def _changed(self, tap: Tap, game_id: str, board: Message) -> bool:
        """Return whether a board differs from the one that its message showed last.

        When ``opened`` makes a board, its message has no id yet, so the digest is kept under id 0. The first tap tells
        the id, and moves the digest there.
        """
        key = (tap.user_id, game_id, tap.ephemeral_message_id or -tap.message_id)
        first = self._own.take((tap.user_id, game_id, 0))
        if first is not None and key not in self._own:
            self._own.changed(key, first)
        return self._own.changed(key, hash(board))

    def _closing(self, tap: Tap) -> tuple[Call, ...]:
        """Return the call that deletes the tapped message; none if others see it, or if the callback data is forged."""
        if not tap.is_real:
            return ()
        if tap.ephemeral_message_id is not None:
            receiver = {"receiver_user_id": tap.user_id, "ephemeral_message_id": tap.ephemeral_message_id}
            return (Call("deleteEphemeralMessage", {"chat_id": tap.chat_id, **receiver}),)
        if tap.is_private:
            return (Call("deleteMessage", {"chat_id": tap.chat_id, "message_id": tap.message_id}),)
        return ()

    def _is_newest(self, tap: Tap, game_id: str) -> bool:
        """Return whether the tapped message is known to be the game's board, or one that was sent after it."""
        return self._newest.get(game_id) == tap.message_id or (game_id, tap.message_id) in self._beside

    async def _without_orphan(self, tap: Tap, game_id: str) -> tuple[Call, ...]:
        """Return the call that deletes the tapped message if it is an old board of the game. The tap works anyway.

        The id of the board is remembered, so the store is asked once for each game, and again about other messages of
        the game. Message ids grow within a chat: a message newer than the board is never taken for an old one.
        """
        if self._is_newest(tap, game_id):
            return ()
        try:
            living = await self._boards.living(game_id)
        except Exception:  # noqa: BLE001 -- only the clean-up fails; the tap's effect is durable
            return ()
        known = living[1] if living is not None and living[0] == tap.chat_id else tap.message_id
        self._newest.changed(game_id, known)
        if tap.message_id > known:
            self._beside.changed((game_id, tap.message_id), 0)
        # Forged data may name this game on a result, a leaderboard or the board of another game.
        if tap.message_id >= known or not tap.is_real:
            return ()
        if not self._newest.changed((tap.chat_id, tap.message_id), 0):
            return ()
        return (Call("deleteMessage", {"chat_id": tap.chat_id, "message_id": tap.message_id}),)

    def _toast(self, locale: str, text_id: str, outcome: str) -> Answer:
        return Answer(text=self._texts.plain(locale, text_id), outcome=outcome)


class _TapPromise(msgspec.Struct, gc=False):
    """The engine's promise to a tap on the fast path: turns the outcome of its command into the tap's answer."""

    taps: Taps
    tap: Tap
    verb: Verb
    locale: str
    asker: Promise[Answer]
    told: bool = False

    def done(self) -> bool:
        return self.told

    def set_result(self, outcome: Outcome, /) -> None:
        self.told = True
        try:
            answer = self.taps.confirmed(self.tap, self.verb, outcome, self.locale)
        except Exception as bug:  # noqa: BLE001 -- the command is durable; the caller logs the error
            answer = self.taps.failed(self.tap, bug, self.locale)
        self.asker.set_result(answer)

    def set_exception(self, exception: Exception, /) -> None:
        self.told = True
        self.asker.set_result(self.taps.failed(self.tap, exception, self.locale))


class _Recent:
    """A map that keeps the values of the most recently changed keys, up to a limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._values: OrderedDict[Any, int] = OrderedDict()

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def get(self, key: object) -> int | None:
        return self._values.get(key)

    def take(self, key: object) -> int | None:
        return self._values.pop(key, None)

    def changed(self, key: object, value: int) -> bool:
        """Store a value; return whether it differs from the one before."""
        known = self._values.get(key)
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) > self._limit:
            self._values.popitem(last=False)
        return known != value
