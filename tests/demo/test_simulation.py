"""The life of the demo's people."""

import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from marketplace.demo.life import Life
from marketplace.demo.loading import Demo
from marketplace.demo.people import BUYERS
from marketplace.demo.tours import TOURS, TourSeason
from orders.models import Order
from products.models import Product


def play(*arguments: str) -> str:
    """Run manage.py simulate and return what it printed."""
    output = StringIO()
    call_command("simulate", *arguments, stdout=output)
    return output.getvalue()


def test_it_orders_and_moves_on_through_the_services(demo: Demo) -> None:
    before = Order.objects.count()
    told = play("--rate", "1000", "--actions", "150", "--seed", "3")
    assert Order.objects.count() > before
    assert Order.objects.filter(status=Order.Status.DELIVERED, pk__gt=before).exists()
    assert not Product.objects.filter(stock__lt=0).exists()
    assert len(told.splitlines()) == 151
    assert "Done: take_step" in told


def test_it_does_everything_that_people_do(demo: Demo) -> None:
    life = Life(seed=1)
    for action in life.actions:
        assert action()


def test_a_refusal_is_life_and_no_error(demo: Demo) -> None:
    Product.objects.update(currency="XXX")
    life = Life(seed=1)
    life.actions = {life.change_price: 1}
    assert life.act() == "refused: ValidationError"
    assert life.done == {"refused": 1}


def test_the_same_seed_chooses_the_same_way(demo: Demo) -> None:
    def told(seed: int) -> list[str]:
        life = Life(seed=seed)
        with transaction.atomic():
            acts = [re.sub(r"\d+", "…", life.act()) for _ in range(30)]
            transaction.set_rollback(True)
        return acts

    assert told(9) == told(9) != told(10)


def test_it_books_tours_until_they_are_out_and_brings_them_back(demo: Demo) -> None:
    before = Order.objects.count()
    told = play("--availability", "--rate", "1000", "--actions", "120", "--seed", "3")
    assert len(told.splitlines()) == 121
    for words in ("sold out", "new places", "cancelled order", "Paris", "London", "Rome"):
        assert words in told
    tours = Product.objects.filter(external_id__in=TOURS)
    assert [0 <= tour.stock <= tour.most_stock for tour in tours] == [True] * 3
    placed = Order.objects.order_by("pk")[before:]
    assert {line.product.external_id for order in placed for line in order.lines.all()} == {*TOURS}
    assert {order.buyer.username for order in placed} <= {person.username for person in BUYERS}


def test_it_has_tours_that_have_begun_take_place_again(demo: Demo) -> None:
    tours = Product.objects.filter(external_id__in=TOURS)
    tours.update(starts_at=timezone.now() - timedelta(days=1))
    season = TourSeason(seed=1)
    for _action in range(12):
        season.act()
    assert season.done["set_next_date"] == 3
    assert season.done["refused"] == 0 < season.done["book"]


def test_it_waits_where_no_tour_is_on_sale(demo: Demo) -> None:
    Product.objects.filter(external_id__in=TOURS).update(is_active=False)
    assert TourSeason(seed=1).act() == "no tour is on sale"


@pytest.mark.parametrize("arguments", [[], ["--availability"]])
def test_it_is_refused_without_the_demo(db: None, arguments: list[str]) -> None:
    with pytest.raises(CommandError, match=r"manage\.py demo first"):
        play(*arguments)


@pytest.mark.parametrize("rate", ["0", "-1", "1001", "nan"])
def test_a_rate_that_is_none_is_refused(demo: Demo, rate: str) -> None:
    with pytest.raises(CommandError, match="--rate must be above 0"):
        play("--rate", rate)
