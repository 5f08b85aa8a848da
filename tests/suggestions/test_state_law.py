"""What REST told, with the events since, is what REST tells afresh: to each of many people."""

import random
from typing import Any

import pytest

from marketplace.accounts.models import User
from products.models import Product
from products.suggestions.models import Suggestion
from products.suggestions.services import (
    answer_suggestion,
    cast_vote,
    create_suggestion,
    withdraw_vote,
)
from tests.conftest import ClientFor
from tests.products.things import announced, forget_announcements, make_product
from tests.suggestions.things import BODY, URL, suggest

pytestmark = pytest.mark.django_db

Shown = dict[int, dict[str, Any]]


def apply(shown: Shown, type_name: str, data: dict[str, Any]) -> None:
    """What a client makes of an event."""
    if type_name == "suggestion-created":
        shown[data["suggestion"]["id"]] = {**data["suggestion"], "voted": False}
    elif type_name == "suggestion-updated":
        shown[data["suggestion"]["id"]] |= data["suggestion"]
    elif type_name == "suggestion-voted":
        shown[data["suggestionId"]]["votes"] = data["votes"]
    elif type_name == "vote-changed":
        shown[data["suggestionId"]]["voted"] = data["voted"]


def change_everything(people: list[User], product: Product, staff: User) -> None:
    """Sixty changes of every kind."""
    chance = random.Random(7)
    for number in range(60):
        suggestion = chance.choice(list(Suggestion.objects.all()))
        what = chance.choice(["make", "vote", "vote", "withdraw", "answer", "correct"])
        by = chance.choice(people)
        if what == "make":
            create_suggestion(author=by, product_id=chance.choice([None, product.pk]), **BODY)
        elif what == "vote":
            cast_vote(suggestion_id=suggestion.pk, by=by)
        elif what == "withdraw":
            withdraw_vote(suggestion_id=suggestion.pk, by=by)
        elif what == "answer":
            answer_suggestion(suggestion_id=suggestion.pk, by=staff, text=f"Answer {number}")
        else:
            suggestion.title = f"Title {number}"
            suggestion.save()


def test_it_holds(
    client_for: ClientFor, buyer: User, other_buyer: User, seller: User, staff: User
) -> None:
    product = make_product(seller)
    for _ in range(3):
        cast_vote(suggestion_id=suggest(buyer).pk, by=other_buyer)
    people = [buyer, other_buyer, seller, staff]
    clients = {user: client_for(user) for user in people}

    def read(user: User) -> Shown:
        results = clients[user].get(f"{URL}?pageSize=100").json()["results"]
        return {suggestion["id"]: suggestion for suggestion in results}

    shown = {user: read(user) for user in people}
    forget_announcements()
    change_everything(people, product, staff)

    for type_name, audiences, data in announced():
        for user in people:
            if not {"suggestions", f"user.{user.pk}"}.isdisjoint(audiences):
                apply(shown[user], type_name, data)
    assert {user: read(user) for user in people} == shown
