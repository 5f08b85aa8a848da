"""The broker's side of the AMQP bridge: connections, what is declared there, and publishing."""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import amqp
from amqp.exceptions import AMQPError
from kombu import Connection, Exchange, Queue
from kombu.exceptions import KombuError

from products.availability.bridge_messages import OWN_APP_ID, QUEUE_NAME
from products.availability.frames import tolerant_frame_handler

logger = logging.getLogger(__name__)

EXCHANGE = Exchange("tour_booking_events", type="topic", durable=True)
# Without arguments: others declare it, too, and where the arguments differ the broker refuses.
INCOMING = Queue(QUEUE_NAME, exchange=EXCHANGE, routing_key="tour.availability.*", durable=True)
DEAD_LETTERS = Queue(f"{QUEUE_NAME}.dead", durable=True)

HEARTBEAT_SECONDS = 30
# How long the broker may take to confirm: one that is short of memory or disk does not answer.
CONFIRM_SECONDS = 10.0
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0

# What it is to lose the broker, or to be refused by it.
BROKER_ERRORS = (OSError, AMQPError, KombuError)


class Link:
    """One connection to the broker, used by one thread."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.channel = connection.channel()
        # Bodies stay the bytes that came: what cannot be read is handed on as it is.
        self.channel.auto_decode = False
        for entity in (EXCHANGE, INCOMING, DEAD_LETTERS):
            entity(self.channel).declare()
        self._listened_at = time.monotonic()

    def publish(
        self,
        body: bytes,
        *,
        exchange: str,
        routing_key: str,
        properties: Mapping[str, Any],
        must_arrive: bool = False,
    ) -> None:
        """Publish a message that survives a restart of the broker; returns when it has confirmed.

        must_arrive: fail where no queue takes it.
        """
        self.channel.basic_publish(
            amqp.Message(body, **properties, delivery_mode=2),
            exchange=exchange,
            routing_key=routing_key,
            mandatory=must_arrive,
            timeout=CONFIRM_SECONDS,
            confirm_timeout=CONFIRM_SECONDS,
        )

    def tell(self, body: bytes, *, routing_key: str, message_id: str) -> None:
        """Publish a message of our own to everybody who listens to the exchange."""
        properties = {
            "app_id": OWN_APP_ID,
            "content_type": "application/json",
            "message_id": message_id,
        }
        self.publish(body, exchange=EXCHANGE.name, routing_key=routing_key, properties=properties)

    def consume(self, hand_over: Callable[[amqp.Message], None], *, prefetch: int) -> None:
        """Have what comes in handed over while listening, as it came.

        prefetch: how many messages may wait for their acknowledgement. Not by kombu's consumer:
        it would decompress whatever its sender says is compressed.
        """
        self.channel.basic_qos(0, prefetch, False)
        self.channel.basic_consume(INCOMING.name, callback=hand_over)

    def acknowledge(self, message: amqp.Message) -> None:
        """Have the broker forget it."""
        self.channel.basic_ack(message.delivery_tag)

    def listen(self, seconds: float) -> None:
        """Wait for what the broker sends, at most so long; keeps the connection alive."""
        self._listened_at = time.monotonic()
        self.connection.heartbeat_check()
        with suppress(TimeoutError):
            self.connection.drain_events(timeout=seconds)

    def keep_alive(self) -> None:
        """Listen for a moment, where that is due: for who has much to do."""
        if time.monotonic() - self._listened_at > 1:
            self.listen(0.001)


def keep_linked(
    url: str, work: Callable[[Link], None], *, name: str, stop: threading.Event
) -> None:
    """Run work with a link to the broker, and with a new one whenever that breaks, until stop."""
    pause = FIRST_PAUSE_SECONDS
    while not stop.is_set():
        began = time.monotonic()
        try:
            with _connection(url) as connection:
                link = Link(connection)
                logger.info("%s: connected to %s.", name, connection.as_uri())
                work(link)
        except BROKER_ERRORS as error:
            if time.monotonic() - began > LONGEST_PAUSE_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            logger.warning("%s: the broker is lost (%s); again in %.0f s.", name, error, pause)
        except Exception:
            # Nothing may end the bridge: what came stays with the broker, what goes with the log.
            logger.exception("%s: failed; again in %.0f s.", name, pause)
        else:
            return
        stop.wait(pause * random.uniform(0.75, 1))  # noqa: S311 so that two bridges spread
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


@contextmanager
def _connection(url: str) -> Iterator[Connection]:
    connection = Connection(
        url,
        heartbeat=HEARTBEAT_SECONDS,
        # The certificate must be that of the URL's host; without this, any would do.
        ssl={"server_hostname": None} if url.startswith("amqps") else False,
        transport_options={"confirm_publish": True, "frame_handler": tolerant_frame_handler},
    )
    try:
        connection.connect()
        # What waits without a limit of its own (to declare, to say goodbye) waits no longer than
        # this for a broker that is frozen.
        connection.connection.transport.sock.settimeout(CONFIRM_SECONDS)
        yield connection
        connection.release()
    finally:
        connection.collect()  # without a word: after an error nobody may be there to hear it
