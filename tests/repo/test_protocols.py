"""A Protocol needs several implementations; with a single one, its own type is enough."""

import ast
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("fsm", "questions", "storage", "telegram", "play", "handlers", "api", "sandbox", "bot")
IMPLEMENTED = {
    "bot.bridge.broker.Broker": ("bot.bridge.nats_jetstream.NatsJetStream", "bot.bridge.rabbitmq.RabbitMQ"),
    "bot.ingest.connection.Served": ("bot.ingest.connection.WebhookConnection", "bot.ingest.http.UvicornConnection"),
    "fsm.engine.Clock": ("bot.clock.SystemClock", "tests.support.clock.TurnedClock"),
    "fsm.engine.Entropy": ("bot.clock.SystemEntropy", "tests.engine.memory.CountedSeeds"),
    "fsm.engine.GameStore": ("storage.games.RedisGames", "storage.breakers.GuardedStore"),
    "fsm.engine.Promise": ("asyncio.Future", "handlers.taps._TapPromise"),
    "fsm.lobby.LobbyRules": ("fsm.pick_number.PickNumberRules", "fsm.quiz.QuizRules"),
    "fsm.prizes.PrizeRules": ("fsm.pick_number.PickNumberRules", "fsm.quiz.QuizRules"),
    "handlers.kinds.face.Board": ("handlers.kinds.pick_number.view.board", "handlers.kinds.quiz.view.board"),
    "handlers.kinds.face.OwnBoard": (
        "handlers.kinds.pick_number.view.own_board",
        "handlers.kinds.quiz.view.own_board",
    ),
    "storage.breakers.Breaker": ("storage.breakers.Circuit", "telegram.client.BotApi"),
}
"""Protocol -> two of its implementations."""


def protocols() -> set[str]:
    """Return the dotted names of all Protocols in our packages."""
    found = set()
    for package in PACKAGES:
        for file in (ROOT / package).rglob("*.py"):
            module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.ClassDef) and any(_is_protocol(base) for base in node.bases):
                    found.add(f"{module}.{node.name}")
    return found


def _is_protocol(base: ast.expr) -> bool:
    return ast.unparse(base).partition("[")[0] == "Protocol"


def test_every_protocol_has_two_implementations() -> None:
    assert protocols() == IMPLEMENTED.keys()


@pytest.mark.parametrize("protocol", IMPLEMENTED)
def test_what_implements_a_protocol_is_there_and_has_all_of_its_methods(protocol: str) -> None:
    wanted, *implementations = (_found(name) for name in (protocol, *IMPLEMENTED[protocol]))
    assert len(set(implementations)) == 2
    for implementation in implementations:
        fields = getattr(implementation, "__dataclass_fields__", {})
        assert all(hasattr(implementation, name) or name in fields for name in _asked(wanted))


def _asked(protocol: type) -> set[str]:
    """Return the names that a Protocol requires."""
    named = {*vars(protocol), *vars(protocol).get("__annotations__", {})}
    return {name for name in named if not name.startswith("_") or name == "__call__"}


def _found(name: str) -> type:
    module, _, attribute = name.rpartition(".")
    found: type = getattr(import_module(module), attribute)
    return found
