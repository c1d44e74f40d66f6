"""/verify: only the owner of a wallet can register it; through the real dispatcher on real stores."""

import html
import re

import pytest

from storage.wallets import VALID_MS
from tests.handlers.room import ANN, BEN, BOT, GROUP, HOST, OPERATOR, Room, text
from tests.handlers.signing import SPOILT, Wallet, altered, of_nobody

WALLET, OTHER = Wallet(0xA11CE), Wallet(0xB0B)


async def asked(room: Room, wallet: Wallet = WALLET, *, by: int = ANN) -> str:
    """Return the statement that the bot asks to have signed."""
    await room.say(f"/verify {wallet.address}", by=by, chat=by)
    return statement_of(await sent_text(room))


async def sent_text(room: Room) -> str:
    """Return the single answer, including its invisible marks."""
    (outgoing,) = await room.sent()
    said: str = outgoing.params["text"]
    return said


def statement_of(answer: str) -> str:
    """Return the statement in the form that a tap on it copies."""
    found = re.search(r"<code>(.*?)</code>", answer, re.DOTALL)
    assert found is not None
    return html.unescape(found[1])


async def verified(room: Room, wallet: Wallet = WALLET, *, by: int = ANN) -> None:
    statement = await asked(room, wallet, by=by)
    await room.say(f"/verify {wallet.sign(statement)}", by=by, chat=by)
    assert await room.answer() == text("wallet-verified", address=wallet.address)


async def address_of(room: Room, player_id: int = ANN) -> str | None:
    wallet = await room.deps.stores.wallets.of(player_id)
    return None if wallet is None else wallet.address


async def refused(room: Room, signature: str, refusal: str, *, by: int = ANN, **arguments: str) -> None:
    """Check that the signature is refused with this text, and no wallet is stored."""
    before = await address_of(room, by)
    await room.say(f"/verify {signature}", by=by, chat=by)
    assert await room.answer() == text(f"rejected-{refusal}", **arguments)
    assert await address_of(room, by) == before


# -- registration -----------------------------------------------------------------------------------------------


async def test_a_player_proves_a_wallet_and_sees_it_and_lets_it_go(room: Room) -> None:
    await room.say("/verify", chat=ANN)
    assert await room.answer() == f"{text('wallet-none')}\n\n{text('wallet-how')}"
    await verified(room)
    assert await address_of(room) == WALLET.address.lower()
    await room.say("/verify", chat=ANN)
    assert f"<code>{WALLET.address}</code>" in await room.answer()
    await room.say("/verify REMOVE", chat=ANN)
    assert await room.answer() == text("wallet-removed")
    assert await address_of(room) is None
    await room.say("/verify remove", chat=ANN)
    assert await room.answer() == text("wallet-none")


async def test_what_is_signed_names_everything_that_it_is_bound_to_and_is_new_each_time(room: Room) -> None:
    first, second = await asked(room), await asked(room)
    for part in (WALLET.address, str(ANN), f"@{BOT}", "2027-01-15 08:15"):
        assert part in first
    assert re.search(r"\b[0-9a-f]{32}$", first)
    assert first != second


async def test_the_way_is_told_in_the_language_of_the_player(room: Room) -> None:
    await room.say("/language ru", chat=ANN)
    await room.sent()
    await room.say(f"/verify {WALLET.address}", chat=ANN)
    answer = await sent_text(room)
    assert answer.startswith(text("wallet-sign", "ru", statement="|", until="").split("<code>", maxsplit=1)[0])
    statement = statement_of(answer)
    assert "Кошелёк" in statement
    await room.say(f"/verify {WALLET.sign(statement)}", chat=ANN)
    assert await room.answer() == text("wallet-verified", "ru", address=WALLET.address)
    await room.say(f"/verify {WALLET.sign(statement)}", chat=ANN)
    assert await room.answer() == text("rejected-nothing-to-sign", "ru")


@pytest.mark.parametrize("locale", ["en", "ru"])
async def test_a_text_to_sign_survives_being_copied(room: Room, locale: str) -> None:
    await room.deps.stores.people.set_player_locale(ANN, locale)
    statement = await asked(room)
    kept = await room.deps.stores.wallets.asked(ANN)
    assert kept is not None
    assert statement == kept.statement
    assert "\n" not in statement
    assert statement == " ".join(statement.split())
    assert statement.isprintable()


@pytest.mark.parametrize("form", [str.lower, lambda address: "0x" + address[2:].upper()], ids=["small", "capital"])
async def test_an_address_without_a_checksum_is_taken(room: Room, form: object) -> None:
    assert callable(form)
    await room.say(f"/verify {form(WALLET.address)}", chat=ANN)
    assert WALLET.address in statement_of(await sent_text(room))


# -- refusals ---------------------------------------------------------------------------------------------------


async def test_a_wrong_checksum_is_refused(room: Room) -> None:
    place = next(i for i in range(2, 42) if WALLET.address[i].isalpha())
    mistyped = WALLET.address[:place] + WALLET.address[place].swapcase() + WALLET.address[place + 1 :]
    await room.say(f"/verify {mistyped}", chat=ANN)
    assert await room.answer() == text("rejected-wrong-checksum")
    assert await room.deps.stores.wallets.asked(ANN) is None


async def test_a_signature_of_another_wallet_or_text_is_refused_and_may_be_tried_again(room: Room) -> None:
    statement = await asked(room)
    await refused(room, OTHER.sign(statement), "wrong-signer", address=WALLET.address)
    await refused(room, WALLET.sign(statement + "\n"), "wrong-signer", address=WALLET.address)
    await room.say(f"/verify {WALLET.sign(statement)}", chat=ANN)
    assert await room.answer() == text("wallet-verified", address=WALLET.address)


async def test_a_signature_counts_once(room: Room) -> None:
    statement = await asked(room)
    await refused(room, WALLET.sign("nothing that was asked"), "wrong-signer", address=WALLET.address)
    await room.say(f"/verify {WALLET.sign(statement)}", chat=ANN)
    await room.say("/verify remove", chat=ANN)
    await room.sent()
    await refused(room, WALLET.sign(statement), "nothing-to-sign")
    await asked(room)
    await refused(room, WALLET.sign(statement), "wrong-signer", address=WALLET.address)


async def test_letting_go_also_takes_back_what_was_to_be_signed(room: Room) -> None:
    statement = await asked(room)
    await room.say("/verify remove", chat=ANN)
    await room.sent()
    await refused(room, WALLET.sign(statement), "nothing-to-sign")


async def test_a_signature_for_one_player_counts_for_no_other(room: Room) -> None:
    anns = await asked(room)
    await refused(room, WALLET.sign(anns), "nothing-to-sign", by=BEN)
    await asked(room, by=BEN)
    await refused(room, WALLET.sign(anns), "wrong-signer", by=BEN, address=WALLET.address)


async def test_a_signature_comes_too_late_from_the_very_moment_that_the_text_names(room: Room) -> None:
    statement = await asked(room)
    room.clock.at += VALID_MS
    await refused(room, WALLET.sign(statement), "signed-too-late")
    room.clock.at -= 1
    await room.say(f"/verify {WALLET.sign(statement)}", chat=ANN)
    assert await room.answer() == text("wallet-verified", address=WALLET.address)


async def test_redis_forgets_what_nobody_signs(room: Room) -> None:
    await asked(room)
    (key,) = [key async for key in room.redis.scan_iter("tombola:challenge:*")]
    assert VALID_MS < await room.redis.pttl(key) <= 4 * VALID_MS


async def test_the_second_form_of_a_signature_is_refused(room: Room) -> None:
    statement = await asked(room)
    await refused(room, altered(WALLET.parts(statement)), "altered-signature")


async def test_what_no_wallet_gives_is_refused(room: Room) -> None:
    statement = await asked(room)
    for spoil in SPOILT.values():
        await refused(room, spoil(*WALLET.parts(statement)), "malformed-signature")
    await refused(room, of_nobody(statement), "malformed-signature")


async def test_a_wallet_of_another_player_is_refused_until_they_let_it_go(room: Room) -> None:
    await verified(room)
    statement = await asked(room, by=BEN)
    await refused(room, WALLET.sign(statement), "wallet-of-another", by=BEN)
    assert await address_of(room, ANN) == WALLET.address.lower()
    await room.say("/verify remove", chat=ANN)
    await room.sent()
    await room.say(f"/verify {WALLET.sign(statement)}", by=BEN, chat=BEN)
    assert await room.answer() == text("wallet-verified", address=WALLET.address)


async def test_a_new_wallet_takes_the_place_of_the_old_which_is_free_again(room: Room) -> None:
    await verified(room)
    await verified(room)
    await verified(room, OTHER)
    assert await address_of(room) == OTHER.address.lower()
    await verified(room, by=BEN)


@pytest.mark.parametrize(
    "words",
    [
        "hello",
        "removed",
        "0x",
        "0x00",
        "<b>0x</b>",
        "'; DROP TABLE wallets; --",
        "\0\u202e",
        "0x" + "f" * 129,
        "0x" + "f" * 131,
        "0x" + "g" * 40,
        "f" * 4000,
        "٠x" + "0" * 40,
        f"{WALLET.address} {WALLET.address}",
        f"{WALLET.address}\u200b",
    ],
)
async def test_what_is_neither_address_nor_signature_is_answered_with_how_to_write_it(room: Room, words: str) -> None:
    await room.say(f"/verify {words}", chat=ANN)
    assert await room.answer() == text("wallet-usage")
    assert room.errors == []


# -- repeated updates and other people --------------------------------------------------------------------------


async def test_an_address_that_is_delivered_twice_keeps_the_text_that_was_shown(room: Room) -> None:
    raw = {"update_id": 7, "message": room.message(f"/verify {WALLET.address}", chat=ANN)}
    await room.deliver(raw)
    await room.deliver(raw)
    statement = statement_of(await sent_text(room))
    await room.say(f"/verify {WALLET.sign(statement)}", chat=ANN)
    assert await room.answer() == text("wallet-verified", address=WALLET.address)


async def test_a_signature_that_is_delivered_twice_is_answered_once(room: Room) -> None:
    statement = await asked(room)
    raw = {"update_id": 7, "message": room.message(f"/verify {WALLET.sign(statement)}", chat=ANN)}
    await room.deliver(raw)
    await room.deliver(raw)
    assert await room.answer() == text("wallet-verified", address=WALLET.address)
    assert await address_of(room) == WALLET.address.lower()


@pytest.mark.parametrize("words", ["", f" {WALLET.address}", " remove", " 0x" + "1" * 130])
@pytest.mark.parametrize("name", ["", f"@{BOT}"])
async def test_in_a_group_the_way_to_the_private_chat_is_shown_and_no_address(
    room: Room, words: str, name: str
) -> None:
    await verified(room)
    await room.say(f"/verify{name}{words}", chat=GROUP)
    (answer,) = await room.sent()
    assert answer.params["text"] == text("wallet-in-private")
    (((button,),),) = [answer.params["reply_markup"]["inline_keyboard"]]
    assert button["url"] == f"https://t.me/{BOT}?start=verify"
    assert await address_of(room) == WALLET.address.lower()
    await room.say("/start verify", chat=ANN)
    assert WALLET.address in await room.answer()


async def test_nobody_sees_the_wallet_of_another(room: Room) -> None:
    await verified(room)
    for stranger in (BEN, HOST, OPERATOR):
        await room.say("/verify", by=stranger, chat=stranger)
        assert WALLET.address not in await room.answer()


async def test_a_banned_player_verifies_nothing(room: Room) -> None:
    await room.deps.stores.people.ban(0, ANN, OPERATOR, "cheats")
    await room.say(f"/verify {WALLET.address}", chat=ANN)
    assert await room.answer() == text("rejected-banned")
    assert await room.deps.stores.wallets.asked(ANN) is None
