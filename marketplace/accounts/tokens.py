"""The two JSON web tokens of a login: made, and read without trusting anything in them."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from marketplace.accounts.errors import InvalidLogin

AnyToken = TypeVar("AnyToken", bound=Token)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a client gets: an access token for 15 minutes and the one that renews it."""

    access: str
    refresh: str


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says, once its signature, its kind and its time were found right."""

    sid: uuid.UUID
    jti: str
    expires_at: datetime


def new_refresh_token(*, user_id: int, sid: uuid.UUID) -> RefreshToken:
    """A refresh token of this login; its access_token carries the same sid."""
    token = RefreshToken()
    token["user_id"] = str(user_id)
    token["sid"] = str(sid)
    return token


def read_access_token(text: str) -> Claims:
    """What an access token says; raises InvalidLogin, for a refresh token as well."""
    return _read(AccessToken, text)


def read_refresh_token(text: str) -> Claims:
    """What a refresh token says; raises InvalidLogin, for an access token as well."""
    return _read(RefreshToken, text)


def expiry(token: Token) -> datetime:
    """When a token expires."""
    return datetime.fromtimestamp(token["exp"], UTC)


def _read(kind: type[AnyToken], text: str) -> Claims:
    try:
        # A header that is nested deeply enough exhausts the JSON reader before its signature is
        # looked at; a time beyond the calendar overflows.
        token = kind(text)  # type: ignore[arg-type]
        return Claims(sid=uuid.UUID(str(token["sid"])), jti=token["jti"], expires_at=expiry(token))
    except (TokenError, KeyError, ValueError, OverflowError, RecursionError) as error:
        raise InvalidLogin from error
