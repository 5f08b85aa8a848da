"""What a seller is told of an import beside its page, and in which words."""

from django.utils.translation import gettext_lazy, ngettext

from marketplace.accounts.models import User
from products.imports.models import Import
from realtime.api import NotificationKind, notify

IMPORT_FINISHED = NotificationKind(
    name="import-finished",
    label=gettext_lazy("Imports that are over"),
    concerns=lambda user: user.role == User.Role.SELLER,
)


def tell_of_end(job: Import) -> None:
    """Tell the owner that the import is over. job: with its seller."""

    def say() -> tuple[str, str]:
        title = _TITLES[Import.Status(job.status)] % {"file": job.file_name}
        return title, " ".join(_counts(job))

    notify(user=job.seller, kind=IMPORT_FINISHED.name, say=say, url=f"/imports/{job.pk}")


_TITLES = {
    Import.Status.DONE: gettext_lazy("Import done: %(file)s"),
    Import.Status.FAILED: gettext_lazy("Import failed: %(file)s"),
    Import.Status.CANCELLED: gettext_lazy("Import cancelled: %(file)s"),
}


def _counts(job: Import) -> list[str]:
    counts = []
    if job.created:
        counts.append(
            ngettext("%(n)d created.", "%(n)d created.", job.created) % {"n": job.created}
        )
    if job.updated:
        counts.append(
            ngettext("%(n)d updated.", "%(n)d updated.", job.updated) % {"n": job.updated}
        )
    if job.failed:
        counts.append(ngettext("%(n)d bad row.", "%(n)d bad rows.", job.failed) % {"n": job.failed})
    return counts
