"""Who listens: what a stream knows of the person behind it, and who tells it so.

The project has one authenticator; the composition root registers it, since logins and roles are
not realtime's to know.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


class NotLoggedIn(Exception):
    """The credential is missing, malformed, expired or revoked. Answered with 401 or 4401."""


@dataclass(frozen=True, slots=True)
class Listener:
    """The person (or nobody) behind one stream.

    user_id: None for nobody; login_id: the login that opened the stream, by which it can be ended;
    audiences: the channels that are theirs without asking; expires_at: seconds since the epoch at
    which the login ends, None where it has no end of its own.
    """

    user_id: int | None = None
    login_id: str | None = None
    is_staff: bool = False
    audiences: tuple[str, ...] = ()
    expires_at: float | None = None


NOBODY = Listener()


@dataclass(frozen=True, slots=True)
class Credentials:
    """What came with a request to open a stream; every part is optional."""

    authorization: str = ""
    ticket: str = ""
    token: str = ""
    cookies: Mapping[str, str] = field(default_factory=dict)

    @property
    def given(self) -> bool:
        """Whether there is anything that could be a login."""
        return bool(self.authorization or self.ticket or self.token or self.cookies)


class Authenticator(Protocol):
    """What the project has to say about logins: of many streams at once, since many open at once.
    What is asked of many may use the database, and is answered in their order."""

    def log_in(self, many: Sequence[Credentials]) -> list[Listener | NotLoggedIn]:
        """The listener for the first credential present of each (bearer, ticket, token, session).

        NOBODY when there is none at all; NotLoggedIn for one that does not hold.
        """

    def only_reads(self, credentials: Credentials) -> bool:
        """Whether log_in() writes nothing for these, not even to spend a ticket: only then are they
        asked about together with others, and again where that fails. Uses no database."""

    def still_valid(self, many: Sequence[Listener]) -> list[Listener | None]:
        """Each listener as it is now (a role may have changed), or None when its login ended."""


_authenticator: Authenticator | None = None


def register_authenticator(authenticator: Authenticator) -> None:
    """Say who decides about logins; called once, by the composition root."""
    global _authenticator
    _authenticator = authenticator


def authenticator() -> Authenticator:
    """The registered authenticator; RuntimeError when the project registered none."""
    if _authenticator is None:
        raise RuntimeError("No authenticator is registered with realtime.")
    return _authenticator
