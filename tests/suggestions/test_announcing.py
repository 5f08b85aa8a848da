"""What is announced of suggestions, and what is not; whichever way they are written."""

import json

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F, ProtectedError
from django.utils import timezone

from marketplace.accounts.models import User
from products.models import Product
from products.suggestions.models import Suggestion, Vote
from products.suggestions.services import (
    answer_suggestion,
    cast_vote,
    create_suggestion,
    withdraw_vote,
)
from realtime.models import OutboxEvent
from tests.conftest import ClientFor
from tests.products.things import announced, announced_types, forget_announcements, make_product
from tests.suggestions.things import BODY, URL, suggest, votes_of

pytestmark = pytest.mark.django_db

TO_ALL = ["suggestions"]


def test_it_shows_the_same_in_events_as_over_rest(
    buyer: User, seller: User, client_for: ClientFor
) -> None:
    suggestion = create_suggestion(author=buyer, product_id=make_product(seller).pk, **BODY)
    cast_vote(suggestion_id=suggestion.pk, by=buyer)
    forget_announcements()
    answer_suggestion(suggestion_id=suggestion.pk, by=seller, text="From May on.")

    [shown] = client_for(buyer).get(URL).json()["results"]
    assert shown.pop("voted") is True
    assert announced() == [("suggestion-updated", TO_ALL, {"suggestion": shown})]


def test_it_announces_a_new_one(buyer: User) -> None:
    suggestion = create_suggestion(author=buyer, **BODY)
    [(type_name, audiences, data)] = announced()
    assert (type_name, audiences) == ("suggestion-created", TO_ALL)
    assert data["suggestion"]["id"] == suggestion.pk
    assert "voted" not in data["suggestion"]


def test_it_announces_a_vote_to_all_and_whose_it_is_to_the_voter_alone(
    buyer: User, other_buyer: User
) -> None:
    suggestion = suggest(buyer)

    for _ in range(2):
        cast_vote(suggestion_id=suggestion.pk, by=other_buyer)
    for _ in range(2):
        withdraw_vote(suggestion_id=suggestion.pk, by=other_buyer)

    own = [f"user.{other_buyer.pk}"]
    assert announced() == [
        ("suggestion-voted", TO_ALL, {"suggestionId": suggestion.pk, "votes": 1}),
        ("vote-changed", own, {"suggestionId": suggestion.pk, "voted": True}),
        ("suggestion-voted", TO_ALL, {"suggestionId": suggestion.pk, "votes": 0}),
        ("vote-changed", own, {"suggestionId": suggestion.pk, "voted": False}),
    ]


def test_it_does_not_announce_the_same_answer_again(buyer: User, staff: User) -> None:
    suggestion = suggest(buyer)
    for _ in range(2):
        answer_suggestion(suggestion_id=suggestion.pk, by=staff, text="Yes.")
    assert announced_types() == ["suggestion-updated"]


def test_it_announces_nothing_that_is_rolled_back(buyer: User, staff: User) -> None:
    suggestion = suggest(buyer)

    class Stop(Exception):
        pass

    with pytest.raises(Stop), transaction.atomic():
        create_suggestion(author=buyer, **BODY)
        cast_vote(suggestion_id=suggestion.pk, by=staff)
        answer_suggestion(suggestion_id=suggestion.pk, by=staff, text="Yes.")
        assert len(announced()) == 4
        raise Stop

    assert announced() == []
    assert votes_of(suggestion) == (0, 0)
    assert Suggestion.objects.get().answer == ""


def test_it_announces_what_the_shell_saves(buyer: User) -> None:
    suggestion = Suggestion.objects.create(author=buyer, votes=99, **BODY)
    assert suggestion.votes == 0
    Vote.objects.create(suggestion=suggestion, user=buyer)
    Suggestion.objects.get_or_create(title="Else", defaults={"author": buyer, "text": "More."})
    suggestion.title = "Shorter hours"
    suggestion.save()
    Vote.objects.all().delete()

    assert announced_types() == [
        "suggestion-created",
        "suggestion-voted",
        "vote-changed",
        "suggestion-created",
        "suggestion-updated",
        "suggestion-voted",
        "vote-changed",
    ]
    updated = announced()[4][2]["suggestion"]
    assert (updated["title"], updated["votes"]) == ("Shorter hours", 1)
    assert votes_of(suggestion) == (0, 0)


def test_it_writes_only_what_was_set(buyer: User, staff: User) -> None:
    suggestion = suggest(buyer)
    old = Suggestion.objects.get(pk=suggestion.pk)
    answer_suggestion(suggestion_id=suggestion.pk, by=staff, text="Yes.")
    cast_vote(suggestion_id=suggestion.pk, by=buyer)
    forget_announcements()

    old.save()
    assert announced() == []
    old.votes, old.text = 77, "Until midnight."
    old.save()

    [(_type, _audiences, data)] = announced()
    shown = data["suggestion"]
    assert (shown["text"], shown["votes"], shown["answer"]["text"]) == (
        "Until midnight.",
        1,
        "Yes.",
    )
    assert (old.votes, old.answer) == (1, "Yes.")


def test_it_writes_no_more_than_the_named_fields(buyer: User) -> None:
    suggestion = suggest(buyer)
    suggestion.title, suggestion.text = "Shorter hours", "Not yet."
    suggestion.save(update_fields=["title"])

    [(_type, _audiences, data)] = announced()
    assert data["suggestion"]["text"] == BODY["text"]
    assert Suggestion.objects.get().text == BODY["text"]
    suggestion.save()
    assert Suggestion.objects.get().text == "Not yet."


def test_it_keeps_author_product_and_time(buyer: User, other_buyer: User, seller: User) -> None:
    changes = {"author": other_buyer, "product": make_product(seller), "created_at": timezone.now()}
    for name, value in changes.items():
        suggestion = suggest(buyer)
        setattr(suggestion, name, value)
        with pytest.raises(ValueError, match="A suggestion keeps its"):
            suggestion.save()
    assert announced() == []


def test_it_reckons_expressions_on_the_row(buyer: User) -> None:
    suggestion = suggest(buyer)
    suggestion.text = F("title")
    suggestion.votes = F("votes") + 5
    suggestion.save()
    assert (suggestion.text, suggestion.votes) == (BODY["title"], 0)


def test_it_counts_a_second_vote_of_the_shell_no_more_than_once(buyer: User) -> None:
    suggestion = suggest(buyer)
    vote = Vote.objects.create(suggestion=suggestion, user=buyer)
    with pytest.raises(IntegrityError), transaction.atomic():
        Vote.objects.create(suggestion=suggestion, user=buyer)
    with pytest.raises(ValueError, match="stays as it was cast"):
        vote.save()
    assert votes_of(suggestion) == (1, 1)
    assert len(announced()) == 2
    again = Vote.objects.get()
    assert vote.delete() == (1, {"suggestions.Vote": 1})
    assert again.delete() == (0, {})
    assert Vote.objects.all().delete() == (0, {})
    assert votes_of(suggestion) == (0, 0)
    assert len(announced()) == 4


def test_it_is_never_deleted(buyer: User) -> None:
    suggestion = suggest(buyer)
    for deletion in (suggestion.delete, Suggestion.objects.all().delete, buyer.delete):
        with pytest.raises(ProtectedError):
            deletion()
    assert Suggestion.objects.exists()


def test_it_takes_its_product_off_sale_in_place_of_a_deletion(
    buyer: User, seller: User, client_for: ClientFor
) -> None:
    product = make_product(seller)
    suggest(buyer, product)

    assert client_for(seller).delete(f"/api/products/{product.pk}").status_code == 204

    assert not Product.objects.get(pk=product.pk).is_active
    assert announced_types() == ["product-deleted", "product-updated"]


def test_it_has_events_that_fit_whatever_is_in_them(buyer: User, staff: User) -> None:
    worst = "\x01"
    suggestion = suggest(buyer, title=worst * 120, text=worst * 2000)
    answer_suggestion(suggestion_id=suggestion.pk, by=staff, text=worst * 2000)
    payload = OutboxEvent.objects.get(type="suggestion-updated").payload
    assert json.loads(payload)["data"]["suggestion"]["text"] == worst * 2000
