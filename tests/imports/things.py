"""What the tests of imports share: files as sellers make them, handed in and worked on."""

import csv
import io
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from threading import Event
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone
from openpyxl import Workbook

from marketplace.accounts.models import User
from products.imports.models import Import, RowError
from products.imports.running import run_import
from products.imports.services import create_import
from tests.products.things import announced

HEADER = ["externalId", "title", "price", "currency", "kind", "stock"]
URL = "/api/imports"


def row(number: int, **other: Any) -> list[Any]:
    """A good row of HEADER; other values by the names of the columns."""
    values = {
        "externalId": f"sku-{number}",
        "title": f"Product {number}",
        "price": "12.50",
        "currency": "EUR",
        "kind": "goods",
        "stock": "10",
    }
    return list((values | other).values())


def csv_file(
    rows: Iterable[Sequence[Any]], *, header: Sequence[str] = HEADER, delimiter: str = ","
) -> bytes:
    """The file as UTF-8."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([header, *rows])
    return text.getvalue().encode()


def xlsx_file(rows: Iterable[Sequence[Any]], *, header: Sequence[str] = HEADER) -> bytes:
    """The file as a spreadsheet writes it."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for cells in (header, *rows):
        sheet.append(list(cells))
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def hand_in(
    seller: User, content: bytes, *, name: str = "catalogue.csv", dry_run: bool = False
) -> Import:
    """Hand a file in; nobody works on it yet."""
    return create_import(seller=seller, upload=io.BytesIO(content), name=name, dry_run=dry_run)


def make_import(
    seller: User, *, errors: Iterable[tuple[int, str, str]] = (), **fields: Any
) -> Import:
    """Write down an import as it may stand, with what is wrong: row, field, message.

    One that runs is in the hands of a worker that nobody knows: it stays as it is.
    """
    values: dict[str, Any] = {"file_name": "catalogue.csv", "format": "csv", **fields}
    if values.get("status") == Import.Status.RUNNING:
        values |= {"holder": uuid4(), "held_until": timezone.now() + timedelta(hours=1)}
    elif values.get("status", Import.Status.QUEUED) != Import.Status.QUEUED:
        values.setdefault("finished_at", timezone.now())
    job = Import.objects.create(seller=seller, **values)
    RowError.objects.bulk_create(
        RowError(of=job, row=row, field=field, message=message) for row, field, message in errors
    )
    return job


def work_on(task_id: UUID, *, stop: Event | None = None) -> Import:
    """Do a worker's work, and return the import as it stands then."""
    run_import(task_id, stop=stop or Event())
    return Import.objects.get(pk=task_id)


def imported(seller: User, content: bytes, **options: Any) -> Import:
    """Hand a file in and have it worked on to its end."""
    return work_on(hand_in(seller, content, **options).pk)


def errors_of(job: Import) -> list[tuple[int, str, str]]:
    """Row, field and message of what was wrong."""
    return [(error.row, error.field, error.message) for error in job.errors.all()]


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Wait until it holds; what: what is wrong when it never does."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def counts(job: Import) -> tuple[str, int, int, int]:
    """How it ended: status, created, updated, failed."""
    return job.status, job.created, job.updated, job.failed


def told_of_products() -> list[tuple[str, list[str], list[str]]]:
    """What was announced, progress aside: type, audiences, and titles or ids."""
    return [
        (kind, audiences, _named(data))
        for kind, audiences, data in announced()
        if kind != "progress"
    ]


def _named(data: dict[str, Any]) -> list[str]:
    products = data.get("products") or [data.get("product") or data]
    return [str(each.get("title") or each["productId"]) for each in products]
