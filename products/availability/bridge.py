"""The AMQP bridge: a thread for each direction, with its own link and its own database connection.

What cannot be done now is tried again for ever: what came stays with the broker until it was
committed, and what goes stays in the log until the broker has confirmed it.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.db import Error, connection

from products.availability.broker import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, Link
from realtime.api import with_own_connection

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

_LISTEN_SECONDS = 0.2


class Stopped(Exception):
    """The bridge is to end, and what was in hand could not be done."""


class Direction:
    """One direction of the bridge, in one thread."""

    def __init__(self, stop: threading.Event) -> None:
        self.stop = stop

    def prepare(self) -> None:
        """Called before there is a link; raises Stopped."""

    def run(self, link: Link) -> None:
        """Work until stop; raises what the link raises when it breaks."""
        raise NotImplementedError

    def leave(self) -> None:
        """Called when it is over, without a link."""

    def persist(
        self, link: Link | None, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Do it in the database, again and again while that is away; raises Stopped.

        Nothing else is done meanwhile, so that the order stays; a link is kept alive.
        """
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                return with_own_connection(work, *args, **kwargs)
            except Error as error:
                connection.close()
                logger.error("The database fails (%s); again in %.0f s.", error, pause)
            self.rest(link, pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def rest(self, link: Link | None, seconds: float) -> None:
        """Do nothing for so long, but keep a link alive; raises Stopped."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self.stop.is_set():
                raise Stopped
            if link is None:
                self.stop.wait(left)
            else:
                link.listen(min(left, _LISTEN_SECONDS))
