"""The rows of a file, as texts: CSV (RFC 4180, as spreadsheets write it) and XLSX.

A file is as large as it may be, and whoever made it may mean harm: nothing here holds more of it
than one row in memory, but for the texts that the sheets of an XLSX file share.
"""

import csv
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import IO, Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from products.imports.archive import check_archive, check_content
from products.imports.errors import UnreadableFile
from products.imports.models import Import

MAX_ROWS = 200_000
MAX_COLUMNS = 200
# What a spreadsheet can have; a file may skip as many rows as it says.
_LAST_ROW = 1_048_576
# A line, or a row with line ends in it. A product's texts have 60 KB at most.
MAX_ROW_BYTES = 256 * 1024
_TOO_LONG = _("The row is too long.")
_STRAY_QUOTE = _("The row is no CSV: a quotation mark is where none may be.")
_BROKEN_XLSX = _("The file is no XLSX file, or is broken.")

# Told again and again how far the reading is, and of how much: bytes of CSV, rows of XLSX.
Tell = Callable[[int, int], None]


class RawRow(NamedTuple):
    """A row as it was read: its number, the header's being 1, and its cells."""

    number: int
    cells: list[str]


def read_rows(path: Path, *, file_format: str, tell: Tell) -> Iterator[RawRow]:
    """All rows that are not empty, in order, the header first.

    Raises UnreadableFile where it cannot go on.
    """
    read = _read_csv if file_format == Import.Format.CSV else _read_xlsx
    seen = 0
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
        delimiter = _delimiter_of(file.readline(MAX_ROW_BYTES))
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
    # Loaded here: it takes a server 0.2 s and 10 MB, and most never see such a file.
    from openpyxl import load_workbook

    with path.open("rb") as file:
        check_archive(file)
        check_content(file)
        try:
            workbook = load_workbook(file, read_only=True, data_only=True, keep_links=False)
            sheet = workbook.worksheets[0]
        except Exception as error:
            raise UnreadableFile(_BROKEN_XLSX) from error
        rows = _guarded(sheet.iter_rows(values_only=True))
        for number, cells in enumerate(rows, start=1):
            yield RawRow(number, [text_of(cell) for cell in cells])
            tell(number, max(number, sheet.max_row or 0))


def _guarded(rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """The rows; UnreadableFile for whatever openpyxl raises of a file that is not as it should."""
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except Exception as error:  # KeyError, TypeError, ParseError …
            raise UnreadableFile(_BROKEN_XLSX) from error
        yield row


def text_of(cell: Any) -> str:
    """A spreadsheet's value as somebody would write it: 10 and not 10.0, times in ISO 8601."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        # Fifteen digits are what a spreadsheet shows: 12.1 is not 12.100000000000001.
        return format(cell, ".15g")
    if isinstance(cell, (datetime, date, time)):
        return cell.isoformat()
    return str(cell).strip()
