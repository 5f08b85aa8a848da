"""The people of the tests."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import Permission
from django.test import Client

from marketplace.accounts.models import User

PASSWORD = "correct-horse-7"
ADDRESS = {
    "name": "Anna Berg",
    "line1": "Lindenweg 4",
    "line2": "",
    "postalCode": "10115",
    "city": "Berlin",
    "country": "DE",
}


class QuickHasher(PBKDF2PasswordHasher):
    """The usual hash in one round: a server process with the usual settings can check it."""

    iterations = 1


def make_user(username: str, *, role: str = "buyer", **fields: object) -> User:
    """Create a user whose password is PASSWORD; `fields` are further ones of the model."""
    return User.objects.create_user(
        username=username,
        email=f"{username}@example.com",
        password=PASSWORD,
        role=role,
        **fields,
    )


def browser_of(user: User, *codenames: str, enforce_csrf_checks: bool = False) -> Client:
    """A browser in which the user is logged in, after being given these permissions."""
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
    client = Client(enforce_csrf_checks=enforce_csrf_checks)
    client.force_login(user)
    return client
