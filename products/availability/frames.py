"""The broker's frames, of which a sender's mistakes may make none unreadable.

amqp raises for text that is no UTF-8, a header of the year 300000 and the like. The connection
would break, the broker give the same message again, and all behind it wait for ever.
"""

import logging
from collections.abc import Callable
from typing import Any

from amqp import spec
from amqp.method_framing import frame_handler

logger = logging.getLogger(__name__)

_METHOD, _PROPERTIES = 1, 2
# Before the properties' flags: class, weight and the body's size.
_FIXED_BYTES = 12

Frame = tuple[int, int, bytes]


def tolerant_frame_handler(
    connection: Any, callback: Callable[..., None]
) -> Callable[[Frame], bool]:
    """amqp's own handler; a message has no properties, where they cannot be read."""
    handle: Callable[[Frame], bool] = frame_handler(connection, callback)

    def handle_any(frame: Frame) -> bool:
        kind, channel, payload = frame
        if kind == _METHOD:
            return handle((kind, channel, _with_readable_key(bytes(payload))))
        try:
            return handle(frame)
        except Exception as error:
            if kind != _PROPERTIES:
                raise
            logger.warning("The properties of a message cannot be read: %r", error)
            return handle((kind, channel, bytes(payload[:_FIXED_BYTES]) + b"\0\0"))

    return handle_any


def _with_readable_key(method: bytes) -> bytes:
    """The same, with a routing key of a delivery that is text: "?" stands for what is none."""
    if (method[1], method[3]) != spec.Basic.Deliver:
        return method
    # Its arguments: consumer tag, delivery tag (8 bytes), redelivered (1), exchange, routing key.
    exchange_at = 4 + 1 + method[4] + 8 + 1
    key_at = exchange_at + 1 + method[exchange_at] + 1
    key = method[key_at:]
    try:
        key.decode()
    except UnicodeDecodeError:
        key = bytes(byte if byte < 128 else ord("?") for byte in key)
    return method[:key_at] + key
