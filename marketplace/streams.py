"""What accounts have to say to streams: who listens, and when that is over.

realtime and accounts know nothing of one another; this is where they meet.
"""

from typing import Any

from django.conf import settings

from marketplace.accounts.authentication import bearer_token
from marketplace.accounts.errors import InvalidLogin
from marketplace.accounts.models import User
from marketplace.accounts.proofs import (
    Proof,
    find_login,
    load_session,
    prove_by_access_token,
    prove_by_session,
    prove_by_ticket,
)
from realtime.api import NOBODY, Credentials, Listener, NotLoggedIn, end_login, recheck_user


class StreamLogins:
    """The project's realtime.api.Authenticator."""

    def log_in(self, credentials: Credentials) -> Listener:
        """The listener for the first credential present; NOBODY, or NotLoggedIn."""
        try:
            proof = _prove(credentials)
        except InvalidLogin as error:
            raise NotLoggedIn from error
        return NOBODY if proof is None else _listener(proof)

    def still_valid(self, listener: Listener) -> Listener | None:
        """The listener as the user is now, or None when the login ended. Nobody stays nobody."""
        if listener.login_id is None:
            return listener
        login = find_login(listener.login_id)
        if login is None:
            return None
        return Listener(
            user_id=login.user_id,
            login_id=listener.login_id,
            is_staff=login.user.is_staff,
            audiences=own_audiences(login.user),
            expires_at=listener.expires_at,
        )


def _prove(credentials: Credentials) -> Proof | None:
    """What proves the login, or None where no credential came; raises InvalidLogin."""
    bearer = bearer_token(credentials.authorization)
    if bearer is not None:
        return prove_by_access_token(bearer)
    if credentials.ticket:
        return prove_by_ticket(credentials.ticket)
    if credentials.token:
        return prove_by_access_token(credentials.token)
    session_key = credentials.cookies.get(settings.SESSION_COOKIE_NAME)
    return prove_by_session(load_session(session_key)) if session_key else None


def _listener(proof: Proof) -> Listener:
    return Listener(
        user_id=proof.user.pk,
        login_id=str(proof.login.pk),
        is_staff=proof.user.is_staff,
        audiences=own_audiences(proof.user),
        expires_at=proof.expires_at.timestamp(),
    )


def own_audiences(user: User) -> tuple[str, ...]:
    """What a user hears without asking for it (contract §6)."""
    of_role = "sellers" if user.role == User.Role.SELLER else "buyers"
    audiences = ("all", "catalogue", of_role, f"user.{user.pk}")
    return (*audiences, "staff") if user.is_staff else audiences


def login_has_ended(*, login_id: str, **_arguments: Any) -> None:
    """End the login's open streams on every process, when this transaction commits."""
    end_login(login_id)


def user_has_changed(*, user_id: int, **_arguments: Any) -> None:
    """Have the user's open streams ask again what they may hear, when this commits."""
    recheck_user(user_id)
