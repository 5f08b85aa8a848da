"""One run: everything dies, again and again, while four processes write; then each client must have
heard, once and in order, what the log holds for it.

Django is set up by then, on the database that is killed.
"""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from django.db import DatabaseError, connection

from marketplace.accounts.services import log_in
from marketplace.streams import own_audiences
from realtime.models import LogEvent, LogHead, OutboxEvent, ProcessLease
from realtime.testing import Witness
from tests.faults.roamer import Roamer
from tests.faults.world import Summary, World
from tests.faults.writer import NUMBERS_EACH
from tests.support.people import PASSWORD, make_user

T = TypeVar("T")

# Streams of one user share audiences, and stand for tabs.
USERS = 20
# How long everything may take to arrive, when nothing dies any more.
SETTLE_SECONDS = 120


def run(here: World) -> Summary:
    """Do it all; the summary tells what was counted."""
    summary = Summary(clients=here.plan.clients)
    began = time.monotonic()
    asyncio.run(_run(here, summary))
    summary.seconds = round(time.monotonic() - began, 1)
    return summary


async def _run(here: World, summary: Summary) -> None:
    roamers = await _asked(lambda: _make_roamers(here))
    tallies: dict[str, dict[str, int]] = {}
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(here.supervise()),
            group.create_task(_watch(tallies)),
            *(group.create_task(roamer.run()) for roamer in roamers),
        ]
        await _until(lambda: all(roamer.streams for roamer in roamers), "all are connected")
        audiences = sorted({name for roamer in roamers for name in roamer.witness.audiences})
        with here.writers(audiences) as files:
            await here.die_again_and_again(summary)
            await asyncio.sleep(1)
        for roamer in roamers:
            roamer.settle()
        head = await _settled()
        await _until_all_is_heard(roamers, head)
        await _asked(lambda: _judge(roamers, files, head, summary))
        await asyncio.sleep(1.5)  # each process's next lease
        for task in tasks:
            task.cancel()
    for counts in tallies.values():
        for name, count in counts.items():
            summary.tallies[name] = summary.tallies.get(name, 0) + count


async def _asked(work: Callable[[], T]) -> T:
    """What the database answers, as soon as it does."""

    def in_thread() -> T:
        try:
            return work()
        finally:
            connection.close()

    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        try:
            return await asyncio.to_thread(in_thread)
        except DatabaseError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)


async def _until(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(f"Not within {SETTLE_SECONDS} s: {what}.")
        await asyncio.sleep(0.2)


# --- Who listens ----------------------------------------------------------------------------


def _make_roamers(here: World) -> list[Roamer]:
    people = []
    for number in range(USERS):
        role = ("buyer", "seller")[number % 2]
        user = make_user(f"user-{number}", role=role, is_staff=number == 0)
        tokens = log_in(username=user.username, password=PASSWORD, address="127.0.0.1")
        people.append((tokens.access, own_audiences(user)))
    roamers = []
    for number in range(here.plan.clients):
        token, audiences = people[number % USERS]
        roamer = Roamer(
            token=token,
            witness=Witness(*audiences),
            servers=here.servers,
            transport=("sse", "websocket")[number // USERS % 2],
            chance=random.Random(here.seed * 1000 + number),
        )
        roamers.append(roamer)
    return roamers


async def _watch(tallies: dict[str, dict[str, int]]) -> None:
    """Keep what each process counted last, also of those that were killed."""
    while True:
        leases = await _asked(lambda: list(ProcessLease.objects.all()))
        tallies.update({str(lease.process): lease.tallies for lease in leases})
        await asyncio.sleep(0.7)


# --- The end --------------------------------------------------------------------------------


async def _settled() -> int:
    """The head of the log when nothing is left to number."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while await _asked(OutboxEvent.objects.exists):
        if time.monotonic() > deadline:
            raise TimeoutError("Nobody numbers.")
        await asyncio.sleep(0.2)
    return await _asked(lambda: LogHead.objects.get(id=1).position)


async def _until_all_is_heard(roamers: Sequence[Roamer], head: int) -> None:
    """Wait for the last one; whoever has not everything after all this time has lost it."""
    last = {
        audiences: max(await _asked(lambda: Witness(*audiences).expected(head)), default=0)  # noqa: B023
        for audiences in {roamer.witness.audiences for roamer in roamers}
    }
    deadline = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < deadline and not all(
        roamer.witness.cursor >= last[roamer.witness.audiences] for roamer in roamers
    ):
        await asyncio.sleep(0.2)


def _judge(roamers: Sequence[Roamer], files: Sequence[Path], head: int, summary: Summary) -> None:
    summary.events = head
    for roamer in roamers:
        witness = roamer.witness
        summary.deliveries += len(witness.heard)
        summary.reconnects += roamer.streams - 1
        summary.resets += roamer.resets
        summary.lost += len(witness.lost(head))
        summary.doubled += len(witness.doubled)
        summary.out_of_order += len(witness.out_of_order)
        summary.foreign += len(witness.foreign(head))
    in_log = _numbers_in_the_log()
    committed = {int(line) for file in files for line in file.read_text().split()}
    summary.commits_without_event = len(committed - set(in_log))
    summary.events_doubled = sum(count - 1 for count in Counter(in_log).values())
    # One writer commits one after the other: its numbers grow with the positions.
    newest: dict[int, int] = {}
    for number in in_log:
        writer = number // NUMBERS_EACH
        summary.events_out_of_commit_order += number <= newest.get(writer, -1)
        newest[writer] = max(number, newest.get(writer, -1))


def _numbers_in_the_log() -> list[int]:
    """What the writers published, in the order of positions, which have no holes."""
    rows = LogEvent.objects.order_by("position").values_list("position", "payload")
    numbers = []
    for expected, (position, payload) in enumerate(rows, 1):
        if position != expected:
            raise AssertionError(f"The log has a hole at {expected}.")
        numbers.append(int(json.loads(payload)["data"]["number"]))
    return numbers
