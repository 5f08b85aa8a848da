"""Questions of many connections, asked together."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence

import pytest
from django.db import OperationalError

import realtime.together
from realtime.database import DatabaseThreads
from realtime.together import LOTS_AT_ONCE, MOST_TOGETHER, STEP, Together

# Each thread opens its connection.
pytestmark = pytest.mark.django_db(transaction=True)


class Doubler:
    """Answers with twice the number, when it may."""

    def __init__(self) -> None:
        self.lots: list[list[int]] = []
        self.answers = threading.Event()
        self.answers.set()

    def __call__(self, many: Sequence[int]) -> list[int]:
        self.lots.append(list(many))
        assert self.answers.wait(30)
        if -1 in many:
            raise ValueError("no such number")
        if -2 in many:
            raise OperationalError
        return [2 * number for number in many]

    async def until_asked(self) -> None:
        """Wait for the first lot, which has no answer yet."""
        async with asyncio.timeout(20):
            while not self.lots:
                await asyncio.sleep(0.001)


@pytest.fixture
async def pool() -> AsyncIterator[DatabaseThreads]:
    threads = DatabaseThreads(size=4, name="together")
    yield threads
    await threads.close()


async def test_it_asks_at_once_where_nothing_is_asked(pool: DatabaseThreads) -> None:
    doubler = Doubler()
    together = Together(pool, doubler)
    assert [await together.ask(number) for number in (1, 2)] == [2, 4]
    assert doubler.lots == [[1], [2]]


async def test_it_answers_whoever_asks_when_the_last_lot_has_just_come_back(
    pool: DatabaseThreads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(realtime.together, "LOTS_AT_ONCE", 1)
    together = Together(pool, Doubler())
    async with asyncio.timeout(20):
        assert [await together.ask(number) for number in range(3)] == [0, 2, 4]


async def test_it_asks_together_what_comes_meanwhile(pool: DatabaseThreads) -> None:
    doubler = Doubler()
    together = Together(pool, doubler)
    doubler.answers.clear()
    count = LOTS_AT_ONCE + MOST_TOGETHER + 5
    asked = [asyncio.create_task(together.ask(number)) for number in range(count)]
    while len(doubler.lots) < LOTS_AT_ONCE:
        await asyncio.sleep(0.001)
    doubler.answers.set()
    assert await asyncio.gather(*asked) == [2 * number for number in range(count)]
    assert sum(len(lot) for lot in doubler.lots) == count
    assert max(len(lot) for lot in doubler.lots) == MOST_TOGETHER


async def test_a_question_that_fails_fails_alone(pool: DatabaseThreads) -> None:
    together = Together(pool, Doubler())
    asked = [together.ask(number) for number in (1, -1, 2, 3)]
    first, failure, *others = await asyncio.gather(*asked, return_exceptions=True)
    assert [first, str(failure), *others] == [2, "no such number", 4, 6]
    assert await together.ask(1) == 2


async def test_it_tells_everybody_at_once_that_the_database_is_away(pool: DatabaseThreads) -> None:
    doubler = Doubler()
    together = Together(pool, doubler)
    asked = [together.ask(number) for number in (1, -2, 3)]
    failures = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(failure) for failure in failures] == [OperationalError] * 3
    assert len(doubler.lots) == 1


async def test_it_does_not_ask_for_who_gave_up_before(
    pool: DatabaseThreads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(realtime.together, "LOTS_AT_ONCE", 1)
    doubler = Doubler()
    together = Together(pool, doubler)
    doubler.answers.clear()
    first = asyncio.create_task(together.ask(1))
    await doubler.until_asked()
    later = [asyncio.create_task(together.ask(number)) for number in range(2, 8)]
    while len(together._waiting) < len(later):
        await asyncio.sleep(0.001)
    for task in later[::2]:
        task.cancel()
    doubler.answers.set()
    assert await asyncio.gather(first, *later[1::2]) == [2, 6, 10, 14]
    assert doubler.lots == [[1], [3, 5, 7]]


async def test_it_fails_who_asked_where_an_answer_is_missing(pool: DatabaseThreads) -> None:
    together: Together[int, int] = Together(pool, lambda many: many[1:])
    async with asyncio.timeout(20):
        asked = (together.ask(number) for number in range(3))
        failures = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(failure) for failure in failures] == [ValueError] * 3


async def test_of_a_lot_one_may_give_up(pool: DatabaseThreads) -> None:
    doubler = Doubler()
    together = Together(pool, doubler)
    doubler.answers.clear()
    asked = [asyncio.create_task(together.ask(number)) for number in range(6)]
    await doubler.until_asked()
    for task in asked[::2]:
        task.cancel()
    doubler.answers.set()
    assert await asyncio.gather(*asked[1::2]) == [2, 6, 10]


async def test_it_tells_few_at_a_time_so_that_others_have_their_turn(
    pool: DatabaseThreads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(realtime.together, "LOTS_AT_ONCE", 1)
    doubler = Doubler()
    together = Together(pool, doubler)
    step = 0
    told: list[int] = []

    async def ask(number: int) -> None:
        await together.ask(number)
        told.append(step)

    doubler.answers.clear()
    asked = [asyncio.create_task(ask(number)) for number in range(5 * STEP)]
    await doubler.until_asked()
    doubler.answers.set()
    while len(told) < len(asked):
        step += 1
        await asyncio.sleep(0)
    assert max(map(told.count, told)) == STEP
