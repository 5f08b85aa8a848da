"""Which imports a person may see, and what of them. REST and pages ask here."""

from collections.abc import Iterator
from uuid import UUID

from marketplace.accounts.models import User
from products.imports.errors import ImportNotFound
from products.imports.models import Import, ImportQuerySet

_ERRORS_AT_ONCE = 1_000


def visible_imports(user: User) -> ImportQuerySet:
    """One's own imports, newest first; for staff everybody's."""
    return Import.objects.visible_to(user_id=user.pk, is_staff=user.is_staff)


def find_import(task_id: UUID, *, by: User) -> Import:
    """The import, if this person may see it. Raises ImportNotFound."""
    job = visible_imports(by).filter(pk=task_id).first()
    if job is None:
        raise ImportNotFound
    return job


def bad_rows(job: Import) -> Iterator[tuple[int, str, str]]:
    """Row, field and reason of everything that is wrong, in the order of the rows."""
    errors = job.errors.order_by("row", "pk")
    some = list(errors[:_ERRORS_AT_ONCE])
    while some:
        yield from ((error.row, error.field, error.message) for error in some)
        last = some[-1]
        behind = errors.filter(row__gte=last.row).exclude(row=last.row, pk__lte=last.pk)
        some = list(behind[:_ERRORS_AT_ONCE])
