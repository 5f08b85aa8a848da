"""What the demo holds, and where it must not be."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.core.management import CommandError, call_command
from django.db.models import F
from pytest_django import Settings

from marketplace.accounts.models import User
from marketplace.demo import people
from marketplace.demo.catalogue import offers
from marketplace.demo.loading import Demo
from orders.models import Order, OrderStep
from products.models import Product
from products.suggestions.models import Suggestion
from realtime.notifications.models import Notification


def test_it_has_three_sellers_three_buyers_and_one_of_the_staff(demo: Demo) -> None:
    users = User.objects.all()
    assert Counter(user.role for user in users if not user.is_staff) == {"seller": 3, "buyer": 3}
    assert [user.username for user in users if user.is_staff] == ["admin"]
    assert sorted(people.demo_logins()) == sorted(person.username for person in people.EVERYBODY)


def test_it_has_some_forty_products_of_every_level(demo: Demo) -> None:
    products = list(Product.objects.all())
    assert len(products) == 44
    assert {product.level for product in products} == {"ok", "few", "low", "out"}
    assert len({product.category for product in products}) >= 8


@pytest.mark.parametrize(
    ("external_id", "title"),
    [
        ("tour_paris", "Paris City Tour"),
        ("tour_london", "London Eye Experience"),
        ("tour_rome", "Rome Colosseum Tour"),
    ],
)
def test_it_has_the_tours_that_other_systems_know(demo: Demo, external_id: str, title: str) -> None:
    tour = Product.objects.get(kind="tour", external_id=external_id)
    assert tour.title == title
    assert tour.max_group_size is not None
    assert tour.starts_at is not None
    assert tour.starts_at > demo.now


def test_it_has_orders_in_every_state_with_their_whole_history(demo: Demo) -> None:
    assert set(Order.objects.values_list("status", flat=True)) == set(Order.Status.values)
    for order in Order.objects.prefetch_related("steps"):
        steps = list(order.steps.all())
        assert steps[-1].to_status == order.status
        assert [step.from_status for step in steps[1:]] == [step.to_status for step in steps[:-1]]
        assert [step.at for step in steps] == sorted(step.at for step in steps)
        assert order.created_at == steps[0].at
        assert order.updated_at == steps[-1].at


def test_it_lies_in_the_past_spread_over_two_weeks(demo: Demo) -> None:
    assert not OrderStep.objects.filter(at__gt=demo.now).exists()
    assert len({order.created_at.date() for order in Order.objects.all()}) > 8
    bought_before_it_was_there = Order.objects.filter(
        lines__product__created_at__gt=F("created_at")
    )
    assert not bought_before_it_was_there.exists()


def test_it_has_suggestions_with_and_without_an_answer(demo: Demo) -> None:
    suggestions = list(Suggestion.objects.all())
    assert {suggestion.product_id is None for suggestion in suggestions} == {True, False}
    assert {suggestion.answer == "" for suggestion in suggestions} == {True, False}
    assert all(each.created_at < (each.answered_at or demo.now) for each in suggestions)
    assert all(each.votes == each.cast_votes.count() for each in suggestions)


def test_it_has_told_its_people_what_happened_and_left_the_last_day_unread(demo: Demo) -> None:
    for user in User.objects.filter(is_staff=False):
        told = Notification.objects.filter(user=user)
        assert told.exists()
        assert 0 < told.unread().count() < 10
        assert not told.filter(created_at__gt=demo.now).exists()
        yesterday = demo.now - timedelta(days=1)
        assert told.unread().filter(created_at__gt=yesterday).count() == told.unread().count()


def test_every_offer_has_a_light_picture_without_text_or_scripts() -> None:
    for offer in offers():
        found = finders.find(f"products/demo/{offer.slug}.svg")
        assert found, offer.slug
        drawing = Path(found).read_text()
        assert len(drawing) < 3_000
        assert 'viewBox="0 0 400 300"' in drawing
        assert not any(f"<{tag}" in drawing for tag in ("text", "script", "image", "foreignObject"))


def test_it_is_refused_without_debug(db: None) -> None:
    with pytest.raises(CommandError, match="DEBUG=true only"):
        call_command("demo")
    assert not User.objects.exists()


def test_it_is_refused_a_second_time(demo: Demo, settings: Settings) -> None:
    settings.DEBUG = True
    with pytest.raises(CommandError, match="there already"):
        call_command("demo")
    assert Product.objects.count() == 44
