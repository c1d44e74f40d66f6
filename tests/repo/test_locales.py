"""Every text is in every locale with the same variables; every refusal has one; the code contains no texts."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from babel import Locale
from fluent.syntax import FluentParser
from fluent.syntax import ast as ftl

import fsm.registry
from bot import verifier_words
from fsm.engine import Unavailable
from fsm.kind import NotNow, Rejected, kebab
from fsm.lobby import BadRule
from fsm.pick_number import PickNumberRules
from fsm.quiz import QuizRules
from fsm.registry import KINDS
from play.rules import names_of
from play.texts import FOLDER, TOAST_LIMIT, Texts, units

ROOT = Path(__file__).parents[2]
CODE = [
    path
    for folder in ("handlers", "play", "bot", "api", "telegram", "storage", "questions", "fsm", "web")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
SPEAKING = [
    path
    for path in CODE
    if path.parts[len(ROOT.parts)] in {"handlers", "play", "api"}
    and path.name not in {"settings.py", "check.py", "phase_pages.py"}
]
"""Files whose texts players read. A kind's ``settings.py`` and the checker speak to operators and developers."""
TEXTS = Texts()
OTHERS = [locale for locale in TEXTS.LOCALES if locale != "en"]
TOASTS = re.compile(r"(tap|button|rejected|not-now|error)-")


def entries(locale: str) -> dict[str, ftl.Message]:
    found: dict[str, ftl.Message] = {}
    for path in sorted((FOLDER / locale).glob("*.ftl")):
        for entry in FluentParser().parse(path.read_text(encoding="utf-8")).body:
            if isinstance(entry, ftl.Message):
                found[entry.id.name] = entry
    return found


ENTRIES = {locale: entries(locale) for locale in TEXTS.LOCALES}


def nodes(node: Any) -> Iterator[Any]:
    """Yield a node of Fluent's syntax and everything in it."""
    if isinstance(node, list):
        for item in node:
            yield from nodes(item)
    elif isinstance(node, ftl.BaseNode):
        yield node
        for value in vars(node).values():
            yield from nodes(value)


def variables(message: ftl.Message) -> set[str]:
    return {node.id.name for node in nodes(message) if isinstance(node, ftl.VariableReference)}


def refusals(of: type[Rejected] = Rejected) -> Iterator[type[Rejected]]:
    for kind in of.__subclasses__():
        yield kind
        yield from refusals(kind)


REFUSALS = [refusal for refusal in refusals() if refusal.__module__.startswith("fsm.")]


def constants(path: Path) -> Iterator[ast.Constant]:
    """Yield the strings in code that could reach a person: not docstrings, nor logs and errors for operators."""
    skipped: set[int] = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(id(node.value))
        if isinstance(node, ast.Raise | ast.Assert) or (isinstance(node, ast.Call) and _logs(node)):
            skipped |= {id(inner) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            yield node


def _logs(call: ast.Call) -> bool:
    while isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Call):
        call = call.func.value
    target = call.func.value if isinstance(call.func, ast.Attribute) else call.func
    return isinstance(target, ast.Name) and target.id == "logger"


# -- locales ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("locale", OTHERS)
def test_every_locale_has_the_same_texts(locale: str) -> None:
    assert ENTRIES[locale].keys() == ENTRIES["en"].keys()


@pytest.mark.parametrize("locale", OTHERS)
def test_every_locale_uses_the_same_variables(locale: str) -> None:
    different = {
        name: (variables(message), variables(ENTRIES[locale][name]))
        for name, message in ENTRIES["en"].items()
        if variables(message) != variables(ENTRIES[locale][name])
    }
    assert not different


@pytest.mark.parametrize("locale", OTHERS)
def test_every_locale_has_the_same_files(locale: str) -> None:
    assert {p.name for p in (FOLDER / locale).iterdir()} == {p.name for p in (FOLDER / "en").iterdir()}


@pytest.mark.parametrize("locale", TEXTS.LOCALES)
def test_ids_are_words_with_hyphens_and_refer_to_texts_that_are_there(locale: str) -> None:
    for name, message in ENTRIES[locale].items():
        assert re.fullmatch(r"[a-z0-9_]+(-[a-z0-9_]+)*", name)
        assert message.value is not None, name
        for node in nodes(message):
            assert not isinstance(node, ftl.MessageReference) or node.id.name in ENTRIES[locale], (name, node.id.name)


@pytest.mark.parametrize("locale", TEXTS.LOCALES)
def test_a_text_that_counts_has_the_forms_of_its_language(locale: str) -> None:
    """No choice has a form that the language lacks, and one by the rarer forms also has ``one``."""
    form_of = Locale.parse(locale).plural_form
    forms = {form_of(number) for number in range(1000)}
    for name, message in ENTRIES[locale].items():
        for node in nodes(message):
            if isinstance(node, ftl.SelectExpression):
                keys = {variant.key.name for variant in node.variants if isinstance(variant.key, ftl.Identifier)}
                assert keys & {"zero", "one", "two", "few", "many"} <= forms, name
                if keys & (forms - {"one", "other"}):
                    assert "one" in keys, name


def test_the_verifiers_speak_the_languages_of_the_locales() -> None:
    command = "python -m bot.verifier_words"
    found = verifier_words.words(TEXTS)
    for path, rewrite in ((verifier_words.PROGRAM, verifier_words.program), (verifier_words.PAGE, verifier_words.page)):
        text = path.read_text(encoding="utf-8")
        assert rewrite(text, found) == text, f"{path.name} has other words than the locales; run: {command}"
    made = verifier_words.module(verifier_words.PAGE.read_text(encoding="utf-8"))
    stored = verifier_words.MODULE.read_text(encoding="utf-8")
    assert stored == made, f"the public pages check otherwise than verify.html; run: {command}"
    assert set(found) == set(TEXTS.LOCALES)


@pytest.mark.parametrize("locale", OTHERS)
def test_no_english_is_left_in_other_languages(locale: str) -> None:
    for name, message in ENTRIES[locale].items():
        words = " ".join(node.value for node in nodes(message.value) if isinstance(node, ftl.TextElement))
        if words == "".join(n.value for n in nodes(ENTRIES["en"][name].value) if isinstance(n, ftl.TextElement)):
            assert not re.search(r"[a-z]{4,}", re.sub(r"<[^>]*>|/\w+|`[^`]*`", "", words)), name


# -- texts that the code uses -----------------------------------------------------------------------------------


def test_every_text_is_used() -> None:
    used: set[str] = set()
    prefixes: set[str] = set()
    of_kinds: set[str] = set()
    for path in CODE:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        used |= {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                prefixes.add(str(node.values[0].value))
            match node:
                case ast.JoinedStr(
                    values=[ast.FormattedValue(value=ast.Attribute(attr="slug")), ast.Constant(value=str(end)), *more]
                ):
                    found = {kind.slug + end for kind in KINDS.values()}
                    prefixes |= found if more else set()
                    of_kinds |= found
                case _:
                    continue
    for path in (ROOT / "web").glob("*/*.js"):
        script = path.read_text(encoding="utf-8")
        used |= set(re.findall(r'"((?:app|dash)-[a-z0-9_-]+)"', script))
        prefixes |= set(re.findall(r"`([a-z]+-(?:[a-z]+-)*)\$\{", script))
    prefixes = {prefix for prefix in prefixes if re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*-", prefix)}
    referred = {
        node.id.name
        for entry in ENTRIES["en"].values()
        for node in nodes(entry)
        if isinstance(node, ftl.MessageReference)
    }
    unused = {
        name
        for name in ENTRIES["en"]
        if name not in used | referred | of_kinds and not any(name.startswith(prefix) for prefix in prefixes)
    }
    assert not unused


def test_every_text_that_is_asked_for_by_name_is_there() -> None:
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and len(node.args) >= 2):
                continue
            if node.func.attr in {"html", "plain"} and isinstance(node.args[1], ast.Constant):
                name = node.args[1].value
                assert name in ENTRIES["en"], (path, name)
                given = {keyword.arg for keyword in node.keywords}
                assert None in given or variables(ENTRIES["en"][name]) <= given, (path, node.lineno, name)


def test_every_text_that_a_page_asks_for_is_there() -> None:
    for path in (ROOT / "web").glob("*/*.js"):
        for name in re.findall(r'say\("([a-z0-9-]+)"', path.read_text(encoding="utf-8")):
            assert name in ENTRIES["en"], (path.name, name)


def test_no_text_for_people_stands_in_the_code() -> None:
    prose = re.compile(r"[А-Яа-яЁё]|^[A-Z][a-z]+(,? [a-z']+){2,}|[a-z]+ [a-z]+ [a-z]+ [a-z]+")
    for path in SPEAKING:
        for constant in constants(path):
            assert not prose.search(str(constant.value)), (path, constant.lineno, constant.value)


# -- refusals ---------------------------------------------------------------------------------------------------


def test_all_refusals_are_seen() -> None:
    assert {"NumberTaken", "NotNow", "UnknownGame", "PlaceTaken"} <= {refusal.__name__ for refusal in REFUSALS}
    assert fsm.registry.KINDS
    assert not issubclass(Unavailable, Rejected)


def test_refusals_that_faces_share_stand_in_one_file() -> None:
    of_faces = {"api.ftl", "wallet.ftl"}  # refusals that one face alone gives
    of_kinds = {f"{kind.slug}.ftl" for kind in KINDS.values()}
    for path in FOLDER.glob("*/*.ftl"):
        if path.name not in of_faces | of_kinds | {"rejected.ftl"}:
            assert "\nrejected-" not in path.read_text(encoding="utf-8"), path


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.__name__)
def test_every_refusal_has_a_text_in_every_locale_with_its_own_parameters(refusal: type[Rejected]) -> None:
    parameters = set(getattr(refusal, "__match_args__", ()))
    for locale in TEXTS.LOCALES:
        message = ENTRIES[locale][f"rejected-{kebab(refusal.__name__)}"]
        assert variables(message) <= parameters | ({"name"} if refusal is BadRule else set())
        sample: dict[str, Any] = dict.fromkeys(parameters, 7)
        text = TEXTS.refusal(locale, refusal(**sample)) if parameters else TEXTS.refusal(locale, refusal())
        assert text
        assert "$" not in text
        assert "{" not in text
    assert not TEXTS.missing


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_every_command_in_every_phase_that_forbids_it_is_refused_in_words(kind: Any) -> None:
    commands = {trigger for _, trigger, _ in kind.machine.edges}
    for locale in TEXTS.LOCALES:
        for command in commands:
            said = {
                phase: TEXTS.refusal(locale, NotNow(command, phase))
                for phase in kind.machine.phases
                if not any(edge[:2] == (phase, command) for edge in kind.machine.edges)
            }
            assert all(0 < units(text) <= TOAST_LIMIT for text in said.values())
            live = [text for phase, text in said.items() if not kind.machine.is_final(phase)]
            over = [text for phase, text in said.items() if kind.machine.is_final(phase)]
            assert not set(live) & set(over), (locale, command)
    for name in ENTRIES["en"]:
        if name.startswith("not-now-"):
            assert variables(ENTRIES["en"][name]) <= {"command", "phase"}


# -- as people see them -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("locale", TEXTS.LOCALES)
def test_toasts_and_buttons_have_no_markup_and_fit(locale: str) -> None:
    for name, message in ENTRIES[locale].items():
        if TOASTS.match(name):
            text = TEXTS.plain(locale, name, **dict.fromkeys(variables(message), 7))
            assert "<" not in text, name
            assert not text.endswith("…"), name
            assert units(text) <= (28 if name.startswith("button-") else TOAST_LIMIT), name


@pytest.mark.parametrize("locale", TEXTS.LOCALES)
def test_punctuation_is_the_languages_own(locale: str) -> None:
    for name, message in ENTRIES[locale].items():
        words = "".join(node.value for node in nodes(message.value) if isinstance(node, ftl.TextElement))
        assert not re.search(r"[a-z]'[a-z]", words), (name, "an apostrophe is ’")
        assert locale != "ru" or " – " not in words, (name, "a Russian dash is —")
        if locale == "es":
            assert words.count("?") == words.count("¿"), (name, "a Spanish question begins with ¿")
            assert words.count("!") == words.count("¡"), (name, "a Spanish exclamation begins with ¡")


@pytest.mark.parametrize("locale", TEXTS.LOCALES)
def test_a_moment_that_counts_down_has_no_word_of_time_before_it(locale: str) -> None:
    """Apps show it as ``in 4 minutes``, which makes no sentence after ``until``."""
    for name, message in ENTRIES[locale].items():
        for said in (said for branch in _filled(message.value) for said in branch.split("\n")):
            assert not re.search(r"(?i)\b(until|in|at|by|до|в|к|через|hasta|en|a las) \{(deadline|at)\}", said), name


def test_a_rule_out_of_bounds_is_called_by_its_name() -> None:
    for locale in TEXTS.LOCALES:
        for defaults in (PickNumberRules(), QuizRules()):
            for rule in names_of(defaults):
                said = TEXTS.refusal(locale, BadRule(rule=rule, given="7", low="1", high="2"))
                assert rule not in said or "_" not in rule, (locale, rule, said)


def _filled(pattern: Any) -> Iterator[str]:
    """Yield a pattern's own text and the text of each variant in it, with variables shown as ``{name}``."""
    own = ""
    for element in pattern.elements:
        if isinstance(element, ftl.TextElement):
            own += element.value
        elif isinstance(element.expression, ftl.SelectExpression):
            for variant in element.expression.variants:
                yield from _filled(variant.value)
        elif isinstance(element.expression, ftl.VariableReference):
            own += f"{{{element.expression.id.name}}}"
    yield own


@pytest.mark.parametrize("locale", TEXTS.LOCALES)
def test_markup_is_telegrams_and_closed(locale: str) -> None:
    for name, message in ENTRIES[locale].items():
        for branch in _filled(message.value):
            opened: list[str] = []
            for tag in re.findall(r"<(/?\w[\w-]*)", branch):
                if tag.startswith("/"):
                    assert opened, name
                    assert opened.pop() == tag[1:], name
                else:
                    assert tag in {"b", "i", "u", "s", "code", "pre", "a", "blockquote", "tg-spoiler", "tg-time"}, name
                    opened.append(tag)
            assert not opened, name
