"""The channel of one import: its owner and staff see how far it is."""

from uuid import UUID

from products.imports.events import ImportData, import_data
from products.imports.models import Import, ImportQuerySet
from realtime.api import ChannelKind, Listener

IMPORT = ChannelKind(
    name="import",
    id_form="uuid",
    public=False,
    may_listen=lambda listener, task_id: _named(listener, task_id).exists(),
    state=lambda listener, task_id: import_state(listener, task_id),
)


def import_state(listener: Listener, task_id: str) -> ImportData | None:
    """The import itself; None when it is gone."""
    job = _named(listener, task_id).first()
    return None if job is None else import_data(job)


def _named(listener: Listener, task_id: str) -> ImportQuerySet:
    imports = Import.objects.visible_to(user_id=listener.user_id, is_staff=listener.is_staff)
    return imports.filter(pk=UUID(task_id))
