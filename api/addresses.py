"""Addresses of clients: of the peer, or as a trusted proxy reports it in X-Forwarded-For."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from starlette.requests import Request

Network = IPv4Network | IPv6Network

HEADER: Final = "x-forwarded-for"
IPV6_PREFIX: Final = 64
"""Bits of an IPv6 address that name a client: a subscriber has all addresses below them."""


def client_address(request: Request, proxies: Sequence[Network]) -> str:
    """Return the address of a client; empty if it is unknown.

    The header is believed as far as trusted proxies have written it: from its end to the first address that is none of
    theirs. The part before that is the client's own claim.
    """
    address = _address("" if request.client is None else request.client.host)
    reported = [part for value in request.headers.getlist(HEADER) for part in value.split(",")]
    while reported and address is not None and any(address in network for network in proxies):
        address = _address(reported.pop())
    return "" if address is None else str(address)


def rate_group(address: str) -> str:
    """Return the name under which the requests of an address are counted."""
    known = _address(address)
    return str(ip_network((known, IPV6_PREFIX), strict=False)) if isinstance(known, IPv6Address) else address


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address in a text, which may be followed by a port; None if it is no address."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text)
    except ValueError:
        return None
    # A socket for both versions shows IPv4 addresses in this form.
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found
