"""Threads with a database connection of their own."""

from django.db import connection
from django.test import override_settings

from realtime.database import DatabaseThreads
from realtime.models import LogHead


async def test_they_keep_no_record_of_their_queries(threads: DatabaseThreads) -> None:
    """With DEBUG it would grow to nine thousand queries for each thread, payloads included."""

    def ask() -> int:
        list(LogHead.objects.all())
        return len(connection.queries_log)

    with override_settings(DEBUG=True):
        for _ in range(3):
            assert await threads.run(ask) == 1
