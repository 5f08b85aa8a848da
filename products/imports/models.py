"""An import, its bad rows, and what it has written and not announced yet."""

from typing import ClassVar, Self
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

MAX_FILE_NAME = 200
MAX_FIELD = 40
MAX_MESSAGE = 300


class ImportQuerySet(models.QuerySet["Import"]):
    """Imports, by who may see them."""

    def visible_to(self, *, user_id: int | None, is_staff: bool) -> Self:
        """One's own; for staff everybody's."""
        return self if is_staff else self.filter(seller_id=user_id)

    def unfinished(self) -> Self:
        """Those that wait or run."""
        return self.filter(finished_at=None)


class Import(models.Model):
    """A file of products that a seller has handed in, and how far it has come.

    Whoever holds it works on it: `holder` is a worker of ours, which renews `held_until` each
    second. One whose holder is silent is taken up by another, at the last row that was committed.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    class Step(models.TextChoices):
        READING = "reading", _("reading")
        VALIDATING = "validating", _("checking")
        WRITING = "writing", _("writing")
        PUBLISHING = "publishing", _("publishing")

    class Format(models.TextChoices):
        CSV = "csv", "CSV"
        XLSX = "xlsx", "XLSX"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    seller = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="imports",
        db_index=False,  # the index of a seller's imports, newest first, serves
        verbose_name=_("seller"),
    )
    file_name = models.CharField(_("file"), max_length=MAX_FILE_NAME)
    format = models.CharField(_("format"), max_length=4, choices=Format.choices)
    dry_run = models.BooleanField(_("trial"), default=False)
    status = models.CharField(
        _("status"), max_length=9, choices=Status.choices, default=Status.QUEUED
    )
    step = models.CharField(_("step"), max_length=10, choices=Step.choices, blank=True, default="")
    current = models.PositiveBigIntegerField(_("current"), default=0)
    total = models.PositiveBigIntegerField(_("total"), default=0)
    created = models.PositiveIntegerField(_("created"), default=0)
    updated = models.PositiveIntegerField(_("updated"), default=0)
    failed = models.PositiveIntegerField(_("bad rows"), default=0)
    ignored_columns = models.JSONField(_("columns not used"), default=list)
    cancel_requested = models.BooleanField(default=False)
    # Where the worker goes on in the checked rows: how many were written, and the byte behind them.
    written_rows = models.PositiveIntegerField(default=0)
    written_bytes = models.PositiveBigIntegerField(default=0)
    # Of how many products the catalogue's viewers have been told.
    announced = models.PositiveIntegerField(default=0)
    # How often it was taken up since it last came further.
    attempts = models.PositiveSmallIntegerField(default=0)
    holder = models.UUIDField(null=True)
    held_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished at"), null=True)

    objects = ImportQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering: ClassVar = ["-created_at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["seller", "-created_at", "-id"], name="imports_of_seller"),
            models.Index(
                fields=["created_at"], condition=Q(finished_at=None), name="imports_unfinished"
            ),
            models.Index(fields=["finished_at"], name="imports_finished"),
        ]

    def __str__(self) -> str:
        return f"{self.file_name} ({self.status})"

    @property
    def percent(self) -> int:
        """How much of the present step is done, rounded down; 100 of an import that is done."""
        if self.status == self.Status.DONE:
            return 100
        return min(100, self.current * 100 // self.total) if self.total else 0


class RowError(models.Model):
    """What is wrong with one field of one row, or with the file (row 0) or a row as a whole ("").

    row: as a spreadsheet counts it, the header being the first.
    """

    id = models.BigAutoField(primary_key=True)
    of = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="errors", db_index=False)
    row = models.PositiveIntegerField(_("row"))
    field = models.CharField(_("field"), max_length=MAX_FIELD, blank=True)
    message = models.CharField(_("message"), max_length=MAX_MESSAGE)

    class Meta:
        verbose_name = _("bad row")
        verbose_name_plural = _("bad rows")
        ordering: ClassVar = ["row", "id"]
        indexes: ClassVar = [models.Index(fields=["of", "row", "id"], name="imports_row_errors")]

    def __str__(self) -> str:
        return f"{self.row}: {self.message}"


class UnannouncedLot(models.Model):
    """Products that an import has written and the catalogue's viewers have not heard of.

    Written with the products in one transaction, deleted with the event that tells of them in
    another: what was committed is announced whatever happens in between, once.
    """

    id = models.BigAutoField(primary_key=True)
    of = models.ForeignKey(Import, on_delete=models.PROTECT, related_name="unannounced")
    product_ids = models.JSONField()
    size = models.PositiveSmallIntegerField()

    def __str__(self) -> str:
        return f"{self.size} products of {self.of_id}"
