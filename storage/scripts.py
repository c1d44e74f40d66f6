"""Loader of Lua scripts from ``<package>/lua/<name>.lua``, with the files that they include put before them."""

import re
from importlib.resources import files

_INCLUDE = re.compile(r"^-- include (\w+)\n", re.MULTILINE)


def script(package: str, name: str) -> str:
    """Return the text of a package's script; each line ``-- include other`` is replaced by the text of that file."""
    text = (files(package) / "lua" / f"{name}.lua").read_text()
    return _INCLUDE.sub(lambda match: script(package, match[1]), text)
