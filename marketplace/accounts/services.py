"""What can be done with accounts. Fields that break a rule raise Django's ValidationError."""

import secrets
import uuid
from datetime import timedelta
from typing import Any

from django.contrib.auth import authenticate
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from marketplace.accounts import proofs, tokens
from marketplace.accounts.attempts import begin_attempt, count_registration, forgive
from marketplace.accounts.errors import InvalidLogin, WrongCredentials
from marketplace.accounts.models import USERNAME_TAKEN, Login, Ticket, User, language_choices
from marketplace.accounts.proofs import Proof
from marketplace.accounts.tokens import Tokens

TICKET_LIFETIME = timedelta(seconds=30)


@sensitive_variables("password")
def register_user(*, username: str, email: str, password: str, role: str, address: str) -> User:
    """Make a user, who reads the language of this request. ValidationError by field;
    TooManyAttempts, because each account costs a slow hash, and a name that others may want."""
    user = User(username=username, email=email, role=role, language=present_language())
    errors: dict[str, Any] = {}
    try:
        user.full_clean(exclude=["password"])
    except ValidationError as error:
        errors = error.error_dict
    try:
        validate_password(password, user)
    except ValidationError as error:
        errors["password"] = error.error_list
    if errors:
        raise ValidationError(errors)
    count_registration(address=address)
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError as error:
        # Somebody took the name between the look and the insert.
        raise ValidationError({"username": ValidationError(USERNAME_TAKEN, "unique")}) from error
    return user


def present_language() -> str:
    """The active language, as far as it is one of the product's."""
    language = (get_language() or "").partition("-")[0]
    return language if language in dict(language_choices()) else "en"


@sensitive_variables("password")
def check_credentials(
    *, username: str, password: str, address: str, request: HttpRequest | None = None
) -> User:
    """The active user of that name and password; WrongCredentials, TooManyAttempts.

    An unknown name takes as long as a wrong password (Django's backend hashes for both).
    """
    username = User.normalize_username(username)
    attempt = begin_attempt(username=username, address=address)
    user = authenticate(request, username=username, password=password)
    if not isinstance(user, User):
        raise WrongCredentials
    forgive(attempt)
    return user


@sensitive_variables("password")
def log_in(*, username: str, password: str, address: str) -> Tokens:
    """Open a login and give its tokens; WrongCredentials, TooManyAttempts."""
    user = check_credentials(username=username, password=password, address=address)
    with transaction.atomic():
        # The row's lock puts this before or after a change of the password, which ends what is
        # open then: a login by the old one must not slip in behind it.
        present = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if present.password != user.password or not present.is_active:
            raise WrongCredentials
        present.logins.forget_old()
        return _give_tokens(Login(user=present))


def rotate_refresh(*, refresh: str) -> Tokens:
    """Give new tokens for a refresh token, which is spent by it. Raises InvalidLogin.

    A token that was spent before is in two hands: nobody can say which is the thief's, so the
    login ends.
    """
    claims = tokens.read_refresh_token(refresh)
    with transaction.atomic():
        login = _lock_login(claims.sid)
        if login is None:
            raise InvalidLogin
        if secrets.compare_digest(login.refresh_jti, claims.jti):
            return _give_tokens(login)
        end_login(sid=login.sid)
    # Raised behind the transaction: it must not take the end of the login back.
    raise InvalidLogin


def _lock_login(sid: uuid.UUID) -> Login | None:
    """The open login of an active user, its row locked."""
    logins = Login.objects.open().filter(pk=sid, user__is_active=True)
    return logins.select_related("user").select_for_update(of=("self",)).first()


def _give_tokens(login: Login) -> Tokens:
    """Tokens of this login, which lives as long as its newest refresh token."""
    refresh = tokens.new_refresh_token(user_id=login.user_id, sid=login.sid)
    login.refresh_jti = refresh["jti"]
    login.expires_at = tokens.expiry(refresh)
    login.save()
    return Tokens(access=str(refresh.access_token), refresh=str(refresh))


def log_out(*, refresh: str) -> None:
    """End the login of a refresh token, spent or not. Nothing happens for one that is dead."""
    try:
        claims = tokens.read_refresh_token(refresh)
    except InvalidLogin:
        return
    end_login(sid=claims.sid)


def end_login(*, sid: uuid.UUID) -> None:
    """End a login with its tokens, tickets, session and streams. Again: nothing happens."""
    Login.objects.filter(pk=sid).end()


def end_other_logins(*, user: User, keep: uuid.UUID) -> None:
    """End all logins of the user but one."""
    user.logins.exclude(pk=keep).end()


@sensitive_variables("old_password", "new_password")
def change_password(
    *, user: User, old_password: str, new_password: str, keep: uuid.UUID, address: str
) -> None:
    """Set a new password; the user's other logins end, `keep` stays.

    ValidationError by field (old_password, new_password), TooManyAttempts: whoever found an open
    browser may not try passwords either.
    """
    require_password(user=user, password=old_password, address=address, field="old_password")
    try:
        validate_password(new_password, user)
    except ValidationError as error:
        raise ValidationError({"new_password": error.error_list}) from error
    user.set_password(new_password)
    user.save(update_fields=["password"], keep_login=keep)


@sensitive_variables("password")
def require_password(*, user: User, password: str, address: str, field: str) -> None:
    """ValidationError at the field unless this is the user's password; TooManyAttempts."""
    attempt = begin_attempt(username=user.username, address=address)
    if not user.check_password(password):
        wrong = ValidationError(_("This is not your password."), code="invalid_password")
        raise ValidationError({field: wrong})
    forgive(attempt)


def issue_ticket(*, proof: Proof) -> str:
    """A ticket that opens one stream within 30 s, which ends when the proof would."""
    now = timezone.now()
    Ticket.objects.filter(expires_at__lt=now).delete()
    ticket = secrets.token_urlsafe(32)
    Ticket.objects.create(
        key_hash=proofs.hash_of_ticket(ticket),
        login=proof.login,
        expires_at=now + TICKET_LIFETIME,
        login_expires_at=proof.expires_at,
    )
    return ticket


def update_account(*, user: User, changes: dict[str, Any]) -> None:
    """Set shipping_address (JSON as in addresses.ShippingAddress, or None) and language."""
    for name, value in changes.items():
        setattr(user, name, value)
    user.save(update_fields=changes.keys())


@sensitive_variables("password")
def update_profile(
    *,
    user: User,
    email: str,
    language: str,
    shipping_address: dict[str, str] | None,
    password: str,
    address: str,
) -> None:
    """Set what the account page shows. Another email address needs the password, because whoever
    reads its mail can set a new one: ValidationError at current_password, TooManyAttempts."""
    if email != user.email:
        require_password(user=user, password=password, address=address, field="current_password")
    changes = {"email": email, "language": language, "shipping_address": shipping_address}
    update_account(user=user, changes=changes)
