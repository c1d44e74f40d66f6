"""Loader of Lua scripts from ``<package>/lua/<name>.lua``, with the files that they include put before them."""

import re
from importlib.resources import files

_CONSTANT = re.compile(r"^-- constant (\w+)\n", re.MULTILINE)
_INCLUDE = re.compile(r"^-- include (\w+)\n", re.MULTILINE)


def script(package: str, name: str, **constants: int) -> str:
    """Return the text of a package's script.

    Each line ``-- include other`` is replaced by the text of that file, and each line ``-- constant NAME`` by a local
    variable with the value given here.

    Raises:
        KeyError: the script has a constant that is not given.
    """
    text = (files(package) / "lua" / f"{name}.lua").read_text()
    text = _CONSTANT.sub(lambda match: f"local {match[1]} = {constants[match[1]]}\n", text)
    return _INCLUDE.sub(lambda match: script(package, match[1]), text)
