"""The files between the steps of an import: a line of JSON for each row.

What a step has made is on the disk before the import's row says so: a machine that loses its power
goes on with whole files.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar
from uuid import UUID

import msgspec

T = TypeVar("T")

_encoder = msgspec.json.Encoder()


class SpoolWriter:
    """Writes rows; the file is there, and whole, when the block ends without an exception.

    by: who writes. One that was frozen, and goes on, writes into no file of another's.
    """

    def __init__(self, path: Path, *, by: UUID) -> None:
        self._path = path
        self._unfinished = path.with_suffix(f".{by}")
        self._file = self._unfinished.open("wb")
        self.count = 0

    def __enter__(self) -> Self:
        return self

    def write(self, row: object) -> None:
        """Add a row."""
        self._file.write(_encoder.encode(row) + b"\n")
        self.count += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._file:
            self._file.flush()
            os.fsync(self._file.fileno())
        if error is None:
            self._unfinished.replace(self._path)


class SpoolReader(Generic[T]):
    """Reads rows in lots. at: the byte behind the last lot."""

    def __init__(self, path: Path, row_type: type[T], *, at: int = 0) -> None:
        self._path = path
        self._decode = msgspec.json.Decoder(row_type).decode
        self.at = at

    def lots(self, size: int) -> Iterator[list[T]]:
        """The rows from there on, so many at a time."""
        with self._path.open("rb") as file:
            file.seek(self.at)
            while lines := [line for _, line in zip(range(size), file, strict=False)]:
                self.at += sum(map(len, lines))
                yield [self._decode(line) for line in lines]
