"""Verification of a wallet in the private chat, with the whole bot, the stores and the sandbox."""

from tests.e2e.conftest import Table
from tests.handlers.signing import Wallet


async def test_a_player_proves_a_wallet_in_private_and_the_group_never_sees_it(polled: Table) -> None:
    player, control, wallet = polled.people[1], polled.box.control, Wallet(0xA11CE)
    control.say(player, polled.group, f"/verify {wallet.address}")
    await polled.says("private chat")
    private = control.private(player)
    control.say(player, private, f"/verify {wallet.address}")
    shown = await polled.says("Sign this text", chat=private)
    (text,) = [line for line in str(shown.content["text"]).splitlines() if wallet.address in line]
    control.say(player, private, f"/verify {wallet.sign(text)}")
    await polled.says("Verified", chat=private)
    control.say(player, private, f"/verify {wallet.sign(text)}")
    await polled.says("no text waiting for your signature", chat=private)
    told = control.bot_messages(polled.group, player)
    assert not any(wallet.address in str(message.content) for message in told)
    polled.no_complaints()
