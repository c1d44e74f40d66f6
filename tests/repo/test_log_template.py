"""The files that ship the log know every field that the bot writes."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from loguru import logger

from bot.observe.log_lines import DATASET, ecs_lines
from tests.support.bulk import STREAM, unknown_fields

ROOT = Path(__file__).parents[2]
LOGS = ROOT / "deploy" / "logs"
LEVELS = {"trace", "debug", "info", "success", "warning", "error", "critical", "exception", "log"}
PACKAGES = ("bot", "handlers", "play", "telegram", "storage", "api", "questions", "fsm")


def root_name(node: ast.expr) -> str:
    """Return the name at the beginning of a chain such as `logger.bind().opt().error`."""
    while isinstance(node, ast.Call | ast.Attribute):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def labels_of(tree: ast.Module) -> Iterator[str]:
    """Yield the names of the values that a module binds to lines of the log."""
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    for call in ast.walk(tree):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and root_name(call) == "logger"):
            continue
        if call.func.attr not in LEVELS | {"bind", "contextualize"}:
            continue
        for keyword in call.keywords:
            if keyword.arg is not None:
                yield keyword.arg
                continue
            assert isinstance(keyword.value, ast.Call), ast.dump(keyword.value)
            for found in ast.walk(functions[root_name(keyword.value)]):
                if isinstance(found, ast.Dict):
                    yield from (key.value for key in found.keys if isinstance(key, ast.Constant))  # type: ignore[misc]


def labels() -> set[str]:
    """Return the names of all values that the code binds to lines."""
    return {
        name
        for each in PACKAGES
        for file in (ROOT / each).rglob("*.py")
        for name in labels_of(ast.parse(file.read_text()))
    }


def test_every_field_that_the_bot_writes_is_in_the_template() -> None:
    found = labels()
    assert {"trace", "game", "chat", "update"} <= found
    lines: list[str] = []
    form = ecs_lines(version="1", environment="test", roles=("web",), trace_id=lambda _game, _trace: "ab" * 16)
    sink = logger.add(lambda message: lines.append(form(message.record, ())))
    try:
        try:
            raise LookupError("nothing")  # noqa: TRY301
        except LookupError:
            logger.bind(**dict.fromkeys(found, "1")).exception("failed")
    finally:
        logger.remove(sink)
    [line] = lines
    document = json.loads(line)
    assert {"error.stack_trace", "trace.id", *(f"labels.{name}" for name in found)} <= document.keys()
    assert unknown_fields(document) == {}


def test_the_template_knows_a_field_by_its_type_as_well() -> None:
    assert unknown_fields({"process.pid": "many", "log.nothing": 1, "@timestamp": "yesterday", "message": "good"}) == {
        "process.pid": "many", "log.nothing": 1, "@timestamp": "yesterday",
    }  # fmt: skip


def test_template_retention_and_all_ways_of_shipping_name_the_same_stream() -> None:
    template = json.loads((LOGS / "index-template.json").read_text())
    phases = json.loads((LOGS / "lifecycle.json").read_text())["policy"]["phases"]
    assert f"logs-{DATASET}-default" == STREAM
    assert template["index_patterns"] == [f"logs-{DATASET}-*"]
    assert template["template"]["settings"]["index.lifecycle.name"] == "tombola-logs"
    assert phases["hot"]["actions"]["rollover"]["max_age"] == "1d"
    assert phases["delete"] == {"min_age": "30d", "actions": {"delete": {}}}
    assert f'string="{STREAM}"' in (LOGS / "rsyslog.conf").read_text()
    vector: Any = yaml.safe_load((LOGS / "vector.yaml").read_text())
    sink = vector["sinks"]["elasticsearch"]
    assert set(sink["inputs"]) <= vector["transforms"].keys()
    assert {name for each in vector["transforms"].values() for name in each["inputs"]} <= vector["sources"].keys()
    assert "-".join(sink["data_stream"][part] for part in ("type", "dataset", "namespace")) == STREAM
    assert sink["buffer"]["when_full"] == "block"
    beat: Any = yaml.safe_load((LOGS / "filebeat.yml").read_text())
    assert beat["output.elasticsearch"]["index"] == STREAM
    parsers = {name: given for each in beat["filebeat.inputs"][0]["parsers"] for name, given in each.items()}
    assert (parsers["ndjson"]["target"], parsers["ndjson"]["expand_keys"]) == ("", True)


def test_lines_that_are_no_json_have_fields_of_the_template_too() -> None:
    text = (LOGS / "rsyslog.conf").read_text()
    names = {
        name
        for name in ("@timestamp", "message", "host.name", "event.dataset", "service.name")
        if f'\\"{name}\\"' in text
    }
    assert len(names) == 5
    assert unknown_fields(dict.fromkeys(names, "2026-11-30T20:00:00Z")) == {}
