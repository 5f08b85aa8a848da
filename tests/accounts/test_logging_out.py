"""POST /api/auth/logout."""

from datetime import timedelta

import pytest
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import RefreshToken

from marketplace.accounts.models import User
from marketplace.accounts.tokens import read_refresh_token
from tests.accounts.conftest import LogIn
from tests.accounts.test_authentication import ME, bearer
from tests.accounts.test_refreshing import REFRESH, renew
from tests.support.answers import refused_fields

LOGOUT = "/api/auth/logout"


def test_it_ends_this_login_and_no_other(
    visitor: APIClient, log_in: LogIn, buyer: User, ended: list[str]
) -> None:
    here, elsewhere = log_in(buyer), log_in(buyer)

    answer = visitor.post(LOGOUT, {"refresh": here["refresh"]}, format="json")
    assert (answer.status_code, answer.content) == (204, b"")
    assert ended == [str(read_refresh_token(here["refresh"]).sid)]
    assert bearer(here["access"]).get(ME).status_code == 401
    assert visitor.post(REFRESH, {"refresh": here["refresh"]}, format="json").status_code == 401
    assert bearer(elsewhere["access"]).get(ME).status_code == 200


def test_it_does_not_mind_a_second_time(
    visitor: APIClient, log_in: LogIn, buyer: User, ended: list[str]
) -> None:
    refresh = log_in(buyer)["refresh"]
    for _ in range(2):
        assert visitor.post(LOGOUT, {"refresh": refresh}, format="json").status_code == 204
    assert len(ended) == 1


def test_it_takes_a_spent_token_too(visitor: APIClient, log_in: LogIn, buyer: User) -> None:
    old = log_in(buyer)
    new = renew(visitor, old["refresh"])
    assert visitor.post(LOGOUT, {"refresh": old["refresh"]}, format="json").status_code == 204
    assert bearer(new["access"]).get(ME).status_code == 401


def test_it_does_not_mind_a_dead_access_token_beside_it(
    visitor: APIClient, log_in: LogIn, buyer: User
) -> None:
    refresh = log_in(buyer)["refresh"]
    visitor.credentials(HTTP_AUTHORIZATION="Bearer dead")
    assert visitor.post(LOGOUT, {"refresh": refresh}, format="json").status_code == 204
    assert not buyer.logins.open().exists()


def test_it_has_nothing_to_do_for_what_is_dead(
    visitor: APIClient, log_in: LogIn, buyer: User
) -> None:
    expired = RefreshToken(log_in(buyer)["refresh"])  # type: ignore[arg-type]
    expired.set_exp(lifetime=timedelta(seconds=-1))
    for text in ("nonsense", str(expired)):
        assert visitor.post(LOGOUT, {"refresh": text}, format="json").status_code == 204


def test_it_does_not_end_a_login_for_its_access_token(
    visitor: APIClient, log_in: LogIn, buyer: User
) -> None:
    access = log_in(buyer)["access"]
    visitor.post(LOGOUT, {"refresh": access}, format="json")
    assert bearer(access).get(ME).status_code == 200


@pytest.mark.django_db
def test_it_says_what_is_missing(visitor: APIClient) -> None:
    assert refused_fields(visitor.post(LOGOUT, {}, format="json")) == {"refresh": "required"}
