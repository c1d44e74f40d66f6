"""The face of the quiz."""

from fsm.quiz import KIND
from handlers.kinds.face import Face
from handlers.kinds.quiz import view
from handlers.kinds.quiz.consumer import consumer
from handlers.kinds.quiz.content import content, sample
from handlers.kinds.quiz.pace import note
from handlers.kinds.quiz.recheck import recheck
from handlers.kinds.quiz.verbs import VERBS, moves

FACE = Face(
    kind=KIND,
    board=view.board,
    own_board=view.own_board,
    verbs=VERBS,
    moves=moves,
    dialog="handlers.kinds.quiz.dialog",
    commands="handlers.kinds.quiz.commands",
    dialogs="handlers.kinds.quiz.pack_dialog",
    router="handlers.kinds.quiz.router",
    content=content,
    sample=sample,
    consumer=consumer,
    recheck=recheck,
    apart=view.apart,
    closed=view.closed,
    rules_text=view.rules,
    note=note,
    step=view.step,
    begins_with_board=view.begins_with_board,
)
