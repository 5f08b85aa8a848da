"""What can be done with imports: hand a file in, and have an import stopped."""

from typing import IO
from uuid import UUID

from django.db import transaction

from marketplace.accounts.models import User
from products.imports.ending import end_import
from products.imports.errors import ImportFinished, ImportNotFound, TooManyImports
from products.imports.events import progress_audiences, progress_of
from products.imports.files import ImportFiles, display_name, recognise
from products.imports.models import Import
from products.imports.workers import wake_workers
from products.services import require_seller
from realtime.api import publish_ephemeral

MAX_UNFINISHED = 20


def create_import(*, seller: User, upload: IO[bytes], name: str, dry_run: bool = False) -> Import:
    """Hand in a file, whose products are written by a worker, or only tried with dry_run.

    Raises SellersOnly, FileTooLarge, InvalidFile, TooManyImports.
    """
    require_seller(seller)
    _require_room(seller)
    file_format = recognise(upload, name=name)
    job = Import(seller=seller, file_name=display_name(name), format=file_format, dry_run=dry_run)
    files = ImportFiles(job.pk)
    try:
        # Before the row: a worker that finds the row finds the file.
        files.keep(upload)
        with transaction.atomic():
            # Asked again, now that no other request of theirs can come in between.
            User.objects.select_for_update(no_key=True).get(pk=seller.pk)
            _require_room(seller)
            job.save()
            # Its owner's other pages hear that there is one more.
            publish_ephemeral(progress_of(job), audiences=progress_audiences(job))
            transaction.on_commit(wake_workers, robust=True)
    except Exception:
        files.discard()
        raise
    return job


def _require_room(seller: User) -> None:
    """Raises TooManyImports when so many of the seller wait or run that no other may."""
    if seller.imports.unfinished().count() >= MAX_UNFINISHED:
        raise TooManyImports


def cancel_import(*, task_id: UUID, by: User) -> Import:
    """Stop an import, on behalf of its owner or staff. What it has written stays.

    One that runs ends a moment later, one that waits at once; a second time nothing happens.
    Raises ImportNotFound, ImportFinished.
    """
    with transaction.atomic():
        visible = Import.objects.visible_to(user_id=by.pk, is_staff=by.is_staff)
        job = visible.select_for_update(no_key=True).filter(pk=task_id).first()
        if job is None:
            raise ImportNotFound
        if job.status == Import.Status.CANCELLED:
            return job
        # What is announced is written already: there is nothing to stop.
        if job.finished_at is not None or job.step == Import.Step.PUBLISHING:
            raise ImportFinished
        job.cancel_requested = True
        if job.status == Import.Status.QUEUED:
            end_import(job, Import.Status.CANCELLED)  # nobody works on it
        job.save()
    return job
