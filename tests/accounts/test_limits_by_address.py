"""What one address may do about all accounts together: be wrong, ask for mails, register."""

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from marketplace.accounts.attempts import (
    FAILURES,
    FAILURES_BY_ADDRESS,
    REGISTRATIONS,
    Limit,
    begin_attempt,
    count_registration,
    network_of,
)
from marketplace.accounts.errors import TooManyAttempts
from marketplace.accounts.models import LoginFailure, User
from tests.accounts.test_registering import ANNA
from tests.support.answers import refusal
from tests.support.people import PASSWORD

HERE, ELSEWHERE = "203.0.113.9", "203.0.113.10"


def client_at(address: str) -> APIClient:
    """A program at an address."""
    return APIClient(REMOTE_ADDR=address)


def log_in_at(address: str, username: str, password: str = PASSWORD) -> int:
    """The status of an attempt to log in."""
    credentials = {"username": username, "password": password}
    return client_at(address).post("/api/auth/token", credentials, format="json").status_code


def fail(times: int, address: str = HERE) -> None:
    """Be wrong about as many names."""
    for number in range(times):
        begin_attempt(username=f"name-{number}", address=address)


def register_often(address: str = HERE) -> None:
    """Make as many accounts as one may."""
    for _ in range(REGISTRATIONS.most):
        count_registration(address=address)


def let_pass(limit: Limit) -> None:
    """Let the time of a limit be over."""
    LoginFailure.objects.update(failed_at=timezone.now() - limit.span)


# --- Being wrong ----------------------------------------------------------------------------


def test_it_stops_who_tries_one_password_on_everybody(buyer: User) -> None:
    for number in range(FAILURES_BY_ADDRESS.most):
        assert log_in_at(HERE, f"name-{number}", "wrong-horse-7") == 401
    answer = client_at(HERE).post(
        "/api/auth/token", {"username": "buyer", "password": PASSWORD}, format="json"
    )
    assert refusal(answer) == (429, "throttled")
    assert 0 < int(answer["Retry-After"]) <= FAILURES_BY_ADDRESS.span.total_seconds()
    assert log_in_at(ELSEWHERE, "buyer") == 200


def test_it_does_not_forget_failures_for_ones_own_login(buyer: User) -> None:
    fail(FAILURES_BY_ADDRESS.most - 1)
    assert log_in_at(HERE, "buyer") == 200
    assert log_in_at(HERE, "nobody") == 401
    assert log_in_at(HERE, "buyer") == 429


def test_it_counts_no_success(buyer: User) -> None:
    fail(FAILURES_BY_ADDRESS.most - 1)
    for _ in range(3):
        assert log_in_at(HERE, "buyer") == 200


def test_it_counts_nothing_that_it_refuses(buyer: User) -> None:
    fail(FAILURES.most)
    for _ in range(FAILURES.most):
        assert log_in_at(HERE, "buyer", "wrong-horse-7") == 401
    for _ in range(FAILURES_BY_ADDRESS.most):
        assert log_in_at(HERE, "buyer", "wrong-horse-7") == 429
    assert log_in_at(HERE, "somebody-else") == 401


def test_it_lets_in_again_when_the_time_is_over(buyer: User) -> None:
    fail(FAILURES_BY_ADDRESS.most)
    let_pass(FAILURES_BY_ADDRESS)
    assert log_in_at(HERE, "buyer") == 200


def test_it_stops_who_mails_everybody(buyer: User) -> None:
    fail(FAILURES_BY_ADDRESS.most)
    client = Client(REMOTE_ADDR=HERE)
    answer = client.post("/password-reset/", {"email": "buyer@example.com"})
    assert answer.status_code == 429
    assert mail.outbox == []


def test_it_takes_the_addresses_of_one_ipv6_customer_together(buyer: User) -> None:
    for number in range(FAILURES.most):
        assert log_in_at(f"2001:db8:1:2::{number:x}", "buyer", "wrong-horse-7") == 401
    assert log_in_at("2001:db8:1:2:ffff::1", "buyer") == 429
    assert log_in_at("2001:db8:1:3::1", "buyer") == 200


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("", ""),
    ],
)
def test_it_knows_what_one_customer_has(address: str, network: str) -> None:
    assert network_of(address) == network


# --- Registering ----------------------------------------------------------------------------


def test_it_makes_so_many_accounts_an_hour(db: None) -> None:
    for number in range(REGISTRATIONS.most):
        fields = {**ANNA, "username": f"anna-{number}"}
        answer = client_at(HERE).post("/api/auth/register", fields, format="json")
        assert answer.status_code == 201
    answer = client_at(HERE).post("/api/auth/register", ANNA, format="json")

    assert refusal(answer) == (429, "throttled")
    assert 0 < int(answer["Retry-After"]) <= REGISTRATIONS.span.total_seconds()
    assert not User.objects.filter(username="anna").exists()
    answer = client_at(ELSEWHERE).post("/api/auth/register", ANNA, format="json")
    assert answer.status_code == 201


def test_it_counts_no_mistakes_in_the_form(db: None) -> None:
    for _ in range(REGISTRATIONS.most + 1):
        fields = {**ANNA, "password": "short"}
        answer = client_at(HERE).post("/api/auth/register", fields, format="json")
        assert answer.status_code == 400
    answer = client_at(HERE).post("/api/auth/register", ANNA, format="json")
    assert answer.status_code == 201


def test_it_says_so_on_the_page(db: None) -> None:
    register_often()
    answer = Client(REMOTE_ADDR=HERE).post("/register", ANNA)
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert "too many attempts" in answer.content.decode()
    assert not User.objects.exists()


def test_it_makes_accounts_again_after_an_hour(db: None) -> None:
    register_often()
    let_pass(FAILURES)
    with pytest.raises(TooManyAttempts):
        count_registration(address=HERE)
    let_pass(REGISTRATIONS)
    count_registration(address=HERE)
    assert LoginFailure.objects.count() == 1  # what no limit asks for is gone


def test_it_lets_users_in_where_nobody_may_register(buyer: User) -> None:
    register_often()
    assert log_in_at(HERE, "buyer") == 200
