"""Writes ``docs/phases.md`` from the phase machines of all kinds: ``python -m docs.phases``. A test compares them."""

from collections import defaultdict
from pathlib import Path

from fsm.kind import PhaseMachine
from fsm.registry import KINDS

PAGE = Path(__file__).with_name("phases.md")
HEAD = """\
# Phases

Generated from the phase machines in `fsm/` by `python -m docs.phases`. Don't edit it: a test compares.

An arrow is a command that may lead from one phase to another; a table lists what is legal in each phase, also where
it leads nowhere else. `deadline-passed` is what a timer sends. A command that is not in a phase's row is refused there
with `not-now`.
"""


def page() -> str:
    """The whole page."""
    return "\n".join(
        [HEAD, *(f"## `{kind.name}`\n\n{diagram(kind.machine)}\n{table(kind.machine)}" for kind in KINDS.values())]
    )


def diagram(machine: PhaseMachine) -> str:
    """The changes of phase as a Mermaid state diagram."""
    arrows: dict[tuple[str, str], list[str]] = defaultdict(list)
    for source, command, target in sorted(machine.edges):
        if source != target:
            arrows[source, target].append(command)
    order = machine.phases.index
    ways = sorted(arrows.items(), key=lambda item: (order(item[0][0]), order(item[0][1])))
    lines = [
        f"[*] --> {machine.initial}: open-game",
        *(f"{source} --> {target}: {', '.join(commands)}" for (source, target), commands in ways),
        *(f"{phase} --> [*]" for phase in machine.phases if machine.is_final(phase)),
    ]
    return "```mermaid\nstateDiagram-v2\n" + "".join(f"    {line}\n" for line in lines) + "```\n"


def table(machine: PhaseMachine) -> str:
    """What is legal in each phase."""
    rows = ["| phase | commands |", "|---|---|"]
    for phase in machine.phases:
        commands = sorted({command for source, command, _ in machine.edges if source == phase})
        rows.append(f"| `{phase}` | {', '.join(commands) or 'none: the game is over'} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
