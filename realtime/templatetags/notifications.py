"""{% load notifications %}: the bell in the header of every page."""

from typing import Any, cast

from django import template
from django.http import HttpRequest

from realtime.notifications.selectors import MOST_COUNTED, newest_unread

register = template.Library()


@register.inclusion_tag("notifications/_bell.html")
def notification_bell(request: HttpRequest) -> dict[str, Any]:
    """What is unread, for somebody who is logged in; one query, or two where it is a lot.

    The page's position in the log was read before: an event that follows may be counted already,
    so the ids that were counted stand beside the count.
    """
    unread = newest_unread(cast(int, request.user.pk))
    return {"unread": unread, "here": unread.leading_to(request.path), "text": _text(unread.count)}


def _text(count: int) -> str:
    return f"{MOST_COUNTED - 1}+" if count >= MOST_COUNTED else str(count)
