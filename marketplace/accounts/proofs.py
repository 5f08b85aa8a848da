"""What proves a login, to REST, pages and streams alike: access token, ticket, session."""

import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from marketplace.accounts.errors import InvalidLogin
from marketplace.accounts.models import Login, Ticket, User
from marketplace.accounts.receivers import SESSION_LOGIN_KEY
from marketplace.accounts.tokens import read_access_token


@dataclass(frozen=True, slots=True)
class Proof:
    """A login that holds now, and when that which proved it stops doing so."""

    login: Login
    expires_at: datetime

    @property
    def user(self) -> User:
        """Whose login it is; loaded with it."""
        return self.login.user


def find_login(sid: uuid.UUID | str) -> Login | None:
    """The login with its user, if it is open and the user active. One query."""
    return find_logins([sid]).get(str(sid))


def find_logins(sids: Iterable[uuid.UUID | str]) -> dict[str, Login]:
    """Those of these logins that are open and whose user is active, by their id. One query."""
    logins = Login.objects.open().filter(pk__in=set(sids), user__is_active=True)
    return {str(login.pk): login for login in logins.select_related("user")}


def prove_by_access_token(text: str) -> Proof:
    """Raises InvalidLogin for anything but an access token of an open login."""
    claims = read_access_token(text)
    login = find_login(claims.sid)
    if login is None:
        raise InvalidLogin
    return Proof(login=login, expires_at=claims.expires_at)


def prove_by_ticket(text: str) -> Proof:
    """Spend a ticket; raises InvalidLogin for one that is unknown, spent, or expired.

    Of two that come with the same ticket, the second waits for the row and finds it gone.
    """
    with transaction.atomic():
        tickets = Ticket.objects.select_for_update().filter(key_hash=hash_of_ticket(text))
        ticket = tickets.first()
        if ticket is None:
            raise InvalidLogin
        ticket.delete()
    login = find_login(ticket.login_id)
    now = timezone.now()
    if login is None or ticket.expires_at <= now or ticket.login_expires_at <= now:
        raise InvalidLogin
    return Proof(login=login, expires_at=ticket.login_expires_at)


def hash_of_ticket(text: str) -> str:
    """What is stored of a ticket: 256 random bits need neither salt nor a slow hash."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def prove_by_session(session: SessionBase) -> Proof | None:
    """The session's login, or None where nobody logged in by it.

    Raises InvalidLogin where somebody did and it no longer holds.
    """
    sid = session.get(SESSION_LOGIN_KEY)
    if sid is None:
        return None
    request = HttpRequest()
    request.session = session
    user = get_user(request)
    login = find_login(sid)
    if login is None or login.user != user:
        raise InvalidLogin
    return Proof(login=login, expires_at=login.expires_at)


def load_session(key: str) -> SessionBase:
    """The session that a cookie names; raises InvalidLogin where there is none."""
    store: SessionBase = import_module(settings.SESSION_ENGINE).SessionStore(key)
    if not key.isalnum() or not store.exists(key):
        raise InvalidLogin
    return store
