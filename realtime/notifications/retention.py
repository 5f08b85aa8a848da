"""How long notifications are kept. What goes was read: nobody misses it from a count."""

from django.conf import settings
from django.db.models import Count
from django.utils import timezone

from realtime.notifications.models import Notification
from realtime.notifications.services import give_up_unread

# What one pass does at most: so many rows are deleted by age, so many users are looked at.
ROWS_A_PASS = 1_000
USERS_A_PASS = 500


class Retention:
    """Deletes, pass by pass, what NOTIFICATION_RETENTION and NOTIFICATIONS_PER_USER do not keep."""

    def __init__(self) -> None:
        self._last_user = 0

    def tidy(self) -> None:
        """One pass. It looks at the next users, and after the last one begins anew."""
        forget_read()
        users = look_at_users(after=self._last_user)
        for user_id, count in users:
            if count > settings.NOTIFICATIONS_PER_USER:
                forget_surplus(user_id)
        self._last_user = users[-1][0] if len(users) == USERS_A_PASS else 0


def forget_read() -> None:
    """Delete what was read long ago."""
    before = timezone.now() - settings.NOTIFICATION_RETENTION
    old = Notification.objects.filter(read_at__lt=before).order_by("read_at")[:ROWS_A_PASS]
    Notification.objects.filter(pk__in=list(old.values_list("pk", flat=True))).delete()


def look_at_users(*, after: int) -> list[tuple[int, int]]:
    """The users behind that one, in the order of their ids, and how many notifications each has."""
    rows = Notification.objects.filter(user_id__gt=after).order_by("user_id")
    counted = rows.values("user_id").annotate(count=Count("pk"))
    return list(counted.values_list("user_id", "count")[:USERS_A_PASS])


def forget_surplus(user_id: int) -> None:
    """Delete what stands behind a user's newest ones; what is unread there is read first."""
    kept = settings.NOTIFICATIONS_PER_USER
    give_up_unread(user_id=user_id, beyond=kept)
    surplus = Notification.objects.filter(user_id=user_id).newest_first()[kept:]
    ids = list(surplus.values_list("pk", flat=True))
    # One that came meanwhile may have pushed another unread one out: its turn comes.
    Notification.objects.filter(pk__in=ids).exclude(read_at=None).delete()
