"""A bound for request bodies, ahead of Django.

Django's ASGI handler writes the whole body to disk before any middleware runs: without this,
anybody could fill it.
"""

from collections.abc import Mapping
from http import HTTPStatus

from asgiref.typing import (
    ASGI3Application,
    ASGIReceiveCallable,
    ASGIReceiveEvent,
    ASGISendCallable,
    HTTPScope,
    Scope,
)

from marketplace.rest.errors import error_response, is_api_path

MAX_BODY_BYTES = 1024 * 1024
MAX_UPLOAD_BYTES = 6 * 1024 * 1024  # a file of five megabytes, and what is around it
UPLOADS = (b"multipart/form-data", b"application/octet-stream")


class BodyTooLarge(Exception):
    """More was sent than this request may hold."""


class BodyLimit:
    """An ASGI application that refuses bodies over the limit with 413 at their first byte too many.

    Forms with files may be larger than all others. larger: what uploads to a path may have, in
    bytes, where that is more than elsewhere.
    """

    def __init__(
        self, application: ASGI3Application, *, larger: Mapping[str, int] | None = None
    ) -> None:
        self._application = application
        self._larger = larger or {}

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Pass the request on while it keeps to its limit."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        limit = self._limit_of(scope)
        heard = 0

        async def receive_within_limit() -> ASGIReceiveEvent:
            nonlocal heard
            event = await receive()
            if event["type"] == "http.request":
                heard += len(event.get("body", b""))
                if heard > limit:
                    raise BodyTooLarge
            return event

        try:
            if _announced_length(scope) > limit:
                raise BodyTooLarge
            await self._application(scope, receive_within_limit, send)
        except BodyTooLarge:
            # Django answers when it has read all: nothing was sent yet.
            await _refuse(scope["path"], send)

    def _limit_of(self, scope: HTTPScope) -> int:
        kinds = [value for name, value in scope["headers"] if name == b"content-type"]
        if not any(kind.lower().startswith(UPLOADS) for kind in kinds):
            return MAX_BODY_BYTES
        names = {name for name, _ in scope["headers"]}
        if names.isdisjoint((b"authorization", b"cookie")):
            return MAX_UPLOAD_BYTES  # who does not even claim a login fills no disk
        return self._larger.get(scope["path"], MAX_UPLOAD_BYTES)


def _announced_length(scope: HTTPScope) -> int:
    lengths = [value for name, value in scope["headers"] if name == b"content-length"]
    return max((int(length) for length in lengths if length.isdigit()), default=0)


async def _refuse(path: str, send: ASGISendCallable) -> None:
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    if is_api_path(path):
        body, kind = error_response(status).content, b"application/json"
    else:
        body, kind = status.phrase.encode(), b"text/plain"
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),  # the rest of the body is not read
    ]
    await send(
        {"type": "http.response.start", "status": status, "headers": headers, "trailers": False}
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})
