"""Many at once: each vote counts once, and what is announced is the truth at its moment."""

import random
from itertools import pairwise

import pytest

from marketplace.accounts.models import User
from products.errors import ProductNotFound
from products.services import delete_product
from products.suggestions.models import Suggestion, Vote
from products.suggestions.services import (
    answer_suggestion,
    cast_vote,
    create_suggestion,
    withdraw_vote,
)
from tests.products.things import announced, make_product
from tests.suggestions.things import BODY, suggest, votes_of
from tests.support.people import make_user
from tests.support.races import Work, at_once

pytestmark = pytest.mark.django_db(transaction=True)


def counts_announced() -> list[int]:
    """The votes of each suggestion-voted, in order."""
    return [
        data["votes"] for type_name, _to, data in announced() if type_name == "suggestion-voted"
    ]


def test_it_counts_thirty_voters_as_thirty(buyer: User) -> None:
    suggestion = suggest(buyer)
    voters = [make_user(f"voter-{number}") for number in range(30)]

    def vote(voter: User) -> str:
        cast_vote(suggestion_id=suggestion.pk, by=voter)
        return "voted"

    works: list[Work] = [lambda voter=voter: vote(voter) for voter in voters]  # type: ignore[misc]
    assert at_once(works) == {"voted": 30}
    assert votes_of(suggestion) == (30, 30)
    assert counts_announced() == list(range(1, 31))


def test_it_counts_one_voter_once_however_often_they_press(buyer: User) -> None:
    suggestion = suggest(buyer)
    works: list[Work] = [lambda: cast_vote(suggestion_id=suggestion.pk, by=buyer).votes] * 20
    assert at_once(works) == {1: 20}
    assert votes_of(suggestion) == (1, 1)
    assert counts_announced() == [1]


def test_it_ends_a_storm_with_the_truth(buyer: User, staff: User) -> None:
    suggestions = [suggest(buyer), suggest(buyer)]
    voters = [make_user(f"voter-{number}") for number in range(6)]

    def storm(voter: User, seed: int) -> str:
        chance = random.Random(seed)
        for _ in range(6):
            change = chance.choice([cast_vote, withdraw_vote])
            change(suggestion_id=chance.choice(suggestions).pk, by=voter)
        return "done"

    def answer() -> str:
        for number in range(6):
            text = f"Answer {number}"
            answer_suggestion(suggestion_id=suggestions[0].pk, by=staff, text=text)
        return "done"

    works: list[Work] = [answer]
    for seed, voter in enumerate([*voters, *voters]):
        works.append(lambda voter=voter, seed=seed: storm(voter, seed))  # type: ignore[misc]
    assert at_once(works) == {"done": 13}

    for suggestion in suggestions:
        counter, rows = votes_of(suggestion)
        assert counter == rows
        told = [
            data["suggestion"]["votes"] if "suggestion" in data else data["votes"]
            for type_name, _to, data in announced()
            if type_name != "vote-changed"
            and (data.get("suggestionId") or data["suggestion"]["id"]) == suggestion.pk
        ]
        # Each step is one vote, or none where an answer was told.
        assert all(abs(after - before) <= 1 for before, after in pairwise(told))
        assert (told or [0])[-1] == counter
    for voter in voters:
        own = [data for _type, to, data in announced() if to == [f"user.{voter.pk}"]]
        last = {data["suggestionId"]: data["voted"] for data in own}
        present = set(Vote.objects.filter(user=voter).values_list("suggestion_id", flat=True))
        assert {pk for pk, voted in last.items() if voted} == present


def test_it_is_made_before_its_product_is_deleted_or_not_at_all(buyer: User, seller: User) -> None:
    products = [make_product(seller) for _ in range(6)]

    def make(product_id: int) -> str:
        try:
            create_suggestion(author=buyer, product_id=product_id, **BODY)
        except ProductNotFound:
            return "gone"
        return "made"

    works: list[Work] = []
    for product in products:
        works.append(lambda pk=product.pk: make(pk))  # type: ignore[misc]
        works.append(lambda pk=product.pk: delete_product(product_id=pk, by=seller))  # type: ignore[misc]
    outcomes = at_once(works)
    assert outcomes["made"] + outcomes["gone"] == 6
    assert Suggestion.objects.count() == outcomes["made"]
    assert not Suggestion.objects.filter(product__is_active=True).exists()
