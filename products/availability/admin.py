"""The counts of the AMQP bridge in the admin. How far it has come stands with the log's readers."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from products.availability.models import MessageCount


@admin.register(MessageCount)
class MessageCountAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # no generic at run time
    """How many messages came to which end. Nobody changes them by hand."""

    list_display = ("name", "number")
    list_display_links = None
    ordering = ("name",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody has it."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody has it."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody has it."""
        return False
