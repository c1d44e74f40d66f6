"""Games and tokens, by the typed client on a running bot."""

import httpx
import pytest

from api.client import Client, Refused
from api.games import JoinBody, OpenBody
from api.tokens import TokenBody
from play.access import Role
from tests.api.conftest import Served


async def test_a_game_is_opened_joined_and_started_by_the_api(served: Served) -> None:
    async with await served.client(Role.HOST, served.chat_id) as host:
        game = await host.open_game(OpenBody(chat_id=served.chat_id, kind="pick_number", rules={"winners": "2"}), "k1")
        again = await host.open_game(OpenBody(chat_id=served.chat_id, kind="pick_number", rules={"winners": "2"}), "k1")
        assert game.id == again.id
        with pytest.raises(Refused) as refused:
            await host.open_game(OpenBody(chat_id=served.chat_id, kind="quiz"), "k1")
        assert refused.value.problem.code == "idempotency-key-reused"
        for person in served.table.people[:2]:
            game = await host.join_game(game.id, JoinBody(person.id, person.first_name))
        game = await host.start_game(game.id)
        assert game.phase == "number_selection"
        assert (await host.get_game(game.id)).rules["winners"] == "2"
        await served.table.says("Player 1")
        with pytest.raises(Refused) as refused:
            await host.join_game(game.id, JoinBody(999, "Stranger"))
        assert refused.value.problem.code == "not-a-member"


async def test_a_token_is_made_limited_and_revoked_by_the_api(served: Served) -> None:
    async with await served.client(Role.OPERATOR) as operator, httpx.AsyncClient(timeout=60) as http:
        made = await operator.create_token(TokenBody(role=Role.VIEWER, chats=[5]), "t")
        assert made.token
        assert (await operator.create_token(TokenBody(role=Role.VIEWER, chats=[5]), "t")).token is None
        viewer = Client(served.url, made.token, http=http)
        assert (await viewer.get_own_token()).prefix == made.prefix
        with pytest.raises(Refused) as refused:
            await viewer.list_games()
        assert refused.value.problem.code == "elsewhere"
        assert (await viewer.list_games(chat=5)) == ([], None)
        await operator.revoke_token(made.prefix)
        with pytest.raises(Refused) as refused:
            await viewer.get_own_token()
        assert refused.value.problem.status == 401
        assert (await http.get(f"{served.url}/api/v1/openapi.json")).json()["openapi"] == "3.1.0"
        assert (await http.get(f"{served.url}/api/v1/nothing")).json()["code"] == "not-found"
