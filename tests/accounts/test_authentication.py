"""How a request says who asks, and when that no longer holds."""

import base64
from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken

from marketplace.accounts.models import User
from tests.accounts.conftest import LogIn
from tests.conftest import ClientFor
from tests.support.answers import refusal

ME = "/api/auth/me"


def bearer(text: str) -> APIClient:
    """A client with this token."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    return client


def test_it_asks_nobody_in(visitor: APIClient) -> None:
    answer = visitor.get(ME)
    assert refusal(answer) == (401, "not_authenticated")
    assert answer["WWW-Authenticate"] == 'Bearer realm="api"'


def test_it_knows_the_bearer_of_an_access_token(log_in: LogIn, buyer: User, seller: User) -> None:
    assert bearer(log_in(buyer)["access"]).get(ME).json()["username"] == "buyer"
    assert bearer(log_in(seller)["access"]).get(ME).json()["username"] == "seller"


def test_it_does_not_mind_the_case_of_bearer(
    visitor: APIClient, log_in: LogIn, buyer: User
) -> None:
    visitor.credentials(HTTP_AUTHORIZATION=f"bearer {log_in(buyer)['access']}")
    assert visitor.get(ME).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "a.b.c",
        "two words",
        "ü.ü.ü",
        base64.urlsafe_b64encode(b"[" * 3000).decode() + ".e30.x",
        str(AccessToken()),  # signed by us, but of no login
    ],
)
def test_it_refuses_what_is_no_token(text: str) -> None:
    assert refusal(bearer(text).get(ME)) == (401, "token_not_valid")


@pytest.mark.parametrize("sid", ["", "not-a-uuid", 7, None, "0" * 32])
@pytest.mark.django_db
def test_it_refuses_a_token_without_a_login(sid: object) -> None:
    token = AccessToken()
    token["sid"] = sid
    assert refusal(bearer(str(token)).get(ME)) == (401, "token_not_valid")


def test_it_refuses_a_refresh_token(log_in: LogIn, buyer: User) -> None:
    assert refusal(bearer(log_in(buyer)["refresh"]).get(ME)) == (401, "token_not_valid")


def test_it_refuses_a_token_that_has_expired(log_in: LogIn, buyer: User) -> None:
    token = AccessToken(log_in(buyer)["access"])  # type: ignore[arg-type]
    token.set_exp(lifetime=timedelta(seconds=-1))
    assert refusal(bearer(str(token)).get(ME)) == (401, "token_not_valid")


@pytest.mark.parametrize("when", [1e30, 1e300, 10**15, -(10**30), "soon", None])
def test_it_refuses_a_token_whose_time_is_no_time(log_in: LogIn, buyer: User, when: object) -> None:
    token = AccessToken(log_in(buyer)["access"])  # type: ignore[arg-type]
    token["exp"] = when
    assert refusal(bearer(str(token)).get(ME)) == (401, "token_not_valid")


def test_it_refuses_a_token_of_a_login_that_has_expired(log_in: LogIn, buyer: User) -> None:
    access = log_in(buyer)["access"]
    buyer.logins.update(expires_at=timezone.now())
    assert bearer(access).get(ME).status_code == 401


def test_it_refuses_a_token_of_a_user_who_was_switched_off_in_silence(
    log_in: LogIn, buyer: User
) -> None:
    access = log_in(buyer)["access"]
    User.objects.update(is_active=False)
    assert bearer(access).get(ME).status_code == 401


def test_it_refuses_a_bad_token_where_no_login_is_needed(visitor: APIClient) -> None:
    assert visitor.get("/api/products").status_code == 200
    assert bearer("nonsense").get("/api/products").status_code == 401


def test_it_takes_the_session_of_the_pages(session_client_for: ClientFor, buyer: User) -> None:
    assert session_client_for(buyer).get(ME).json()["username"] == "buyer"


def test_it_needs_the_csrf_token_beside_the_cookie(
    session_client_for: ClientFor, buyer: User
) -> None:
    client = session_client_for(buyer)
    answer = client.patch(ME, {"language": "fr"}, format="json")
    assert refusal(answer) == (403, "csrf_failed")

    client.get("/login")  # sets the cookie that the header has to repeat
    token = client.cookies["csrftoken"].value
    answer = client.patch(ME, {"language": "fr"}, format="json", HTTP_X_CSRFTOKEN=token)
    assert answer.status_code == 200


def test_it_needs_no_csrf_token_beside_a_bearer_token(
    session_client_for: ClientFor, log_in: LogIn, buyer: User, seller: User
) -> None:
    client = session_client_for(buyer)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {log_in(seller)['access']}")
    assert client.patch(ME, {"language": "fr"}, format="json").json()["username"] == "seller"
