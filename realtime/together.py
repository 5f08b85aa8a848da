"""Questions to the database that many connections have at once, asked together."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from django.db import InterfaceError, OperationalError

from realtime.database import DatabaseThreads

Q = TypeVar("Q")
A = TypeVar("A")

MOST_TOGETHER = 100
# So many lots are asked at the same time: one that takes long holds up no more than its own.
LOTS_AT_ONCE = 2
# So many are told in one step of the loop, and go on there: others have their turn in between.
STEP = 10


class Together(Generic[Q, A]):
    """Asks in lots: a question goes at once where nothing is asked, and what comes meanwhile goes
    together. Only what reads may be asked so: it waits for no lock, and where a lot fails each of
    it is asked again. Ten thousand streams that open at once cost some hundred queries."""

    def __init__(self, pool: DatabaseThreads, answer: Callable[[Sequence[Q]], Sequence[A]]) -> None:
        """answer: called in a thread of the pool; gives an answer for each question, in order."""
        self._pool = pool
        self._answer = answer
        self._waiting: deque[tuple[Q, asyncio.Future[A]]] = deque()
        self._lots = 0  # being asked
        self._tasks: set[asyncio.Task[None]] = set()  # or they could be collected while they run

    async def ask(self, question: Q) -> A:
        """The answer; raises what answering this question raised, or the database's being away."""
        future: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, future))
        if self._lots < LOTS_AT_ONCE:
            self._lots += 1
            task = asyncio.create_task(self._work())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await future

    async def _work(self) -> None:
        try:
            while lot := self._take_lot():
                await self._ask_lot(lot)
        finally:
            # Here, not when the task is found to be done: who asks before that starts another.
            self._lots -= 1

    def _take_lot(self) -> list[tuple[Q, asyncio.Future[A]]]:
        lot: list[tuple[Q, asyncio.Future[A]]] = []
        while self._waiting and len(lot) < MOST_TOGETHER:
            question, future = self._waiting.popleft()
            if not future.done():  # nobody waits for it any more
                lot.append((question, future))
        return lot

    async def _ask_lot(self, lot: list[tuple[Q, asyncio.Future[A]]]) -> None:
        try:
            answers = await self._pool.run(self._answer, [question for question, _ in lot])
            answered = list(zip(lot, answers, strict=True))
        except Exception as error:  # noqa: BLE001 whoever asked is told
            if len(lot) > 1 and not isinstance(error, (OperationalError, InterfaceError)):
                # Not the database is away: one of them may fail, a stranger's, for itself alone.
                for one in lot:
                    await self._ask_lot([one])
                return
            for _, future in lot:
                if not future.done():
                    future.set_exception(error)
        else:
            for number, ((_, future), answer) in enumerate(answered):
                if number % STEP == 0:
                    await asyncio.sleep(0)
                if not future.done():  # as above
                    future.set_result(answer)
