"""The other system that the bridge talks with, and the bridge as a process."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import amqp
from kombu import Connection, Exchange, Queue

from products.availability.bridge_messages import QUEUE_NAME
from products.availability.broker import BROKER_ERRORS
from tests.support.processes import end, start, wait_for_text

# What others declare, by their own lights: the bridge must go together with it.
EXCHANGE = Exchange("tour_booking_events", type="topic", durable=True)
EARS = Queue("other", exchange=EXCHANGE, routing_key="tour.availability.*", durable=True)
BRIDGE_QUEUE = Queue(
    "websocket_availability_queue", exchange=EXCHANGE, routing_key="tour.availability.*"
)
DEAD_LETTERS = "websocket_availability_queue.dead"
PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class Letter:
    """A message as it was found in a queue."""

    routing_key: str
    raw: bytes
    properties: Mapping[str, Any]

    @property
    def body(self) -> dict[str, Any]:
        """Its JSON."""
        decoded: dict[str, Any] = json.loads(self.raw)
        return decoded

    @property
    def headers(self) -> Mapping[str, Any]:
        """Its headers."""
        found: Mapping[str, Any] = self.properties.get("application_headers", {})
        return found

    @property
    def is_ours(self) -> bool:
        """Whether the bridge sent it."""
        return self.properties.get("app_id") == "marketplace"


class Other:
    """Publishes to the exchange, and hears everything there in a durable queue of its own."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._connection: Connection | None = None

    def begin(self) -> None:
        """Find the broker empty, and declare what is its own."""
        for queue in (EARS.name, QUEUE_NAME, DEAD_LETTERS):
            self._channel().queue_delete(queue)
        for entity in (EXCHANGE, EARS, BRIDGE_QUEUE):
            entity(self._channel()).declare()

    def say(
        self, message: dict[str, Any] | bytes, *, key: str | bytes | None = None, **properties: Any
    ) -> None:
        """Publish, until the broker has confirmed it."""
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        if key is None:
            assert isinstance(message, dict)
            key = message["eventType"]
        self.send(body, exchange=EXCHANGE.name, key=key, **properties)

    def send(self, body: bytes, *, exchange: str, key: str | bytes, **properties: Any) -> None:
        """Publish to that exchange, until the broker has confirmed it."""
        message = amqp.Message(body, delivery_mode=2, **properties)
        self._in_the_end(
            lambda channel: channel.basic_publish(
                message, exchange=exchange, routing_key=key, timeout=5, confirm_timeout=5
            )
        )

    def hear(self, queue: str = EARS.name) -> list[Letter]:
        """Take everything out of a queue."""
        letters = []
        while message := self._in_the_end(lambda channel: channel.basic_get(queue, no_ack=True)):
            key = message.delivery_info["routing_key"]
            # The library gives an empty body as text.
            letters.append(Letter(key, message.body or b"", message.properties))
        return letters

    def waiting(self, queue: str) -> int:
        """How many messages a queue holds that nobody has been given."""
        declared = self._in_the_end(
            lambda channel: channel.queue_declare(queue, passive=True, durable=True)
        )
        return int(declared.message_count)

    def close(self) -> None:
        """Leave the broker."""
        if self._connection is not None:
            with suppress(*BROKER_ERRORS):
                self._connection.release()
        self._connection = None

    def _channel(self) -> Any:
        if self._connection is None:
            self._connection = Connection(self.url, transport_options={"confirm_publish": True})
            self._connection.default_channel.auto_decode = False
        return self._connection.default_channel

    def _in_the_end(self, work: Callable[[Any], Any]) -> Any:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return work(self._channel())
            except BROKER_ERRORS:
                self.close()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)


class BridgeProcess:
    """`manage.py amqp_bridge` in a process of its own."""

    def __init__(self, folder: Path, *, amqp_url: str, database_url: str) -> None:
        self.log = folder / f"bridge-{secrets.token_hex(4)}.log"
        environment = {
            **os.environ,
            "AMQP_URL": amqp_url,
            "DATABASE_URL": database_url,
            "PYTHONUNBUFFERED": "1",
        }
        command = [sys.executable, "manage.py", "amqp_bridge"]
        self.process: subprocess.Popen[bytes] = start(
            command, log=self.log, environment=environment
        )

    def wait(self) -> None:
        """Return when it is connected, both ways."""
        for direction in ("in", "out"):
            text = f"AMQP {direction}: connected"
            wait_for_text(text, process=self.process, log=self.log)

    def kill(self) -> None:
        """End it without a word."""
        end(self.process, how=signal.SIGKILL)

    def stop(self) -> int:
        """End it as a deployment would; its exit code."""
        return end(self.process)


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    """Return when it is so; TimeoutError where it never is."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(f"Not within {PATIENCE_SECONDS:.0f} s: {what}.")
        time.sleep(0.02)


@contextmanager
def other_system(url: str) -> Iterator[Other]:
    """The other system, at an empty broker."""
    other = Other(url)
    other.begin()
    try:
        yield other
    finally:
        other.close()
