"""What is announced of imports: the data and the events."""

from collections.abc import Iterable
from typing import Literal

import msgspec

from products.events import ProductData
from products.imports.models import Import
from realtime.api import Event, Fields, iso_milliseconds

SHOWN_ERRORS = 100

Status = Literal["queued", "running", "done", "failed", "cancelled"]
Step = Literal["reading", "validating", "writing", "publishing"]


class _Known(msgspec.Struct):
    status: Status
    step: Step | None


class RowErrorData(Fields, frozen=True, kw_only=True):
    """What is wrong with one row: its number in a spreadsheet, the field, and the reason.

    Row 0 is the file as a whole, an empty field the row as a whole.
    """

    row: int
    field: str
    message: str


class TaskData(Fields, frozen=True, kw_only=True):
    """The id of an import that was handed in."""

    task_id: str


class ImportData(Fields, frozen=True, kw_only=True):
    """An import, as REST shows it. step is null until it has begun; errors are the first 100.

    current, total and percent are of the step: bytes of a CSV file or rows of a spreadsheet while
    it is read, rows while they are checked and written, products while they are announced.
    """

    task_id: str
    status: Status
    dry_run: bool
    step: Step | None
    current: int
    total: int
    percent: int
    created: int
    updated: int
    failed: int
    errors: list[RowErrorData]
    file_name: str
    ignored_columns: list[str]
    created_at: str
    finished_at: str | None


def import_data(job: Import) -> ImportData:
    """The import in its one form for the wire: one query for its first errors."""
    known, finished_at = _known(job), job.finished_at
    return ImportData(
        task_id=str(job.pk),
        status=known.status,
        dry_run=job.dry_run,
        step=known.step,
        current=job.current,
        total=job.total,
        percent=job.percent,
        created=job.created,
        updated=job.updated,
        failed=job.failed,
        errors=[
            RowErrorData(row=error.row, field=error.field, message=error.message)
            for error in job.errors.all()[:SHOWN_ERRORS]
        ],
        file_name=job.file_name,
        ignored_columns=job.ignored_columns,
        created_at=iso_milliseconds(job.created_at),
        finished_at=None if finished_at is None else iso_milliseconds(finished_at),
    )


class Progress(Event, frozen=True, kw_only=True):
    """An import has come so far. For its owner, and for who listens to it.

    At most ten a second, without an id: a newer one takes the place of an older one. The last one,
    when the import is over, is stored.
    """

    task_id: str
    status: Status
    step: Step | None
    current: int
    total: int
    percent: int


class ProductsImported(Event, frozen=True, kw_only=True):
    """An import wrote these products, at most 50 in a frame of at most 64 KiB.

    In place of product-created, product-updated and availability-updated, which the listeners of
    product.<id> alone get of them; what goes off sale is product-deleted and, for its seller and
    staff, product-updated as ever. Products that are not on sale come in frames of their own, for
    their seller and staff. stockChangedAt tells of each product when its stock changed last.
    """

    task_id: str
    products: list[ProductData]
    stock_changed_at: list[str]


def progress_audiences(job: Import) -> Iterable[str]:
    """Who hears how far the import is."""
    return f"import.{job.pk}", f"user.{job.seller_id}"


def progress_of(job: Import) -> Progress:
    """How far the import is, by its row."""
    known = _known(job)
    return Progress(
        task_id=str(job.pk),
        status=known.status,
        step=known.step,
        current=job.current,
        total=job.total,
        percent=job.percent,
    )


def _known(job: Import) -> _Known:
    return msgspec.convert({"status": job.status, "step": job.step or None}, _Known)
