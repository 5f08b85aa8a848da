"""Logins by cookie: the login page, logging out, and LoginMiddleware."""

import pytest
from django.test import Client
from django.urls import reverse

from marketplace.accounts.errors import InvalidLogin
from marketplace.accounts.models import Login, User
from marketplace.accounts.proofs import prove_by_ticket
from marketplace.accounts.services import end_login
from tests.accounts.conftest import LogIn
from tests.accounts.test_registering import ANNA
from tests.support.people import PASSWORD

ME = "/api/auth/me"


def logged_in(user: User) -> Client:
    """A browser in which the user logged in."""
    client = Client()
    assert client.login(username=user.username, password=PASSWORD)
    return client


def test_it_opens_a_login_for_each_session(buyer: User) -> None:
    logged_in(buyer), logged_in(buyer)
    assert buyer.logins.open().count() == 2


def test_it_ends_the_login_with_the_session(buyer: User, ended: list[str]) -> None:
    client = logged_in(buyer)
    sid = str(buyer.logins.get().pk)
    client.post(reverse("logout"))
    assert ended == [sid]
    assert client.get(ME).status_code == 401


def test_it_logs_nobody_out_by_a_link(buyer: User) -> None:
    client = logged_in(buyer)
    assert client.get(reverse("logout")).status_code == 405
    assert client.get(ME).status_code == 200


def test_it_logs_out_a_session_whose_login_was_ended_elsewhere(
    buyer: User, seller: User, ended: list[str]
) -> None:
    client, of_another = logged_in(buyer), logged_in(seller)
    end_login(sid=buyer.logins.get().pk)

    assert client.get(ME).status_code == 401
    assert "_auth_user_id" not in client.session
    assert of_another.get(ME).status_code == 200
    assert len(ended) == 1


def test_it_logs_out_a_session_that_has_no_login(buyer: User) -> None:
    client = logged_in(buyer)
    Login.objects.all().delete()
    assert client.get(ME).status_code == 401


def test_it_logs_out_who_is_switched_off(buyer: User) -> None:
    client = logged_in(buyer)
    User.objects.update(is_active=False)
    assert client.get(ME).status_code == 401


def test_it_does_not_take_the_login_of_somebody_else(buyer: User, seller: User) -> None:
    client = logged_in(buyer)
    logged_in(seller)
    session = client.session
    session["sid"] = str(seller.logins.get().pk)
    session.save()
    assert client.get(ME).status_code == 401


def test_it_gives_a_session_another_id_at_each_login(buyer: User) -> None:
    client = logged_in(buyer)
    first = client.session.session_key
    client.force_login(buyer)
    assert client.session.session_key != first
    assert buyer.logins.open().count() == 1


@pytest.mark.parametrize("path", ["/login", "/register"])
def test_it_ends_the_login_that_another_takes_the_place_of(
    buyer: User, seller: User, ended: list[str], path: str
) -> None:
    client, elsewhere = logged_in(buyer), logged_in(buyer)
    previous = buyer.logins.order_by("created_at").first()
    assert previous is not None
    ticket = client.post("/api/events/ticket").json()["ticket"]
    forms = {
        "/login": {"username": "seller", "password": PASSWORD},
        "/register": ANNA,
    }
    assert client.post(path, forms[path]).status_code == 302

    assert ended == [str(previous.pk)]
    with pytest.raises(InvalidLogin):
        prove_by_ticket(ticket)
    assert client.get(ME).json()["username"] in {"seller", "anna"}
    assert elsewhere.get(ME).json()["username"] == "buyer"


def test_it_keeps_the_login_when_another_is_refused(buyer: User, ended: list[str]) -> None:
    client = logged_in(buyer)
    client.post("/login", {"username": "seller", "password": "wrong-horse-7"})
    assert ended == []
    assert client.get(ME).json()["username"] == "buyer"


def test_it_reads_nothing_for_visitors_without_a_cookie(
    client: Client, db: None, django_assert_num_queries: object
) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert client.post("/api/auth/nothing-here").status_code == 404


def test_it_reads_session_user_and_login_once(
    buyer: User, django_assert_num_queries: object
) -> None:
    client = logged_in(buyer)
    with django_assert_num_queries(3):  # type: ignore[operator]
        assert client.post("/api/auth/nothing-here").status_code == 404


def test_it_has_nothing_to_do_with_the_logins_of_programs(log_in: LogIn, buyer: User) -> None:
    client = logged_in(buyer)
    log_in(buyer)
    client.post(reverse("logout"))
    assert buyer.logins.open().count() == 1
