"""The pages of a forgotten password: ask for a mail, follow its link."""

import re

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from marketplace.accounts.attempts import FAILURES
from marketplace.accounts.models import User
from tests.accounts.conftest import LogIn
from tests.accounts.test_authentication import bearer
from tests.accounts.test_sessions import ME, logged_in
from tests.support.people import PASSWORD

LOGIN = "/login"
NEW = "battery-staple-8"


def link_in_mail() -> str:
    """The path of the link in the one mail that was sent."""
    return origin_and_path_in_mail()[1]


def origin_and_path_in_mail() -> tuple[str, str]:
    """Where the link in the one mail that was sent leads to."""
    [message] = mail.outbox
    found = re.search(r"(https?://[^/\s]+)(\S+)", str(message.body))
    assert found is not None
    return found[1], found[2]


def test_it_sends_a_link_that_sets_a_password_once(
    client: Client, log_in: LogIn, buyer: User
) -> None:
    stolen = log_in(buyer)
    answer = client.post("/password-reset/", {"email": "BUYER@example.com"})
    assert answer["Location"] == reverse("password_reset_done")
    link = link_in_mail()

    form_page = client.get(link, follow=True)
    assert link not in form_page.request["PATH_INFO"]  # the token does not stay in the address
    passwords = {"new_password1": NEW, "new_password2": NEW}
    answer = client.post(form_page.request["PATH_INFO"], passwords, follow=True)
    assert answer.status_code == 200
    buyer.refresh_from_db()
    assert buyer.check_password(NEW)
    assert bearer(stolen["access"]).get(ME).status_code == 401

    again = client.get(link, follow=True)
    assert again.status_code == 200
    assert again.context["validlink"] is False


@pytest.mark.parametrize("public_host", ["market.example", "market.example:8443"])
def test_it_mails_a_link_to_the_public_host_alone(
    client: Client, buyer: User, settings: Settings, public_host: str
) -> None:
    settings.PUBLIC_HOST = public_host
    form = {"email": "buyer@example.com"}
    client.post("/password-reset/", form, headers={"host": "testserver:4444"})
    assert origin_and_path_in_mail()[0] == f"http://{public_host}"
    assert "4444" not in str(mail.outbox[0].body) + mail.outbox[0].subject


def test_it_mails_a_link_to_where_a_developer_is(
    client: Client, buyer: User, settings: Settings
) -> None:
    settings.DEBUG = True
    form = {"email": "buyer@example.com"}
    client.post("/password-reset/", form, headers={"host": "127.0.0.1:8000"})
    assert origin_and_path_in_mail()[0] == "http://127.0.0.1:8000"


def test_it_ends_the_login_of_whose_browser_it_is(
    buyer: User, seller: User, ended: list[str]
) -> None:
    client, elsewhere = logged_in(seller), logged_in(seller)
    client.post("/password-reset/", {"email": "buyer@example.com"})
    form_page = client.get(link_in_mail(), follow=True)
    assert ended == []  # a link alone logs nobody out
    passwords = {"new_password1": NEW, "new_password2": NEW}
    client.post(form_page.request["PATH_INFO"], passwords)
    assert len(ended) == 1
    assert client.get(ME).status_code == 401
    assert elsewhere.get(ME).json()["username"] == "seller"


def test_it_does_not_tell_who_has_an_account(client: Client, buyer: User) -> None:
    known = client.post("/password-reset/", {"email": "buyer@example.com"})
    unknown = client.post("/password-reset/", {"email": "nobody@example.com"})
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert len(mail.outbox) == 1


def test_it_does_not_flood_a_mailbox(client: Client, buyer: User) -> None:
    for email in ("buyer@example.com", "nobody@example.com"):
        for _ in range(FAILURES.most):
            assert client.post("/password-reset/", {"email": email}).status_code == 302
        answer = client.post("/password-reset/", {"email": email.upper()})
        assert answer.status_code == 429
        assert int(answer["Retry-After"]) > 0
    assert len(mail.outbox) == FAILURES.most
    assert client.post(LOGIN, {"username": "buyer", "password": PASSWORD}).status_code == 302


def test_it_sends_nothing_to_who_is_switched_off(client: Client, buyer: User) -> None:
    buyer.is_active = False
    buyer.save()
    client.post("/password-reset/", {"email": "buyer@example.com"})
    assert mail.outbox == []
