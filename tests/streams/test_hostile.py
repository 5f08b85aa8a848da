"""Hostile clients: every message gets what the contract says, nothing is left behind, and nobody
else notices."""

import asyncio
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest
from rest_framework_simplejwt.tokens import AccessToken

from marketplace.accounts.models import User
from products.models import Product
from realtime.channels import channel_kinds
from realtime.models import PresenceRow, ProcessLease
from securechat.services import open_session
from tests.realtime.things import publish_thing
from tests.streams.conftest import start_with
from tests.streams.things import assert_no_trace, in_thread, listen, log_in, offer, order, talk
from tests.support.hostility import CHANNELS, Attacker, Client, attack
from tests.support.inside import PROGRAM, Inside, look_inside, wait_until_left
from tests.support.machine import ROOT
from tests.support.processes import dying_with_parent
from tests.support.raw_websocket import RawSocket, handshake
from tests.support.servers import Marketplace
from tests.support.streams import SseClient, WebSocketClient

MESSAGES = int(os.environ.get("HOSTILE", "10000"))
MEMORY_KIB = 8 * 1024


@pytest.fixture(scope="module")
def server(
    transactional_db: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Marketplace]:
    """A server that tells what it holds."""
    with ExitStack() as running:
        start = start_with(running, tmp_path_factory.mktemp("server"))
        yield start(program=PROGRAM, STREAMS_PER_USER="1000", STREAMS_PER_ADDRESS="1000")


@pytest.fixture(autouse=True)
def nothing_went_wrong(server: Marketplace) -> Iterator[None]:
    """No test here leaves a trace of an exception in the server's log."""
    yield
    assert_no_trace(server)


OpenSocket = Callable[[], Awaitable[WebSocketClient]]
MakeAttacker = Callable[..., tuple[OpenSocket, Attacker]]


@pytest.fixture
async def attackers(
    server: Marketplace, buyer: User, other_buyer: User, seller: User
) -> MakeAttacker:
    """Makes attackers, with the login of a buyer or without one, who know what others have."""
    pots = [offer(seller) for _ in range(130)]
    hidden = offer(seller, is_active=False)
    own, foreign = order(buyer, pots[0]), order(other_buyer, pots[0])
    session = (await in_thread(open_session, product_id=pots[0].pk, by=buyer)).session
    others = (await in_thread(open_session, product_id=pots[0].pk, by=other_buyer)).session
    # Those of other tests, too: a number with a digit too few may be one of them.
    on_sale = Product.objects.filter(is_active=True).values_list("pk", flat=True)
    public = ["catalogue", "availability", *(f"product.{pk}" for pk in on_sale)]
    tokens, theirs, ended = log_in(buyer), log_in(other_buyer), log_in(buyer)
    expired = AccessToken(tokens.access)  # type: ignore[arg-type]
    expired.set_exp(lifetime=timedelta(seconds=-1))
    buyer.logins.exclude(pk=buyer.logins.earliest("created_at").pk).end()
    knows = [
        *(f"product.{hidden.pk}", f"order.{foreign.pk}", f"chat.{others.pk}", str(others.pk)),
        *(theirs.access, theirs.refresh, tokens.refresh, ended.access, tokens.access[:-2]),
        str(expired),
        *(f"user.{buyer.pk}", f"user.{other_buyer.pk}"),
    ]
    kinds = tuple(channel_kinds())

    def make(seed: int, logged_in: bool, opened_with: int = 1) -> tuple[OpenSocket, Attacker]:
        if logged_in:
            client = Client(
                may_hear=[*public, f"order.{own.pk}", f"chat.{session.pk}"],
                own_tokens=[tokens.access],
                own_sessions=[str(session.pk)],
                kinds=kinds,
            )
            headers = {"Authorization": f"Bearer {tokens.access}"}
            return lambda: talk(server, headers=headers), Attacker(seed, client, knows)

        asked = public[:opened_with]

        async def open_socket() -> WebSocketClient:
            socket = await talk(server, channels=",".join(asked))
            for _ in asked:
                await socket.until("subscribed")
            return socket

        nobody = Client(may_hear=public, opened_with=asked, kinds=kinds)
        return open_socket, Attacker(seed, nobody, knows)

    return make


@pytest.mark.parametrize(
    ("logged_in", "opened_with", "messages"),
    [(True, 0, MESSAGES), (False, CHANNELS - 1, MESSAGES // 10)],
    ids=["a buyer", "nobody, with room for one more channel"],
)
async def test_it_answers_whatever_one_client_says(
    attackers: MakeAttacker, logged_in: bool, opened_with: int, messages: int
) -> None:
    seed = random.randrange(10**6)
    open_socket, attacker = attackers(seed, logged_in, opened_with)
    print(f"seed {seed}")
    connections = await attack(open_socket, attacker, messages)
    print(f"{messages} messages over {connections} connections")


# --- A hundred at once ----------------------------------------------------------------------


async def hears_all(client: SseClient | WebSocketClient, count: int) -> None:
    """An honest client's part: everything that happened, each once and in order."""
    for number in range(count):
        if isinstance(client, SseClient):
            body = (await client.until("thing-happened", 60)).body
        else:
            body = await client.until("thing-happened", 60)
        assert body["data"]["number"] == number


async def test_a_hundred_at_once_leave_nothing_and_disturb_nobody(
    server: Marketplace,
    attackers: MakeAttacker,
    seller: User,
    other_buyer: User,
) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    witnesses: list[SseClient | WebSocketClient] = [
        await listen(server, seller),
        await talk(server, other_buyer),
        await talk(server, seller, channels="availability"),
    ]
    over = threading.Event()

    def publish() -> int:
        number = 0
        while not over.is_set():
            publish_thing(number, to="all")
            number += 1
            time.sleep(0.05)
        return number

    async def hundred(round_number: int) -> Inside:
        attacks = [attackers(seed + 1000 * round_number + n, n % 2 == 0) for n in range(100)]
        await asyncio.gather(*(attack(*each, MESSAGES // 300) for each in attacks))
        return await in_thread(wait_until_left, server, before)

    before = await in_thread(look_inside, server)
    publishing = asyncio.create_task(in_thread(publish))
    try:
        rounds = [await hundred(number) for number in range(3)]
    finally:
        over.set()
    count = await publishing
    await asyncio.gather(*(hears_all(witness, count) for witness in witnesses))
    for witness in witnesses:
        await (witness if isinstance(witness, SseClient) else witness.connection).close()
    memory = [before.memory, *(inside.memory for inside in rounds)]
    print(f"{count} events; memory in KiB: {memory}")
    # The first two rounds fill what is kept for the next ones.
    assert rounds[2].memory - rounds[1].memory < MEMORY_KIB


# --- Clients that vanish --------------------------------------------------------------------


def vanish_by_reset(raw: RawSocket) -> None:
    raw.reset()


def vanish_half(raw: RawSocket) -> None:
    """Says that it will send nothing more, and reads nothing."""
    raw.socket.shutdown(1)


def vanish_politely(raw: RawSocket) -> None:
    raw.socket.close()


_CLIENT = """
import sys, time
from tests.support.raw_websocket import RawSocket
raw = RawSocket(int(sys.argv[1]))
raw.socket.sendall(sys.stdin.buffer.read())
raw.read_until(b'"type":"subscribed"')
time.sleep(60)
"""


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def requests_for(server: Marketplace, user: User, names: list[str]) -> list[bytes]:
    """What opens a WebSocket, and a stream over SSE, with these channels."""
    asked, login = ",".join(names).encode(), f"Bearer {log_in(user).access}".encode()
    head = b"GET /api/events?channels=%s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: %s\r\n\r\n"
    return [
        handshake(server.port, b"/ws/events?channels=" + asked, Authorization=login),
        head % (asked, login),
    ]


def test_it_keeps_nothing_of_clients_that_vanish(
    server: Marketplace, buyer: User, seller: User
) -> None:
    names = [f"product.{offer(seller).pk}" for _ in range(128)]
    before = look_inside(server)
    for request in requests_for(server, buyer, names):
        for vanish in (vanish_by_reset, vanish_half, vanish_politely):
            with RawSocket(server.port) as raw:
                raw.socket.sendall(request)
                # The states of its channels are on the way: it goes in the middle of them.
                raw.read_until(b'"type":"subscribed"')
                now = look_inside(server)
                assert now.streams == before.streams + 1
                assert now.audiences >= before.audiences + 128
                vanish(raw)
                wait_until_left(server, before)
    wait_until(lambda: not ProcessLease.objects.exclude(by_user={}, by_address={}).exists())


def test_it_sees_who_is_gone_when_a_client_is_killed(
    server: Marketplace, buyer: User, seller: User
) -> None:
    session = open_session(product_id=offer(seller).pk, by=buyer).session
    here = PresenceRow.objects.filter(channel=f"chat.{session.pk}", user_id=buyer.pk)
    before = look_inside(server)
    command = dying_with_parent([sys.executable, "-c", _CLIENT, str(server.port)])
    with ExitStack() as running:
        for request in requests_for(server, buyer, [f"chat.{session.pk}"]):
            client = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE)
            running.enter_context(client)
            running.callback(client.kill)
            assert client.stdin
            client.stdin.write(request)
            client.stdin.close()
        wait_until(lambda: look_inside(server).streams == before.streams + 2)
        wait_until(here.exists)
    wait_until_left(server, before)
    wait_until(lambda: not here.exists())
