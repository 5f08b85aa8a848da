"""Threads that own their database connection, for work beside Django's request handler.

Outside the handler, asgiref runs everything thread-sensitive in ONE thread: a sequencer that waits
for its lock there made logins wait a second. Each of these threads keeps one connection open.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import connection, connections, reset_queries
from django.db.backends.base.base import BaseDatabaseWrapper

P = ParamSpec("P")
T = TypeVar("T")


def with_own_connection(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run work on this thread's connection, which stays open unless it broke.

    CONN_MAX_AGE does not apply: the threads here are few and live as long as the process.
    """
    connection.ensure_connection()
    connection.close_at = None
    try:
        return work(*args, **kwargs)
    finally:
        # Closes the connection after a database error that it did not survive.
        connection.close_if_unusable_or_obsolete()
        # With DEBUG Django keeps thousands of queries, with their parameters, until a request ends:
        # here none ever does.
        reset_queries()


class DatabaseThreads:
    """A bounded pool of such threads, called from an event loop."""

    def __init__(self, *, size: int, name: str) -> None:
        self._executor = ThreadPoolExecutor(max_workers=size, thread_name_prefix=name)
        self._opened: set[BaseDatabaseWrapper] = set()

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run work in one of the threads and await what it returns or raises."""

        def in_thread() -> T:
            self._opened.add(connections["default"])
            return with_own_connection(work, *args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._executor, in_thread)

    async def close(self) -> None:
        """End the threads after the work in hand, and close their connections."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._executor.shutdown()
        for opened in self._opened:
            opened.inc_thread_sharing()  # its own thread is gone
            opened.close()
