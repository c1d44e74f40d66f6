"""A draw with a public beacon as a group sees it: two messages to keep, no way to stop it, a proof that fits them."""

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from bot.settings import GAMES
from handlers.kinds.pick_number.settings import PickNumberSection
from sandbox.state import Message
from tests.draw.beacons import CHAIN, PUBLIC_KEY, Relay
from tests.e2e.conftest import Table, seated
from tests.e2e.test_pick_number import finished_in_postgresql
from tests.support.clock import TurnedClock

VERIFY = Path(__file__).parents[2] / "verify.py"


async def asked_for(table: Table, known: set[str]) -> bytes:
    """Ask for the proof; the file is a new one."""
    table.box.control.say(table.host, table.group, "/fair")

    def found() -> Message | None:
        documents = [m for m in table.box.control.bot_messages(table.group) if "document" in m.content]
        return next((m for m in documents if m.content["document"]["file_id"] not in known), None)

    message = await table.until(found)
    known.add(message.content["document"]["file_id"])
    return table.box.world.files[message.content["document"]["file_id"]].content


async def test_a_draw_with_a_beacon_fits_the_messages_that_players_keep_and_nobody_stops_it(
    postgres_dsn: str, redis_dsn: str, tmp_path: Path
) -> None:
    begun = TurnedClock(runs=True).now() // 1000 - 3600
    async with Relay().serving() as relay:
        draw: dict[str, Any] = {
            "beacon_url": relay.url,
            "beacon_chain": CHAIN,
            "beacon_public_key": PUBLIC_KEY,
            "beacon_genesis": begun,
            "beacon_period_seconds": 3,
        }
        games = GAMES.model_validate({"draw": draw, "pick_number": PickNumberSection(reveal_seconds=0.2)})
        async with seated(postgres_dsn, redis_dsn, "polling", games=games) as table:
            game_id = await table.begin()
            sealed = await table.says("The draw is sealed")
            await table.all_choose(game_id)
            final = await table.says("The list is final")
            table.box.control.say(table.host, table.group, "/cancel_game")
            await table.says("can’t be stopped")
            await table.says("🏆")
            assert await finished_in_postgresql(table) == game_id

            known: set[str] = set()
            async with asyncio.timeout(30):
                while (document := json.loads(raw := await asked_for(table, known)))["log"] is None:  # noqa: ASYNC110
                    await asyncio.sleep(0.2)  # the log is written a moment after the result
            path = tmp_path / "proof.json"
            path.write_bytes(raw)
            commitment, digest, round_ = kept(sealed, final)
            assert (document["opening"]["game"], document["closing"]["digest"]) == (game_id, digest)
            assert document["closing"]["round"] == document["beacon"]["round"] == int(round_)
            assert document["opening"]["seeds"]["number"] == 1
            assert sealed.edit_date is None
            assert final.edit_date is None
            head = f"{document['log']['head']['size']}:{document['log']['head']['root']}"
            for arguments, status in (
                (("--commitment", commitment, "--head", head), 0),
                (("--commitment", digest), 1),
            ):
                command = [sys.executable, str(VERIFY), *arguments, str(path)]
                done = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=False)
                assert done.returncode == status
            table.no_complaints()


def kept(sealed: Message, final: Message) -> tuple[str, str, str]:
    """Commitment, digest and round, as a player reads them."""
    (commitment,) = re.findall("[0-9a-f]{64}", str(sealed.content["text"]))
    (digest,) = re.findall("[0-9a-f]{64}", str(final.content["text"]))
    (round_,) = re.findall(r"round (\d+)", str(final.content["text"]))
    return commitment, digest, round_
