"""``/verify``: a player proves in private, by a signature, that they own a wallet. Groups never see the address."""

import asyncio
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

from fsm.kind import Instant, Rejected
from handlers.context import UpdateContext
from handlers.views.message import Button
from handlers.views.times import moment
from play.texts import Markup
from play.wallets import checksummed, read_address, read_signature, signer
from storage.wallets import VALID_MS, Challenge, WalletTaken

LINK = "verify"
"""Payload of the deep link that opens ``/verify`` in private."""
REMOVE = "remove"
NONCE_BYTES = 16


@dataclass(unsafe_hash=True)
class NothingToSign(Rejected):
    """There is no open challenge: the player has not asked for one, or has already answered it."""


@dataclass(unsafe_hash=True)
class SignedTooLate(Rejected):
    """The signature came after the challenge had expired."""


@dataclass(unsafe_hash=True)
class WrongSigner(Rejected):
    """The signature is from another wallet, or of another text; the two cannot be told apart."""

    address: str


@dataclass(unsafe_hash=True)
class WalletOfAnother(Rejected):
    """The wallet already belongs to another player."""


async def verify(context: UpdateContext) -> None:
    """Handle ``/verify [0xADDRESS | 0xSIGNATURE | remove]``. Raises the refusals of this module and `play.wallets`."""
    given = context.arguments
    if not context.private:
        link = f"https://t.me/{context.deps.bot_username}?start={LINK}"
        await context.answer(
            context.text("wallet-in-private"), [[Button(context.label("wallet-go-private"), url=link)]]
        )
    elif not given:
        await show(context)
    elif given.lower() == REMOVE:
        removed = await context.deps.stores.wallets.remove(context.person.id)
        await context.reply("wallet-removed" if removed else "wallet-none")
    elif (signature := read_signature(given)) is not None:
        await _prove(context, signature)
    elif (address := read_address(given)) is not None:
        await _ask(context, address)
    else:
        await context.reply("wallet-usage")


async def show(context: UpdateContext) -> None:
    """Show the person's wallet and the instructions for verifying one."""
    wallet = await context.deps.stores.wallets.of(context.person.id)
    own = (
        context.text("wallet-none")
        if wallet is None
        else context.text("wallet-yours", address=_shown(wallet.address), when=moment(wallet.verified_at, "D"))
    )
    await context.answer(f"{own}\n\n{context.text('wallet-how')}")


async def _ask(context: UpdateContext, address: str) -> None:
    expires_at = context.received + VALID_MS
    statement = _statement(context, address, expires_at)
    challenge = await context.deps.stores.wallets.ask(
        context.person.id, Challenge(address, statement, expires_at, context.command_id)
    )
    await context.reply(
        "wallet-sign",
        statement=Markup(escape(challenge.statement, quote=False)),
        until=moment(challenge.expires_at, "t"),
    )


def _statement(context: UpdateContext, address: str, expires_at: Instant) -> str:
    """Return the text to sign. Its arguments are not isolated: the invisible isolates would have to be signed too."""
    return str(
        context.text(
            "wallet-statement",
            address=_shown(address),
            player=Markup(context.person.id),
            bot=Markup(context.deps.bot_username),
            nonce=Markup(secrets.token_hex(NONCE_BYTES)),
            until=Markup(datetime.fromtimestamp(expires_at // 1000, UTC).strftime("%Y-%m-%d %H:%M")),
        )
    )


async def _prove(context: UpdateContext, signature: bytes) -> None:
    wallets, player_id = context.deps.stores.wallets, context.person.id
    challenge = await wallets.asked(player_id)
    if challenge is None:
        raise NothingToSign
    if context.received >= challenge.expires_at:
        raise SignedTooLate
    # Some milliseconds of arithmetic go to a thread, so that taps do not wait for them.
    if await asyncio.to_thread(signer, challenge.statement, signature) != challenge.address:
        raise WrongSigner(checksummed(challenge.address))
    try:
        await wallets.put(player_id, challenge.address, context.received)
    except WalletTaken as error:
        raise WalletOfAnother from error
    await context.reply("wallet-verified", address=_shown(challenge.address))
    # Close the challenge last: if anything fails before, the same update can be handled again.
    await wallets.answered(player_id, challenge)


def _shown(address: str) -> Markup:
    return Markup(checksummed(address))
