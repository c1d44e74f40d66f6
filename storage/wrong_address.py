"""Faults of a store's address that waiting does not cure: another protocol, TLS on one side alone, an unknown host.

The errors of the clients for these faults look like those of a server that is starting, so that a start would wait for
a long time before it reported them.
"""

import asyncio
import contextlib
import socket
import ssl

ANSWER_SECONDS = 1.0
"""Time limit of each question to an address that has failed."""
POSTGRES_TLS = bytes.fromhex("0000000804d2162f")
"""SSLRequest of PostgreSQL's protocol. The server answers with the letter S or N."""
TLS_ALERT = b"\x15\x03"
"""First bytes of a TLS server's answer to something else than TLS."""
INTERRUPTED = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
"""TLS errors of a connection that was lost during the handshake, as of a server that is restarting."""
UNKNOWN_HOST = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})
"""Codes of a definite answer of DNS. EAI_AGAIN is none: the name server itself did not answer."""


class WrongAddress(ConnectionError):
    """The address leads to no usable server. The text is one clause for the operator, without any secret."""


def lasting(error: BaseException | None) -> WrongAddress | None:
    """Return the fault if an error, or one that led to it, shows that waiting does not help; else None."""
    while error is not None:
        if isinstance(error, WrongAddress):
            return error
        reason = getattr(
            error, "reason", None
        )  # aiohttp's errors are SSLErrors too, but only their causes have a reason
        if isinstance(error, ssl.SSLCertVerificationError) and reason:
            return WrongAddress(f"certificate verify failed: {error.verify_message}")
        if isinstance(error, ssl.SSLError) and not isinstance(error, INTERRUPTED) and reason:
            return WrongAddress(f"the TLS handshake failed: {reason.replace('_', ' ').lower()}")
        if isinstance(error, socket.gaierror) and error.errno in UNKNOWN_HOST:
            return WrongAddress("its host is unknown")
        if "rejected SSL upgrade" in str(error):  # asyncpg has no class for it
            return WrongAddress("the server speaks without TLS, which sslmode requires")
        error = error.__cause__ or error.__context__
    return None


async def diagnosed(host: str, port: int, *, wanted: str, tls: bool) -> WrongAddress | None:
    """Find out which program answers at an address that has failed. Returns None if the wanted server may be starting.

    Args:
        host: name or address of the host.
        port: its TCP port.
        wanted: the server that should be there: `Redis` or `PostgreSQL`.
        tls: True if it was addressed by TLS.
    """
    plain = _named(await _answer(host, port, b"PING\r\n\r\n"))
    if plain == wanted == "Redis":
        return WrongAddress("the server does not use TLS at this port: write redis://") if tls else None
    if not plain and wanted != "PostgreSQL" and await _answer(host, port, POSTGRES_TLS) in {b"S", b"N"}:
        plain = "PostgreSQL"
    if plain in {"", "TLS"} and wanted == "Redis" and not tls and await _speaks_tls(host, port):
        return WrongAddress("the server uses TLS: write rediss://")
    return WrongAddress(f"{plain} answers there instead of {wanted}") if plain not in {"", "TLS", wanted} else None


async def _answer(host: str, port: int, question: bytes) -> bytes:
    """Return the first bytes that the address answers; empty if it answers nothing in time."""
    with contextlib.suppress(OSError):  # includes TimeoutError
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
            with contextlib.closing(writer):
                writer.write(question)
                return await reader.read(64)
    return b""


async def _speaks_tls(host: str, port: int) -> bool:
    """Return True if a TLS handshake gets an answer of TLS, whichever certificate the server has."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with contextlib.suppress(OSError):
        async with asyncio.timeout(ANSWER_SECONDS):
            _, writer = await asyncio.open_connection(host, port, ssl=context)
            writer.close()
            return True
    return False


def _named(answer: bytes) -> str:
    """Return a name for the kind of server that gives this answer to `PING`; empty if it gives none."""
    if answer.startswith((b"+PONG", b"-NOAUTH", b"-LOADING", b"-DENIED", b"-ERR", b"-MASTERDOWN")):
        return "Redis"
    if answer.startswith(TLS_ALERT):
        return "TLS"
    if answer.startswith(b"HTTP/"):
        return "an HTTP server"
    return "another program" if answer else ""
