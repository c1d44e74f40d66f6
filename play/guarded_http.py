"""HTTP to addresses that strangers choose: receivers of webhooks, and files to import.

Such an address must not reach our own network. The name is resolved once, all its addresses are checked, and the
connection goes to exactly these addresses; a second resolution could give others. Redirects are not followed, no proxy
and no cookie is used, a response is read to a limit only, and a call has one time limit for everything.
"""

import asyncio
import ipaddress
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from fsm.kind import Rejected

MAX_URL = 2000
CALL_SECONDS = 15.0
CONNECT_SECONDS = 5.0
AT_ONCE = 64
"""Maximum number of open connections."""
MAX_ANSWER = 16 << 10
"""Bytes of an answer that are read, unless a caller asks for more."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


@dataclass(unsafe_hash=True)
class BadUrl(Rejected):
    """The address is no https:// URL, contains a password, or has a port that is not for HTTP."""


@dataclass(unsafe_hash=True)
class ForbiddenAddress(Rejected):
    """The address belongs to a private, local or reserved network."""


class CallFailed(Exception):
    """No complete answer: the connection failed, the time was up, or the answer was no HTTP."""


class AnswerTooLarge(Exception):
    """The answer is longer than the caller takes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a call."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = field(repr=False)
    ms: int


@dataclass(frozen=True, slots=True)
class AddressGuard:
    """Decides which addresses may be called: public ones, and networks that the operator names.

    Attributes:
        allowed: networks that may be called although they are not public, also without TLS.
    """

    allowed: tuple[Network, ...] = ()

    def check_url(self, url: str) -> None:
        """Raise ``BadUrl`` or ``ForbiddenAddress`` if a URL cannot be called, as far as its text tells."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise BadUrl from None
        if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
            raise BadUrl
        if not host or parts.username is not None or parts.password is not None or parts.fragment:
            raise BadUrl
        if port is not None and port not in {80, 443} and port < 1024:  # other servers, as of mail, listen there
            raise BadUrl
        if parts.scheme != "https" and not (parts.scheme == "http" and self.allowed):
            raise BadUrl
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return
        self.check_address(address, plain=parts.scheme == "http")

    def check_address(self, address: Address, *, plain: bool = False) -> None:
        """Raise ``ForbiddenAddress`` unless an address may be called; ``plain`` means without TLS."""
        for each in _meanings(address):
            if any(each.version == network.version and each in network for network in self.allowed):
                continue
            if plain or not each.is_global or each.is_multicast or each.is_reserved or each.is_unspecified:
                raise ForbiddenAddress


class _Resolver(AbstractResolver):
    """Resolves names and refuses a name with any forbidden address; ``plain`` means that calls are without TLS."""

    def __init__(self, guard: AddressGuard, *, plain: bool) -> None:
        self._guard = guard
        self._plain = plain

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a name. Raises ``ForbiddenAddress`` and OSError."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family, flags=socket.AI_ADDRCONFIG)
        results = []
        for kind, _, protocol, _, address in found:
            # One forbidden address forbids the name: a mixture is the mark of an attack by DNS.
            self._guard.check_address(ipaddress.ip_address(str(address[0]).partition("%")[0]), plain=self._plain)
            results.append(
                ResolveResult(
                    hostname=host,
                    host=str(address[0]),
                    port=port,
                    family=kind,
                    proto=protocol,
                    flags=socket.AI_NUMERICHOST,
                )
            )
        return results

    async def close(self) -> None:
        """Do nothing: a resolver has no connection."""


class GuardedHttp:
    """A client for such addresses. Makes its sessions, one with TLS and one without, on their first calls.

    Args:
        guard: decides which addresses may be called.
        seconds: time limit of a call, unless the caller sets another.
    """

    def __init__(self, guard: AddressGuard, *, seconds: float = CALL_SECONDS) -> None:
        self.guard = guard
        self._seconds = seconds
        self._sessions: dict[str, aiohttp.ClientSession] = {}
        """Scheme -> the session."""

    async def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        most: int = MAX_ANSWER,
        whole: bool = False,
        seconds: float | None = None,
    ) -> Answer:
        """Make one call.

        Args:
            method: the HTTP method.
            url: the address.
            headers: headers of the request.
            body: its body.
            most: bytes of the answer that are read.
            whole: True if a longer answer is an error; False if the rest is of no interest.
            seconds: time limit of the whole call; None for the usual one.

        Raises:
            BadUrl, ForbiddenAddress: the address may not be called.
            AnswerTooLarge: the answer is longer than ``most``, and was wanted whole.
            CallFailed: there was no complete answer.
        """
        self.guard.check_url(url)
        began, limit = time.monotonic(), self._seconds if seconds is None else seconds
        try:
            async with self._opened(urlsplit(url).scheme).request(
                method,
                url,
                headers={"accept-encoding": "identity", **(headers or {})},
                data=body,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=limit, sock_connect=min(limit, CONNECT_SECONDS)),
            ) as response:
                content = await _read(response, most, whole=whole)
                names = {name.lower(): value for name, value in response.headers.items()}
                return Answer(response.status, names, content, round((time.monotonic() - began) * 1000))
        except TimeoutError:
            raise CallFailed(f"no answer within {limit:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            raise CallFailed(_words(problem)) from None

    async def close(self) -> None:
        """Close the sessions."""
        while self._sessions:
            await self._sessions.popitem()[1].close()

    def _opened(self, scheme: str) -> aiohttp.ClientSession:
        session = self._sessions.get(scheme)
        if session is None:
            # Connections are not kept: each call resolves its name once, and one call cannot hold up the next.
            connector = aiohttp.TCPConnector(
                resolver=_Resolver(self.guard, plain=scheme == "http"),
                use_dns_cache=False,
                force_close=True,
                limit=AT_ONCE,
            )
            session = self._sessions[scheme] = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, trust_env=False
            )
        return session


async def _read(response: aiohttp.ClientResponse, most: int, *, whole: bool) -> bytes:
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > most:
            if whole:
                raise AnswerTooLarge
            break
    return bytes(content[:most])


def _meanings(address: Address) -> Sequence[Address]:
    """Return an address with the IPv4 addresses that it embeds: a gateway or the system itself may unwrap it."""
    found: list[Address] = [address]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return [address.ipv4_mapped]
        embedded = [address.sixtofour, *(address.teredo or ())]
        if address in NAT64:
            embedded.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        found += [each for each in embedded if each is not None]
    return found


def _words(problem: Exception) -> str:
    """Return an error in a few words, without the address, which a person may not be meant to see."""
    text = str(problem.__cause__ or problem) if not isinstance(problem, aiohttp.ClientConnectorError) else ""
    name = type(problem).__name__
    return f"{name}: {text[:120]}" if text else name
