"""python -m benchmarks.server --port PORT: the production server with a door for the load
generator.

POST /publish commits the events that its body names, one transaction for each request, as a view
of the product would; everything else is the product's own application.
"""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")

import asyncio
from collections.abc import Iterable
from typing import Any

import msgspec
from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, Scope
from django.db import transaction

from marketplace.asgi import application  # first: it sets Django up
from marketplace.server import main
from realtime.api import Event, publish
from realtime.database import DatabaseThreads


class Tick(Event, frozen=True, kw_only=True):
    """What the load generator sends. Never sent by the product.

    n: counts from 1; t: when it was sent, in nanoseconds since the epoch.
    """

    n: int
    t: int
    pad: str = ""


del Event.declared[Tick.type_name]  # the product's own reference must not name it


class Line(msgspec.Struct):
    """One line of a request's body."""

    n: int
    t: int
    pad: str = ""
    to: str = "all"

    def publish(self) -> None:
        """Announce it in the present transaction."""
        publish(Tick(n=self.n, t=self.t, pad=self.pad), audiences=[self.to])


_decoder = msgspec.json.Decoder(Line)
_threads = DatabaseThreads(size=1, name="publish")
_committing: set[asyncio.Task[None]] = set()


def commit(lines: Iterable[bytes]) -> None:
    """Publish all of them in one transaction."""
    with transaction.atomic():
        for line in lines:
            _decoder.decode(line).publish()


async def served(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """The product, and POST /publish."""
    if scope["type"] == "http" and scope["path"] == "/publish":
        await _publish(receive, send)
    else:
        await application(scope, receive, send)


async def _publish(receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    body = b""
    while True:
        message: Any = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    # Answered before, as a view that hands over to a worker does.
    task = asyncio.create_task(_threads.run(commit, body.splitlines()))
    _committing.add(task)
    task.add_done_callback(_committing.discard)
    headers = [(b"content-length", b"2")]
    await send(
        {"type": "http.response.start", "status": 200, "headers": headers, "trailers": False}
    )
    await send({"type": "http.response.body", "body": b"ok", "more_body": False})


if __name__ == "__main__":
    main(served)
