"""Hub, connections and log together, driven through whatever hypothesis thinks of.

Events are published, doorbells ring, are lost, come twice and too early; clients come, read, stop
reading, go on, are cut and come back with their cursor, subscribe and change their rights. In the
end each client has heard what the log holds for it, once and in order.
"""

import asyncio
import json
import os
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from realtime import connection as connections
from realtime import hub as hubs
from realtime import log, pages, recent
from realtime.connection import Connection, Frame
from realtime.control import recheck_user
from realtime.database import DatabaseThreads
from realtime.frames import websocket_text
from realtime.listeners import (
    Credentials,
    Listener,
    NotLoggedIn,
    authenticator,
    register_authenticator,
)
from realtime.log import LogEntry
from realtime.models import LogAudience, LogEvent, LogHead, OutboxEvent
from realtime.rights import StreamRequest
from realtime.streams import Streams
from realtime.testing import Witness
from tests.realtime.things import publish_thing
from tests.realtime.wires import Wire, texts_in

# The same examples in each run; EXAMPLES=3000 in the environment looks for new ones.
LOOKS_FOR_MORE = "EXAMPLES" in os.environ
EFFORT = settings(
    max_examples=int(os.environ.get("EXAMPLES", 40)),
    derandomize=not LOOKS_FOR_MORE,
    database=None,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
AUDIENCES = ("all", "buyers", "sellers", "user.1", "user.2")
USERS = {1: ("all", "buyers", "user.1"), 2: ("all", "sellers", "user.2")}


class Doorkeeper:
    """Lets everybody in who names a user."""

    def log_in(self, many: Sequence[Credentials]) -> list[Listener | NotLoggedIn]:
        users = (int(credentials.token) for credentials in many)
        return [
            Listener(user_id=user_id, login_id=f"login-{user_id}", audiences=USERS[user_id])
            for user_id in users
        ]

    def only_reads(self, credentials: Credentials) -> bool:
        return True

    def still_valid(self, many: Sequence[Listener]) -> list[Listener | None]:
        return list(many)


class Client:
    """One that has a cursor and a witness over all its streams, and may stop reading."""

    def __init__(self, user_id: int, after: int, *, shows_socket: bool) -> None:
        self.user_id = user_id
        self.shows_socket = shows_socket
        self.witness = Witness(*USERS[user_id], after=after)
        self.reads = asyncio.Event()
        self.reads.set()
        self.connection: Connection | None = None
        self.task: asyncio.Task[None] | None = None

    def connect(self, connection: Connection) -> None:
        """With a new socket, which the server shows, or does not."""
        self.connection = connection
        self.wire = Wire(self.hear)
        if not self.reads.is_set():
            self.wire.stop_reading()
        if self.shows_socket:
            connection.socket = self.wire

    def hear(self, data: bytes) -> None:
        for text in texts_in(data):
            self.witness.hear(json.loads(text))

    async def write(self, frames: Sequence[Frame]) -> None:
        for frame in frames:
            await self.reads.wait()
            self.wire.write(websocket_text(str(frame)))

    def stop_reading(self) -> None:
        self.reads.clear()
        self.wire.stop_reading()

    def read_on(self) -> None:
        self.reads.set()
        self.wire.read_on()


class Machine(RuleBasedStateMachine):
    """The rules. What is asynchronous goes on in its loop during them, and only then."""

    clients = Bundle("clients")
    doorbells = Bundle("doorbells")

    def __init__(self) -> None:
        super().__init__()
        for model in (OutboxEvent, LogEvent, LogAudience):
            model.objects.all().delete()
        LogHead.objects.update_or_create(id=1, defaults={"position": 0, "floor": 0})
        self.runner = asyncio.Runner()
        self.published = 0
        self.everybody: list[Client] = []
        self.run(self.start())

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    async def start(self) -> None:
        self.pool = DatabaseThreads(size=2, name="machine")
        self.streams = Streams(self.pool)
        await self.streams.hub.start()

    @initialize(most=st.sampled_from([400, 2500]))
    def bound(self, most: int) -> None:
        """So many bytes may wait for a reader: less than one write, or a few events."""
        connections.MAX_BYTES = most

    # --- what happens -----------------------------------------------------------------------

    @rule(
        target=doorbells,
        audiences=st.lists(st.sampled_from(AUDIENCES), min_size=1, max_size=2, unique=True),
        count=st.integers(1, 6),
        size=st.sampled_from([0, 0, 0, 300]),
    )
    def publish(self, audiences: list[str], count: int, size: int) -> list[LogEntry]:
        """Some events are committed and numbered; whether a doorbell tells of them is another
        matter."""
        for _ in range(count):
            self.published += 1
            publish_thing(self.published, to=" ".join(audiences), text="x" * size)
        return log.number_committed()

    @rule(batch=doorbells)
    def ring(self, batch: list[LogEntry]) -> None:
        """A doorbell rings: early, late, or again."""
        self.run(self.settle(lambda: self.streams.hub.feed(list(batch)), turns=3))

    @rule(turns=st.integers(0, 20))
    def look(self, turns: int) -> None:
        """The once-a-second look."""
        head = log.head_position()
        self.run(self.settle(lambda: self.streams.hub.heard(head), turns=turns))

    @rule(user_id=st.sampled_from(list(USERS)))
    def ask_again(self, user_id: int) -> None:
        """A user changed: the streams ask again what they may hear."""
        with transaction.atomic():
            recheck_user(user_id)
        log.number_committed()

    @rule(target=clients, user_id=st.sampled_from(list(USERS)), shows_socket=st.booleans())
    def come(self, user_id: int, shows_socket: bool) -> Client:
        """Somebody opens a stream from the present head."""
        client = Client(user_id, log.head_position(), shows_socket=shows_socket)
        self.everybody.append(client)
        self.run(self.open(client))
        return client

    @rule(client=clients)
    def cut(self, client: Client) -> None:
        """The network goes."""
        self.run(self.close(client))

    @rule(client=clients)
    def come_back(self, client: Client) -> None:
        """The client comes back with its cursor, in whatever state it was."""
        self.run(self.close(client))
        self.run(self.open(client))

    @rule(client=clients)
    def stop_reading(self, client: Client) -> None:
        """The socket takes nothing any more."""
        client.stop_reading()

    @rule(client=clients, turns=st.integers(0, 20))
    def read_on(self, client: Client, turns: int) -> None:
        """The socket takes what comes."""
        client.read_on()
        self.run(self.settle(lambda: None, turns=turns))

    # --- how ------------------------------------------------------------------------------

    async def settle(self, act: Callable[[], Any], *, turns: int) -> None:
        act()
        for _ in range(turns):
            await asyncio.sleep(0.0005)

    async def open(self, client: Client) -> None:
        asked = StreamRequest(
            credentials=Credentials(token=str(client.user_id)),
            transport="websocket",
            address="",
            cursor=client.witness.cursor,
        )
        connection = await self.streams.admit(asked)
        client.connect(connection)
        client.task = asyncio.create_task(self.serve(client, connection))
        await asyncio.sleep(0.001)

    async def serve(self, client: Client, connection: Connection) -> None:
        replay = self.streams.replay(connection, client.write)
        await replay.open(client.witness.cursor)
        await replay.pump()

    async def close(self, client: Client) -> None:
        if client.task is None or client.connection is None:
            return
        client.task.cancel()
        await asyncio.wait([client.task])
        assert client.task.cancelled() or client.task.exception() is None
        self.streams.leave(client.connection)
        client.task = client.connection = None

    def teardown(self) -> None:
        """Everybody reads, everything is looked for: then nothing may be missing."""
        head = log.head_position()
        try:
            self.run(self.finish(head))
            for client in self.everybody:
                client.witness.assert_faultless(head)
        finally:
            self.run(self.stop())
            self.runner.close()

    async def finish(self, head: int) -> None:
        for client in self.everybody:
            client.read_on()
            if client.task is None:
                await self.open(client)
        self.streams.hub.heard(head)
        missing = [
            (client, set(await self.pool.run(client.witness.lost, head)))
            for client in self.everybody
        ]
        # As long as anything comes, and a good while more.
        quiet, heard_before = 0, -1
        while quiet < 300 and any(lost - set(client.witness.heard) for client, lost in missing):
            heard = sum(len(client.witness.heard) for client in self.everybody)
            quiet = quiet + 1 if heard == heard_before else 0
            heard_before = heard
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        for client in self.everybody:
            await self.close(client)
        await self.streams.stop()
        await self.pool.close()


@pytest.mark.django_db(transaction=True)
def test_it_loses_nothing_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    # Small bounds: a few events make a reader fall behind, and lie beyond the hub's memory.
    monkeypatch.setattr(connections, "MAX_FRAMES", 6)
    monkeypatch.setattr(connections, "MAX_BYTES", 2500)  # see Machine.bound
    monkeypatch.setattr(connections, "WRITE_BYTES", 600)
    monkeypatch.setattr(connections, "FREE_BYTES", 600)
    monkeypatch.setattr(recent, "RECENT_EVENTS", 4)
    monkeypatch.setattr(hubs, "REORDER_SECONDS", 0.001)
    monkeypatch.setattr(pages, "PAGE_BYTES", 1500)
    usual = authenticator()
    register_authenticator(Doorkeeper())
    try:
        with override_settings(STREAMS_PER_USER=1000):
            run_state_machine_as_test(Machine, settings=EFFORT)
    finally:
        register_authenticator(usual)
