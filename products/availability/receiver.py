"""The bridge's way in: from the queue into the database, one message after the other."""

import logging
from collections import deque
from typing import Any

from django.utils import timezone
from kombu import Consumer, Message

from products.availability.bridge import Direction, Stopped
from products.availability.bridge_messages import Refused
from products.availability.broker import DEAD_LETTERS, INCOMING, Link
from products.availability.incoming import count_refused, take_in
from realtime.api import iso_milliseconds

logger = logging.getLogger(__name__)

# How many messages the broker sends before the first one is acknowledged.
PREFETCH = 100
_LISTEN_SECONDS = 0.5
_MOST_TEXT = 500
# What a dead letter keeps beside its body. Others have a meaning for the broker (expiration,
# user_id, headers that route), and the copy is the broker's letter now.
_KEPT = ("content_type", "content_encoding", "message_id", "correlation_id", "app_id", "type")


class Receiver(Direction):
    """Takes messages in. Each is acknowledged when its transaction, or its dead letter, is safe."""

    def run(self, link: Link) -> None:
        """Take in what comes, in its order, until stop."""
        waiting: deque[Message] = deque()
        link.channel.basic_qos(0, PREFETCH, False)
        consumer = Consumer(
            link.channel,
            [INCOMING],
            on_message=waiting.append,
            # Of a body that says it is compressed, and is not: malformed, like any other.
            on_decode_error=lambda message, _error: waiting.append(message),
            auto_declare=False,
        )
        consumer.consume()
        while not self.stop.is_set():
            if not waiting:
                link.listen(_LISTEN_SECONDS)
                continue
            link.keep_alive()
            try:
                self._handle(link, waiting.popleft())
            except Stopped:
                return  # the broker gives it, and all behind it, to the next one

    def _handle(self, link: Link, message: Message) -> None:
        body = message.body if isinstance(message.body, bytes) else str(message.body).encode()
        routing_key = str(message.delivery_info["routing_key"])
        app_id = message.properties.get("app_id")
        try:
            self.persist(link, take_in, body, routing_key=routing_key, app_id=app_id)
        except Refused as refusal:
            logger.warning(
                "A message is refused: %s (%s)", refusal.reason, str(refusal)[:_MOST_TEXT]
            )
            self._bury(link, message, body, refusal)
            self.persist(link, count_refused)
        message.ack()

    def _bury(self, link: Link, message: Message, body: bytes, refusal: Refused) -> None:
        """Lay a copy into the queue of dead letters, with the reason in its headers."""
        properties: dict[str, Any] = {
            name: message.properties[name] for name in _KEPT if message.properties.get(name)
        }
        properties["application_headers"] = {
            "x-reason": refusal.reason,
            "x-reason-text": str(refusal)[:_MOST_TEXT],
            "x-original-exchange": message.delivery_info["exchange"],
            "x-original-routing-key": message.delivery_info["routing_key"],
            "x-refused-at": iso_milliseconds(timezone.now()),
        }
        link.publish(
            body,
            exchange="",
            routing_key=DEAD_LETTERS.name,
            properties=properties,
            must_arrive=True,
        )
