"""Running both directions of the bridge."""

import logging
from threading import Event, Thread

from django.db import connection

from products.availability.bridge import Direction, Stopped
from products.availability.broker import keep_linked
from products.availability.receiver import Receiver
from products.availability.sender import Sender

logger = logging.getLogger(__name__)

_NOTICE_SECONDS = 0.5


def run_bridge(url: str, stop: Event) -> None:
    """Run, with the broker of this URL, until stop is set and what was in hand is done."""
    logger.info("The AMQP bridge begins.")
    threads = [
        Thread(target=_run, args=(url, direction, name, stop), name=f"amqp-{name}", daemon=True)
        for name, direction in (("in", Receiver(stop)), ("out", Sender(stop)))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(_NOTICE_SECONDS)  # so that signals are heard
    logger.info("The AMQP bridge has ended.")


def _run(url: str, direction: Direction, name: str, stop: Event) -> None:
    try:
        direction.prepare()
        keep_linked(url, direction.run, name=f"AMQP {name}", stop=stop)
        direction.leave()
    except Stopped:
        pass  # before the database was there
    finally:
        connection.close()
