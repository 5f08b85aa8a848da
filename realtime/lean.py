"""What asyncio and collections have, small. Each stream has some of them, and nearly all are empty
for ever: a deque takes 750 bytes, an asyncio.Event has one and an asyncio.Queue four."""

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class Line(list[T]):
    """What a collections.deque does for a few items at a time."""

    def appendleft(self, item: T) -> None:
        """Put one before the others."""
        self.insert(0, item)


class Flag:
    """What asyncio.Event does."""

    __slots__ = ("_is_set", "_waiting")

    def __init__(self) -> None:
        self._is_set = False
        self._waiting: list[asyncio.Future[None]] | None = None

    def is_set(self) -> bool:
        """Whether nobody has to wait."""
        return self._is_set

    def set(self) -> None:
        """Let everybody go on."""
        self._is_set = True
        waiting, self._waiting = self._waiting or (), None
        for waiter in waiting:
            if not waiter.done():  # but cancelled
                waiter.set_result(None)

    def clear(self) -> None:
        """Have those wait who come now."""
        self._is_set = False

    async def wait(self) -> bool:
        """Return, true, when it is set."""
        if not self._is_set:
            waiter = asyncio.get_running_loop().create_future()
            if self._waiting is None:
                self._waiting = []
            self._waiting.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                if self._waiting and waiter in self._waiting:
                    self._waiting.remove(waiter)
                raise
        return True


class Mailbox(Generic[T]):
    """What an asyncio.Queue without a bound does for one reader at a time."""

    __slots__ = ("_filled", "_items")

    def __init__(self) -> None:
        self._items: list[T] = []
        self._filled = Flag()

    def put_nowait(self, item: T) -> None:
        """Put one behind the others."""
        self._items.append(item)
        self._filled.set()

    def empty(self) -> bool:
        """Whether get() would wait."""
        return not self._items

    async def get(self) -> T:
        """Take the first, as soon as there is one."""
        while not self._items:
            self._filled.clear()
            await self._filled.wait()
        return self._items.pop(0)
