"""The checker of kinds. It reports the parts that a kind of game still lacks, one sentence each.

Run it with ``python -m handlers.kinds.check [KIND]``. Without an argument it checks every kind that it finds by a file
in ``fsm/``, a folder here, a section in ``config.toml`` or an entry in a registry. It plays a game with the moves of
the simulated player, and renders each board in each language. A test runs it, so an incomplete kind fails the tests.
"""

import inspect
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from fsm import lobby
from fsm.kind import ChatTopic, Command, Host, Kind, Rejected, kebab
from handlers.kinds.face import Face
from handlers.kinds.settings import LobbySection
from handlers.kinds.verb import Tap
from handlers.views.message import Message
from play.rules import PRIZE, PRIZE_SETTINGS, names_of
from play.texts import DEFAULT_LOCALE, Texts, units

ROOT = Path(__file__).parents[2]
KINDS_FOLDER = Path(__file__).parent
NO_KIND = frozenset({"draw"})
"""Sections below ``[games]`` that are not sections of a kind."""
OPENED = 1_700_000_000_000
SEED = "5eed" * 16
PLAYERS = (1, 2, 3)
HOST = 9
MOST_STEPS = 500
"""Steps after which the checker considers a game endless."""
WIDEST = {1: 64, 2: 19, 3: 12, 4: 8}
"""Number of buttons in a row -> longest label, in UTF-16 units, that a phone shows whole."""
MOST_IN_ROW = 7
"""Longest label in a longer row."""
TEXTS_OF_A_KIND = (
    "name",
    "sign",
    "pitch",
    "hint",
    "form",
    "newgame",
    "newgame-choose",
    "newgame-instead",
    "settings",
    "settings-open",
)


@dataclass(slots=True)
class Findings:
    """The complaints about one kind. Each is a sentence."""

    kind: str
    complaints: list[str]

    def lacks(self, sentence: str) -> None:
        """Add a complaint unless it is already there."""
        if sentence not in self.complaints:
            self.complaints.append(sentence)

    def imported(self, module: str, attribute: str, role: str) -> Any:
        """Import an attribute that the kind must have. If it is missing, add a complaint and return None."""
        try:
            return getattr(import_module(module), attribute)
        except ModuleNotFoundError as missing:
            path = (missing.name or module).replace(".", "/")
            file = f"{path}/__init__.py" if path == f"handlers/kinds/{self.kind}" else f"{path}.py"
            self.lacks(f"{file} is missing{'' if missing.name == module else f' (wanted by {module})'}: {role}.")
        except Exception as problem:  # noqa: BLE001 -- any error in the module is a complaint about it
            self.lacks(f"{module.replace('.', '/')}.py has no usable {attribute}, {role}: {problem}.")
        return None


def traces() -> list[str]:
    """Return the names of all kinds that have a file, a folder, a section or an entry."""
    files = {path.stem for path in (ROOT / "fsm").glob("*.py") if "\nKIND: Kind" in path.read_text(encoding="utf-8")}
    folders = {path.name for path in KINDS_FOLDER.iterdir() if path.is_dir() and any(path.glob("*.py"))}
    sections = set(_config()) - NO_KIND
    listed = set(_listed("fsm.registry", "KINDS")) | set(_listed("handlers.kinds.registry", "FACES"))
    return sorted(files | folders | sections | listed)


def check(name: str) -> list[str]:
    """Return the complaints about a kind; empty if it is complete."""
    found = Findings(name, [])
    kind: Kind[Any] | None = found.imported(f"fsm.{name}", "KIND", "the rules")
    _listed_in(found, "fsm.registry", "KINDS", "fsm/registry.py")
    section = found.imported(f"handlers.kinds.{name}.settings", "SECTION", "the settings with their defaults")
    if section is not None:
        _check_config(found, section)
    for module, role in (("view", "the boards"), ("verbs", "the meaning of taps")):
        if not (KINDS_FOLDER / name / f"{module}.py").exists():
            found.lacks(f"handlers/kinds/{name}/{module}.py is missing: {role}.")
    face = found.imported(f"handlers.kinds.{name}.face", "FACE", "what Telegram shows of the kind")
    _listed_in(found, "handlers.kinds.registry", "FACES", "handlers/kinds/registry.py")
    if kind is None:
        return found.complaints
    rules = _check_defaults(found, section, kind) if section is not None else None
    _check_diagram(found, kind)
    texts = Texts()
    _check_texts(found, kind, texts)
    if face is not None:
        _check_face(found, face, rules, texts)
    return found.complaints


# -- registries and configuration -------------------------------------------------------------------------------


def _listed(module: str, attribute: str) -> Sequence[str]:
    try:
        return tuple(getattr(import_module(module), attribute))
    except Exception:  # noqa: BLE001 -- the check of the kind that breaks the registry reports the error
        return ()


def _listed_in(found: Findings, module: str, attribute: str, file: str) -> None:
    if found.kind not in _listed(module, attribute):
        found.lacks(f"{file} does not list the kind in {attribute}.")


def _config() -> dict[str, Any]:
    games: dict[str, Any] = tomllib.loads((ROOT / "config.toml").read_text(encoding="utf-8")).get("games", {})
    return {name: value for name, value in games.items() if isinstance(value, dict)}


def _check_config(found: Findings, section: type[LobbySection]) -> None:
    """Check that config.toml has each setting of the kind's section, with its default value."""
    written = _config().get(found.kind)
    if written is None:
        found.lacks(f"config.toml has no section [games.{found.kind}].")
        return
    for name in set(section.model_fields) - set(written):
        if not hasattr(section.model_fields[name].annotation, "model_fields"):
            found.lacks(f"config.toml does not name the setting {name} in [games.{found.kind}].")
    try:
        if section.model_validate(written) != section():
            found.lacks(f"config.toml says other defaults in [games.{found.kind}] than the kind's settings.py.")
    except ValueError as problem:
        found.lacks(f"config.toml is refused in [games.{found.kind}]: {' '.join(str(problem).split())}.")


def _check_defaults(found: Findings, section: type[LobbySection], kind: Kind[Any]) -> Any:
    """Return the default rules of the section; None, with a complaint, if they are not valid rules of the kind."""
    try:
        rules = section().rules(None)
        rules.check()
    except (Rejected, NotImplementedError, TypeError, ValueError, AttributeError) as problem:
        found.lacks(f"the section's defaults give no rules that can be played: {type(problem).__name__} {problem}.")
        return None
    if not isinstance(rules, kind.rules):
        found.lacks(f"the section gives {type(rules).__name__}, but the rules of the kind are {kind.rules.__name__}.")
        return None
    return rules


# -- diagram and texts ------------------------------------------------------------------------------------------


def _check_diagram(found: Findings, kind: Kind[Any]) -> None:
    # Imported here: it imports the registry of all kinds, which fails while the module of one is missing.
    from handlers.kinds.phase_pages import FOLDER, page  # noqa: PLC0415

    path = FOLDER / f"{kind.name}.md"
    if not FOLDER.is_dir():  # a container image has no documents
        return
    if not path.exists() or path.read_text(encoding="utf-8") != page(kind):
        command = "python -m handlers.kinds.phase_pages"
        found.lacks(f"docs/phases/{kind.name}.md does not show the kind's phases; run: {command}.")


def _check_texts(found: Findings, kind: Kind[Any], texts: Texts) -> None:
    """Check that the texts exist which shared code uses, and a text for each refusal and phase of the kind."""
    needed = [f"{kind.slug}-{what}" for what in TEXTS_OF_A_KIND]
    own_phases = set(kind.machine.phases) - {
        lobby.WAITING_FOR_PLAYERS, lobby.PLAYERS_JOINING, lobby.COMPLETED, lobby.CANCELLED,
    }  # fmt: skip
    needed += [f"{kind.slug}-phase-{phase}" for phase in sorted(own_phases)]
    module = import_module(f"fsm.{found.kind}")
    for _, own in inspect.getmembers(module, inspect.isclass):
        if own.__module__ != module.__name__:
            continue
        if issubclass(own, Rejected):
            needed.append(f"rejected-{kebab(own.__name__)}")
    for locale in texts.LOCALES:
        if not (ROOT / "locales" / locale / f"{kind.slug}.ftl").exists():
            found.lacks(f"locales/{locale}/{kind.slug}.ftl is missing: the texts of the kind.")
        for text_id in needed:
            _text(found, texts, locale, text_id)


def _text(found: Findings, texts: Texts, locale: str, *ids: str) -> None:
    """Add a complaint unless the locale has one of the texts."""
    if not any(texts.has(locale, text_id) for text_id in ids):
        found.lacks(f"the locale {locale} has no text {' or '.join(ids)}.")


# -- the face ---------------------------------------------------------------------------------------------------


def _check_face(found: Findings, face: Face, rules: Any, texts: Texts) -> None:
    kind = face.kind
    if not face.verbs:
        found.lacks("the face has no verbs: no button of the kind would do anything.")
    _check_dialog(found, face, rules, texts)
    for part, attribute in (("commands", "COMMANDS"), ("dialogs", "DIALOG_COMMANDS"), ("router", "router")):
        module = getattr(face, part)
        given = found.imported(module, attribute, f"the kind's {part}") if module is not None else None
        for command in given if given is not None and part != "router" else ():
            for locale in texts.LOCALES:
                _text(found, texts, locale, f"cmd-about-{command}")
                _text(found, texts, locale, f"cmd-help-{command}")
    for locale in texts.LOCALES:
        if face.rules_text is None:
            _text(found, texts, locale, f"{kind.slug}-rules")
        if face.proof_text is None:
            _text(found, texts, locale, f"{kind.slug}-fair")
    if rules is not None and face.verbs:
        _play(found, face, rules, texts)


def _check_dialog(found: Findings, face: Face, rules: Any, texts: Texts) -> None:
    """Check that the rules have all settings in the dialogs, and that each has a name and an explanation everywhere."""
    dialog = found.imported(face.dialog, "DIALOG", "the rules that /newgame and /settings offer")
    if dialog is None or rules is None:
        return
    slug = face.kind.slug
    for locale in texts.LOCALES:
        for name in dialog.ready:
            _text(found, texts, locale, f"form-ready-{name}")
    for name in dict.fromkeys((*dialog.new_game, *dialog.settings)):
        if name not in names_of(rules) and (name != PRIZE or not set(names_of(rules)).issuperset(PRIZE_SETTINGS)):
            found.lacks(f"the dialog offers {name}, but the kind's rules have no such setting.")
            continue
        for locale in texts.LOCALES:
            _text(found, texts, locale, f"dlg-{slug}-name-{name}", f"dlg-name-{name}")
            _text(found, texts, locale, f"dlg-{slug}-about-{name}", f"dlg-about-{name}")
            for value in dialog.presets.get(name, ()) if name in dialog.chosen_only else ():
                _text(found, texts, locale, f"dlg-{slug}-{name}-{value}", f"dlg-{name}-{value}")


# -- the trial game ---------------------------------------------------------------------------------------------


def _play(found: Findings, face: Face, rules: Any, texts: Texts) -> None:
    """Play a game with the moves of the simulated player, and render every board on the way."""
    trial = _Trial(found, face, texts)
    try:
        content = face.sample(rules) if face.sample is not None else None
        chat_topic = ChatTopic(-1)
        trial.do(
            lobby.OpenGame(face.kind.name, "00000000000000", chat_topic, Host(HOST, "Host"), "", rules, 1, content)
        )
        for player in PLAYERS:
            trial.do(lobby.Join(player, f"Player {player}"))
        trial.do(lobby.StartNow(HOST))
        trial.play()
    except Exception as problem:  # noqa: BLE001 -- a bug in the kind is a complaint about it
        found.lacks(f"a game on trial failed: {type(problem).__name__}: {problem}.")


class _Trial:
    """A trial game of a kind, which renders its boards after every step."""

    def __init__(self, found: Findings, face: Face, texts: Texts) -> None:
        self.found, self.face, self.texts = found, face, texts
        self.state: Any = None
        self.now = OPENED
        self.moved = False

    def do(self, command: Command) -> None:
        """Apply a command to the game, and render its boards."""
        kind = self.face.kind
        self.state = kind.fold(self.state, kind.decide(self.state, command, self.now, SEED))
        self.look()

    def look(self) -> None:
        """Render the boards in every language, and add a complaint for each missing text."""
        for locale in self.texts.LOCALES:
            self._fits(self.face.board(self.state, self.texts, locale, bot_username="bot"), locale)
            for viewer in (*PLAYERS, HOST):
                self.face.own_board(self.state, viewer, self.texts, locale)
            self.face.proof_summary(self.state, self.texts, locale)
            self.face.rules(self.texts, locale)
        for missing in self.texts.missing:
            locale, _, text_id = missing.partition("/")
            if self.texts.has(locale, text_id):
                self.found.lacks(f"the text {text_id} of the locale {locale} does not get all of its variables.")
            else:
                self.found.lacks(f"the locale {locale} has no text {text_id}.")

    def _fits(self, board: Message, locale: str) -> None:
        """Add a complaint for each label that a phone would cut off, as its button shares a row with others."""
        for row in board.keyboard:
            for button in row:
                shown = button.text.replace("\u2068", "").replace("\u2069", "")
                if units(shown) > WIDEST.get(len(row), MOST_IN_ROW):
                    self.found.lacks(f"the label “{shown}” ({locale}) is too long for a row of {len(row)} buttons.")

    def play(self) -> None:
        """Make the simulated players' moves until the game ends. If there are none, advance to the deadline."""
        for _ in range(MOST_STEPS):
            if self.face.kind.machine.is_final(self.state.phase):
                break
            moves = [self._move(player) for player in PLAYERS]  # a list: each player moves before `any` is asked
            if not any(moves) and self.state.deadline is not None:
                self.now = self.state.deadline
                self.do(lobby.DeadlinePassed(self.state.deadline))
        else:
            self.found.lacks("a game on trial did not end.")
        if not self.moved:
            self.found.lacks("the simulated player has no moves: moves() finds none in the boards, or all are refused.")

    def _move(self, player: int) -> bool:
        board = self.face.board(self.state, self.texts, DEFAULT_LOCALE, bot_username="bot")
        labels = {button.data: button.text for row in board.keyboard for button in row if button.data}
        for data, _, _ in self.face.moves(labels):
            verb, _, rest = data.partition(":")
            tap = Tap(
                update_id=1, query_id="", user_id=player, user_name=f"Player {player}", chat_id=-1, chat_type="group",
                data=data, received=self.now,
            )  # fmt: skip
            command = self.face.verbs[verb].command(tap, rest.partition(":")[2]) if verb in self.face.verbs else None
            if command is None:
                self.found.lacks(f"the simulated player taps {data}, but no verb makes a command of it.")
                continue
            for locale in self.texts.LOCALES:
                _text(self.found, self.texts, locale, f"not-now-{kebab(type(command).__name__)}")
            try:
                self.do(command)
            except Rejected as refusal:
                self._refused(refusal)
                continue
            self.moved = True
            text_id, arguments = self.face.verbs[verb].done(self.state, tap)
            for locale in self.texts.LOCALES:
                self.texts.plain(locale, text_id, **arguments)
            self.look()
            return True
        return False

    def _refused(self, refusal: Rejected) -> None:
        for locale in self.texts.LOCALES:
            self.texts.refusal(locale, refusal)


# -- the command ------------------------------------------------------------------------------------------------


def main(names: Sequence[str]) -> int:
    """Check these kinds, or all that `traces` finds. Returns the exit status: 1 if there are complaints."""
    status = 0
    for name in names or traces():
        complaints = check(name)
        status |= bool(complaints)
        print(f"{name}: {'complete' if not complaints else ''}".rstrip())  # noqa: T201 -- a command's answer
        for complaint in complaints:
            print(f"  - {complaint}")  # noqa: T201
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
