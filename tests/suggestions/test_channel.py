"""The channel of suggestions: for everybody with a login, and nobody else."""

from dataclasses import replace

import msgspec
import pytest

from marketplace.accounts.models import User
from products.suggestions.channels import NEWEST
from products.suggestions.events import suggestion_data
from products.suggestions.models import Suggestion
from products.suggestions.services import answer_suggestion, cast_vote
from realtime.api import NOBODY
from realtime.channels import UnknownChannel, parse_channel
from tests.suggestions.things import suggest

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("who", ["buyer", "seller", "staff"])
def test_it_is_heard_by_everybody_with_a_login(who: str, request: pytest.FixtureRequest) -> None:
    user = request.getfixturevalue(who)
    listener = replace(NOBODY, user_id=user.pk, is_staff=user.is_staff)
    assert parse_channel("suggestions").may_be_heard_by(listener)


def test_it_is_not_heard_by_visitors() -> None:
    assert not parse_channel("suggestions").may_be_heard_by(NOBODY)


def test_it_is_one_channel() -> None:
    with pytest.raises(UnknownChannel):
        parse_channel("suggestions.1")


def test_it_begins_with_the_newest_as_events_show_them(buyer: User, staff: User) -> None:
    for number in range(NEWEST + 2):
        suggest(buyer, title=f"Wish {number}")
    newest = Suggestion.objects.latest("pk")
    cast_vote(suggestion_id=newest.pk, by=buyer)
    answer_suggestion(suggestion_id=newest.pk, by=staff, text="Yes.")

    state = parse_channel("suggestions").state_for(replace(NOBODY, user_id=buyer.pk))

    shown = msgspec.to_builtins(state)
    assert [each["title"] for each in shown] == [f"Wish {n}" for n in range(NEWEST + 1, 1, -1)]
    assert (shown[0]["votes"], shown[0]["answer"]["text"]) == (1, "Yes.")
    rows = Suggestion.objects.order_by("-pk")[:NEWEST]
    assert state == [suggestion_data(row) for row in rows]
