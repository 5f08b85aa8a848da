"""What happens to notifications. Each change is announced in the transaction that makes it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from django.contrib.auth import get_user_model
from django.db import OperationalError, connection, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from psycopg.errors import LockNotAvailable

from marketplace.rest.errors import DomainError
from realtime.control import user_audience
from realtime.notifications import events
from realtime.notifications.kinds import notification_kinds
from realtime.notifications.models import (
    MAX_TEXT,
    MAX_TITLE,
    MAX_URL,
    MutedKind,
    Notification,
    NotificationQuerySet,
)
from realtime.notifications.selectors import unread_count
from realtime.publishing import publish, require_transaction

# To a browser "//host" and "/\host" are other sites.
_PATH = re.compile(r"/(?![/\\])[^\\\s]*")
# So many are named in one event, which has its bounds.
IDS_IN_EVENT = 1_000
# How long who reads waits for who notifies.
PATIENCE_SECONDS = 5


class NotificationNotFound(DomainError):
    """There is no such notification, or it is somebody else's."""

    status = 404
    code = "not_found"
    detail = _("There is no such notification.")


class Busy(DomainError):
    """So much is being told at this moment that reading it must wait."""

    status = 503
    code = "busy"
    detail = _("Too much is happening at this moment. Try again.")

    def __init__(self) -> None:
        super().__init__(retry_after=1)


class Addressee(Protocol):
    """Whom a notification is for: a user, of whom only this is known here."""

    @property
    def pk(self) -> int:
        """The user's id."""

    @property
    def language(self) -> str:
        """The language in which the user is spoken to."""


def notify(*, user: Addressee, kind: str, say: Callable[[], tuple[str, str]], url: str) -> None:
    """Tell somebody something, in the transaction that makes it true.

    say gives title and text, and is called in the user's language; what is too long is cut. url:
    the path of the page that shows it. Nothing is written for a kind that the user switched off,
    nor while one of the same kind, title and url is unread: whoever does a thing in a loop fills
    nobody's list. Two at the same moment may both be written.

    Raises ValueError for a kind that nobody registered and a url that is no path of this site,
    TransactionManagementError outside atomic().
    """
    require_transaction(kind)
    if kind not in notification_kinds():
        raise ValueError(f"There is no kind of notification {kind}.")
    if len(url) > MAX_URL or not _PATH.fullmatch(url):
        raise ValueError(f"{url} is no path of this site.")
    if MutedKind.objects.filter(user_id=user.pk, kind=kind).exists():
        return
    with translation.override(user.language):
        title, text = say()
    fact = {"user_id": user.pk, "kind": kind, "title": _cut(title, MAX_TITLE), "url": url}
    # First the lock: what is being read at this moment is read then, and told anew.
    _hold_readers(user.pk)
    if Notification.objects.filter(**fact).unread().exists():
        return
    notification = Notification.objects.create(**fact, text=_cut(text, MAX_TEXT))
    announcement = events.Notification(**events.told(notification))
    publish(announcement, audiences=[user_audience(user.pk)])


@dataclass(frozen=True, slots=True)
class Marked:
    """A notification that was read, and how many of the user's are left unread."""

    notification: Notification
    unread: int


@transaction.atomic
def mark_read(*, user_id: int, notification_id: int) -> Marked:
    """Note that the user has read one of theirs; a second time nothing happens.

    Raises NotificationNotFound, Busy.
    """
    _wait_for_notifiers(user_id)
    own = Notification.objects.filter(user_id=user_id, pk=notification_id)
    if not own.exists():
        raise NotificationNotFound
    _mark(own, user_id=user_id)
    return Marked(own.get(), unread_count(user_id))


@transaction.atomic
def mark_all_read(*, user_id: int, url: str | None = None) -> int:
    """Note that the user has read all of theirs, or all that lead to one page.

    Returns how many are left unread.
    """
    _wait_for_notifiers(user_id)
    own = Notification.objects.filter(user_id=user_id)
    if url is None:
        _mark(own, user_id=user_id, named="all")
    else:
        _mark(own.leading_to(url), user_id=user_id)
    return unread_count(user_id)


@transaction.atomic
def set_preferences(*, user_id: int, wanted: Mapping[str, bool]) -> None:
    """Switch kinds on or off for a user; those that are not named stay as they are."""
    for kind, is_wanted in wanted.items():
        if is_wanted:
            MutedKind.objects.filter(user_id=user_id, kind=kind).delete()
        else:
            # Twice at once is the same as once.
            MutedKind.objects.bulk_create(
                [MutedKind(user_id=user_id, kind=kind)], ignore_conflicts=True
            )


@transaction.atomic
def give_up_unread(*, user_id: int, beyond: int) -> None:
    """Take for read what is still unread behind a user's newest ones: nobody will look there."""
    _wait_for_notifiers(user_id)
    behind = Notification.objects.filter(user_id=user_id).newest_first()[beyond:].values("pk")
    _mark(Notification.objects.filter(pk__in=behind), user_id=user_id)


def _mark(
    notifications: NotificationQuerySet, *, user_id: int, named: Literal["all"] | None = None
) -> None:
    """Mark the unread ones among these as read and announce it, if there are any."""
    ids = list(notifications.unread().order_by("pk").values_list("pk", flat=True))
    if not ids:
        return
    stretches = [ids[start : start + IDS_IN_EVENT] for start in range(0, len(ids), IDS_IN_EVENT)]
    now = timezone.now()
    for stretch in stretches:  # a statement has its bounds, too
        Notification.objects.filter(pk__in=stretch).update(read_at=now)
    unread = unread_count(user_id)
    for names in [named] if named else stretches:
        announcement = events.NotificationRead(notification_ids=names, unread=unread)
        publish(announcement, audiences=[user_audience(user_id)])


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


# How `unread` is exact in the order of the log. Whoever notifies holds the addressee's row in a way
# that others who notify may share, from before the notification is written until the commit.
# Whoever reads takes the row for themselves: they wait for the notifications in flight, count them,
# and publish after them; one that begins meanwhile waits, is not counted and is published later.
# The foreign key alone takes that lock too late: Django's are checked at the commit.
#
# Nobody deadlocks: PostgreSQL gives FOR KEY SHARE to whoever asks while others have it, also past a
# reader that waits; and a reader who has the row waits for nothing more. SQLite has one writer.


def _hold_readers(user_id: int) -> None:
    if connection.vendor != "postgresql":
        return
    table = connection.ops.quote_name(get_user_model()._meta.db_table)
    with connection.cursor() as cursor:
        lock = f"SELECT 1 FROM {table} WHERE id = %s FOR KEY SHARE"  # noqa: S608 our own table's name
        cursor.execute(lock, [user_id])


def _wait_for_notifiers(user_id: int) -> None:
    """Have the row; raises Busy where others hold it without a pause: they are let past."""
    rows = get_user_model()._default_manager.select_for_update().filter(pk=user_id)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{PATIENCE_SECONDS}s'")
    try:
        with transaction.atomic():
            rows.values_list("pk").first()
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise Busy from error
        raise
