"""Django's own logins and logouts (login page, admin, tests) open and end a Login as well."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from marketplace.accounts.models import Login, User
from marketplace.accounts.signals import login_ended

# Where a session keeps the id of its login.
SESSION_LOGIN_KEY = "sid"


def session_logged_in(*, request: HttpRequest, user: User, **_arguments: Any) -> None:
    """A session was logged in: give it a login, in place of the one that it may have had."""
    kept = request.session.get(SESSION_LOGIN_KEY)
    if kept is not None:
        # Django keeps the session's id when the same user logs in again: nobody should.
        request.session.cycle_key()
    # When another user logs in, Django has emptied the session by now; LoginMiddleware still knows
    # whose it was when the request came.
    proof = getattr(request, "login_proof", None)
    previous = kept if proof is None else proof.login.pk
    if previous is not None:
        Login.objects.filter(pk=previous).end()
    user.logins.forget_old()
    lifetime = timedelta(seconds=settings.SESSION_COOKIE_AGE)
    login = Login.objects.create(user=user, expires_at=timezone.now() + lifetime)
    request.session[SESSION_LOGIN_KEY] = str(login.sid)


def session_logged_out(*, request: HttpRequest, **_arguments: Any) -> None:
    """A session is being logged out: its login ends, streams included."""
    sid = request.session.get(SESSION_LOGIN_KEY)
    if sid is not None:
        Login.objects.filter(pk=sid).end()


def login_is_deleted(*, instance: Login, **_arguments: Any) -> None:
    """A login is being deleted, perhaps with its user: that ends it, unless it is over anyway."""
    if instance.ended_at is None and instance.expires_at > timezone.now():
        login_ended.send(sender=Login, login_id=str(instance.pk))
