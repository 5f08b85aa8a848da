"""Imports in the admin: looked at and stopped, by the same service as everywhere."""

from typing import Any, cast

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from marketplace.accounts.models import User
from products.imports.errors import ImportFinished
from products.imports.models import Import, ImportQuerySet
from products.imports.services import cancel_import


@admin.register(Import)
class ImportAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # no generic at run time
    """All imports. Nobody changes them by hand."""

    list_display = ("file_name", "seller", "status", "dry_run", "created", "updated", "failed",
                    "created_at", "finished_at")  # fmt: skip
    list_select_related = ("seller",)
    list_filter = ("status", "format", "dry_run", "created_at")
    search_fields = ("file_name", "seller__username")
    show_full_result_count = False
    actions = ("cancel",)
    exclude = ("holder", "held_until", "written_rows", "written_bytes", "announced",
               "attempts")  # fmt: skip

    @admin.action(description=_("Cancel"), permissions=["view"])
    def cancel(self, request: HttpRequest, imports: ImportQuerySet) -> None:
        """Stop the selected imports; what they have written stays."""
        for task_id in imports.values_list("pk", flat=True):
            try:
                cancel_import(task_id=task_id, by=cast(User, request.user))
            except ImportFinished as error:
                self.message_user(request, str(error.detail), messages.WARNING)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody has it."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody has it."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody has it: imports go when they are old."""
        return False
