"""Conversations in the admin: who and when, never what. Reports show what reporters revealed."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from securechat.models import Block, Report, Session


class ReadOnly:
    """A mixin of admin classes whose rows are looked at only."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The two alone write conversations."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The two alone write conversations."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The two alone delete."""
        return False


@admin.register(Session)
class SessionAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg] # no generic at run time
    """All conversations: metadata only."""

    list_display = (
        "session_id", "product", "buyer", "seller", "status", "epoch", "last_seq",
        "last_message_at", "created_at",
    )  # fmt: skip
    list_select_related = ("product", "buyer", "seller")
    list_filter = ("status", "created_at")
    search_fields = ("=session_id", "buyer__username", "seller__username")
    show_full_result_count = False
    fields = (*list_display, "context", "version")


@admin.register(Report)
class ReportAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg] # no generic at run time
    """What people reported of one another."""

    list_display = ("id", "by", "session", "reason", "created_at")
    list_select_related = ("by", "session")
    search_fields = ("by__username", "=session__session_id")
    show_full_result_count = False
    fields = ("by", "session", "created_at", "reason", "shown")
    readonly_fields = ("shown",)

    @admin.display(description=_("revealed, as the reporter's browser shows it"))
    def shown(self, report: Report) -> SafeString:
        """The messages, one after another."""
        lines = (
            (item["seq"], item["sentAt"] or "?", item["senderId"] or "?", item["text"])
            for item in report.revealed
        )
        return format_html_join("", "<p>{} · {} · user {}:<br>{}</p>", lines)


@admin.register(Block)
class BlockAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg] # no generic at run time
    """Who blocks whom."""

    list_display = ("by", "person", "created_at")
    list_select_related = ("by", "person")
    search_fields = ("by__username", "person__username")
    show_full_result_count = False
