"""The face of Pick Your Number."""

from fsm.pick_number import KIND, prove
from handlers.kinds.face import Face
from handlers.kinds.pick_number import view
from handlers.kinds.pick_number.consumer import consumer
from handlers.kinds.pick_number.content import content
from handlers.kinds.pick_number.recheck import recheck
from handlers.kinds.pick_number.verbs import VERBS, moves

FACE = Face(
    kind=KIND,
    board=view.board,
    own_board=view.own_board,
    verbs=VERBS,
    moves=moves,
    dialog="handlers.kinds.pick_number.dialog",
    commands="handlers.kinds.pick_number.commands",
    content=content,
    consumer=consumer,
    prove=prove,
    recheck=recheck,
    pages=view.pages,
    apart=view.apart,
    late=view.late,
    step=view.step,
    proof_text=view.proof_summary,
    own_line=view.own_line,
)
