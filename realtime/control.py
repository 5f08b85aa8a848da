"""What the event path tells itself: internal rows in the same log, never framed to clients.

They stand in the log so that hubs apply them in order with the events around them, on every
process. Their type begins with an underscore.
"""

import json
from collections.abc import Mapping

from django.utils import timezone

from realtime.publishing import append_to_outbox

LOGIN_ENDED = "_login-ended"
USER_CHANGED = "_user-changed"
ROLL_CALLED = "_roll-called"
STREAM_ENDED = "_stream-ended"
INTERNAL_TYPES = (LOGIN_ENDED, USER_CHANGED, ROLL_CALLED, STREAM_ENDED)
# The audience of what every process obeys; no stream hears it.
PROCESSES = "processes"


def login_audience(login_id: str) -> str:
    """The audience of what concerns one login."""
    return f"login.{login_id}"


def user_audience(user_id: int) -> str:
    """The audience of what concerns one user; events for the user alone have it, too."""
    return f"user.{user_id}"


def is_internal(type_name: str) -> bool:
    """Whether rows of this type are for hubs only."""
    return type_name.startswith("_")


def end_login(login_id: str) -> None:
    """End every open stream of this login, on all processes, when the transaction commits."""
    _announce(LOGIN_ENDED, login_audience(login_id))


def recheck_user(user_id: int) -> None:
    """Have every open stream of this user ask again what it may hear, when this commits."""
    _announce(USER_CHANGED, user_audience(user_id))


def call_roll(*, request: str, user_id: int | None) -> None:
    """Have every process tell of its streams (realtime.roll_call), when this commits."""
    _announce(ROLL_CALLED, PROCESSES, {"request": request, "userId": user_id})


def end_stream(*, client_id: str) -> None:
    """Have the stream of this client ended, wherever it is, when this commits."""
    _announce(STREAM_ENDED, PROCESSES, {"clientId": client_id})


def _announce(type_name: str, audience: str, data: Mapping[str, object] | None = None) -> None:
    append_to_outbox(
        type_name=type_name,
        audiences=[audience],
        # As every payload: an object with a member, before which the id is put.
        payload=json.dumps({"type": type_name, **(data or {})}),
        published_at=timezone.now(),
    )
