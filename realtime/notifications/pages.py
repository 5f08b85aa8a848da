"""The page of one's notifications: rendered once, then patched by its script from events."""

from typing import Any, cast

from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.views.generic import ListView

from realtime.notifications.events import NotificationData, notification_data
from realtime.notifications.kinds import NotificationKind, notification_kinds
from realtime.notifications.models import Notification
from realtime.notifications.selectors import preferences_of, unread_count

# What a <template> is rendered from; the page's script puts a real notification's values in.
BLANK = NotificationData(
    notification_id=0,
    kind="",
    title="",
    text="",
    url="/",
    created_at="1970-01-01T00:00:00.000Z",
    read_at=None,
)


class NotificationsPage(LoginRequiredMixin, ListView):  # type: ignore[type-arg] # none at run time
    """What one was told, newest first and `page` by page; with `unread` only what is unread.

    A page behind the last one is the last: it was there until something was read elsewhere.
    Context: notifications (as REST shows them), next_page, only_unread, unread (how many are),
    preferences (the kinds that concern the user, each with whether they get it), blank.
    """

    template_name = "notifications/notifications.html"
    paginate_by = 20

    def get_queryset(self) -> QuerySet[Notification]:
        own = Notification.objects.filter(user_id=self.user_id).newest_first()
        return own.unread() if self.only_unread else own

    def paginate_queryset(
        self, queryset: Any, page_size: int
    ) -> "tuple[Paginator[Notification], Page[Notification], Any, bool]":
        paginator = self.get_paginator(queryset, page_size)
        page = paginator.get_page(self.request.GET.get("page"))
        return paginator, page, page.object_list, page.has_other_pages()

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        shown = super().get_context_data(**context)
        return {
            **shown,
            "notifications": [notification_data(row) for row in shown["object_list"]],
            "next_page": shown["page_obj"].number + 1,
            "only_unread": self.only_unread,
            "unread": unread_count(self.user_id),
            "preferences": self._preferences(),
            "blank": BLANK,
        }

    @property
    def user_id(self) -> int:
        """Who is logged in."""
        return cast(int, self.request.user.pk)

    @property
    def only_unread(self) -> bool:
        """Whether the address asks for what is unread."""
        return self.request.GET.get("unread") == "true"

    def _preferences(self) -> list[tuple[NotificationKind, bool]]:
        wanted = preferences_of(self.user_id)
        kinds = notification_kinds().values()
        return [(kind, wanted[kind.name]) for kind in kinds if kind.concerns(self.request.user)]
