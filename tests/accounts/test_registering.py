"""POST /api/auth/register."""

from threading import Barrier, Thread

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from rest_framework.test import APIClient

from marketplace.accounts.models import User
from marketplace.accounts.services import register_user
from tests.support.answers import refused_fields
from tests.support.people import PASSWORD

ANNA = {"username": "anna", "email": "anna@example.com", "password": PASSWORD, "role": "seller"}


def test_it_makes_a_user(visitor: APIClient) -> None:
    answer = visitor.post("/api/auth/register", ANNA, format="json")

    anna = User.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "id": anna.pk, "username": "anna", "email": "anna@example.com", "role": "seller",
    }  # fmt: skip
    assert anna.check_password(PASSWORD)
    assert not anna.is_staff


def test_it_makes_a_buyer_of_whoever_states_no_role(visitor: APIClient) -> None:
    fields = {name: value for name, value in ANNA.items() if name != "role"}
    answer = visitor.post("/api/auth/register", fields, format="json")
    assert answer.json()["role"] == "buyer"


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("username", "", "blank"),
        ("username", "x" * 151, "max_length"),
        ("username", "аnna", "invalid"),  # its first letter is Cyrillic
        ("username", "an na", "invalid"),
        ("username", "an\0na", "null_characters_not_allowed"),
        ("username", None, "null"),
        ("username", ["anna"], "invalid"),
        ("email", "nowhere", "invalid"),
        ("email", "x" * 250 + "@example.com", "max_length"),
        ("password", "short7", "password_too_short"),
        ("password", "password123", "password_too_common"),
        ("password", "20261121123", "password_entirely_numeric"),
        ("password", "p" * 129, "max_length"),
        ("role", "staff", "invalid_choice"),
        ("role", {"is": "seller"}, "invalid_choice"),
        ("isStaff", True, "unknown_field"),
        ("is_staff", True, "unknown_field"),
    ],
)
def test_it_names_the_field_that_is_wrong(
    visitor: APIClient, field: str, value: object, code: str
) -> None:
    answer = visitor.post("/api/auth/register", {**ANNA, field: value}, format="json")
    assert refused_fields(answer) == {field: code}
    assert not User.objects.exists()


def test_it_names_every_field_that_is_missing(visitor: APIClient) -> None:
    answer = visitor.post("/api/auth/register", {}, format="json")
    assert refused_fields(answer) == dict.fromkeys(["username", "email", "password"], "required")


def test_it_refuses_a_password_like_the_username(visitor: APIClient) -> None:
    fields = {**ANNA, "username": "annamariaberg", "password": "annamariaberg1"}
    answer = visitor.post("/api/auth/register", fields, format="json")
    assert refused_fields(answer) == {"password": "password_too_similar"}


@pytest.mark.parametrize("username", ["buyer", "Buyer", "BUYER"])
def test_it_refuses_a_name_that_is_taken_in_any_case(
    visitor: APIClient, buyer: User, username: str
) -> None:
    answer = visitor.post("/api/auth/register", {**ANNA, "username": username}, format="json")
    assert refused_fields(answer) == {"username": "unique"}


def test_a_name_taken_since_the_first_look_is_refused_by_its_field(buyer: User) -> None:
    # The last of the looks before the insert: the one that a registration at the same moment meets.
    with pytest.raises(ValidationError) as refusal:
        User(username="BUYER").validate_constraints()
    assert [error.code for error in refusal.value.error_dict["username"]] == ["unique"]


def test_it_ignores_the_id(visitor: APIClient) -> None:
    answer = visitor.post("/api/auth/register", {**ANNA, "id": 99_999}, format="json")
    assert answer.status_code == 201
    assert answer.json()["id"] != 99_999


def test_it_looks_at_no_token_that_comes_along(visitor: APIClient) -> None:
    visitor.credentials(HTTP_AUTHORIZATION="Bearer dead")
    assert visitor.post("/api/auth/register", ANNA, format="json").status_code == 201


@pytest.mark.django_db(transaction=True)
def test_it_gives_a_name_once_to_two_who_ask_at_the_same_moment() -> None:
    outcomes: list[str] = []
    together = Barrier(2)

    def register(username: str) -> None:
        together.wait()
        try:
            register_user(**{**ANNA, "username": username}, address="203.0.113.9")
            outcomes.append("made")
        except ValidationError as error:
            outcomes.append(error.error_dict["username"][0].code or "")
        finally:
            connection.close()

    threads = [Thread(target=register, args=[name]) for name in ("anna", "ANNA")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["made", "unique"]
