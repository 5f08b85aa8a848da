"""CSV that is written while it is read from the database, and that no spreadsheet runs."""

import csv
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from io import StringIO
from itertools import chain
from operator import attrgetter
from typing import TypeVar

from asgiref.sync import sync_to_async
from django.db import close_old_connections
from django.db.models import Model, QuerySet
from django.http import StreamingHttpResponse
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

# A spreadsheet takes a cell that begins so for a formula, and a formula can send the sheet away
# (OWASP, CSV injection). Behind an apostrophe it is text. What has one there already gets another,
# so that who takes one off again (products.imports.checking) has the text as it was.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
# Without it some spreadsheets take UTF-8 for something else.
_BOM = "\ufeff"
_ROWS_AT_ONCE = 250
_PIECE_CHARACTERS = 64 * 1024

M = TypeVar("M", bound=Model)


class _AnyAccept(DefaultContentNegotiation):
    """What is sent is CSV, or an error as JSON, whichever of the two was asked for."""

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class CsvView(APIView):
    """The base of views that answer with csv_response()."""

    content_negotiation_class = _AnyAccept


def defused(text: str) -> str:
    """The text as a cell that is no formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def csv_response(
    *, file_name: str, header: Sequence[str], rows: Iterable[Sequence[object]]
) -> StreamingHttpResponse:
    """A file to download, sent piece by piece as it is read.

    rows: may use the database; texts among the cells are defused. A reader that is slow is waited
    for, one that leaves ends the reading.
    """
    response = StreamingHttpResponse(
        _in_threads(_pieces(header, rows)), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="{file_name}"'
    response["X-Accel-Buffering"] = "no"
    return response


def newest_first(queryset: "QuerySet[M]") -> Iterator[M]:
    """All rows by created_at and key, as lists show them, some hundreds a query.

    What is added meanwhile is not among them.
    """
    rows = queryset.order_by("-created_at", "-pk")
    created_at = attrgetter("created_at")
    some = list(rows[:_ROWS_AT_ONCE])
    while some:
        yield from some
        last = some[-1]
        behind = rows.filter(created_at__lte=created_at(last))
        some = list(behind.exclude(created_at=created_at(last), pk__gte=last.pk)[:_ROWS_AT_ONCE])


def _pieces(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    text = StringIO()
    text.write(_BOM)
    writer = csv.writer(text)
    for row in chain([header], rows):
        writer.writerow([_cell(value) for value in row])
        if text.tell() >= _PIECE_CHARACTERS:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def _cell(value: object) -> object:
    return defused(value) if isinstance(value, str) else value


async def _in_threads(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    # Django would collect what a plain iterator gives, all of it, before it sends the first byte.
    read = sync_to_async(_read)
    while piece := await read(pieces):
        yield piece


def _read(pieces: Iterator[bytes]) -> bytes:
    try:
        return next(pieces, b"")
    finally:
        # Whoever reads slowly is waited for without a connection to the database.
        close_old_connections()
