"""Suggestions over the API: made, listed, voted for and answered."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from marketplace.accounts.models import User
from products.suggestions.models import Suggestion
from products.suggestions.services import answer_suggestion, cast_vote
from tests.conftest import ClientFor
from tests.products.things import announced, forget_announcements, make_product
from tests.suggestions.things import BODY, URL, suggest, votes_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(client_for: ClientFor, buyer: User) -> APIClient:
    """The buyer's client."""
    return client_for(buyer)


def code_of(answer: Any) -> tuple[int, str, str | None]:
    """Status, and code and attr of the first error."""
    error = answer.json()["errors"][0]
    return answer.status_code, error["code"], error["attr"]


def test_it_takes_a_suggestion_about_the_shop(client: APIClient, buyer: User) -> None:
    answer = client.post(URL, {**BODY, "productId": None}, format="json")

    assert answer.status_code == 201
    shown = answer.json()
    assert shown == {
        "id": Suggestion.objects.get().pk,
        "authorId": buyer.pk,
        "authorName": "buyer",
        "productId": None,
        **BODY,
        "votes": 0,
        "voted": False,
        "answer": None,
        "createdAt": shown["createdAt"],
    }
    assert client.get(URL).json()["results"] == [shown]


def test_it_takes_a_suggestion_about_a_product(client: APIClient, seller: User) -> None:
    product = make_product(seller)
    answer = client.post(URL, {**BODY, "productId": product.pk}, format="json")
    assert answer.json()["productId"] == product.pk


def test_it_takes_back_what_it_showed(client: APIClient) -> None:
    shown = client.post(URL, BODY, format="json").json()
    again = client.post(URL, {**shown, "votes": 99, "voted": True, "id": 7}, format="json")
    assert (again.status_code, again.json()["votes"], again.json()["voted"]) == (201, 0, False)


@pytest.mark.parametrize(
    ("change", "code", "attr"),
    [
        ({"title": None}, "null", "title"),
        ({"title": " "}, "blank", "title"),
        ({"title": "x" * 121}, "max_length", "title"),
        ({"title": "a\0b"}, "null_characters_not_allowed", "title"),
        ({"text": ""}, "blank", "text"),
        ({"text": "x" * 2001}, "max_length", "text"),
        ({"text": ["a"]}, "invalid", "text"),
        ({"productId": "seven"}, "invalid", "productId"),
        ({"productId": True}, "invalid", "productId"),
        ({"productId": 2**63}, "max_value", "productId"),
        ({"colour": "red"}, "unknown_field", "colour"),
    ],
)
def test_it_says_what_is_wrong(
    client: APIClient, change: dict[str, Any], code: str, attr: str
) -> None:
    answer = client.post(URL, {**BODY, **change}, format="json")
    assert code_of(answer) == (400, code, attr)
    assert not Suggestion.objects.exists()


@pytest.mark.parametrize("missing", ["title", "text"])
def test_it_needs_title_and_text(client: APIClient, missing: str) -> None:
    body = {name: value for name, value in BODY.items() if name != missing}
    assert code_of(client.post(URL, body, format="json")) == (400, "required", missing)


def test_it_takes_texts_of_full_length(client: APIClient) -> None:
    body = {"title": "😀" * 120, "text": "😀" * 2000}
    assert client.post(URL, body, format="json").status_code == 201


@pytest.mark.parametrize("product_id", [-1, 0, 987654])
def test_it_knows_no_product_that_is_not_there(client: APIClient, product_id: int) -> None:
    answer = client.post(URL, {**BODY, "productId": product_id}, format="json")
    assert code_of(answer) == (404, "not_found", None)


def test_it_lists_those_of_one_product_in_either_order(
    client: APIClient, buyer: User, other_buyer: User, seller: User
) -> None:
    product = make_product(seller)
    wanted = suggest(buyer, product, title="Wanted")
    plain = suggest(buyer, product, title="Plain")
    shop = suggest(buyer, title="Shop")
    cast_vote(suggestion_id=wanted.pk, by=other_buyer)

    def ids(query: str) -> list[int]:
        return [shown["id"] for shown in client.get(f"{URL}?{query}").json()["results"]]

    assert ids("") == ids("ordering=&product=") == [shop.pk, plain.pk, wanted.pk]
    assert ids("ordering=-votes") == [wanted.pk, shop.pk, plain.pk]
    assert ids(f"product={product.pk}") == [plain.pk, wanted.pk]
    assert ids(f"product={product.pk}&ordering=-votes&pageSize=1&page=2") == [plain.pk]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("ordering=votes", (400, "invalid_choice", "ordering")),
        ("product=seven", (400, "invalid", "product")),
        ("product=0", (400, "min_value", "product")),
        ("product=987654", (404, "not_found", None)),
        ("page=2", (400, "invalid_page", "page")),
        ("page=0", (400, "invalid", "page")),
        ("pageSize=101", (400, "max_value", "pageSize")),
    ],
)
def test_it_refuses_what_is_no_list(
    client: APIClient, query: str, expected: tuple[int, str, str | None]
) -> None:
    assert code_of(client.get(f"{URL}?{query}")) == expected


def test_it_shows_each_whether_they_voted(
    client: APIClient, client_for: ClientFor, buyer: User, other_buyer: User
) -> None:
    vote = f"{URL}/{suggest(other_buyer).pk}/vote"

    for _ in range(2):
        answer = client.post(vote)
        assert (answer.status_code, answer.json()["votes"], answer.json()["voted"]) == (
            200,
            1,
            True,
        )
    other = client_for(other_buyer)
    assert [(s["votes"], s["voted"]) for s in other.get(URL).json()["results"]] == [(1, False)]
    assert [(s["votes"], s["voted"]) for s in client.get(URL).json()["results"]] == [(1, True)]
    for _ in range(2):
        answer = client.delete(vote)
        assert (answer.status_code, answer.json()["votes"], answer.json()["voted"]) == (
            200,
            0,
            False,
        )


@pytest.mark.parametrize("method", ["post", "delete"])
def test_it_takes_a_vote_without_further_words(client: APIClient, buyer: User, method: str) -> None:
    vote = getattr(client, method)
    suggestion = suggest(buyer)
    url = f"{URL}/{suggestion.pk}/vote"
    shown = client.get(URL).json()["results"][0]

    answer = vote(url, {"weight": 5}, format="json")

    assert code_of(answer) == (400, "unknown_field", "weight")
    assert votes_of(suggestion) == (0, 0)
    assert vote(url, ["x"], format="json").status_code == 400
    assert vote(url, {**shown, "votes": 99}, format="json").status_code == 200


def test_it_lets_the_author_vote(client: APIClient, buyer: User) -> None:
    assert client.post(f"{URL}/{suggest(buyer).pk}/vote").json()["votes"] == 1


@pytest.mark.parametrize("method", ["post", "delete"])
def test_it_knows_no_suggestion_that_is_not_there(client: APIClient, method: str) -> None:
    for number in (987654, 2**63, 10**30):
        assert getattr(client, method)(f"{URL}/{number}/vote").status_code == 404
    answer = client.post(f"{URL}/987654/answer", {"text": "Yes."}, format="json")
    assert code_of(answer) == (404, "not_found", None)


def test_it_shows_the_answer_and_the_one_in_its_place(
    client_for: ClientFor, buyer: User, seller: User, staff: User
) -> None:
    suggestion = suggest(buyer, make_product(seller))
    url = f"{URL}/{suggestion.pk}/answer"

    first = client_for(seller).post(url, {"text": " From May on. "}, format="json")
    assert first.status_code == 200
    shown = first.json()["answer"]
    assert shown == {"text": "From May on.", "byId": seller.pk, "at": shown["at"]}

    second = client_for(staff).post(url, {**shown, "text": "From June on."}, format="json")
    answer = second.json()["answer"]
    assert (answer["text"], answer["byId"]) == ("From June on.", staff.pk)
    assert answer["at"] > shown["at"]


def test_it_replaces_no_answer_that_was_not_read(
    client_for: ClientFor, buyer: User, seller: User, staff: User
) -> None:
    suggestion = suggest(buyer, make_product(seller))
    sellers, staffs = client_for(seller), client_for(staff)

    def answer(client: APIClient, text: str, answered_at: str | None) -> Any:
        body = {"text": text, "answeredAt": answered_at}
        return client.post(f"{URL}/{suggestion.pk}/answer", body, format="json")

    first = answer(sellers, "From May on.", None)
    assert first.status_code == 200
    at = first.json()["answer"]["at"]
    second = answer(staffs, "From June on.", at)
    assert second.status_code == 200
    forget_announcements()

    for known in (None, at, "1999-01-01T00:00:00Z"):
        late = answer(sellers, "From July on.", known)
        assert code_of(late) == (409, "stale_version", None)
        assert late.json()["errors"][0]["answer"] == second.json()["answer"]
    assert announced() == []
    # Whose own answer arrived, but not what was said to it, sends it once more.
    assert answer(staffs, "From June on.", at).json() == second.json()

    suggestion.refresh_from_db()
    suggestion.answer, suggestion.answered_by, suggestion.answered_at = "", None, None
    suggestion.save()
    taken_back = answer(sellers, "From July on.", second.json()["answer"]["at"])
    assert taken_back.json()["errors"][0]["answer"] is None
    assert answer(sellers, "From July on.", None).status_code == 200


@pytest.mark.parametrize(
    ("body", "code", "attr"),
    [
        ({"text": "Yes.", "answeredAt": ""}, "invalid", "answeredAt"),
        ({"text": "Yes.", "answeredAt": 7}, "invalid", "answeredAt"),
        ({"text": "Yes.", "answeredAt": "0001-01-01T00:00:00+14:00"}, "overflow", "answeredAt"),
        ({}, "required", "text"),
        ({"text": "  "}, "blank", "text"),
        ({"text": "x" * 2001}, "max_length", "text"),
        ({"text": "Yes.", "votes": 7}, "unknown_field", "votes"),
    ],
)
def test_it_says_what_is_wrong_with_an_answer(
    client_for: ClientFor, buyer: User, staff: User, body: dict[str, Any], code: str, attr: str
) -> None:
    url = f"{URL}/{suggest(buyer).pk}/answer"
    assert code_of(client_for(staff).post(url, body, format="json")) == (400, code, attr)


def test_it_reads_any_number_for_the_same(client: APIClient, buyer: User, staff: User) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(f"{URL}?pageSize=100").status_code == 200
        return len(queries)

    suggest(buyer)
    few = cost()
    for _ in range(10):
        suggestion = suggest(staff)
        cast_vote(suggestion_id=suggestion.pk, by=buyer)
        answer_suggestion(suggestion_id=suggestion.pk, by=staff, text="Yes.")
    assert cost() == few


def test_it_says_at_which_event_a_list_stands(client: APIClient) -> None:
    assert client.get(URL)["Event-Position"] == "0"
