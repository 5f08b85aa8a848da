"""What the tests of accounts share."""

from collections.abc import Callable, Iterator

import pytest
from rest_framework.test import APIClient

from marketplace.accounts.models import User
from marketplace.accounts.signals import login_ended, user_changed
from tests.support.people import PASSWORD

Tokens = dict[str, str]
LogIn = Callable[[User], Tokens]


@pytest.fixture
def visitor(db: None) -> APIClient:
    """A client that is not logged in."""
    return APIClient()


@pytest.fixture
def log_in(visitor: APIClient) -> LogIn:
    """Open another login of a user: log_in(buyer)["access"]."""

    def tokens_of(user: User) -> Tokens:
        credentials = {"username": user.username, "password": PASSWORD}
        answer = visitor.post("/api/auth/token", credentials, format="json")
        assert answer.status_code == 200, answer.content
        tokens: Tokens = answer.json()
        return tokens

    return tokens_of


@pytest.fixture
def ended() -> Iterator[list[str]]:
    """The ids of the logins that were told to have ended, in order."""
    heard: list[str] = []

    def hear(*, login_id: str, **_arguments: object) -> None:
        heard.append(login_id)

    login_ended.connect(hear)
    yield heard
    login_ended.disconnect(hear)


@pytest.fixture
def changed() -> Iterator[list[int]]:
    """The ids of the users whose rights were told to have changed, in order."""
    heard: list[int] = []

    def hear(*, user_id: int, **_arguments: object) -> None:
        heard.append(user_id)

    user_changed.connect(hear)
    yield heard
    user_changed.disconnect(hear)
