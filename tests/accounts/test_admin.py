"""Users and logins in Django's admin."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from marketplace.accounts.models import User
from tests.accounts.conftest import LogIn
from tests.accounts.test_sessions import ME, logged_in
from tests.support.people import ADDRESS, PASSWORD, make_user


@pytest.fixture
def superuser(db: None) -> User:
    """Somebody who may do everything."""
    return make_user("root", is_staff=True, is_superuser=True)


def form_of(user: User, **changes: object) -> dict[str, object]:
    """The admin's form for a user, as a browser sends it."""
    fields: dict[str, object] = {
        "username": user.username,
        "email": user.email,
        "language": user.language,
        "role": user.role,
        "shipping_address": "null",
        "date_joined_0": "2026-11-21",
        "date_joined_1": "10:00:00",
        "is_active": "on",
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not None}


def change(client: Client, user: User, **changes: object) -> dict[str, list[str]]:
    """Save the admin's form; the errors that it shows, if any."""
    path = reverse("admin:accounts_user_change", args=[user.pk])
    answer = client.post(path, form_of(user, **changes))
    if answer.status_code == 302:
        return {}
    errors: dict[str, list[str]] = answer.context["adminform"].form.errors
    assert errors
    return errors


def test_it_ends_the_logins_of_who_is_switched_off(
    superuser: User, log_in: LogIn, buyer: User, ended: list[str], changed: list[int]
) -> None:
    log_in(buyer)
    assert change(logged_in(superuser), buyer, is_active=None) == {}
    assert len(ended) == 1
    assert changed == [buyer.pk]


def test_it_tells_of_another_role(superuser: User, buyer: User, changed: list[int]) -> None:
    assert change(logged_in(superuser), buyer, role="seller") == {}
    assert changed == [buyer.pk]


def test_it_takes_whole_addresses_alone(superuser: User, buyer: User) -> None:
    client = logged_in(superuser)
    assert set(change(client, buyer, shipping_address='{"name": "Anna"}')) == {"shipping_address"}
    assert set(change(client, buyer, shipping_address='"here"')) == {"shipping_address"}
    assert change(client, buyer, shipping_address=json.dumps(ADDRESS)) == {}


@pytest.mark.parametrize("nothing", ["", "null", "{}", "[]", '""', " { } "])
def test_it_stores_no_address_for_nothing(superuser: User, buyer: User, nothing: str) -> None:
    assert change(logged_in(superuser), buyer, shipping_address=nothing) == {}
    buyer.refresh_from_db()
    assert buyer.shipping_address is None
    assert logged_in(buyer).get(ME).json()["shippingAddress"] is None


def test_it_stores_an_address_as_others_read_it(superuser: User, buyer: User) -> None:
    typed = {**ADDRESS, "postalCode": 10115, "name": " Anna Berg "}
    del typed["line2"]
    assert change(logged_in(superuser), buyer, shipping_address=json.dumps(typed)) == {}
    assert logged_in(buyer).get(ME).json()["shippingAddress"] == ADDRESS


@pytest.mark.parametrize(
    "text",
    [
        *("[" * depth + "]" * depth for depth in (40, 51, 900, 5_000, 100_000)),
        *('{"a":' * depth + "1" + "}" * depth for depth in (40, 51, 900, 5_000)),
        *("{", '{"name":' * 5_000, "9" * 5_000, '{"name": ' + "9" * 5_000 + "}"),
        *("0", "false", "NaN", "1e400", '"\\ud800"', "[{}]"),
        json.dumps({**ADDRESS, "city": "\ud800"}),
        json.dumps({**ADDRESS, "city": "\0"}),
    ],
    ids=lambda text: text[:20],
)
def test_it_refuses_whatever_else_is_typed(superuser: User, buyer: User, text: str) -> None:
    refused = change(logged_in(superuser), buyer, shipping_address=text)
    assert set(refused) == {"shipping_address"}
    buyer.refresh_from_db()
    assert buyer.shipping_address == ADDRESS


def test_it_takes_no_name_that_another_has_in_another_case(
    superuser: User, buyer: User, seller: User
) -> None:
    assert set(change(logged_in(superuser), seller, username="BUYER")) == {"username"}


def test_it_makes_users(superuser: User) -> None:
    form = {
        "username": "anna",
        "email": "anna@example.com",
        "role": "seller",
        "usable_password": "true",
        "password1": "battery-staple-8",
        "password2": "battery-staple-8",
    }
    answer = logged_in(superuser).post(reverse("admin:accounts_user_add"), form)
    assert answer.status_code == 302
    anna = User.objects.get(username="anna")
    assert (anna.role, anna.check_password("battery-staple-8")) == ("seller", True)


def test_it_sets_passwords_and_ends_logins(
    superuser: User, log_in: LogIn, buyer: User, ended: list[str]
) -> None:
    log_in(buyer)
    path = reverse("admin:auth_user_password_change", args=[buyer.pk])
    form = {
        "usable_password": "true",
        "password1": "battery-staple-8",
        "password2": "battery-staple-8",
    }
    assert logged_in(superuser).post(path, form).status_code == 302
    assert len(ended) == 1


def test_it_ends_logins_that_are_chosen(
    superuser: User, log_in: LogIn, buyer: User, seller: User, ended: list[str]
) -> None:
    log_in(buyer), log_in(seller)
    form = {"action": "end_logins", "_selected_action": [str(buyer.logins.get().pk)]}
    answer = logged_in(superuser).post(reverse("admin:accounts_login_changelist"), form)
    assert answer.status_code == 302
    assert len(ended) == 1
    assert seller.logins.open().exists()


def test_it_deletes_users_with_their_logins(
    superuser: User, log_in: LogIn, buyer: User, ended: list[str]
) -> None:
    log_in(buyer)
    path = reverse("admin:accounts_user_delete", args=[buyer.pk])
    assert logged_in(superuser).post(path, {"post": "yes"}).status_code == 302
    assert len(ended) == 1
    assert not User.objects.filter(pk=buyer.pk).exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_it_leaves_ones_own_password_to_the_account_page(
    superuser: User, ended: list[str], method: str
) -> None:
    client = logged_in(superuser)
    passwords = {
        "old_password": PASSWORD,
        "new_password1": "battery-staple-8",
        "new_password2": "battery-staple-8",
    }
    answer = getattr(client, method)(reverse("admin:password_change"), passwords)
    assert (answer.status_code, answer["Location"]) == (302, "/account/")
    superuser.refresh_from_db()
    assert superuser.check_password(PASSWORD)
    assert ended == []


@pytest.mark.parametrize("name", ["accounts_user_changelist", "accounts_login_changelist"])
def test_it_shows_users_to_nobody_else(
    client: Client, buyer: User, staff: User, superuser: User, name: str
) -> None:
    path = reverse(f"admin:{name}")
    assert client.get(path).status_code == 302
    assert logged_in(buyer).get(path).status_code == 302
    assert logged_in(staff).get(path).status_code == 403
    assert logged_in(superuser).get(path).status_code == 200
