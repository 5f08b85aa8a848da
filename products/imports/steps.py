"""The steps of an import, each from the files and rows of the one before it.

A step that was begun and not finished is begun anew, but for the writing, which goes on behind the
last lot that was committed, and the announcing, which forgets each lot with its event.
"""

from collections.abc import Sequence
from itertools import chain

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from products.imports.announcing import Pace, announce_lots, next_lots
from products.imports.checking import CheckedRow, Complaint, check_row
from products.imports.columns import Columns, match_columns
from products.imports.errors import UnreadableFile
from products.imports.files import ImportFiles
from products.imports.holding import Hold
from products.imports.matching import match_rows
from products.imports.models import Import
from products.imports.reading import RawRow, read_rows
from products.imports.reporting import Reporter
from products.imports.spool import SpoolReader, SpoolWriter
from products.imports.writing import ROWS_AT_ONCE, keep_complaints, write_rows

CHECKED_AT_ONCE = 250
Step = Import.Step


class Steps:
    """What is done for one held import. Everything raises Lost, Stopped and Cancelled."""

    def __init__(self, hold: Hold) -> None:
        self._hold = hold
        self._job = hold.job
        self._files = ImportFiles(hold.job.pk)
        self._report = Reporter(hold)
        self._pace = Pace()

    def run(self) -> None:
        """All steps that are left. Raises UnreadableFile, SellersOnly."""
        if self._job.step in {"", Step.READING}:
            self.read()
        if self._job.step in {Step.READING, Step.VALIDATING}:
            self.check()
        if self._job.dry_run:
            return
        # Of one that announces, too, more may be left: it may be on its way to fail.
        if self._job.step != Step.PUBLISHING or self._job.written_rows < self._count_checked():
            self.write()
        # Whoever cancels from here on is told that it is too late.
        self._hold.renew()
        self._hold.check()
        self.publish()

    def read(self) -> None:
        """The uploaded file becomes rows of texts, the header first."""
        self._report.begin(Step.READING, total=self._files.upload.stat().st_size)
        rows = read_rows(self._files.upload, file_format=self._job.format, tell=self._report.move)
        header = next(rows, None)
        if header is None:
            raise UnreadableFile(_("The file is empty."))
        columns = match_columns(header.cells)
        with SpoolWriter(self._files.rows, by=self._hold.holder) as spool:
            spool.write(header)
            for row in rows:
                spool.write(row)
        if spool.count == 1:
            raise UnreadableFile(_("The file has a header and no rows."))
        self._job.ignored_columns, self._job.total = list(columns.ignored), spool.count - 1
        self._hold.save("ignored_columns")

    def check(self) -> None:
        """Rows of texts become rows of values; what is wrong is written down."""
        lots = SpoolReader(self._files.rows, RawRow).lots(CHECKED_AT_ONCE)
        first = next(lots)
        columns = match_columns(first[0].cells)
        self._report.begin(Step.VALIDATING, total=self._job.total)
        self._begin_anew()
        seen: dict[str, int] = {}
        done = 0
        with SpoolWriter(self._files.checked, by=self._hold.holder) as spool:
            for lot in chain([first[1:]], lots):
                for row in self._check_lot(lot, columns, seen):
                    spool.write(row)
                done += len(lot)
                self._report.move(done)
            self._hold.check()

    @transaction.atomic
    def _begin_anew(self) -> None:
        """Forget what an earlier worker found wrong."""
        self._hold.lock()
        self._job.errors.all().delete()
        self._job.created = self._job.updated = self._job.failed = 0
        self._hold.save("created", "updated", "failed")

    @transaction.atomic
    def _check_lot(
        self, lot: Sequence[RawRow], columns: Columns, seen: dict[str, int]
    ) -> Sequence[CheckedRow]:
        """The rows that are good by themselves; seen: externalIds, and their rows.

        Whether they go with the products that are there says the writing, under locks; a trial,
        which has none, is told here.
        """
        self._hold.lock()
        good: list[CheckedRow] = []
        complaints: list[Complaint] = []
        for number, cells in lot:
            checked = check_row(number, cells, columns.fields)
            if isinstance(checked, list):
                complaints += checked
            elif (first := seen.setdefault(checked.external_id, number)) != number:
                message = _("Row %(row)s has the same externalId.") % {"row": first}
                complaints.append(Complaint(number, "externalId", message))
            else:
                good.append(checked)
        if self._job.dry_run:
            complaints += self._try(good)
        keep_complaints(self._job, complaints)
        self._job.failed += len({complaint.row for complaint in complaints})
        self._hold.save("created", "updated", "failed")
        return good

    def _try(self, rows: Sequence[CheckedRow]) -> Sequence[Complaint]:
        """Count what would be created and updated now; what is wrong with the others."""
        matched = match_rows(rows, seller=self._job.seller, lock=False)
        new = sum(match.before is None for match in matched.matches)
        self._job.created += new
        self._job.updated += len(matched.matches) - new
        return matched.complaints

    def write(self) -> None:
        """Rows of values become products; some of them are announced on the way."""
        total = self._count_checked()
        self._report.begin(Step.WRITING, total=total, current=self._job.written_rows)
        spool = SpoolReader(self._files.checked, CheckedRow, at=self._job.written_bytes)
        for lot in spool.lots(ROWS_AT_ONCE):
            self._hold.check()
            tell = not self._pace.wait_seconds()
            self._pace.went(write_rows(lot, hold=self._hold, up_to=spool.at, tell=tell))
            self._report.move(self._job.written_rows)

    def publish(self) -> None:
        """What the catalogue's viewers have not heard of yet is told, as fast as they follow."""
        self._job.refresh_from_db(fields=["announced"])
        told = self._job.announced
        left = self._job.unannounced.aggregate(products=Sum("size", default=0))["products"]
        self._report.begin(Step.PUBLISHING, total=told + left, current=told)
        while lots := next_lots(self._job):
            self._hold.wait(self._pace.wait_seconds())
            self._pace.went(announce_lots(lots, hold=self._hold))
            self._report.move(self._job.current + sum(lot.size for lot in lots))

    def _count_checked(self) -> int:
        with self._files.checked.open("rb") as spool:
            return sum(1 for _line in spool)
