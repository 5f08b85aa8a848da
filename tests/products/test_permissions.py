"""Who may do what with a product: its seller, another seller, a buyer, nobody, staff."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from marketplace.accounts.models import User
from products.models import Product
from tests.conftest import ClientFor
from tests.products.things import BODY, announced_types, make_product, picture

pytestmark = pytest.mark.django_db

WRITES = ["put", "patch", "delete", "stock", "image"]


@pytest.fixture
def clients(
    client_for: ClientFor,
    seller: User,
    other_seller: User,
    buyer: User,
    staff: User,
) -> dict[str, APIClient]:
    """A client for each kind of person."""
    return {
        "owner": client_for(seller),
        "other seller": client_for(other_seller),
        "buyer": client_for(buyer),
        "staff": client_for(staff),
        "nobody": APIClient(),
    }


def write(client: APIClient, product: Product, way: str) -> Any:
    """Change the product in one of the ways."""
    url = f"/api/products/{product.pk}"
    if way == "image":
        file = SimpleUploadedFile("a.png", picture(), content_type="image/png")
        return client.post(f"{url}/image", {"image": file}, format="multipart")
    if way == "stock":
        return client.post(f"{url}/stock", {"change": 1}, format="json")
    if way == "delete":
        return client.delete(url)
    if way == "patch":
        return client.patch(url, {"title": "Kettle"}, format="json")
    return client.put(url, {**BODY, "title": "Kettle", "stockVersion": 1}, format="json")


@pytest.mark.parametrize("way", WRITES)
@pytest.mark.parametrize(
    ("who", "status"),
    [("owner", 200), ("staff", 200), ("other seller", 403), ("buyer", 403), ("nobody", 401)],
)
def test_it_is_changed_by_its_seller_and_staff_alone(
    clients: dict[str, APIClient], seller: User, who: str, status: int, way: str
) -> None:
    product = make_product(seller)

    answer = write(clients[who], product, way)

    assert answer.status_code == (204 if status == 200 and way == "delete" else status)
    assert bool(announced_types()) == (status == 200)
    if status == 403:
        assert answer.json()["errors"][0]["code"] == "not_your_product"


@pytest.mark.parametrize("way", WRITES)
@pytest.mark.parametrize(
    ("who", "status"),
    [("owner", 200), ("staff", 200), ("other seller", 404), ("buyer", 404), ("nobody", 401)],
)
def test_it_does_not_exist_for_others_while_it_is_off_sale(
    clients: dict[str, APIClient], seller: User, who: str, status: int, way: str
) -> None:
    product = make_product(seller, is_active=False)
    url = f"/api/products/{product.pk}"

    seen = status == 200
    assert clients[who].get(url).status_code == (200 if seen else 404)
    assert clients[who].get("/api/products").json()["count"] == int(seen)
    answer = write(clients[who], product, way)
    assert answer.status_code == (204 if seen and way == "delete" else status)
    if not seen:
        # Not another word than for what never was.
        never = write(clients[who], Product(pk=product.pk + 1), way)
        assert (never.status_code, never.json()) == (answer.status_code, answer.json())


@pytest.mark.parametrize("who", ["owner", "other seller", "buyer", "nobody", "staff"])
def test_it_is_seen_by_everybody_while_it_is_on_sale(
    clients: dict[str, APIClient], seller: User, who: str
) -> None:
    product = make_product(seller)

    one = clients[who].get(f"/api/products/{product.pk}")
    many = clients[who].get("/api/products")

    assert one.status_code == many.status_code == 200
    assert many.json()["results"] == [one.json()]
    assert one.json()["sellerName"] == "seller"


@pytest.mark.parametrize(
    ("who", "status", "code"),
    [
        ("owner", 201, None),
        ("other seller", 201, None),
        ("buyer", 403, "sellers_only"),
        ("staff", 403, "sellers_only"),
        ("nobody", 401, "not_authenticated"),
    ],
)
def test_it_is_offered_by_sellers_alone(
    clients: dict[str, APIClient], who: str, status: int, code: str | None
) -> None:
    answer = clients[who].post("/api/products", BODY, format="json")

    assert answer.status_code == status
    assert Product.objects.count() == (status == 201)
    if code is not None:
        assert answer.json()["errors"][0]["code"] == code


@pytest.mark.parametrize("body", [{}, {"title": 7, "colour": "red"}])
def test_it_tells_strangers_nothing_of_what_a_body_needs(
    clients: dict[str, APIClient], seller: User, body: dict[str, Any]
) -> None:
    url = f"/api/products/{make_product(seller).pk}"
    buyer = clients["buyer"]
    answers = [
        buyer.put(url, body, format="json"),
        buyer.patch(url, body, format="json"),
        buyer.post(f"{url}/stock", body, format="json"),
        buyer.post("/api/products", body, format="json"),
    ]
    assert [answer.status_code for answer in answers] == [403] * 4


def test_it_answers_a_bad_token_with_401_even_where_nobody_may_read(seller: User) -> None:
    make_product(seller)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION="Bearer nonsense")
    assert client.get("/api/products").status_code == 401
