"""GET and PATCH /api/auth/me."""

import pytest
from rest_framework.test import APIClient

from marketplace.accounts.models import User
from tests.conftest import ClientFor
from tests.support.answers import refused_fields
from tests.support.people import ADDRESS

ME = "/api/auth/me"


def test_it_shows_oneself(client_for: ClientFor, buyer: User, staff: User) -> None:
    assert client_for(buyer).get(ME).json() == {
        "id": buyer.pk,
        "username": "buyer",
        "email": "buyer@example.com",
        "role": "buyer",
        "isStaff": False,
        "shippingAddress": ADDRESS,
        "language": "en",
    }
    of_staff = client_for(staff).get(ME).json()
    assert of_staff["isStaff"] is True
    assert of_staff["shippingAddress"] is None


def test_it_changes_address_and_language(client_for: ClientFor, buyer: User, seller: User) -> None:
    new = {**ADDRESS, "line1": "Am Markt 1", "city": "Jena"}
    changes = {"shippingAddress": new, "language": "fr"}
    answer = client_for(seller).patch(ME, changes, format="json")

    assert answer.status_code == 200
    assert answer.json()["shippingAddress"] == new
    seller.refresh_from_db()
    assert (seller.shipping_address, seller.language) == (new, "fr")
    buyer.refresh_from_db()
    assert buyer.shipping_address == ADDRESS


def test_it_changes_what_is_sent_and_nothing_else(client_for: ClientFor, buyer: User) -> None:
    answer = client_for(buyer).patch(ME, {"language": "fr"}, format="json")
    assert answer.json()["shippingAddress"] == ADDRESS


def test_it_can_forget_the_address(client_for: ClientFor, buyer: User) -> None:
    answer = client_for(buyer).patch(ME, {"shippingAddress": None}, format="json")
    assert answer.json()["shippingAddress"] is None


def test_it_does_not_need_a_second_line(client_for: ClientFor, buyer: User) -> None:
    short = {name: value for name, value in ADDRESS.items() if name != "line2"}
    answer = client_for(buyer).patch(ME, {"shippingAddress": short}, format="json")
    assert answer.json()["shippingAddress"]["line2"] == ""


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", 1),
        ("username", "somebody-else"),
        ("email", "thief@example.com"),
        ("role", "seller"),
        ("isStaff", True),
    ],
)
def test_it_ignores_what_only_others_may_change(
    client_for: ClientFor, buyer: User, field: str, value: object
) -> None:
    client = client_for(buyer)
    before = client.get(ME).json()
    assert client.patch(ME, {field: value}, format="json").status_code == 200
    assert client.get(ME).json() == before


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"isSuperuser": True}, {"isSuperuser": "unknown_field"}),
        ({"is_staff": True}, {"is_staff": "unknown_field"}),
        ({"language": "de"}, {"language": "invalid_choice"}),
        ({"language": None}, {"language": "null"}),
        ({"shippingAddress": "here"}, {"shippingAddress.non_field_errors": "invalid"}),
        (
            {"shippingAddress": {"name": "Anna", "postalCode": "10115", "city": "Berlin"}},
            {"shippingAddress.line1": "required", "shippingAddress.country": "required"},
        ),
        (
            {"shippingAddress": {}},
            {
                f"shippingAddress.{name}": "required"
                for name in ("name", "line1", "postalCode", "city", "country")
            },
        ),
        (
            {"shippingAddress": {**ADDRESS, "city": "", "planet": "Earth"}},
            {"shippingAddress.city": "blank", "shippingAddress.planet": "unknown_field"},
        ),
        (
            {"shippingAddress": {**ADDRESS, "name": "A\0B", "postalCode": "1" * 21}},
            {
                "shippingAddress.name": "null_characters_not_allowed",
                "shippingAddress.postalCode": "max_length",
            },
        ),
    ],
)
def test_it_says_what_is_wrong(
    client_for: ClientFor, buyer: User, changes: object, refused: dict[str, str]
) -> None:
    assert refused_fields(client_for(buyer).patch(ME, changes, format="json")) == refused


def test_it_is_for_those_who_are_logged_in(visitor: APIClient) -> None:
    assert visitor.get(ME).status_code == 401
    assert visitor.patch(ME, {"language": "fr"}, format="json").status_code == 401
