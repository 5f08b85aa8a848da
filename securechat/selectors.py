"""Which conversations a person may know of, and what stands between two people."""

from collections.abc import Iterable

from django.db.models import Q

from marketplace.accounts.models import User
from securechat.events import SessionData, session_data
from securechat.models import Block, Session


def is_blocked(one_id: int, other_id: int) -> bool:
    """Whether one of the two has blocked the other."""
    return Block.objects.filter(
        Q(by=one_id, person=other_id) | Q(by=other_id, person=one_id)
    ).exists()


def shown_sessions(sessions: Iterable[Session], *, to: User) -> list[SessionData]:
    """The sessions as this participant is shown them, loaded whole: two queries for any number."""
    own = set(Block.objects.filter(by=to).values_list("person_id", flat=True))
    of_others = set(Block.objects.filter(person=to).values_list("by_id", flat=True))
    return [
        session_data(
            session,
            blocked=session.other_id(to.pk) in own | of_others,
            blocked_by_me=session.other_id(to.pk) in own,
        )
        for session in sessions
    ]
