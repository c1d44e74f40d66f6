"""Wallets on a real PostgreSQL, and their pending statements on a real Redis."""

import asyncio

import asyncpg
import pytest
from redis.asyncio import Redis

from storage.connections import Pool
from storage.wallets import Challenge, Wallet, Wallets, WalletTaken

ANN, BEN = 7, 8
NOW = 1_700_000_000_123
ONE, TWO = "0x" + "1" * 40, "0x" + "2" * 40


@pytest.fixture
def wallets(pool: Pool, redis: Redis) -> Wallets:
    return Wallets(pool, redis)


def challenge(command_id: str, address: str = ONE) -> Challenge:
    return Challenge(address, f"«Подпись» for {command_id}", NOW, command_id)


async def test_a_wallet_is_its_players_until_it_is_removed(wallets: Wallets) -> None:
    assert await wallets.of(ANN) is None
    await wallets.put(ANN, ONE, NOW)
    assert await wallets.of(ANN) == Wallet(ONE, NOW)
    assert await wallets.of(BEN) is None
    assert await wallets.remove(ANN) is True
    assert await wallets.remove(ANN) is False
    assert await wallets.of(ANN) is None


async def test_a_wallet_of_another_is_refused_and_changes_nothing(wallets: Wallets) -> None:
    await wallets.put(ANN, ONE, NOW)
    await wallets.put(BEN, TWO, NOW)
    with pytest.raises(WalletTaken):
        await wallets.put(BEN, ONE, NOW + 1)
    assert await wallets.of(ANN) == Wallet(ONE, NOW)
    assert await wallets.of(BEN) == Wallet(TWO, NOW)


async def test_of_many_who_prove_one_wallet_at_once_one_has_it(wallets: Wallets) -> None:
    done = await asyncio.gather(*(wallets.put(player, ONE, NOW) for player in range(1, 11)), return_exceptions=True)
    assert [type(each) for each in done if each is not None] == [WalletTaken] * 9
    assert len([player for player in range(1, 11) if await wallets.of(player)]) == 1


async def test_an_address_is_stored_in_small_letters_or_not_at_all(wallets: Wallets) -> None:
    for wrong in ("0x" + "A" * 40, "0x1", ONE + "1", ""):
        with pytest.raises(asyncpg.CheckViolationError):
            await wallets.put(ANN, wrong, NOW)


async def test_a_later_question_takes_the_place_of_an_earlier_one(wallets: Wallets) -> None:
    await wallets.ask(ANN, challenge("tg:1"))
    assert await wallets.ask(ANN, challenge("tg:2", TWO)) == challenge("tg:2", TWO)
    assert await wallets.asked(ANN) == challenge("tg:2", TWO)
    assert await wallets.asked(BEN) is None


async def test_the_same_command_again_gets_the_same_question(wallets: Wallets) -> None:
    first = await wallets.ask(ANN, challenge("tg:1"))
    again = Challenge(ONE, "another nonce", NOW + 5, "tg:1")
    assert await wallets.ask(ANN, again) == first
    assert await wallets.asked(ANN) == first


async def test_an_answer_ends_its_own_question_and_no_later_one(wallets: Wallets) -> None:
    await wallets.ask(ANN, challenge("tg:1"))
    await wallets.ask(ANN, challenge("tg:2"))
    await wallets.answered(ANN, challenge("tg:1"))
    assert await wallets.asked(ANN) == challenge("tg:2")
    await wallets.answered(ANN, challenge("tg:2"))
    assert await wallets.asked(ANN) is None


async def test_removing_a_wallet_ends_the_question_too(wallets: Wallets) -> None:
    await wallets.ask(ANN, challenge("tg:1"))
    await wallets.remove(ANN)
    assert await wallets.asked(ANN) is None
