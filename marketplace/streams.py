"""What accounts have to say to streams: who listens, and when that is over.

realtime and accounts know nothing of one another; this is where they meet.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings

from marketplace.accounts.authentication import bearer_token
from marketplace.accounts.errors import InvalidLogin
from marketplace.accounts.models import Login, User
from marketplace.accounts.proofs import (
    Proof,
    find_logins,
    load_session,
    prove_by_session,
    prove_by_ticket,
)
from marketplace.accounts.tokens import Claims, read_access_token
from realtime.api import NOBODY, Credentials, Listener, NotLoggedIn, end_login, recheck_user


class StreamLogins:
    """The project's realtime.api.Authenticator."""

    def log_in(self, many: Sequence[Credentials]) -> list[Listener | NotLoggedIn]:
        """The listeners for the first credential present of each; NOBODY, or NotLoggedIn. One query
        for all access tokens, some for each ticket or session."""
        found = [_by_credentials(credentials) for credentials in many]
        logins = find_logins(claims.sid for claims in found if isinstance(claims, Claims))
        return [_by_claims(it, logins) if isinstance(it, Claims) else it for it in found]

    def only_reads(self, credentials: Credentials) -> bool:
        """So it is with access tokens. A ticket is spent, and Django renews or deletes a session
        whose hash does not hold any more."""
        return _access_token(credentials) is not None

    def still_valid(self, many: Sequence[Listener]) -> list[Listener | None]:
        """The listeners as their users are now, or None where the login ended. Nobody stays nobody.
        One query for all."""
        logins = find_logins(listener.login_id for listener in many if listener.login_id)
        return [_as_it_is_now(listener, logins) for listener in many]


def _by_credentials(credentials: Credentials) -> Listener | Claims | NotLoggedIn:
    """Who listens, or what an access token claims: its login was not looked at yet."""
    try:
        token = _access_token(credentials)
        if token is not None:
            return read_access_token(token)
        proof = _prove(credentials)
    except InvalidLogin:
        return NotLoggedIn()
    if proof is None:
        return NOBODY
    return _listener(proof.login, expires_at=proof.expires_at.timestamp())


def _access_token(credentials: Credentials) -> str | None:
    bearer = bearer_token(credentials.authorization)
    if bearer is not None:
        return bearer
    return None if credentials.ticket else credentials.token or None


def _prove(credentials: Credentials) -> Proof | None:
    """What proves the login without a token, or None where nothing came; raises InvalidLogin."""
    if credentials.ticket:
        return prove_by_ticket(credentials.ticket)
    session_key = credentials.cookies.get(settings.SESSION_COOKIE_NAME)
    return prove_by_session(load_session(session_key)) if session_key else None


def _by_claims(claims: Claims, logins: Mapping[str, Login]) -> Listener | NotLoggedIn:
    login = logins.get(str(claims.sid))
    if login is None:
        return NotLoggedIn()
    return _listener(login, expires_at=claims.expires_at.timestamp())


def _as_it_is_now(listener: Listener, logins: Mapping[str, Login]) -> Listener | None:
    if listener.login_id is None:
        return listener
    login = logins.get(listener.login_id)
    return None if login is None else _listener(login, expires_at=listener.expires_at)


def _listener(login: Login, *, expires_at: float | None) -> Listener:
    return Listener(
        user_id=login.user_id,
        login_id=str(login.pk),
        is_staff=login.user.is_staff,
        audiences=own_audiences(login.user),
        expires_at=expires_at,
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
