"""CSV that is written while it is read from the database, and that no spreadsheet runs."""

import csv
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from io import StringIO
from itertools import chain, islice
from typing import TypeVar

from asgiref.sync import sync_to_async
from django.db.models import Model, QuerySet
from django.http import StreamingHttpResponse

# A spreadsheet takes a cell that begins so for a formula, and a formula can send the sheet away
# (OWASP, CSV injection). Behind an apostrophe it is text.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
# Without it some spreadsheets take UTF-8 for something else.
_BOM = "\ufeff"
ROWS_AT_ONCE = 500

M = TypeVar("M", bound=Model)


def defused(text: str) -> str:
    """The text as a cell that is no formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def csv_response(
    *, file_name: str, header: Sequence[str], rows: Iterable[Sequence[object]]
) -> StreamingHttpResponse:
    """A file to download, sent row by row as they come.

    rows: may use the database; texts among the cells are defused. A reader that is slow is waited
    for: the next rows are read when the last ones have gone.
    """
    response = StreamingHttpResponse(
        _in_threads(_pieces(header, rows)), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="{file_name}"'
    response["X-Accel-Buffering"] = "no"
    return response


def in_order_of_keys(queryset: "QuerySet[M]") -> Iterator[M]:
    """All rows of a queryset by their primary key, some hundreds a query."""
    some = list(queryset.order_by("pk")[:ROWS_AT_ONCE])
    while some:
        yield from some
        some = list(queryset.order_by("pk").filter(pk__gt=some[-1].pk)[:ROWS_AT_ONCE])


def _pieces(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    lines = chain([header], ([_cell(value) for value in row] for row in rows))
    start = _BOM
    while some := list(islice(lines, ROWS_AT_ONCE)):
        text = StringIO()
        csv.writer(text).writerows(some)
        yield (start + text.getvalue()).encode()
        start = ""


def _cell(value: object) -> object:
    return defused(value) if isinstance(value, str) else value


async def _in_threads(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    read = sync_to_async(lambda: next(pieces, None))
    while (piece := await read()) is not None:
        yield piece
