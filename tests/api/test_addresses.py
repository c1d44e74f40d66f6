"""Addresses of clients behind proxies."""

from ipaddress import ip_network

import pytest
from starlette.requests import Request

from api.addresses import client_address, rate_group

PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"), ip_network("192.0.2.7/32"))


@pytest.mark.parametrize(
    ("peer", "headers", "address"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),  # a stranger's claim
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("::ffff:10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["6.6.6.6, 198.51.100.1"], "198.51.100.1"),  # the first one was sent by the client
        ("10.0.0.1", ["6.6.6.6", "198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["6.6.6.6, 198.51.100.1, 192.0.2.7"], "198.51.100.1"),
        ("10.0.0.1", ["10.0.0.5, 10.0.0.4"], "10.0.0.5"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("fd00::1", ["2001:db8::5"], "2001:db8::5"),
        ("fd00::1", ["[2001:db8::5]:4711"], "2001:db8::5"),
        ("10.0.0.1", ["198.51.100.1:4711"], "198.51.100.1"),
        ("10.0.0.1", ["6.6.6.6, <script>"], ""),
        ("", ["6.6.6.6"], ""),
    ],
)
def test_the_header_is_believed_as_far_as_trusted_proxies_have_written_it(
    peer: str, headers: list[str], address: str
) -> None:
    raw = [(b"x-forwarded-for", header.encode()) for header in headers]
    request = Request({"type": "http", "headers": raw, "client": (peer, 1) if peer else None})
    assert client_address(request, PROXIES) == address
    assert client_address(request, ()) == peer.removeprefix("::ffff:")


def test_all_addresses_of_an_ipv6_subscriber_are_counted_together() -> None:
    assert rate_group("2001:db8::5") == rate_group("2001:db8::ffff") == "2001:db8::/64"
    assert rate_group("198.51.100.1") == "198.51.100.1"
    assert rate_group("") == ""
