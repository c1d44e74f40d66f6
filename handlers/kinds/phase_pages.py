"""Generator of the pages in ``docs/phases``, from the phase machines: ``python -m handlers.kinds.phase_pages``.

``handlers/kinds/check.py`` compares the pages with the machines.
"""

from collections import defaultdict
from pathlib import Path
from typing import Any

from fsm.kind import Kind, PhaseMachine
from fsm.registry import KINDS

FOLDER = Path(__file__).parents[2] / "docs" / "phases"
"""The pages. A container image has no documents, so it lacks this folder."""


def page(kind: Kind[Any]) -> str:
    """Return the page of one kind."""
    return f"# Phases of `{kind.name}`\n\n{diagram(kind.machine)}\n{table(kind.machine)}"


def diagram(machine: PhaseMachine) -> str:
    """Return the changes of phase as a Mermaid state diagram."""
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
    """Return a table of the commands that are legal in each phase."""
    rows = ["| phase | commands |", "|---|---|"]
    for phase in machine.phases:
        commands = sorted({command for source, command, _ in machine.edges if source == phase})
        rows.append(f"| `{phase}` | {', '.join(commands) or 'none: the game is over'} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    for kind in KINDS.values():
        (FOLDER / f"{kind.name}.md").write_text(page(kind), encoding="utf-8")
