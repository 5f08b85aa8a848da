"""Whose request it is: the client's address, seen through trusted proxies only.

X-Forwarded-For is whatever the client wrote, plus one entry from each proxy on the way. Only what
a trusted proxy added can be believed, hence the reading from the right.
"""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.http import HttpRequest

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def client_address(*, peer: str, forwarded_for: str, trusted: Sequence[Network]) -> str:
    """The address of the client behind a connection; "" where even the peer is not known.

    peer: the address at the other end of the socket; forwarded_for: the X-Forwarded-For header,
    all its lines joined by commas. What stands left of an entry that is no address is not believed.
    """
    address = _parse(peer)
    if address is None:
        return peer
    for entry in reversed(forwarded_for.split(",")):
        if not is_among(address, trusted):
            break
        forwarded = _parse(entry.strip())
        if forwarded is None:
            break
        address = forwarded
    return str(address)


def is_trusted_proxy(peer: str) -> bool:
    """Whether the other end of the socket is one of TRUSTED_PROXIES."""
    return is_listed(peer, settings.TRUSTED_PROXIES)


def is_listed(text: str, networks: Iterable[Network]) -> bool:
    """Whether it is an address that lies in one of the networks."""
    address = _parse(text)
    return address is not None and is_among(address, networks)


def is_among(address: Address, networks: Iterable[Network]) -> bool:
    """Whether the address lies in one of the networks."""
    return any(address in network for network in networks)


def address_of_scope(scope: Mapping[str, Any]) -> str:
    """The client's address of an ASGI connection that Django's middleware does not see."""
    client = scope.get("client")
    lines = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return client_address(
        peer=client[0] if client else "",
        forwarded_for=b",".join(lines).decode("latin-1"),
        trusted=settings.TRUSTED_PROXIES,
    )


def address_of(request: HttpRequest) -> str:
    """The client's address, as ClientAddressMiddleware found it."""
    address: str = request.client_address  # type: ignore[attr-defined]
    return address


def _parse(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    # A socket that listens on IPv6 names IPv4 clients so; rules and limits mean the IPv4 address.
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
