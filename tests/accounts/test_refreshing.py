"""POST /api/auth/token/refresh."""

from threading import Barrier, Thread

import pytest
from django.db import connection
from rest_framework.test import APIClient

from marketplace.accounts.errors import InvalidLogin
from marketplace.accounts.models import User
from marketplace.accounts.services import rotate_refresh
from marketplace.accounts.tokens import read_access_token, read_refresh_token
from tests.accounts.conftest import LogIn, Tokens
from tests.accounts.test_authentication import ME, bearer
from tests.support.answers import refusal, refused_fields

REFRESH = "/api/auth/token/refresh"


def renew(client: APIClient, refresh: str) -> Tokens:
    """New tokens for a refresh token."""
    answer = client.post(REFRESH, {"refresh": refresh}, format="json")
    assert answer.status_code == 200, answer.content
    tokens: Tokens = answer.json()
    return tokens


def test_it_gives_new_tokens_of_the_same_login(
    visitor: APIClient, log_in: LogIn, buyer: User
) -> None:
    old = log_in(buyer)
    new = renew(visitor, old["refresh"])

    assert new["refresh"] != old["refresh"]
    assert read_access_token(new["access"]).sid == read_refresh_token(old["refresh"]).sid
    assert bearer(new["access"]).get(ME).status_code == 200
    assert buyer.logins.count() == 1


def test_it_leaves_the_older_access_token_its_time(
    visitor: APIClient, log_in: LogIn, buyer: User
) -> None:
    old = log_in(buyer)
    renew(visitor, old["refresh"])
    assert bearer(old["access"]).get(ME).status_code == 200


def test_it_ends_the_login_when_a_spent_token_comes_again(
    visitor: APIClient, log_in: LogIn, buyer: User, ended: list[str]
) -> None:
    old, of_another_device = log_in(buyer), log_in(buyer)
    new = renew(visitor, old["refresh"])

    answer = visitor.post(REFRESH, {"refresh": old["refresh"]}, format="json")
    assert refusal(answer) == (401, "token_not_valid")
    assert ended == [str(read_refresh_token(old["refresh"]).sid)]

    again = visitor.post(REFRESH, {"refresh": new["refresh"]}, format="json")
    assert again.status_code == 401
    assert bearer(new["access"]).get(ME).status_code == 401
    assert bearer(of_another_device["access"]).get(ME).status_code == 200


@pytest.mark.parametrize("refresh", ["", None, 7, ["x"], "x" * 5000])
def test_it_needs_a_text(visitor: APIClient, refresh: object) -> None:
    answer = visitor.post(REFRESH, {"refresh": refresh}, format="json")
    assert answer.status_code in {400, 401}


def test_it_needs_a_token(visitor: APIClient) -> None:
    assert refused_fields(visitor.post(REFRESH, {}, format="json")) == {"refresh": "required"}


def test_it_refuses_an_access_token(visitor: APIClient, log_in: LogIn, buyer: User) -> None:
    answer = visitor.post(REFRESH, {"refresh": log_in(buyer)["access"]}, format="json")
    assert refusal(answer) == (401, "token_not_valid")
    assert buyer.logins.open().exists()


def test_it_refuses_who_is_no_longer_active(visitor: APIClient, log_in: LogIn, buyer: User) -> None:
    refresh = log_in(buyer)["refresh"]
    User.objects.update(is_active=False)
    assert visitor.post(REFRESH, {"refresh": refresh}, format="json").status_code == 401


@pytest.mark.django_db(transaction=True)
def test_it_spends_a_token_once_when_two_come_with_it(log_in: LogIn, buyer: User) -> None:
    refresh = log_in(buyer)["refresh"]
    outcomes: list[str] = []
    together = Barrier(2)

    def rotate() -> None:
        together.wait()
        try:
            rotate_refresh(refresh=refresh)
            outcomes.append("renewed")
        except InvalidLogin:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [Thread(target=rotate) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused", "renewed"]
    assert not buyer.logins.open().exists()
