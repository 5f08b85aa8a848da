"""The end of an import, whoever brings it about."""

from django.db import transaction
from django.utils import timezone

from products.imports.events import progress_audiences, progress_of
from products.imports.files import ImportFiles
from products.imports.models import Import
from products.imports.notices import tell_of_end
from realtime.api import publish


def end_import(job: Import, status: Import.Status) -> None:
    """Set that it is over, tell its owner and who listens, and delete its files on commit.

    job: with its seller, its row locked by the caller, who saves it in the same transaction.
    """
    job.status, job.finished_at = status, timezone.now()
    publish(progress_of(job), audiences=progress_audiences(job))
    tell_of_end(job)
    transaction.on_commit(ImportFiles(job.pk).discard, robust=True)
