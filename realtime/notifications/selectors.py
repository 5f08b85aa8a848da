"""What is asked about notifications."""

from collections.abc import Sequence
from dataclasses import dataclass

from realtime.notifications.kinds import notification_kinds
from realtime.notifications.models import MutedKind, Notification

# The header counts no further: it says "99+".
MOST_COUNTED = 100


@dataclass(frozen=True, slots=True)
class Unread:
    """The newest unread notifications of a user: their ids, and where each leads."""

    user_id: int
    newest: Sequence[tuple[int, str]]

    @property
    def count(self) -> int:
        """How many there are; MOST_COUNTED for as many or more."""
        return len(self.newest)

    @property
    def ids(self) -> list[int]:
        """Their ids."""
        return [pk for pk, _url in self.newest]

    def leading_to(self, path: str) -> list[int]:
        """The ids of all unread ones that lead to that page.

        Costs one query more where there may be others than the newest.
        """
        if self.count == MOST_COUNTED:
            every = Notification.objects.filter(user_id=self.user_id).unread().leading_to(path)
            return list(every.order_by("pk").values_list("pk", flat=True))
        return [pk for pk, url in self.newest if url.partition("#")[0] == path]


def newest_unread(user_id: int) -> Unread:
    """What the header of every page shows; one query of at most MOST_COUNTED rows of an index."""
    rows = Notification.objects.filter(user_id=user_id).unread().newest_first()
    return Unread(user_id, list(rows.values_list("pk", "url")[:MOST_COUNTED]))


def unread_count(user_id: int) -> int:
    """How many of the user's notifications are unread."""
    return Notification.objects.filter(user_id=user_id).unread().count()


def preferences_of(user_id: int) -> dict[str, bool]:
    """Every kind by name, and whether the user gets it."""
    muted = set(MutedKind.objects.filter(user_id=user_id).values_list("kind", flat=True))
    return {name: name not in muted for name in notification_kinds()}
