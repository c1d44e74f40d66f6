"""Code shared by the Python baselines: the pick as one Lua call, and the toast."""

from pathlib import Path

from redis.asyncio import Redis

PICK = (Path(__file__).parent / "pick.lua").read_text()
FEED = "base:feed"


def keys_of(game_id: str) -> list[str]:
    """Return the keys of a game, in the order that the script expects."""
    return [f"base:{game_id}", f"base:{game_id}:players", f"base:{game_id}:owners", f"base:{game_id}:picks", FEED]


class Picks:
    """Client that picks numbers, with one script call for each tap."""

    def __init__(self, redis: Redis) -> None:
        self._script = redis.register_script(PICK)

    async def pick(self, game_id: str, player_id: int, number: int, query_id: str) -> str:
        """Pick a number. Returns the outcome once Redis has made it durable."""
        update_id = int(query_id) // 4096
        answer = await self._script(keys=keys_of(game_id), args=[player_id, number, update_id, game_id])
        return bytes(answer).decode()


def toast(outcome: str, number: int) -> str:
    """Return the toast that the player sees."""
    return f"You have {number}." if outcome == "done" else f"No: {outcome}."
