"""Who listens in the tests of the streams, and what there is to hear."""

import asyncio
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, ParamSpec, TypeVar

import httpx
from django.conf import settings
from django.db import connection
from django.test import Client

from marketplace.accounts import services as accounts
from marketplace.accounts.models import User
from marketplace.accounts.tokens import Tokens
from orders.cart import CartLine
from orders.models import Order
from orders.services import place_orders
from products.models import Product
from realtime.models import LogHead, OutboxEvent
from tests.conftest import database_url
from tests.support.machine import ROOT
from tests.support.people import PASSWORD
from tests.support.processes import dying_with_parent
from tests.support.servers import Marketplace
from tests.support.streams import SseClient, SseFrame, WebSocketClient

P = ParamSpec("P")
T = TypeVar("T")

# --- Logins ---------------------------------------------------------------------------------


def log_in(user: User) -> Tokens:
    """Open another login of the user."""
    return accounts.log_in(username=user.username, password=PASSWORD, address="127.0.0.1")


def bearer(user: User) -> dict[str, str]:
    """The header of a program that is logged in."""
    return {"Authorization": f"Bearer {log_in(user).access}"}


def cookie(user: User) -> dict[str, str]:
    """The header of a browser that is logged in."""
    client = Client()
    client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    return {"Cookie": f"{name}={client.cookies[name].value}"}


def ticket(server: Marketplace, user: User) -> str:
    """What opens one stream within 30 seconds."""
    answer = httpx.post(f"{server.url}/api/events/ticket", headers=bearer(user))
    assert answer.status_code == 201, answer.text
    assert answer.json()["expiresIn"] == 30
    return str(answer.json()["ticket"])


# --- Clients --------------------------------------------------------------------------------


async def listen(
    server: Marketplace,
    user: User | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    path: str = "/api/webhook/events",
    **query: Any,
) -> SseClient:
    """Open a stream for the user, by a login of its own, or for nobody.

    One without a cursor hears all that happens from now on.
    """
    sent = {**(bearer(user) if user else {}), **(headers or {})}
    stream = await SseClient.open(server.port, headers=sent, path=path, **query)
    if "lastEventId" not in query and "Last-Event-ID" not in sent:
        try:
            await stream.wait_for_frame()
        except BaseException:
            stream.cut()
            raise
    return stream


async def talk(
    server: Marketplace,
    user: User | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    origin: str | None = None,
    **query: Any,
) -> WebSocketClient:
    """Open a WebSocket for the user, by a login of its own, or for nobody.

    One without a cursor hears all that happens from now on.
    """
    sent = {**(bearer(user) if user else {}), **(headers or {})}
    client = await WebSocketClient.open(server.port, headers=sent, origin=origin, **query)
    if "lastEventId" not in query:
        try:
            await client.wait_for_message()
        except BaseException:
            client.connection.transport.abort()
            raise
    return client


@contextmanager
def rest(server: Marketplace, user: User) -> Iterator[httpx.Client]:
    """REST as the user: what it changes is numbered at once, without waiting for a look."""
    with httpx.Client(base_url=server.url, headers=bearer(user)) as client:
        yield client


async def next_events(stream: SseClient, count: int, seconds: float = 20.0) -> list[SseFrame]:
    """The next stored events, or the end; what tells of the connection, or of who is there, and
    may come at any time is passed over."""
    events: list[SseFrame] = []
    async with asyncio.timeout(seconds):
        while len(events) < count:
            frame = await stream.frame(seconds)
            if frame.event not in {"connected", "subscribed", "heartbeat", "presence"}:
                events.append(frame)
    return events


def assert_no_trace(server: Marketplace) -> None:
    """Nothing in the server's log speaks of an exception."""
    said = server.log.read_text()
    for trace in ("Traceback", " ERROR ", "Task was destroyed", "never retrieved", "never awaited"):
        assert trace not in said


# --- Threads and other processes ------------------------------------------------------------


async def in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run what blocks for long in a thread, and close the thread's connection to the database."""

    def run() -> T:
        try:
            return work(*args, **kwargs)
        finally:
            connection.close()

    return await asyncio.to_thread(run)


def _environment() -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": database_url(),
        "DJANGO_SETTINGS_MODULE": "marketplace.settings",
    }


@contextmanager
def process(code: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run Python code on the same database while the block lasts; its end must be a good one."""
    begin = "import sys, time\nimport django\ndjango.setup()\n"
    command = [sys.executable, "-c", begin + code, *arguments]
    with subprocess.Popen(dying_with_parent(command), cwd=ROOT, env=_environment()) as running:
        try:
            yield running
        except BaseException:
            running.kill()
            raise
        assert running.wait(60) == 0


def run_shell(code: str) -> str:
    """Run the code in `manage.py shell`, on the same database; what it printed."""
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]
    return subprocess.run(
        command, cwd=ROOT, env=_environment(), check=True, capture_output=True, text=True
    ).stdout


# --- What there is to hear of ---------------------------------------------------------------


def offer(seller: User, **fields: Any) -> Product:
    """Announce a new product: a teapot, 100 in stock; `fields` say otherwise."""
    values = {
        "title": f"Teapot {secrets.token_hex(4)}",
        "price": Decimal("12.50"),
        "currency": "EUR",
        "kind": "goods",
        "stock": 100,
        **fields,
    }
    return Product.objects.create(seller=seller, **values)


def change(product: Product, **fields: Any) -> None:
    """Announce a change of a product."""
    present = Product.objects.get(pk=product.pk)
    for name, value in fields.items():
        setattr(present, name, value)
    present.save()


def order(buyer: User, product: Product, quantity: int = 1) -> Order:
    """Announce an order of one product."""
    (placed,) = place_orders(
        buyer=buyer, lines=[CartLine(product_id=product.pk, quantity=quantity)]
    )
    return placed


async def settled() -> int:
    """Wait until a server has numbered all that was announced; the position that it came to."""
    deadline = time.monotonic() + 30
    while OutboxEvent.objects.exists():
        assert time.monotonic() < deadline, "Nobody numbers."
        await asyncio.sleep(0.02)
    return LogHead.objects.values_list("position", flat=True).get(id=1)
