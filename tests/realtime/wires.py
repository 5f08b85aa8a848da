"""A socket that takes bytes or does not, as a test wants."""

import asyncio
from collections.abc import Callable


class Wire(asyncio.Transport):
    """Hands on what is written while its other end reads; keeps it meanwhile."""

    def __init__(self, hear: Callable[[bytes], None]) -> None:
        super().__init__()
        self._hear = hear
        self._waiting = b""
        self._reads = True
        self._closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self._closing
        self._waiting += bytes(data)
        if self._reads:
            self.read_on()

    def stop_reading(self) -> None:
        """Take nothing any more."""
        self._reads = False

    def read_on(self) -> None:
        """Take what waits, and what comes."""
        self._reads = True
        taken, self._waiting = self._waiting, b""
        if taken:
            self._hear(taken)

    def get_write_buffer_size(self) -> int:
        return len(self._waiting)

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._closing = True


def texts_in(data: bytes) -> list[str]:
    """The text messages in what a WebSocket server wrote."""
    found = []
    while data:
        assert data[0] == 0x81  # one whole text each
        size, start = data[1], 2
        if size >= 126:
            start = 4 if size == 126 else 10
            size = int.from_bytes(data[2:start], "big")
        found.append(data[start : start + size].decode())
        data = data[start + size :]
    return found
