"""The life of the demo's people."""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from marketplace.demo.life import Life
from marketplace.demo.loading import Demo
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


def test_it_is_refused_without_the_demo(db: None) -> None:
    with pytest.raises(CommandError, match=r"manage\.py demo first"):
        play()


@pytest.mark.parametrize("rate", ["0", "-1", "1001", "nan"])
def test_a_rate_that_is_none_is_refused(demo: Demo, rate: str) -> None:
    with pytest.raises(CommandError, match="--rate must be above 0"):
        play("--rate", rate)
