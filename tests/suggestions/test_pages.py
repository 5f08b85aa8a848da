"""The pages as the server renders them: who sees what, in how many queries."""

import json
import re

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from marketplace.accounts.models import User
from products.suggestions.listing import PAGE_SIZE, TOP
from products.suggestions.services import answer_suggestion, cast_vote
from tests.products.things import make_product
from tests.suggestions.things import suggest

pytestmark = pytest.mark.django_db

PAGE = "/suggestions/"
PEOPLE = ["buyer", "other_buyer", "seller", "other_seller", "staff"]


def read(user: User, path: str = PAGE) -> str:
    """The page as it is sent to somebody."""
    client = Client()
    client.force_login(user)
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def named(page: str) -> dict[str, dict[str, object]]:
    """What the page can name of products."""
    found = re.search(r'<script id="named-products"[^>]*>(.*?)</script>', page)
    assert found
    names: dict[str, dict[str, object]] = json.loads(found[1])
    return names


def shown(page: str) -> str:
    """The list of the page, without what stands by."""
    return page.partition('id="suggestions"')[2].partition("</ol>")[0]


def test_it_needs_a_login(client: Client) -> None:
    assert client.get(PAGE)["Location"] == f"/login?next={PAGE}"


@pytest.mark.parametrize("who", PEOPLE)
def test_it_names_what_is_off_sale_to_its_seller_and_staff_alone(
    who: str, request: pytest.FixtureRequest, buyer: User, seller: User
) -> None:
    pot = make_product(seller, title="Secret pot")
    suggest(buyer, pot)
    pot.is_active = False
    pot.save()

    page = read(request.getfixturevalue(who))

    may_know = who in {"seller", "staff"}
    assert ("Secret pot" in page) == may_know
    assert (f'href="/products/{pot.pk}"' in page) == may_know
    assert (str(pot.pk) in named(page)) == may_know
    assert "Longer hours" in page


@pytest.mark.parametrize(
    ("who", "of_product", "of_shop"),
    [("seller", True, False), ("staff", True, True), ("buyer", False, False),
     ("other_seller", False, False)],
)  # fmt: skip
def test_it_offers_to_answer_to_those_who_may(
    who: str,
    request: pytest.FixtureRequest,
    buyer: User,
    seller: User,
    of_product: bool,
    of_shop: bool,
) -> None:
    one, other = suggest(buyer, make_product(seller)), suggest(buyer)
    page = shown(read(request.getfixturevalue(who)))
    assert (f"/api/suggestions/{one.pk}/answer" in page) == of_product
    assert (f"/api/suggestions/{other.pk}/answer" in page) == of_shop


def test_it_shows_each_their_own_vote(buyer: User, other_buyer: User) -> None:
    cast_vote(suggestion_id=suggest(buyer).pk, by=other_buyer)
    assert 'aria-pressed="false"' in shown(read(buyer))
    assert 'aria-pressed="true"' in shown(read(other_buyer))


def test_it_begins_a_suggestion_about_the_product_that_was_asked_for(
    buyer: User, seller: User
) -> None:
    pot = make_product(seller)
    suggest(buyer, title="Of the shop")
    page = read(buyer, f"{PAGE}?product={pot.pk}")
    assert f'name="productId" value="{pot.pk}"' in page
    assert "Nothing has been suggested here yet" in page
    assert "Of the shop" not in page
    assert 'name="productId"' not in read(buyer)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("ordering=beauty", 400),
        ("product=seven", 400),
        ("page=0", 400),
        ("page=x", 400),
        ("page=10001", 400),
        ("page=9999", 200),
        ("product=&ordering=&page=", 200),
        ("product=987654", 404),
    ],
)
def test_it_says_when_an_address_is_not_understood(buyer: User, query: str, status: int) -> None:
    client = Client()
    client.force_login(buyer)
    assert client.get(f"{PAGE}?{query}").status_code == status


def test_it_is_404_for_a_product_that_one_may_not_know_of(
    buyer: User, seller: User, staff: User
) -> None:
    path = f"{PAGE}?product={make_product(seller, is_active=False).pk}"
    client = Client()
    for user, status in ((buyer, 404), (seller, 200), (staff, 200)):
        client.force_login(user)
        assert client.get(path).status_code == status


def test_it_answers_to_head(client: Client, buyer: User, seller: User) -> None:
    pot = make_product(seller)
    suggest(buyer, pot)
    client.force_login(buyer)
    for path in (PAGE, f"/products/{pot.pk}"):
        assert client.head(path).status_code == 200


def test_it_turns_pages(buyer: User) -> None:
    for number in range(PAGE_SIZE + 1):
        suggest(buyer, title=f"Wish {number}")
    assert ">Wish 0<" not in read(buyer)
    assert ">Wish 0<" in read(buyer, f"{PAGE}?page=2")


def test_it_leads_back_from_a_page_that_is_not_there(buyer: User) -> None:
    suggest(buyer)
    page = read(buyer, f"{PAGE}?ordering=-votes&page=5")
    assert "Nothing has been suggested here yet" not in page
    assert re.search(r'href="\?ordering=-votes"[^>]*>First page<', page)
    assert re.search(r'href="\?"[^>]*>First page<', read(buyer, f"{PAGE}?page=5"))


def test_it_shows_what_was_written_as_text(buyer: User, seller: User, staff: User) -> None:
    evil = "</script><script>alert(1)</script>"
    suggestion = suggest(buyer, make_product(seller, title=evil), title=evil, text=evil)
    answer_suggestion(suggestion_id=suggestion.pk, by=staff, text=evil)
    for path in (PAGE, f"/products/{suggestion.product_id}"):
        assert "<script>alert" not in read(buyer, path)


def test_it_costs_the_same_however_much_is_shown(
    client: Client,
    buyer: User,
    seller: User,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    client.force_login(buyer)
    for number in range(PAGE_SIZE):
        suggestion = suggest(buyer, make_product(seller, title=f"Pot {number}"))
        answer_suggestion(suggestion_id=suggestion.pk, by=seller, text="Soon.")
    with django_assert_max_num_queries(9):
        client.get(PAGE)


def test_it_shows_a_product_its_most_wanted_and_visitors_none(
    buyer: User, seller: User, client: Client
) -> None:
    pot = make_product(seller)
    suggestions = [suggest(buyer, pot, title=f"Wish {number}") for number in range(TOP + 1)]
    suggest(buyer, make_product(seller), title="Of another")
    cast_vote(suggestion_id=suggestions[0].pk, by=buyer)

    page = shown(read(buyer, f"/products/{pot.pk}"))

    assert re.findall(r"<h3[^>]*>([^<]*)<", page) == ["Wish 0", "Wish 3", "Wish 2"]
    visitors = client.get(f"/products/{pot.pk}").content.decode()
    assert "Wish" not in visitors
    assert "uggestion" not in re.sub(r"suggestions/suggestions\S*css", "", visitors)


@pytest.mark.parametrize("who", PEOPLE)
def test_it_shows_one_suggestion_alone(
    who: str, request: pytest.FixtureRequest, buyer: User, seller: User
) -> None:
    pot = make_product(seller, title="Secret pot")
    suggestion = suggest(buyer, pot, title="A lid for it")
    suggest(buyer, title="Something else")
    pot.is_active = False
    pot.save()

    page = read(request.getfixturevalue(who), f"{PAGE}{suggestion.pk}")

    assert "A lid for it" in page
    assert "Something else" not in page
    may_know = who in {"seller", "staff"}
    assert ("Secret pot" in page) == may_know
    assert (f"/api/suggestions/{suggestion.pk}/answer" in page) == may_know


def test_it_knows_no_suggestion_that_was_never_made(client: Client, buyer: User) -> None:
    assert client.get(f"{PAGE}1")["Location"] == f"/login?next={PAGE}1"
    client.force_login(buyer)
    assert client.get(f"{PAGE}1").status_code == 404
