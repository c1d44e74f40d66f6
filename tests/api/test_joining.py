"""People whom the API may not let into a game, or move in it: those who are gone, and those who miss a condition."""

from typing import Any

import pytest

from api.client import Client
from api.games import JoinBody, OpenBody
from play.access import Role
from storage import keys
from tests.api.conftest import Served


async def refusal(client: Client, path: str, body: dict[str, Any]) -> str:
    """Make a request that is refused. Returns the code of the refusal."""
    answer = await client.send("POST", path, body=body)
    assert answer.status_code >= 400, answer.text
    return str(answer.json()["code"])


async def forget(served: Served, person: int) -> None:
    """Let the known answer about a person be too old to be used."""
    await served.table.bot.redis.delete(keys.member_key(served.chat_id, person))


@pytest.mark.parametrize("status", ["left", "kicked"])
@pytest.mark.parametrize("kind", ["pick_number", "quiz"])
async def test_a_token_makes_no_move_for_somebody_who_is_gone(served: Served, kind: str, status: str) -> None:
    table, (_, gone, there, idle, *_) = served.table, served.table.people
    rules = {"pick_number": {"numbers": "10"}, "quiz": {"questions": "1", "question_seconds": "600"}}
    async with await served.client(Role.HOST, served.chat_id) as host:
        game = await host.open_game(OpenBody(chat_id=served.chat_id, kind=kind, rules=rules[kind]))
        for person in (gone, there, idle):  # the idle one keeps the choice open
            await host.join_game(game.id, JoinBody(person.id, person.name))
        assert (await host.start_game(game.id)).players == 3
        # The world changes and the bot hears nothing of it, like a bot without administrator rights.
        table.group.members[gone.id].status = status  # type: ignore[assignment]
        await forget(served, gone.id)
        paths = {"pick_number": ("picks", {"number": 3}), "quiz": ("answers", {"question": 0, "choice": 0})}
        path, move = paths[kind]
        assert await refusal(host, f"/games/{game.id}/{path}", {"player_id": gone.id, **move}) == "not-a-member"
        done = await host.send("POST", f"/games/{game.id}/{path}", body={"player_id": there.id, **move})
        assert done.status_code < 300, done.text
        await host.cancel_game(game.id)
        again = await host.open_game(OpenBody(chat_id=served.chat_id, kind=kind, rules=rules[kind]))
        body = {"player_id": gone.id, "name": gone.name}
        assert await refusal(host, f"/games/{again.id}/players", body) == "not-a-member"


async def test_a_join_by_the_api_is_refused_with_the_code_of_the_condition(served: Served) -> None:
    table, control = served.table, served.table.box.control
    control.add_bot(table.group, table.host, admin=True)
    channel = control.add_channel("News", "tombola_news", table.host, bot_admin=True)
    person = table.people[1]
    conditions = {
        "not-in-channel": {"channel": "@tombola_news"},
        "known-too-short": {"known_days": "7"},
        "no-boost": {"booster": "yes"},
        "premium-unknown": {"premium": "yes"},
    }
    found = []
    async with await served.client(Role.HOST, served.chat_id) as host:
        for rules in conditions.values():
            game = await host.open_game(OpenBody(chat_id=served.chat_id, kind="pick_number", rules=rules))
            body = {"player_id": person.id, "name": person.name}
            found.append(await refusal(host, f"/games/{game.id}/players", body))
            await host.cancel_game(game.id)
        assert found == list(conditions)
        control.join(channel, person)
        control.boost(table.group, person)
        await table.bot.redis.delete(
            keys.member_key("@tombola_news", person.id), keys.booster_key(served.chat_id, person.id)
        )
        rules = {"channel": "@tombola_news", "booster": "yes"}
        game = await host.open_game(OpenBody(chat_id=served.chat_id, kind="pick_number", rules=rules))
        joined = await host.join_game(game.id, JoinBody(person.id, person.name))
        assert joined.players == 1
