"""POST /api/auth/token, and what its access token opens."""

import logging
from datetime import timedelta
from threading import Barrier, Thread

import jwt
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from marketplace.accounts import services
from marketplace.accounts.attempts import FAILURES
from marketplace.accounts.errors import TooManyAttempts, WrongCredentials
from marketplace.accounts.models import Login, LoginFailure, User
from tests.accounts.conftest import LogIn
from tests.support.answers import refusal, refused_fields
from tests.support.people import PASSWORD

WRONG = {"password": "wrong-horse-7"}


def claims(token: str) -> dict[str, object]:
    """What stands in a token."""
    found: dict[str, object] = jwt.decode(token, settings.SECRET_KEY, algorithms=["HS256"])
    return found


def try_to_log_in(client: APIClient, username: str, **changes: str) -> tuple[int, str | None]:
    """The status of an attempt, and the header Retry-After."""
    credentials = {"username": username, "password": PASSWORD, **changes}
    answer = client.post("/api/auth/token", credentials, format="json")
    return answer.status_code, answer.headers.get("Retry-After")


def test_it_gives_two_tokens_of_one_login(log_in: LogIn, buyer: User) -> None:
    tokens = log_in(buyer)

    login = buyer.logins.get()
    access, refresh = claims(tokens["access"]), claims(tokens["refresh"])
    assert access["sid"] == refresh["sid"] == str(login.pk)
    assert int(str(access["exp"])) - int(str(access["iat"])) == 15 * 60
    assert int(str(refresh["exp"])) - int(str(refresh["iat"])) == 14 * 24 * 3600
    assert login.expires_at > timezone.now() + timedelta(days=13)


def test_it_knows_a_user_however_the_name_is_typed(visitor: APIClient, buyer: User) -> None:
    assert try_to_log_in(visitor, "BuYeR") == (200, None)


@pytest.mark.parametrize("username", ["buyer", "nobody"])
def test_it_does_not_tell_a_wrong_name_from_a_wrong_password(
    visitor: APIClient, buyer: User, username: str
) -> None:
    answer = visitor.post("/api/auth/token", {"username": username, **WRONG}, format="json")
    assert refusal(answer) == (401, "invalid_credentials")
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_it_refuses_who_is_not_active(visitor: APIClient, buyer: User) -> None:
    buyer.is_active = False
    buyer.save()
    assert try_to_log_in(visitor, "buyer")[0] == 401


def test_it_says_what_is_missing(visitor: APIClient) -> None:
    answer = visitor.post("/api/auth/token", {"user": "buyer"}, format="json")
    assert refused_fields(answer) == {
        "user": "unknown_field", "username": "required", "password": "required",
    }  # fmt: skip


@pytest.mark.parametrize("body", ["[]", '"text"', "null", "7", "[{}]"])
def test_it_needs_an_object(visitor: APIClient, body: str) -> None:
    answer = visitor.post("/api/auth/token", body, content_type="application/json")
    assert answer.status_code == 400


@pytest.mark.parametrize("username", ["buyer", "nobody"])
def test_it_makes_whoever_failed_ten_times_wait(
    visitor: APIClient, buyer: User, username: str
) -> None:
    for _ in range(FAILURES.most):
        assert try_to_log_in(visitor, username, **WRONG)[0] == 401

    answer = visitor.post(
        "/api/auth/token", {"username": username, "password": PASSWORD}, format="json"
    )
    assert refusal(answer) == (429, "throttled")
    assert 0 < int(answer["Retry-After"]) <= FAILURES.span.total_seconds()


def test_it_counts_a_name_in_any_case(visitor: APIClient, buyer: User) -> None:
    for attempt in range(FAILURES.most):
        try_to_log_in(visitor, "buyer" if attempt % 2 else "BUYER", **WRONG)
    assert try_to_log_in(visitor, "Buyer")[0] == 429


def test_it_lets_others_and_other_addresses_in_meanwhile(
    visitor: APIClient, buyer: User, seller: User
) -> None:
    for _ in range(FAILURES.most):
        try_to_log_in(visitor, "buyer", **WRONG)
    elsewhere = APIClient(REMOTE_ADDR="203.0.113.9")
    assert try_to_log_in(visitor, "seller")[0] == 200
    assert try_to_log_in(elsewhere, "buyer")[0] == 200


def test_it_believes_no_forwarded_address(visitor: APIClient, buyer: User) -> None:
    for attempt in range(FAILURES.most):
        liar = APIClient(HTTP_X_FORWARDED_FOR=f"203.0.113.{attempt}")
        try_to_log_in(liar, "buyer", **WRONG)
    assert try_to_log_in(visitor, "buyer")[0] == 429


def test_it_lets_in_again_when_the_time_is_over(visitor: APIClient, buyer: User) -> None:
    for _ in range(FAILURES.most):
        try_to_log_in(visitor, "buyer", **WRONG)
    LoginFailure.objects.update(failed_at=timezone.now() - FAILURES.span)
    assert try_to_log_in(visitor, "buyer")[0] == 200


def test_it_does_not_let_waiting_begin_anew_with_each_attempt(
    visitor: APIClient, buyer: User
) -> None:
    for _ in range(FAILURES.most):
        try_to_log_in(visitor, "buyer", **WRONG)
    counted = LoginFailure.objects.count()
    assert try_to_log_in(visitor, "buyer", **WRONG)[0] == 429
    assert LoginFailure.objects.count() == counted


def test_it_forgets_failures_before_a_success(visitor: APIClient, buyer: User) -> None:
    for _ in range(FAILURES.most - 1):
        try_to_log_in(visitor, "buyer", **WRONG)
    assert try_to_log_in(visitor, "buyer")[0] == 200
    assert try_to_log_in(visitor, "buyer", **WRONG)[0] == 401


@pytest.mark.django_db(transaction=True)
def test_it_counts_attempts_that_come_at_once(buyer: User) -> None:
    outcomes: list[str] = []
    together = Barrier(80)

    def guess() -> None:
        connection.ensure_connection()
        together.wait()
        try:
            services.check_credentials(username="buyer", password="wrong", address="203.0.113.9")
        except (WrongCredentials, TooManyAttempts) as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    threads = [Thread(target=guess) for _ in range(80)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 80
    assert outcomes.count("invalid_credentials") == FAILURES.most


def test_it_hashes_for_a_name_that_nobody_has(
    visitor: APIClient, buyer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.support.people import QuickHasher

    hashed: list[str] = []
    encode = QuickHasher.encode

    def counted(hasher: QuickHasher, password: str, *rest: object, **more: object) -> str:
        hashed.append(password)
        return encode(hasher, password, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(QuickHasher, "encode", counted)
    try_to_log_in(visitor, "buyer", **WRONG)
    known = len(hashed)
    try_to_log_in(visitor, "nobody", **WRONG)
    assert len(hashed) - known == known == 1


def test_it_logs_no_password(
    visitor: APIClient, buyer: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    try_to_log_in(visitor, "buyer")
    try_to_log_in(visitor, "buyer", **WRONG)
    assert PASSWORD not in caplog.text
    assert WRONG["password"] not in caplog.text


def test_it_forgets_logins_that_are_long_over(log_in: LogIn, buyer: User, seller: User) -> None:
    long_ago = timezone.now() - timedelta(days=2)
    old = Login.objects.create(user=buyer, expires_at=long_ago)
    of_another = Login.objects.create(user=seller, expires_at=long_ago)
    log_in(buyer)
    assert not Login.objects.filter(pk=old.pk).exists()
    assert Login.objects.filter(pk=of_another.pk).exists()
