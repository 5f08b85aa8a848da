"""Creating and changing products over REST."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from marketplace.accounts.models import User
from products.models import Product
from tests.conftest import ClientFor
from tests.products.things import BODY, announced, announced_types, make_product, make_tour

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(client_for: ClientFor, seller: User) -> APIClient:
    """The seller's client."""
    return client_for(seller)


def refused(answer: Any) -> list[tuple[str, str | None]]:
    """The code and attr of each error of a refused body."""
    assert answer.status_code == 400, answer.content
    assert answer.json()["type"] == "validation_error"
    return [(error["code"], error["attr"]) for error in answer.json()["errors"]]


def test_it_creates_a_product_and_announces_the_very_same(client: APIClient, seller: User) -> None:
    answer = client.post("/api/products", BODY, format="json")

    assert answer.status_code == 201
    body = answer.json()
    assert body == {
        **BODY,
        "id": body["id"],
        "sellerId": seller.pk,
        "sellerName": "seller",
        "description": "",
        "category": "",
        "stockVersion": 1,
        "maxGroupSize": None,
        "startsAt": None,
        "lowStockThreshold": 5,
        "level": "few",
        "externalId": "",
        "imageUrl": "",
        "isActive": True,
        "version": 1,
        "createdAt": body["createdAt"],
        "updatedAt": body["createdAt"],
    }
    assert body["createdAt"].endswith("Z")
    assert announced() == [
        (
            "product-created",
            ["catalogue", "buyers", f"user.{seller.pk}", "staff"],
            {"product": body},
        )
    ]
    assert client.get(f"/api/products/{body['id']}").json() == body


def test_it_takes_every_field(client: APIClient) -> None:
    fields = {
        "description": "By boat",
        "category": "  tours ",
        "kind": "tour",
        "maxGroupSize": 12,
        "startsAt": "2027-05-01T09:00:00+02:00",
        "lowStockThreshold": 2,
        "externalId": "T-1",
        "imageUrl": "https://example.com/boat.jpg",
        "isActive": False,
    }
    body = client.post("/api/products", {**BODY, **fields}, format="json").json()

    expected = {**fields, "category": "tours", "startsAt": "2027-05-01T07:00:00.000Z"}
    assert {name: body[name] for name in fields} == expected


@pytest.mark.parametrize("name", ["title", "price", "currency", "kind", "stock"])
def test_it_needs_the_required_fields(client: APIClient, name: str) -> None:
    body = {key: value for key, value in BODY.items() if key != name}
    assert refused(client.post("/api/products", body, format="json")) == [("required", name)]


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("title", "", "blank"),
        ("title", "x" * 201, "max_length"),
        ("title", "a\0b", "null_characters_not_allowed"),
        ("title", ["a"], "invalid"),
        ("description", "x" * 10_001, "max_length"),
        ("category", "x" * 61, "max_length"),
        ("externalId", "x" * 101, "max_length"),
        ("price", "-0.01", "min_value"),
        ("price", "1.001", "max_decimal_places"),
        ("price", "12345678901.00", "max_digits"),
        ("price", "NaN", "invalid"),
        ("price", None, "null"),
        ("price", True, "invalid"),
        ("price", "", "invalid"),
        ("price", "1_0", "invalid"),
        ("price", "\uff11\uff12", "invalid"),
        ("price", " 12", "invalid"),
        ("price", "12\n", "invalid"),
        ("price", "+12", "invalid"),
        ("price", "12.", "invalid"),
        ("price", ".5", "invalid"),
        ("price", "1e3", "invalid"),
        ("price", 1e30, "invalid"),
        ("price", 1.001, "max_decimal_places"),
        ("price", [["1"]], "invalid"),
        ("currency", "eur", "unknown_currency"),
        ("currency", "XXX", "unknown_currency"),
        ("currency", "DEM", "unknown_currency"),
        ("kind", "idea", "invalid_choice"),
        ("stock", -1, "min_value"),
        ("stock", 2**31, "max_value"),
        ("stock", 10**30, "max_value"),
        ("stock", 1.5, "invalid"),
        ("stock", True, "invalid"),
        ("stock", "1_0", "invalid"),
        ("stock", "\u0663", "invalid"),
        ("stock", " 3", "invalid"),
        ("stock", "3.0", "invalid"),
        ("stock", "9" * 4301, "max_string_length"),
        ("stock", ["3"], "invalid"),
        ("maxGroupSize", 0, "min_value"),
        ("lowStockThreshold", -1, "min_value"),
        ("startsAt", "soon", "invalid"),
        ("startsAt", "0001-01-01T00:00:00+14:00", "overflow"),
        ("isActive", "perhaps", "invalid"),
        ("imageUrl", "//evil.example/a.png", "invalid_image_url"),
        ("imageUrl", "/\\evil.example/a.png", "invalid_image_url"),
        ("imageUrl", "/a\t/b.png", "invalid_image_url"),
        ("imageUrl", "http://example.com/a.png", "invalid_image_url"),
        ("imageUrl", "javascript:alert(1)", "invalid_image_url"),
        ("imageUrl", "a.png", "invalid_image_url"),
        ("imageUrl", "https://example.com/" + "x" * 500, "max_length"),
        ("colour", "red", "unknown_field"),
        ("external_id", "7", "unknown_field"),
    ],
)
def test_it_refuses_a_value_that_does_not_hold(
    client: APIClient, seller: User, name: str, value: Any, code: str
) -> None:
    url = f"/api/products/{make_product(seller).pk}"
    body = {**BODY, name: value}
    assert (code, name) in refused(client.post("/api/products", body, format="json"))
    assert (code, name) in refused(
        client.patch(url, {name: value, "stockVersion": 1}, format="json")
    )
    assert Product.objects.count() == 1
    assert announced_types() == []


@pytest.mark.parametrize("body", [[], "text", 7])
def test_it_refuses_a_body_that_is_no_object(client: APIClient, seller: User, body: Any) -> None:
    url = f"/api/products/{make_product(seller).pk}"
    for send in (client.put, client.patch, client.post):
        target = "/api/products" if send == client.post else url
        assert send(target, body, format="json").status_code == 400


def test_it_names_the_seller_by_the_login_whatever_the_body_says(
    client: APIClient, seller: User, other_seller: User
) -> None:
    shown = {"sellerId": other_seller.pk, "sellerName": "x", "id": 99, "level": "ok", "version": 9}
    body = client.post("/api/products", {**BODY, **shown}, format="json").json()
    assert (body["sellerId"], body["version"], body["level"]) == (seller.pk, 1, "few")


@pytest.mark.parametrize(
    ("sent", "price"),
    [
        ("-0.00", "0.00"),
        ("-0", "0.00"),
        (-0.0, "0.00"),
        ("0012.5", "12.50"),
        (12, "12.00"),
        (12.1, "12.10"),
        (1e3, "1000.00"),
        ("9999999999.99", "9999999999.99"),
    ],
)
def test_it_writes_an_amount_in_one_form(client: APIClient, sent: Any, price: str) -> None:
    answer = client.post("/api/products", {**BODY, "price": sent}, format="json")
    assert (answer.status_code, answer.json()["price"]) == (201, price)
    assert client.get(f"/api/products/{answer.json()['id']}").json()["price"] == price
    assert announced()[0][2]["product"]["price"] == price


@pytest.mark.parametrize("sent", [7, 7.0, "7"])
def test_it_takes_a_whole_number(client: APIClient, sent: Any) -> None:
    answer = client.post("/api/products", {**BODY, "stock": sent}, format="json")
    assert (answer.status_code, answer.json()["stock"]) == (201, 7)


@pytest.mark.parametrize("name", ["description", "category", "externalId", "imageUrl"])
def test_it_reads_null_as_no_text(client: APIClient, name: str) -> None:
    answer = client.post("/api/products", {**BODY, name: None}, format="json")
    assert (answer.status_code, answer.json()[name]) == (201, "")


def test_it_changes_some_fields(client: APIClient, seller: User) -> None:
    product = make_product(seller, category="kitchen")

    answer = client.patch(f"/api/products/{product.pk}", {"price": 9}, format="json")

    assert answer.status_code == 200
    assert (answer.json()["price"], answer.json()["version"]) == ("9.00", 2)
    assert announced() == [
        (
            "product-updated",
            ["catalogue", "all", f"product.{product.pk}"],
            {"product": answer.json()},
        )
    ]


def test_it_takes_back_what_it_showed(client: APIClient, seller: User) -> None:
    url = f"/api/products/{make_product(seller, category='kitchen').pk}"
    shown = client.get(url).json()

    assert client.put(url, shown, format="json").json() == shown
    assert announced_types() == []

    answer = client.put(url, {**shown, "title": "Kettle", "stock": 3}, format="json").json()
    assert (answer["title"], answer["stock"], answer["category"]) == ("Kettle", 3, "kitchen")
    assert (answer["version"], answer["stockVersion"]) == (2, 2)
    assert announced_types() == ["product-updated", "availability-updated", "availability-low"]


def test_it_needs_the_required_fields_to_put(client: APIClient, seller: User) -> None:
    url = f"/api/products/{make_product(seller, category='kitchen').pk}"

    assert ("required", "title") in refused(client.put(url, {"price": "1"}, format="json"))
    body = {**BODY, "title": "Kettle", "stockVersion": 1}
    assert client.put(url, body, format="json").json()["category"] == "kitchen"


@pytest.mark.parametrize("method", ["put", "patch"])
def test_it_sets_a_stock_only_with_the_version_it_is_based_on(
    client: APIClient, seller: User, method: str
) -> None:
    product = make_product(seller)
    send = getattr(client, method)
    url, body = f"/api/products/{product.pk}", {**BODY, "stock": 4}

    assert refused(send(url, body, format="json")) == [("required", "stockVersion")]
    answer = send(url, {**body, "title": "Kettle", "stockVersion": 7}, format="json")
    assert answer.status_code == 409
    assert answer.json()["errors"] == [
        {
            "code": "stale_version",
            "detail": "The product was changed meanwhile: load it again.",
            "attr": None,
            "version": 1,
            "stockVersion": 1,
        }
    ]
    product.refresh_from_db()
    assert (product.title, product.stock) == ("Teapot", 10)
    assert send(url, {**body, "stockVersion": 1}, format="json").json()["stock"] == 4


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_it_changes_nothing_for_a_stale_version(
    client: APIClient, seller: User, method: str
) -> None:
    product = make_product(seller)
    product.title = "Kettle"
    product.save()
    body: dict[str, Any] = {"version": 1}
    if method != "delete":
        body = {**BODY, "title": "Pot", "stock": 1, "stockVersion": 1, **body}
    before = announced_types()

    answer = getattr(client, method)(f"/api/products/{product.pk}", body, format="json")

    assert answer.status_code == 409
    assert answer.json()["errors"][0]["code"] == "stale_version"
    row = Product.objects.get(pk=product.pk)
    assert (row.title, row.stock) == ("Kettle", 10)
    assert announced_types() == before
    body["version"] = 2
    answer = getattr(client, method)(f"/api/products/{product.pk}", body, format="json")
    assert answer.status_code in {200, 204}


def test_it_ignores_a_stock_version_without_a_stock(client: APIClient, seller: User) -> None:
    url = f"/api/products/{make_product(seller).pk}"
    answer = client.patch(url, {"title": "Kettle", "stockVersion": 7}, format="json")
    assert answer.status_code == 200


def test_it_goes_off_sale_and_comes_back(client: APIClient, seller: User) -> None:
    url = f"/api/products/{make_product(seller).pk}"
    client.patch(url, {"isActive": False}, format="json")
    client.patch(url, {"isActive": True}, format="json")
    assert announced_types() == ["product-deleted", "product-updated", "product-created"]


def test_it_refuses_an_external_id_that_is_taken(
    client: APIClient, seller: User, other_seller: User
) -> None:
    make_product(other_seller, external_id="7")
    make_tour(other_seller, external_id="T")
    mine = make_product(seller, external_id="mine")
    taken = [("unique", "externalId")]

    def create(**fields: Any) -> Any:
        return client.post("/api/products", {**BODY, **fields}, format="json")

    assert refused(create(externalId="mine")) == taken
    assert refused(create(externalId="T", kind="tour")) == taken
    assert create(externalId="7").status_code == 201
    assert create(externalId="T").status_code == 201
    url = f"/api/products/{mine.pk}"
    assert client.patch(url, {"externalId": "mine"}, format="json").status_code == 200
    assert refused(client.patch(url, {"externalId": "7"}, format="json")) == taken
    client.patch(url, {"externalId": ""}, format="json")
    assert create(externalId="mine").status_code == 201


def test_it_has_no_more_seats_than_its_group(client: APIClient, seller: User) -> None:
    tour = make_tour(seller)
    url = f"/api/products/{tour.pk}"
    body = {**BODY, "kind": "tour", "maxGroupSize": 5}
    assert refused(client.post("/api/products", body, format="json")) == [("max_value", "stock")]
    assert refused(client.patch(url, {"maxGroupSize": 9}, format="json")) == [
        ("max_value", "stock")
    ]
    both = {"maxGroupSize": 9, "stock": 9, "stockVersion": 1}
    assert client.patch(url, both, format="json").json()["stock"] == 9
    assert client.patch(url, {"maxGroupSize": None}, format="json").status_code == 200


@pytest.mark.parametrize("product_id", ["0", "999999", "9" * 30, "x", "-1", "1.0"])
def test_it_knows_no_other_ids(client: APIClient, product_id: str) -> None:
    for send in (client.get, client.put, client.patch, client.delete):
        answer = send(f"/api/products/{product_id}")
        assert answer.status_code == 404
        assert answer.json()["errors"][0]["code"] == "not_found"


@pytest.mark.parametrize("path", ["", "/1", "/1/stock", "/1/image"])
def test_it_answers_a_method_that_is_not_there(client: APIClient, path: str) -> None:
    for send in (client.options, client.trace):
        assert send(f"/api/products{path}").status_code == 405
