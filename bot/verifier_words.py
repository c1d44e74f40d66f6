"""Generator of the words in ``verify.py`` and ``verify.html``, and of the page's code as a module.

It is run by ``python -m bot.verifier_words``.

The two verifiers are single files that run without the rest of Tombola, so they carry their words with them. The texts
are those of the locales whose ids begin with ``verifier-``, and a test compares them.
"""

import json
import re
from pathlib import Path

from play.texts import DEFAULT_LOCALE, FOLDER, Texts

ROOT = Path(__file__).parent.parent
PROGRAM, PAGE = ROOT / "verify.py", ROOT / "verify.html"
ID = re.compile(r"^verifier-(\S+) =", re.MULTILINE)
MODULE = ROOT / "web" / "app" / "verifier.js"
PAGE_ONLY = "page-"
"""Beginning of the names of words that only the page needs."""
_WORDS = re.compile(r"(?<=^WORDS = )\{.*?^\}", re.MULTILINE | re.DOTALL)
_PAGE_WORDS = re.compile(r"(?<=^const WORDS = )\{.*?^\}", re.MULTILINE | re.DOTALL)


def words(texts: Texts) -> dict[str, dict[str, str]]:
    """Return the words of each locale by name, and the language's own name as ``page-language``."""
    names = ID.findall((FOLDER / DEFAULT_LOCALE / "verifier.ftl").read_text(encoding="utf-8"))
    return {
        locale: {
            **{name: texts.plain(locale, f"verifier-{name}") for name in names},
            "page-language": texts.plain(locale, "cmd-language-name"),
        }
        for locale in texts.LOCALES
    }


def program(old: str, found: dict[str, dict[str, str]]) -> str:
    """Return the text of ``verify.py`` with the words in it."""
    spoken = {
        locale: {name: said for name, said in given.items() if not name.startswith(PAGE_ONLY)}
        for locale, given in found.items()
    }
    literal = re.sub(r'(["}])$', r"\1,", json.dumps(spoken, ensure_ascii=False, indent=4), flags=re.MULTILINE)
    return _WORDS.sub(lambda _: literal.removesuffix(","), old, count=1)


def page(old: str, found: dict[str, dict[str, str]]) -> str:
    """Return the text of ``verify.html`` with the words in it."""
    return _PAGE_WORDS.sub(lambda _: json.dumps(found, ensure_ascii=False, indent=2), old, count=1)


def module(whole: str) -> str:
    """Return the checks of ``verify.html`` as a module for the public pages, which so have no other checks than it."""
    code = whole.partition('"use strict";\n')[2].partition("// -- the page\n")[0].rstrip()
    return f"// Made from verify.html by python -m bot.verifier_words.\n{code}\n\nexport {{ verdict }};\n"


if __name__ == "__main__":
    all_words = words(Texts())
    for path, rewrite in ((PROGRAM, program), (PAGE, page)):
        path.write_text(rewrite(path.read_text(encoding="utf-8"), all_words), encoding="utf-8")
    MODULE.write_text(module(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
