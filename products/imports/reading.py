"""The rows of a file, as texts: CSV (RFC 4180, as spreadsheets write it) and XLSX.

A file is as large as it may be, and whoever made it may mean harm: nothing here holds more of it
than one row in memory, but for the texts that the sheets of an XLSX file share.
"""

import csv
import os
import re
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, NamedTuple

import msgspec
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from products.imports.archive import check_archive
from products.imports.errors import UnreadableFile
from products.imports.models import Import

MAX_ROWS = 200_000
MAX_COLUMNS = 200
# What a spreadsheet can have; a file may skip as many rows as it says.
_LAST_ROW = 1_048_576
# A line, or a row with line ends in it. A product's texts have 60 KB at most.
MAX_ROW_BYTES = 256 * 1024
# All rows together, in characters: many cells of a spreadsheet can name one text.
MAX_CHARACTERS = 200_000_000
# What some spreadsheets write, and read, before the header; no row of its own.
_SAID_DELIMITER = re.compile(rb"sep=([,;\t])\r?\n", re.IGNORECASE)
_MAX_JSON_BYTES = 8 * MAX_ROW_BYTES
_PIECE_BYTES = 64 * 1024
_IDLE_SECONDS = 0.2
_TOO_LONG = _("The row is too long.")
_STRAY_QUOTE = _("The row is no CSV: a quotation mark is where none may be.")
_BROKEN_XLSX = _("The file is no XLSX file, or is broken.")

# Told again and again how far the reading is, and of how much: bytes of CSV, rows of XLSX.
Tell = Callable[[int, int], None]


_decode_row = msgspec.json.Decoder(tuple[int, int, list[str]]).decode


class RawRow(NamedTuple):
    """A row as it was read: its number, the header's being 1, and its cells."""

    number: int
    cells: list[str]


def read_rows(path: Path, *, file_format: str, tell: Tell) -> Iterator[RawRow]:
    """All rows that are not empty, in order, the header first.

    Raises UnreadableFile where it cannot go on.
    """
    read = _read_csv if file_format == Import.Format.CSV else _read_xlsx
    seen = characters = 0
    for number, cells in read(path, tell):
        if not any(cells) and number <= _LAST_ROW:
            continue
        seen += 1
        if seen > MAX_ROWS + 1 or number > _LAST_ROW:
            raise UnreadableFile(_("A file has at most 200,000 rows."), row=number)
        while not cells[-1]:
            cells.pop()
        if len(cells) > MAX_COLUMNS:
            raise UnreadableFile(_("A row has more columns than are taken."), row=number)
        size = sum(map(len, cells))
        characters += size
        if size > MAX_ROW_BYTES:
            raise UnreadableFile(_TOO_LONG, row=number)
        if characters > MAX_CHARACTERS:
            raise UnreadableFile(_("The file unpacks to more than is taken."), row=number)
        yield RawRow(number, cells)


# --- CSV ------------------------------------------------------------------------------------


class _Lines:
    """The lines of a file, as texts: bounded, for the csv module, which is not.

    row_bytes: how much went into the present row; whoever takes a row sets it to 0.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.read_bytes = 0
        self.row_bytes = 0
        self.row = 1

    def __iter__(self) -> Iterator[str]:
        while line := self._file.readline(MAX_ROW_BYTES):
            self.read_bytes += len(line)
            self.row_bytes += len(line)
            if self.row_bytes > MAX_ROW_BYTES or len(line) == MAX_ROW_BYTES:
                raise UnreadableFile(_TOO_LONG, row=self.row)
            if b"\0" in line:
                raise UnreadableFile(_("The row is no text: it has NUL bytes."), row=self.row)
            try:
                yield line.decode()
            except UnicodeDecodeError as error:
                raise UnreadableFile(_("The row is not UTF-8."), row=self.row) from error


def _read_csv(path: Path, tell: Tell) -> Iterator[RawRow]:
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(3) != b"\xef\xbb\xbf":
            file.seek(0)
        start = file.tell()
        head = file.readline(MAX_ROW_BYTES)
        if said := _SAID_DELIMITER.fullmatch(head):
            start, delimiter = file.tell(), said[1].decode()
        else:
            delimiter = _delimiter_of(head)
        if b"\r" in head.rstrip(b"\r\n"):
            raise UnreadableFile(_("The lines end with CR alone. Save it as “CSV UTF-8”."), row=1)
        file.seek(start)
        lines = _Lines(file)
        rows = csv.reader(lines, delimiter=delimiter, strict=True)
        try:
            for number, cells in enumerate(rows, start=1):
                lines.row, lines.row_bytes = number + 1, 0
                yield RawRow(number, [cell.strip() for cell in cells])
                tell(start + lines.read_bytes, size)
        except csv.Error as error:
            # The module's own limit of a field comes before ours of a row.
            why = _TOO_LONG if "limit" in str(error) else _STRAY_QUOTE
            raise UnreadableFile(why, row=lines.row) from error


def _delimiter_of(header: bytes) -> str:
    """The one of comma, semicolon and tab that the header has most of."""
    return max(",;\t", key=lambda delimiter: header.count(delimiter.encode()))


# --- XLSX -----------------------------------------------------------------------------------


def _read_xlsx(path: Path, tell: Tell) -> Iterator[RawRow]:
    with path.open("rb") as file:
        check_archive(file)
    command = [sys.executable, "-m", "products.imports.xlsx", str(path)]
    child = subprocess.Popen(  # noqa: S603 our own module; the path is ours, too
        command, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    so_far = [0, 0]
    try:
        for line in _lines_of(child, idle=lambda: tell(*so_far)):
            number, said, cells = _decode_row(line)
            so_far[:] = number, max(number, said)
            yield RawRow(number, cells)
            tell(*so_far)
        if child.wait() != 0:
            raise UnreadableFile(_BROKEN_XLSX)
    finally:
        child.kill()
        child.wait()
        if child.stdout is not None:
            child.stdout.close()


def _lines_of(child: subprocess.Popen[bytes], *, idle: Callable[[], None]) -> Iterator[bytes]:
    """The lines that the process prints; idle is called again and again while it prints none.

    Raises UnreadableFile for one that is longer than a row may be.
    """
    output = child.stdout
    assert output is not None  # noqa: S101 it was asked for
    rest = b""
    while True:
        if not select.select([output], [], [], _IDLE_SECONDS)[0]:
            idle()
            continue
        piece = os.read(output.fileno(), _PIECE_BYTES)
        if not piece:
            return
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines
        if len(rest) > _MAX_JSON_BYTES:
            raise UnreadableFile(_TOO_LONG)
