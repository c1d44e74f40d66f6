"""Schemathesis against a running server, REST and GraphQL, with a token of every role, limited to a chat and not.

python -m tests.api.run_schemathesis [--examples 10] [--sequences 50] [--seed 1]

Schemathesis makes requests from `openapi.json`, valid and invalid ones, and sequences of requests along its links, and
queries from the schema of GraphQL. A response must be documented, with its schema, and never be a 5xx. The stores are
embedded, Telegram is the sandbox.
"""

import argparse
import asyncio
import json
import os
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import product
from pathlib import Path
from typing import Any, Final

from loguru import logger

import bot.lazy_aiogram  # noqa: F401 -- must precede the import of aiogram
from api.games import JoinBody, OpenBody
from api.jobs import ImportBody
from api.tokens import TokenBody
from api.webhooks import EndpointBody, SourceBody
from bot.settings import Api
from play.access import Role
from storage.embedded import embedded_postgres, embedded_redis
from storage.keys import rate_key
from storage.migrate import upgrade
from tests.api.conftest import Served
from tests.e2e.conftest import seated

REST: Final = "v1/openapi.json"
GRAPHQL: Final = "graphql"
LOCAL: Final = "http://127.0.0.1:1025/"
"""An address of a receiver that is down."""
ROOT: Final = Path(__file__).parents[2]
TALLY: Final = re.compile(r"([\d,]+) generated")
PEACE: Final = 0.1
"""Seconds after which the rate of requests without a token is forgotten: schemathesis makes many of them."""


async def world(served: Served) -> dict[str, list[Any]]:
    """Make one thing of every sort that a path names. Returns values of parameters and fields by their names."""
    chat, people = served.chat_id, served.table.people
    async with await served.client(Role.HOST, chat) as host, await served.client(Role.OPERATOR) as operator:
        for game in (await operator.list_games(chat=chat, live=True))[0]:
            await operator.force_end_game(game.id)
        for person in people:
            await operator.unban(person.id)
            await operator.unban_in_chat(chat, person.id)
        ended = await host.open_game(OpenBody(chat_id=chat, kind="pick_number"))
        await host.cancel_game(ended.id)
        live = await host.open_game(OpenBody(chat_id=chat, kind="pick_number"))
        await host.join_game(live.id, JoinBody(people[1].id, "Ann"))
        for left in await host.list_packs(chat):
            await host.delete_pack(chat, left.id)
        for endpoint in await host.list_webhooks(chat):
            await host.remove_webhook(chat, endpoint.id)
        for source in await host.list_sources(chat):
            await host.remove_source(chat, source.id)
        pack = await host.upload_pack(chat, b"question,answer,wrong 1\n2 + 2?,4,5\n", filename="a.csv", name="Sums")
        added = await host.add_webhook(chat, EndpointBody(url=LOCAL))
        example = await host.send_webhook_example(chat, added.id)
        caller = await host.add_source(chat, SourceBody())
        started = await host.import_pack(chat, ImportBody(url=LOCAL))
        tokens = [(await operator.create_token(TokenBody(role=Role.VIEWER))).prefix for _ in range(2)]
    return {
        "chat": [chat],
        "chat_id": [chat],
        "game": [live.id, ended.id],
        "player": [each.id for each in people],
        "player_id": [each.id for each in people],
        "pack": [pack.id],
        "endpoint": [added.id],
        "delivery": [example.delivery],
        "source": [caller.id],
        "job": [started.job],
        "token": tokens,
        "kind": ["pick_number", "quiz", "coin_flip"],
        "url": [LOCAL],
        "filename": ["a.csv", "a.json"],
    }


async def run(
    served: Served, token: str, known: Mapping[str, Any], *, examples: int, phases: str, seed: int
) -> tuple[int, int, str]:
    """Run schemathesis with a token. Returns its exit code, the number of requests, and its output."""
    graphql = phases == GRAPHQL
    command = (
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{served.url}/api/{'graphql' if graphql else REST}"),
        *("--header", f"Authorization: Bearer {token}", "--seed", str(seed), "--checks", "all"),
        *("--phases", "fuzzing" if graphql else phases),
        # The hooks have a check that knows which refusals of valid requests are right.
        # Schemathesis takes the refusal of a field for an error of the server.
        *("--exclude-checks", "positive_data_acceptance" + (",not_a_server_error" if graphql else "")),
        *("--max-examples", str(examples), "--continue-on-failure", "--warnings", "off", "--no-color"),
        *("--generation-database", "none", "--suppress-health-check", "all"),
    )
    environment = os.environ | {
        "SCHEMATHESIS_HOOKS": "tests.api.schemathesis_hooks",
        "SCHEMATHESIS_KNOWN": json.dumps(known),
        "PYTHONPATH": str(ROOT),
    }
    with tempfile.TemporaryDirectory() as directory:  # schemathesis leaves files in its working directory
        process = await asyncio.create_subprocess_exec(
            *command, cwd=directory, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        peace = asyncio.create_task(_forget_strangers(served))
        try:
            told = (await process.communicate())[0].decode()
        finally:
            peace.cancel()
    counted = TALLY.search(told)
    assert process.returncode is not None, "it has ended"
    return process.returncode, int(counted[1].replace(",", "")) if counted else 0, told


async def _forget_strangers(served: Served) -> None:
    while True:
        await served.table.bot.redis.delete(rate_key("@127.0.0.1"))
        await asyncio.sleep(PEACE)


@asynccontextmanager
async def serving() -> AsyncIterator[Served]:
    """Run a bot with the API on embedded stores, without limits to the requests of a token."""
    with tempfile.TemporaryDirectory(prefix="tombola-") as directory:
        Path(directory).chmod(0o755)
        async with (
            embedded_postgres(Path(directory), durable=False) as postgres,
            embedded_redis(Path(directory)) as redis,
        ):
            await upgrade(postgres)
            api = Api(requests_per_second=100_000, burst=100_000)
            async with seated(postgres, redis, "polling", api=api, private_networks=("127.0.0.0/8",)) as table:
                yield Served(table, f"http://127.0.0.1:{table.bot.port}")


async def main(options: argparse.Namespace) -> int:
    """Run schemathesis with two tokens of each role. Returns the exit code."""
    failed, total = 0, 0
    async with serving() as served:
        logger.remove()
        await served.met()
        for role, limited in product(options.role or [role.value for role in Role], (False, True)):
            token = await served.token(Role(role), *([served.chat_id] if limited else []))
            rest = (
                ()
                if options.only_graphql
                else (("examples,coverage,fuzzing", options.examples), ("stateful", options.sequences))
            )
            for phases, examples in (*rest, (GRAPHQL, options.queries)):
                known = await world(served)
                code, count, told = await run(served, token, known, examples=examples, phases=phases, seed=options.seed)
                scope = "one chat" if limited else "all chats"
                sys.stdout.write(f"{role}, {scope}, {phases}: {count} requests, exit code {code}\n")
                sys.stdout.flush()
                if code or not count:
                    sys.stdout.write(f"{told}\n")
                failed, total = failed + bool(code or not count), total + count
    sys.stdout.write(f"{total} requests, {failed} runs with failures\n")
    if total < options.least:
        sys.stdout.write(f"fewer than {options.least}\n")
    return int(failed > 0 or total < options.least)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=10, help="random requests of each operation and token")
    parser.add_argument("--sequences", type=int, default=50, help="sequences of requests along links, for each token")
    parser.add_argument("--queries", type=int, default=10, help="random queries of each field of GraphQL and token")
    roles = [role.value for role in Role]
    parser.add_argument("--role", action="append", choices=roles, help="only tokens of this role; repeatable")
    parser.add_argument("--only-graphql", action="store_true", help="leave REST out")
    parser.add_argument("--least", type=int, default=10_000, help="number of requests below which the run has failed")
    parser.add_argument("--seed", type=int, default=1)
    sys.exit(asyncio.run(main(parser.parse_args())))
