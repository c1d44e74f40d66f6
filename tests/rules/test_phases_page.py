"""The documentation's state diagrams equal those of the machines."""

from fsm.registry import KINDS
from handlers.kinds.phase_pages import FOLDER, page


def test_the_pages_of_phases_are_what_the_machines_say() -> None:
    for kind in KINDS.values():
        assert (FOLDER / f"{kind.name}.md").read_text() == page(kind), "run: python -m handlers.kinds.phase_pages"


def test_every_phase_of_every_kind_is_reached_from_the_first_and_leads_to_an_end() -> None:
    for kind in KINDS.values():
        edges = {(source, target) for source, _, target in kind.machine.edges}
        reached, before = {kind.machine.initial}, set[str]()
        while reached != before:
            before, reached = reached, reached | {target for source, target in edges if source in reached}
        assert reached == set(kind.machine.phases)
        ended, before = {phase for phase in kind.machine.phases if kind.machine.is_final(phase)}, set()
        assert ended == {"completed", "cancelled"}
        while ended != before:
            before, ended = ended, ended | {source for source, target in edges if target in ended}
        assert ended == set(kind.machine.phases)
