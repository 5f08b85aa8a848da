"""Two transactions that overlap: what is committed later comes later, with the higher id.

A reader that goes by the order of inserts never sees what an earlier number commits late.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from marketplace.accounts.models import User
from realtime.api import publish
from tests.realtime.things import ThingHappened, publish_thing
from tests.streams.things import bearer, listen, next_events, talk
from tests.support.servers import Marketplace

pytestmark = pytest.mark.postgresql


class Slow:
    """A transaction that has written its event, and commits when it is told to."""

    def __init__(self, number: int, to: str) -> None:
        self._thing = ThingHappened(number=number, to=to)
        self._written, self._may_commit = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._written.wait(30)

    def _run(self) -> None:
        try:
            with transaction.atomic():
                publish(self._thing)
                self._written.set()
                self._may_commit.wait(60)
        finally:
            connection.close()

    def commit(self) -> None:
        """Let it commit; returns when it has."""
        self._may_commit.set()
        self._thread.join()


@contextmanager
def slow_transaction(number: int, to: str) -> Iterator[Slow]:
    """One that commits at the end of the block at the latest."""
    slow = Slow(number, to)
    try:
        yield slow
    finally:
        slow.commit()


async def test_it_sends_what_was_committed_later_with_the_higher_id(
    server: Marketplace, buyer: User
) -> None:
    audience = f"user.{buyer.pk}"
    async with await listen(server, buyer) as stream, await talk(server, buyer) as client:
        with slow_transaction(1, audience) as first:
            publish_thing(2, to=audience)
            (second_heard,) = await next_events(stream, 1)
            second_said = await client.until("thing-happened")
            first.commit()
        (first_heard,) = await next_events(stream, 1)
        first_said = await client.until("thing-happened")
    numbers = [frame.body["data"]["number"] for frame in (second_heard, first_heard)]
    assert numbers == [2, 1]
    assert second_heard.id is not None
    assert first_heard.id is not None
    assert second_heard.id < first_heard.id
    assert [second_said, first_said] == [second_heard.body, first_heard.body]


async def test_it_resumes_between_the_two_and_misses_neither(
    server: Marketplace, buyer: User
) -> None:
    """The client has the later number and is cut; the earlier one commits while it is away, or
    after it came back, or while it comes back."""
    audience, headers = f"user.{buyer.pk}", bearer(buyer)
    async with await listen(server, headers=headers) as stream:
        cursor = (await stream.frame()).id
    for round_number, moment in enumerate(["while it is away", "meanwhile", "when it is back"] * 5):
        number = 10 * round_number
        with slow_transaction(number + 1, audience) as first:
            async with await listen(server, headers=headers, lastEventId=str(cursor)) as stream:
                publish_thing(number + 2, to=audience)
                (heard,) = await next_events(stream, 1)
                assert heard.body["data"]["number"] == number + 2
                cursor = heard.id
                stream.cut()
            if moment == "while it is away":
                first.commit()
            opening = asyncio.create_task(listen(server, headers=headers, lastEventId=str(cursor)))
            if moment == "meanwhile":
                first.commit()
            async with await opening as stream:
                publish_thing(number + 3, to=audience)
                if moment == "when it is back":
                    (third,) = await next_events(stream, 1)
                    first.commit()
                    (late,) = await next_events(stream, 1)
                else:
                    late, third = await next_events(stream, 2)
                numbers = [frame.body["data"]["number"] for frame in (late, third)]
                assert sorted(numbers) == [number + 1, number + 3], moment
                assert late.id is not None
                assert third.id is not None
                assert cursor is not None
                assert cursor < late.id
                assert cursor < third.id
                cursor = max(late.id, third.id)
