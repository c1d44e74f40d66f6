"""``/verify``: in private, a player proves by a signature that a wallet is theirs. No address is shown in a group."""

import asyncio
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

from fsm.kind import Instant, Rejected
from handlers.context import UpdateContext
from handlers.views.message import Button
from handlers.written import moment
from play.texts import Markup
from play.wallets import checksummed, read_address, read_signature, signer
from storage.wallets import VALID_MS, Challenge, WalletTaken

LINK = "verify"
"""What ``/start`` gets by the link that leads here."""
REMOVE = "remove"
NONCE_BYTES = 16


@dataclass(unsafe_hash=True)
class NothingToSign(Rejected):
    """No signature is waited for: none was asked for, or it has been given."""


@dataclass(unsafe_hash=True)
class SignedTooLate(Rejected):
    """The text was good for a quarter of an hour."""


@dataclass(unsafe_hash=True)
class WrongSigner(Rejected):
    """Another wallet has signed, or another text was signed: a signature does not tell which."""

    address: str


@dataclass(unsafe_hash=True)
class WalletOfAnother(Rejected):
    """Another player has verified the wallet."""


async def verify(context: UpdateContext) -> None:
    """``/verify [0xADDRESS | 0xSIGNATURE | remove]``. Raises the refusals here and in ``play.wallets``."""
    given = context.arguments
    if not context.private:
        link = f"https://t.me/{context.deps.bot_username}?start={LINK}"
        await context.answer(
            context.text("wallet-in-private"), [[Button(context.label("wallet-go-private"), url=link)]]
        )
    elif not given:
        await show(context)
    elif given.lower() == REMOVE:
        removed = await context.deps.wallets.remove(context.person.id)
        await context.reply("wallet-removed" if removed else "wallet-none")
    elif (signature := read_signature(given)) is not None:
        await _prove(context, signature)
    elif (address := read_address(given)) is not None:
        await _ask(context, address)
    else:
        await context.reply("wallet-usage")


async def show(context: UpdateContext) -> None:
    """The person's wallet, and how one is verified."""
    wallet = await context.deps.wallets.of(context.person.id)
    own = (
        context.text("wallet-none")
        if wallet is None
        else context.text("wallet-yours", address=_shown(wallet.address), when=moment(wallet.verified_at, "D"))
    )
    await context.answer(f"{own}\n\n{context.text('wallet-how')}")


async def _ask(context: UpdateContext, address: str) -> None:
    expires_at = context.received + VALID_MS
    statement = _statement(context, address, expires_at)
    challenge = await context.deps.wallets.ask(
        context.person.id, Challenge(address, statement, expires_at, context.command_id)
    )
    await context.reply(
        "wallet-sign",
        statement=Markup(escape(challenge.statement, quote=False)),
        until=moment(challenge.expires_at, "t"),
    )


def _statement(context: UpdateContext, address: str, expires_at: Instant) -> str:
    """What is to be signed. All that it names goes in as it is: a mark that nobody sees would be signed as well."""
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
    wallets, player_id = context.deps.wallets, context.person.id
    challenge = await wallets.asked(player_id)
    if challenge is None:
        raise NothingToSign
    if context.received >= challenge.expires_at:
        raise SignedTooLate
    # Some milliseconds of arithmetic: taps don't wait for it.
    if await asyncio.to_thread(signer, challenge.statement, signature) != challenge.address:
        raise WrongSigner(checksummed(challenge.address))
    try:
        await wallets.put(player_id, challenge.address, context.received)
    except WalletTaken as error:
        raise WalletOfAnother from error
    await context.reply("wallet-verified", address=_shown(challenge.address))
    # Last: whatever fails before, the same update proves the same again.
    await wallets.answered(player_id, challenge)


def _shown(address: str) -> Markup:
    return Markup(checksummed(address))
