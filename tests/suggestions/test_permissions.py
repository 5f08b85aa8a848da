"""Who may do what with suggestions: author, sellers, another buyer, nobody, staff."""

import pytest
from rest_framework.test import APIClient

from marketplace.accounts.models import User
from products.models import Product
from products.suggestions.models import Suggestion
from tests.conftest import ClientFor
from tests.products.things import announced_types, make_product
from tests.suggestions.things import BODY, URL, suggest

pytestmark = pytest.mark.django_db

PEOPLE = ["buyer", "other_buyer", "seller", "other_seller", "staff"]


@pytest.fixture
def clients(client_for: ClientFor, request: pytest.FixtureRequest) -> dict[str, APIClient]:
    """A client for each kind of person; buyer is the author, seller the product's."""
    known = {name: client_for(request.getfixturevalue(name)) for name in PEOPLE}
    return {**known, "nobody": APIClient()}


def take_off_sale(product: Product) -> None:
    """What its seller does."""
    product.is_active = False
    product.save()


def answered(client: APIClient, suggestion: Suggestion, **body: str) -> tuple[int, str]:
    """The status of an answer that is tried, and the code of its refusal."""
    url = f"{URL}/{suggestion.pk}/answer"
    answer = client.post(url, body or {"text": "Yes."}, format="json")
    return answer.status_code, answer.json().get("errors", [{"code": ""}])[0]["code"]


@pytest.mark.parametrize("who", PEOPLE)
def test_it_is_open_to_everybody_with_a_login(
    clients: dict[str, APIClient], buyer: User, who: str
) -> None:
    suggestion, client = suggest(buyer), clients[who]
    assert client.post(URL, BODY, format="json").status_code == 201
    assert client.get(URL).json()["count"] == 2
    assert client.post(f"{URL}/{suggestion.pk}/vote").status_code == 200
    assert client.delete(f"{URL}/{suggestion.pk}/vote").status_code == 200


def test_it_is_closed_to_visitors(clients: dict[str, APIClient], buyer: User) -> None:
    one, nobody = f"{URL}/{suggest(buyer).pk}", clients["nobody"]
    answers = [
        nobody.get(URL),
        nobody.post(URL, BODY, format="json"),
        nobody.post(f"{one}/vote"),
        nobody.delete(f"{one}/vote"),
        nobody.post(f"{one}/answer", {"text": "Yes."}, format="json"),
    ]
    assert [answer.status_code for answer in answers] == [401] * 5
    assert announced_types() == []


@pytest.mark.parametrize(
    ("who", "of_product", "of_shop"),
    [
        ("seller", 200, 403),
        ("staff", 200, 200),
        ("buyer", 403, 403),
        ("other_buyer", 403, 403),
        ("other_seller", 403, 403),
    ],
)
def test_it_is_answered_by_the_products_seller_and_staff(
    clients: dict[str, APIClient],
    buyer: User,
    seller: User,
    who: str,
    of_product: int,
    of_shop: int,
) -> None:
    product, client = make_product(seller), clients[who]
    code = {200: "", 403: "not_yours_to_answer"}
    assert answered(client, suggest(buyer, product)) == (of_product, code[of_product])
    assert answered(client, suggest(buyer)) == (of_shop, code[of_shop])
    # Not what a body needs, either.
    bad = 400 if of_product == 200 else 403
    assert answered(client, suggest(buyer, product), colour="red")[0] == bad
    take_off_sale(product)
    assert answered(client, Suggestion.objects.latest("pk"))[0] == of_product


@pytest.mark.parametrize(
    ("who", "status"),
    [("seller", 201), ("staff", 201), ("buyer", 404), ("other_seller", 404)],
)
def test_it_is_not_made_about_a_product_that_one_may_not_know_of(
    clients: dict[str, APIClient], seller: User, who: str, status: int
) -> None:
    product = make_product(seller, is_active=False)
    body = {**BODY, "productId": product.pk}

    answer = clients[who].post(URL, body, format="json")

    assert answer.status_code == status
    if status == 404:
        never = clients[who].post(URL, {**BODY, "productId": product.pk + 1}, format="json")
        assert (never.status_code, never.json()) == (404, answer.json())


@pytest.mark.parametrize(
    ("who", "status"),
    [("seller", 200), ("staff", 200), ("buyer", 404), ("other_seller", 404)],
)
def test_it_stays_in_the_list_when_its_product_goes_off_sale(
    clients: dict[str, APIClient], buyer: User, seller: User, who: str, status: int
) -> None:
    product = make_product(seller, title="Secret pot")
    suggest(buyer, product)
    take_off_sale(product)

    everything = clients[who].get(URL)

    assert [shown["productId"] for shown in everything.json()["results"]] == [product.pk]
    assert b"Secret pot" not in everything.content
    assert clients[who].get(f"{URL}?product={product.pk}").status_code == status
