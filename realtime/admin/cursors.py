"""Who reads the log on behalf of another system, and how far behind each is."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from realtime.admin.read_only import ReadOnlyAdmin
from realtime.log import head_position
from realtime.models import StoredCursor


@admin.register(StoredCursor)
class StoredCursorAdmin(ReadOnlyAdmin):
    """The readers. One that will never come back is deleted: the log waits for it no longer."""

    list_display = ("name", "position", "behind", "moved_at", "held_until")
    list_display_links = None
    sortable_by = ()
    ordering = ("name",)

    @admin.display(description=_("behind by"))
    def behind(self, cursor: StoredCursor) -> int:
        """How many positions of the log it has still to look at."""
        return max(head_position() - cursor.position, 0)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever has it in the admin."""
        return admin.ModelAdmin.has_delete_permission(self, request, obj)
