"""A thousand concurrent games on a simulated clock, against the sandbox's count of Telegram's limits."""

from redis.asyncio import Redis

from benchmarks.sending import Season
from storage.keys import send_base
from telegram.limits import Priority


async def test_a_thousand_games_cause_no_429_and_results_come_at_once(redis: Redis) -> None:
    await redis.set(f"{send_base()}:fence", 1)
    season = Season(redis, seed=7)
    await season.play(15)

    sent = sum(map(len, season.waits.values()))
    assert season.refused == []
    assert sent > 15 * 22
    assert max(season.waits[Priority.URGENT]) < 6_000
    assert season.waits[Priority.COSMETIC]
