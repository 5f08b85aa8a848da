"""What people were told, in the admin: to be looked at when somebody says they heard nothing."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from realtime.admin.read_only import ReadOnlyAdmin
from realtime.notifications.kinds import notification_kinds
from realtime.notifications.models import Notification


class KindFilter(admin.SimpleListFilter):
    """By kind: those that are registered, without asking the table."""

    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Every kind."""
        return [(name, kind.label) for name, kind in notification_kinds().items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The notifications of the chosen kind."""
        return queryset.filter(kind=self.value()) if self.value() else queryset


class ReadFilter(admin.SimpleListFilter):
    """By whether they were read."""

    title = _("read")
    parameter_name = "read"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Yes and no."""
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those that were read, or were not."""
        if self.value() not in {"yes", "no"}:
            return queryset
        return queryset.filter(read_at__isnull=self.value() == "no")


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    """Everybody's notifications, newest first."""

    list_display = ("title", "user", "kind", "created_at", "read_at")
    list_select_related = ("user",)
    list_filter = (KindFilter, ReadFilter)
    search_fields = ("user__username",)
    search_help_text = _("A username.")
    show_facets = admin.ShowFacets.NEVER
    ordering = ("-id",)  # by the times of everybody's there is no index
    fields = ("user", "kind", "title", "text", "url", "created_at", "read_at")
