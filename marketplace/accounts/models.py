"""Users, and everything by which a user is known to be there: logins, tickets, failures."""

import uuid
from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth import hashers
from django.contrib.auth.models import AbstractUser
from django.contrib.auth.models import UserManager as DjangoUserManager
from django.contrib.auth.validators import ASCIIUsernameValidator
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models, transaction
from django.db.models.functions import Upper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.accounts.addresses import normalize_address, validate_address
from marketplace.accounts.signals import login_ended, user_changed

# Whoever is asked "may they hear this?" answers by these.
RIGHTS = frozenset({"is_active", "role", "is_staff", "is_superuser"})

USERNAME_TAKEN = _("A user with that username already exists.")


def language_choices() -> list[tuple[str, Any]]:
    """The languages of the pages; a function, so that migrations do not list them."""
    return list(settings.LANGUAGES)


class UserManager(DjangoUserManager["User"]):
    """Finds users by name however they type it."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """The user of that name in any case; raises User.DoesNotExist."""
        return self.named(username or "").get()

    def named(self, username: str) -> "models.QuerySet[User]":
        """The user of that name in any case, or none; the unique index on UPPER serves it."""
        return self.alias(any_case=Upper("username")).filter(any_case=username.upper())


class User(AbstractUser):
    """Somebody who buys or sells. Staff are Django's staff.

    save() ends logins when the password changes or the user is deactivated, and tells of changed
    rights, in its own transaction: it counts the same from REST, admin and shell.
    QuerySet.update() and bulk_update() do neither.
    """

    class Role(models.TextChoices):
        BUYER = "buyer", _("buyer")
        SELLER = "seller", _("seller")

    # ASCII alone: buyers know sellers by their name, and "аnna" may not look like "anna".
    username_validator = ASCIIUsernameValidator()  # type: ignore[assignment]
    username = models.CharField(
        _("username"),
        max_length=150,
        unique=True,
        help_text=_("At most 150 letters without accents, digits and @ . + - _"),
        validators=[username_validator],
        error_messages={"unique": USERNAME_TAKEN},
    )
    email = models.EmailField(_("email address"))
    role = models.CharField(_("role"), max_length=6, choices=Role.choices, default=Role.BUYER)
    shipping_address = models.JSONField(
        _("shipping address"), null=True, blank=True, validators=[validate_address]
    )
    language = models.CharField(
        _("language"), max_length=10, choices=language_choices, default="en"
    )

    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints: ClassVar = [
            models.UniqueConstraint(
                Upper("username"),
                name="user_name_in_any_case",
                violation_error_code="unique",
                violation_error_message=USERNAME_TAKEN,
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=["buyer", "seller"]), name="user_role_is_known"
            ),
        ]

    def clean(self) -> None:
        super().clean()
        self.shipping_address = normalize_address(self.shipping_address)

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """Say of the username that it is taken in another case.

        To Django a constraint on an expression belongs to no field.
        """
        try:
            super().validate_constraints(exclude=exclude)
        except ValidationError as error:
            errors = error.error_dict
            others = errors.pop(NON_FIELD_ERRORS, [])
            for each in others:
                field = "username" if each.code == "unique" else NON_FIELD_ERRORS
                errors.setdefault(field, []).append(each)
            raise ValidationError(errors) from error

    def check_password(self, raw_password: str | None) -> bool:
        """Whether this is the password. A hash of an old kind is replaced without a save(): the
        password stays what it was, so no login ends."""

        def rehash(raw: str) -> None:
            old, self.password = self.password, hashers.make_password(raw)
            User.objects.filter(pk=self.pk, password=old).update(password=self.password)

        return hashers.check_password(raw_password, self.password, rehash)

    def save(
        self,
        *,
        keep_login: uuid.UUID | None = None,
        force_insert: bool | tuple[models.base.ModelBase, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Write the user. keep_login: the one that stays when the password changes."""
        names = None if update_fields is None else frozenset(update_fields)
        watched = (RIGHTS | {"password"}) & (names if names is not None else RIGHTS | {"password"})
        with transaction.atomic(using=using):
            old = None
            if watched and not self._state.adding:
                rows = User.objects.using(using).select_for_update(no_key=True)
                old = rows.filter(pk=self.pk).first()
            super().save(
                force_insert=force_insert,
                force_update=force_update,
                using=using,
                update_fields=names,
            )
            if old is not None:
                changed = {name for name in watched if getattr(old, name) != getattr(self, name)}
                self._announce(changed, keep_login)

    def _announce(self, changed: set[str], keep_login: uuid.UUID | None) -> None:
        if "is_active" in changed and not self.is_active:
            self.logins.all().end()
        elif "password" in changed:
            others = self.logins.all()
            (others.exclude(sid=keep_login) if keep_login else others).end()
        if changed & RIGHTS:
            user_changed.send(sender=User, user_id=self.pk)


class LoginQuerySet(models.QuerySet["Login"]):
    """Logins, open and ended."""

    def open(self) -> "LoginQuerySet":
        """Those that have neither ended nor expired."""
        return self.filter(ended_at=None, expires_at__gt=timezone.now())

    def end(self) -> None:
        """End those that are open, once each, and tell of it. Their tickets die with them."""
        with transaction.atomic():
            # Locked in key order: two ends of the same logins would deadlock.
            rows = self.open().select_for_update().order_by("pk")
            sids = list(rows.values_list("pk", flat=True))
            Login.objects.filter(pk__in=sids).update(ended_at=timezone.now())
            Ticket.objects.filter(login__in=sids).delete()
            for sid in sids:
                login_ended.send(sender=Login, login_id=str(sid))

    def forget_old(self) -> None:
        """Delete those that expired a day ago: no answer depends on them any more."""
        self.filter(expires_at__lt=timezone.now() - timedelta(days=1)).delete()


class Login(models.Model):
    """One login of a user, by a password: what its tokens, tickets, session and streams share.

    It holds until it is ended or expires; renewing a refresh token prolongs it.
    """

    sid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="logins",
        verbose_name=_("user"),
    )
    created_at = models.DateTimeField(_("logged in"), default=timezone.now)
    expires_at = models.DateTimeField(_("expires"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    refresh_jti = models.CharField(
        max_length=32,
        blank=True,
        default="",
        help_text="The id of the one refresh token that is not spent; empty for a session.",
    )

    objects = LoginQuerySet.as_manager()

    class Meta:
        verbose_name = _("login")
        verbose_name_plural = _("logins")
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return str(self.sid)


class Ticket(models.Model):
    """What opens one stream in place of a token. The ticket itself is not stored, its hash is."""

    key_hash = models.CharField(max_length=64, primary_key=True)
    login = models.ForeignKey(Login, on_delete=models.CASCADE, related_name="tickets")
    expires_at = models.DateTimeField(db_index=True)
    login_expires_at = models.DateTimeField(
        help_text="When what asked for the ticket expires, and so the stream."
    )

    def __str__(self) -> str:
        return f"ticket of {self.login_id}"


class LoginFailure(models.Model):
    """Something that counts against somebody: an attempt to log in that failed or is being decided,
    a mail that was asked for, an account that was made.

    fingerprint: a hash of what is counted and for whom, for usernames that exist or not.
    """

    fingerprint = models.CharField(max_length=64)
    failed_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["fingerprint", "-failed_at"], name="failures_by_fingerprint")
        ]

    def __str__(self) -> str:
        return f"failed at {self.failed_at:%H:%M:%S}"
