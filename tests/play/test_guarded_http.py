"""Calls to addresses that strangers choose never reach our own network, and are bounded."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from play.guarded_http import (
    AddressGuard,
    AnswerTooLarge,
    BadUrl,
    CallFailed,
    ForbiddenAddress,
    GuardedHttp,
    _Resolver,
)
from tests.play.receiver import Receiver, for_ever, never

LOOPBACK = AddressGuard((ipaddress.ip_network("127.0.0.0/8"),))


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    runner = await receiver.serve()
    yield receiver
    await runner.cleanup()


@pytest_asyncio.fixture
async def http() -> AsyncIterator[GuardedHttp]:
    """Return a client that may call the loopback network."""
    client = GuardedHttp(LOOPBACK)
    yield client
    await client.close()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "192.0.2.1", "198.18.0.1", "240.0.0.1", "[::1]", "[::]", "[fe80::1]", "[fc00::1]",
        "[ff02::1]",
        "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[2002:7f00:1::]", "[2002:a00:1::]", "[64:ff9b::7f00:1]",
        "[64:ff9b::a9fe:a9fe]", "[2001:db8::1]", "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
    ],
)  # fmt: skip
def test_private_local_and_reserved_addresses_are_refused(address: str) -> None:
    with pytest.raises(ForbiddenAddress):
        AddressGuard().check_url(f"https://{address}/hook")


@pytest.mark.parametrize("address", ["93.184.215.14", "[2606:2800:21f:cb07:6820:80da:af6b:8b2c]", "example.org"])
def test_public_addresses_are_taken(address: str) -> None:
    AddressGuard().check_url(f"https://{address}/hook")
    AddressGuard().check_url(f"https://{address}:8443/hook?a=1")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/", "ftp://example.org/", "https://user:password@example.org/", "https:///hook",
        "example.org",
        "https://example.org:22/", "https://example.org:99999/", "https://example.org/a b", "https://exa\nmple.org/",
        "https://example.org\\@127.0.0.1/", "https://example.org/#fragment", "https://" + "a" * 2001, "https://é.org/",
    ],
)  # fmt: skip
def test_addresses_that_are_not_https_or_not_clear_are_refused(url: str) -> None:
    with pytest.raises(BadUrl):
        AddressGuard().check_url(url)


@pytest.mark.parametrize("name", ["localhost", "127.1", "0x7f000001", "2130706433"])
async def test_a_name_that_resolves_to_our_own_network_is_refused_when_it_is_called(name: str) -> None:
    client = GuardedHttp(AddressGuard())
    with pytest.raises((ForbiddenAddress, CallFailed)):
        await client.call("POST", f"https://{name}:8443/hook")
    await client.close()


async def test_without_tls_only_the_named_networks_are_called() -> None:
    client = GuardedHttp(LOOPBACK)
    with pytest.raises(ForbiddenAddress):
        await client.call("GET", "http://93.184.215.14/")
    await client.close()
    with pytest.raises(ForbiddenAddress):  # nor a name with another address
        await _Resolver(LOOPBACK, plain=True).resolve("93.184.215.14", 80)
    assert await _Resolver(LOOPBACK, plain=False).resolve("93.184.215.14", 443)


async def test_a_redirect_is_an_answer_and_is_not_followed(receiver: Receiver, http: GuardedHttp) -> None:
    receiver.answers(302, location="http://127.0.0.1:1/secret")
    answer = await http.call("POST", receiver.url, body=b"{}")
    assert (answer.status, len(receiver.calls)) == (302, 1)


async def test_an_endless_answer_is_read_to_its_limit(receiver: Receiver, http: GuardedHttp) -> None:
    receiver.respond = for_ever
    answer = await http.call("POST", receiver.url, most=1000)
    assert len(answer.body) == 1000
    with pytest.raises(AnswerTooLarge):
        await http.call("GET", receiver.url, most=1000, whole=True)


async def test_a_receiver_that_does_not_answer_is_left_after_the_time_limit(receiver: Receiver) -> None:
    client = GuardedHttp(LOOPBACK, seconds=0.2)
    receiver.respond = never
    with pytest.raises(CallFailed, match="no answer within"):
        await client.call("POST", receiver.url)
    await client.close()


@pytest.mark.parametrize(
    "junk", [b"SSH-2.0-x\r\n", b"HTTP/1.1 99999 \r\n\r\n", b"\0" * 100, b"", b"HTTP/1.1 200 OK\r\n"]
)
async def test_an_answer_that_is_no_http_fails(junk: bytes, http: GuardedHttp) -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(junk)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(CallFailed):
        await http.call("POST", f"http://127.0.0.1:{port}/", body=b"{}")
    server.close()
    await server.wait_closed()
