"""Whose request it is, behind proxies or not."""

import ipaddress
from typing import Any

import pytest
from django.test import RequestFactory, override_settings

from marketplace.rest.addresses import Network, address_of, address_of_scope, client_address
from marketplace.rest.middleware import ClientAddressMiddleware

PROXIES: list[Network] = [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::1")]


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "address"),
    [
        # Nobody forwards anything.
        ("203.0.113.5", "", "203.0.113.5"),
        ("10.0.0.1", "", "10.0.0.1"),
        # Whoever is no trusted proxy is not believed.
        ("203.0.113.5", "198.51.100.1", "203.0.113.5"),
        # A trusted one is, through several of them.
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("::1", "198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", " 198.51.100.1 ,10.0.0.3,10.0.0.2", "198.51.100.1"),
        # What the client wrote itself stands left of what the proxy added.
        ("10.0.0.1", "1.2.3.4, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "10.9.9.9, 198.51.100.1", "198.51.100.1"),
        # What is no address ends it.
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, evil, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "198.51.100.1,", "10.0.0.1"),
        # One client has one name.
        ("::ffff:203.0.113.5", "", "203.0.113.5"),
        ("::ffff:10.0.0.1", "2001:DB8::0001", "2001:db8::1"),
        # A Unix socket has no address.
        ("", "198.51.100.1", ""),
    ],
)
def test_it_believes_trusted_proxies_alone(peer: str, forwarded_for: str, address: str) -> None:
    found = client_address(peer=peer, forwarded_for=forwarded_for, trusted=PROXIES)
    assert found == address


def test_it_believes_nobody_by_default() -> None:
    assert client_address(peer="10.0.0.1", forwarded_for="1.2.3.4", trusted=[]) == "10.0.0.1"


@override_settings(TRUSTED_PROXIES=PROXIES)
@pytest.mark.parametrize(
    ("peer", "address"), [("10.0.0.1", "198.51.100.1"), ("203.0.113.5", "203.0.113.5")]
)
def test_it_is_the_same_for_requests_and_streams(peer: str, address: str) -> None:
    request = RequestFactory().get(
        "/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR="1.2.3.4,198.51.100.1"
    )
    ClientAddressMiddleware(lambda _request: None)(request)  # type: ignore[arg-type, return-value]
    scope: dict[str, Any] = {
        "client": (peer, 4711),
        "headers": [(b"x-forwarded-for", b"1.2.3.4"), (b"x-forwarded-for", b"198.51.100.1")],
    }
    assert address_of(request) == address_of_scope(scope) == address


def test_it_knows_no_address_of_a_unix_socket() -> None:
    assert address_of_scope({"client": None, "headers": []}) == ""


@override_settings(
    TRUSTED_PROXIES=PROXIES, SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https")
)
@pytest.mark.parametrize(("peer", "secure"), [("10.0.0.1", True), ("203.0.113.5", False)])
def test_it_lets_no_client_call_itself_secure(peer: str, secure: bool) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_PROTO="https")
    ClientAddressMiddleware(lambda _request: None)(request)  # type: ignore[arg-type, return-value]
    assert request.is_secure() is secure
