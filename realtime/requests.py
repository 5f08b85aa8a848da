"""What both transports read from an ASGI scope: credentials, cursor, channels, origin, address."""

from urllib.parse import parse_qs

from asgiref.typing import HTTPScope, WebSocketScope
from django.conf import settings
from django.http import parse_cookie
from django.http.request import split_domain_port, validate_host

from marketplace.rest.addresses import address_of_scope
from realtime.connection import Transport
from realtime.listeners import Credentials
from realtime.rights import StreamRequest

# No position is higher: the database has no larger numbers.
_MAX_POSITION = 2**63 - 1


class BadRequest(Exception):
    """The request cannot be understood; its text says why."""


def read_request(scope: HTTPScope | WebSocketScope, transport: Transport) -> StreamRequest:
    """The stream that a scope asks for; raises BadRequest."""
    headers = read_headers(scope)
    query = {
        name: values[0]
        for name, values in parse_qs(scope["query_string"].decode("latin-1")).items()
    }
    # A page of another origin may come with a token or a ticket, never with the cookies.
    cookies = parse_cookie(headers.get("cookie", "")) if is_same_origin(headers) else {}
    names = query.get("channels", "").split(",")
    return StreamRequest(
        credentials=Credentials(
            authorization=headers.get("authorization", ""),
            ticket=query.get("ticket", ""),
            token=query.get("token", ""),
            cookies=cookies,
        ),
        transport=transport,
        address=address_of_scope(scope),
        cursor=_read_cursor(headers.get("last-event-id") or query.get("lastEventId")),
        channels=tuple(dict.fromkeys(name.strip() for name in names if name.strip())),
    )


def _read_cursor(text: str | None) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()):
        raise BadRequest("The cursor must be the id of an event.")
    # Twenty digits are beyond any position; Python refuses to read thousands of them.
    return min(int(text.lstrip("0")[:20] or "0"), _MAX_POSITION)


def read_headers(scope: HTTPScope | WebSocketScope) -> dict[str, str]:
    """The headers by lower-case name; of several with one name the last counts."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def has_body(headers: dict[str, str]) -> bool:
    """Whether something follows the head of the request."""
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


def is_allowed_host(headers: dict[str, str]) -> bool:
    """Whether the Host is one of ours: streams do not pass Django's own check."""
    domain, _ = split_domain_port(headers.get("host", ""))
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


def is_same_origin(headers: dict[str, str]) -> bool:
    """Whether the request comes from a page of this host, or from no page at all.

    The scheme is not compared: behind a proxy that ends TLS the server sees another one.
    """
    origin = headers.get("origin")
    if origin is None:
        return True
    # Cut, not parsed: whatever a client writes there is an answer, not an error.
    _scheme, _, host = origin.partition("://")
    return host.lower() == headers.get("host", "").lower()


def is_allowed_origin(headers: dict[str, str]) -> bool:
    """Whether a page of this origin may open a WebSocket."""
    return is_same_origin(headers) or headers.get("origin") in settings.ALLOWED_ORIGINS
