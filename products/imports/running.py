"""Running one import from wherever it stands to its end. Called by a worker, whichever it is."""

import logging
from threading import Event
from uuid import UUID

from django.db import Error as AnyDatabaseError
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from products.errors import SellersOnly
from products.imports.ending import end_import
from products.imports.errors import UnreadableFile
from products.imports.holding import Cancelled, Hold, Lost, Stopped
from products.imports.models import MAX_MESSAGE, Import, RowError
from products.imports.steps import Steps

logger = logging.getLogger(__name__)

# An import that was taken up so often without coming any further is given up.
MAX_ATTEMPTS = 5


def run_import(task_id: UUID, *, stop: Event) -> bool:
    """Work on an import until it is over, or another has to go on; False if it is not its turn.

    stop: set when this process ends; what was committed by then stays, and the next worker goes on
    behind it. Raises what the database raises when it is gone.
    """
    hold = Hold.take(task_id, stop=stop)
    if hold is None:
        return False
    try:
        with hold, translation.override(hold.job.seller.language):
            _work(hold)
    except (Lost, Stopped):
        logger.info("Import %s was left to another worker.", task_id)
    return True


def _work(hold: Hold) -> None:
    steps = Steps(hold)
    complaint: tuple[int, str] | None = None
    try:
        if hold.job.attempts > MAX_ATTEMPTS:
            raise UnreadableFile(_("The import was begun several times and came to no end."))
        hold.check()
        steps.run()
        status = Import.Status.DONE
    except Cancelled:
        status = Import.Status.CANCELLED
    except UnreadableFile as error:
        status, complaint = Import.Status.FAILED, (error.row, str(error.message))
    except SellersOnly as error:
        status, complaint = Import.Status.FAILED, (0, str(error.detail))
    except (Lost, Stopped, AnyDatabaseError):
        raise
    except Exception:
        logger.exception("Import %s failed.", hold.job.pk)
        reason = _("Something went wrong here. It has been logged.")
        status, complaint = Import.Status.FAILED, (0, reason)
    if status != Import.Status.DONE and hold.job.unannounced.exists():
        steps.publish()  # what was written until then
    _end(hold, status, complaint)


@transaction.atomic
def _end(hold: Hold, status: Import.Status, complaint: tuple[int, str] | None) -> None:
    """Write down and tell that it is over."""
    hold.lock()
    job = hold.job
    if complaint is not None:
        row, message = complaint
        RowError.objects.create(of=job, row=row, message=message[:MAX_MESSAGE])
    end_import(job, status)
    hold.save("status", "current", "total", "finished_at")
