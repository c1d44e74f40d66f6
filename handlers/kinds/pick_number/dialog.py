"""The settings of Pick Your Number in the dialogs."""

from fsm.pick_number import ASSIGN, DROP, KIND, NORMAL, OPEN, REVERSE, SECRETLY
from fsm.proof import POLICIES
from handlers.dialogs.form import CONDITIONS, KindDialog
from play.rules import AUTO

BEFORE = (
    "mode",
    "winners",
    "prize",
    "split",
    "percentages",
    "min_players",
    "max_players",
    "lobby_seconds",
    "join_seconds",
    "selection_seconds",
)

DIALOG = KindDialog(
    kind=KIND,
    new_game=(*BEFORE, "absent", "picks", "numbers", *CONDITIONS),
    settings=(
        *BEFORE,
        "reveal_seconds",
        "absent",
        "picks",
        "beacon_policy",
        "numbers",
        "range_multiplier",
        "max_number",
        *CONDITIONS,
    ),
    presets={
        "mode": (NORMAL, REVERSE),
        "selection_seconds": ("60", "120", "300", "600"),
        "reveal_seconds": ("1", "2", "3", "5"),
        "absent": (DROP, ASSIGN),
        "picks": (OPEN, SECRETLY),
        "beacon_policy": POLICIES,
        "numbers": (AUTO, "50", "100", "500"),
        "range_multiplier": ("2", "3", "5", "10"),
        "max_number": ("100", "500", "1000"),
    },
    ready={
        "quick": {"join_seconds": "20", "selection_seconds": "60"},
        "prize_draw": {
            "min_players": "2",
            "lobby_seconds": "86400",
            "join_seconds": "3600",
            "selection_seconds": "600",
            "absent": ASSIGN,
        },
    },
    chosen_only=frozenset({"mode", "absent", "picks", "beacon_policy"}),
)
