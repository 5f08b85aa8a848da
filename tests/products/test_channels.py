"""The channels of products: who may listen, and what they find there."""

from dataclasses import replace

import msgspec
import pytest

from marketplace.accounts.models import User
from products.events import availability_data, product_data
from products.models import Product
from products.selectors import SCARCEST
from realtime.api import NOBODY, Listener
from realtime.channels import UnknownChannel, parse_channel
from tests.products.things import make_product

pytestmark = pytest.mark.django_db


def listener(user: User) -> Listener:
    """The person at a stream."""
    return replace(NOBODY, user_id=user.pk, is_staff=user.is_staff)


def test_it_lets_everybody_hear_a_product_on_sale(seller: User, buyer: User) -> None:
    product = make_product(seller)
    channel = parse_channel(f"product.{product.pk}")
    for person in (NOBODY, listener(buyer), listener(seller)):
        assert channel.may_be_heard_by(person)
        assert channel.state_for(person) == product_data(product)


def test_it_lets_seller_and_staff_alone_hear_one_off_sale(
    seller: User, other_seller: User, buyer: User, staff: User
) -> None:
    channel = parse_channel(f"product.{make_product(seller, is_active=False).pk}")
    for person in (NOBODY, listener(buyer), listener(other_seller)):
        assert not channel.may_be_heard_by(person)
        assert channel.state_for(person) is None
    for person in (listener(seller), listener(staff)):
        assert channel.may_be_heard_by(person)


def test_it_knows_no_product_that_is_not_there() -> None:
    for name in ("product.1", "product.999999999999999999"):
        assert not parse_channel(name).may_be_heard_by(NOBODY)
    for name in ("product", "product.x", "product.0", "availability.1", "catalogue.1"):
        with pytest.raises(UnknownChannel):
            parse_channel(name)


def test_it_shows_the_scarcest_products(seller: User) -> None:
    for stock in (9, 0, 4):
        make_product(seller, stock=stock)
    make_product(seller, stock=1, is_active=False)
    channel = parse_channel("availability")

    assert channel.may_be_heard_by(NOBODY)
    state = msgspec.to_builtins(channel.state_for(NOBODY))

    on_sale = Product.objects.filter(is_active=True).order_by("stock")
    rows = [msgspec.to_builtins(availability_data(product)) for product in on_sale]
    assert state == {"products": rows, "total": 3}


def test_it_shows_no_more_than_fit_on_the_board(seller: User) -> None:
    Product.objects.bulk_create(
        Product(seller=seller, title="Cup", price=1, currency="EUR", kind="goods", stock=stock)
        for stock in range(SCARCEST + 5)
    )
    state = parse_channel("availability").state_for(NOBODY)
    assert (len(state.products), state.total) == (SCARCEST, SCARCEST + 5)
    assert state.products[-1].stock == SCARCEST - 1


def test_it_has_no_state_of_the_catalogue() -> None:
    channel = parse_channel("catalogue")
    assert channel.may_be_heard_by(NOBODY)
    assert channel.state_for(NOBODY) is None
