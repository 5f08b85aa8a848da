"""What clients send about accounts, and what they are shown."""

from typing import Any

import msgspec
from django.conf import settings
from rest_framework import serializers

from marketplace.accounts.addresses import AddressInput, ShippingAddress
from marketplace.accounts.models import User
from marketplace.accounts.tokens import Tokens
from marketplace.rest.serializers import InputSerializer, StructSerializer

# Longer passwords are refused before they are hashed.
MAX_PASSWORD = 128


class PasswordField(serializers.CharField):
    """A password: every character counts, blanks at its ends too. Never shown."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            max_length=MAX_PASSWORD,
            trim_whitespace=False,
            style={"input_type": "password"},
            **options,
        )


class RegisteredUser(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A user who was just made."""

    id: int
    username: str
    email: str
    role: str


class OwnAccount(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What users see of themselves. Nobody else sees it."""

    id: int
    username: str
    email: str
    role: str
    is_staff: bool
    shipping_address: ShippingAddress | None
    language: str


class TokenPair(msgspec.Struct, frozen=True, kw_only=True):
    """What a client logs in with."""

    access: str
    refresh: str


class TicketData(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A ticket and the seconds in which it can be used."""

    ticket: str
    expires_in: int


def registered_user(user: User) -> RegisteredUser:
    """A new user, as the answer shows it."""
    return RegisteredUser(id=user.pk, username=user.username, email=user.email, role=user.role)


def own_account(user: User) -> OwnAccount:
    """A user, as the user sees it."""
    return OwnAccount(
        id=user.pk,
        username=user.username,
        email=user.email,
        role=user.role,
        is_staff=user.is_staff,
        shipping_address=user.shipping_address,
        language=user.language,
    )


def token_pair(tokens: Tokens) -> TokenPair:
    """The tokens, as the answer shows them."""
    return TokenPair(access=tokens.access, refresh=tokens.refresh)


def ticket_data(ticket: str) -> TicketData:
    """The ticket, as the answer shows it."""
    return TicketData(ticket=ticket, expires_in=30)


class RegisteredUserSerializer(StructSerializer):
    struct = RegisteredUser
    build = staticmethod(registered_user)


class OwnAccountSerializer(StructSerializer):
    struct = OwnAccount
    build = staticmethod(own_account)


class TokenPairSerializer(StructSerializer):
    struct = TokenPair
    build = staticmethod(token_pair)


class TicketSerializer(StructSerializer):
    struct = TicketData
    build = staticmethod(ticket_data)


class RegistrationInput(InputSerializer):
    """A new user."""

    representation = RegisteredUser

    username = serializers.CharField(max_length=150)
    email = serializers.EmailField(max_length=254)
    password = PasswordField()
    role = serializers.ChoiceField(User.Role.choices, default=User.Role.BUYER)


class CredentialsInput(InputSerializer):
    """A name and a password."""

    username = serializers.CharField(max_length=150)
    password = PasswordField()


class RefreshInput(InputSerializer):
    """A refresh token."""

    refresh = serializers.CharField(max_length=4096)


class PasswordInput(InputSerializer):
    """The present password and the one to come."""

    old_password = PasswordField()
    new_password = PasswordField()


class AccountInput(InputSerializer):
    """What users change of themselves; what is left out stays.

    No field is required, so nobody needs `partial`, under which an address could lack parts too.
    """

    representation = OwnAccount

    shipping_address = AddressInput(allow_null=True, required=False)
    language = serializers.ChoiceField(settings.LANGUAGES, required=False)
