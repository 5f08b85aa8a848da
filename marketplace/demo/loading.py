"""Loads the demo: people, their products, a fortnight of orders and what they suggest."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from django.contrib.auth.hashers import make_password
from django.db import transaction

from marketplace.accounts.models import User
from marketplace.demo import people
from marketplace.demo.catalogue import offers
from orders.cart import CartLine
from orders.models import Order, OrderStep
from orders.services import place_orders, transition_order
from products.models import Product
from products.services import create_product
from products.suggestions.models import Suggestion
from products.suggestions.services import answer_suggestion, cast_vote, create_suggestion
from realtime.notifications.models import Notification

Status = Order.Status

# How an order comes to where it stands, and how long after it was placed each step is taken.
WAYS = {
    Status.PENDING: [],
    Status.CONFIRMED: [Status.CONFIRMED],
    Status.SHIPPED: [Status.CONFIRMED, Status.SHIPPED],
    Status.DELIVERED: [Status.CONFIRMED, Status.SHIPPED, Status.DELIVERED],
    Status.CANCELLED: [Status.CANCELLED],
}
AFTER = {
    Status.CONFIRMED: timedelta(hours=2),
    Status.SHIPPED: timedelta(hours=21),
    Status.DELIVERED: timedelta(hours=69),
    Status.CANCELLED: timedelta(hours=1),
}
# What is a day old was read in its hour.
NEWS_FOR = timedelta(days=1)
AFTER_NEWS = timedelta(hours=1)


class Purchase(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What somebody bought, and what became of it; lines: pieces by the offer's slug."""

    buyer: str
    hours_ago: float
    status: Order.Status
    lines: dict[str, int]
    note: str = ""
    reason: str = ""


class Answer(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What somebody said to a wish."""

    by: str
    hours_ago: float
    text: str


class Wish(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What somebody suggested, of an offer (by its slug) or of the shop as a whole."""

    author: str
    hours_ago: float
    product: str | None
    title: str
    text: str
    voters: list[str]
    answer: Answer | None = None


@dataclass
class Demo:
    """What has been loaded so far."""

    now: datetime
    users: dict[str, User] = field(default_factory=dict)
    products: dict[str, Product] = field(default_factory=dict)  # by the offer's slug
    orders: list[Order] = field(default_factory=list)


@transaction.atomic
def load_demo(*, now: datetime) -> Demo:
    """Load all of it, or nothing: half a demo would never be completed."""
    demo = Demo(now)
    enrol(demo)
    stock_shops(demo)
    text = Path(__file__).with_name("orders.json").read_bytes()
    for purchase in msgspec.json.decode(text, type=list[Purchase]):
        for order in buy(demo, purchase):
            carry_on(demo, purchase, order)
            demo.orders.append(order)
    text = Path(__file__).with_name("suggestions.json").read_bytes()
    for wish in msgspec.json.decode(text, type=list[Wish]):
        suggest(demo, wish)
    return demo


def enrol(demo: Demo) -> None:
    """Create the people, all with one hash of the one password (see people.demo_logins)."""
    password = make_password(people.PASSWORD)
    for person in people.EVERYBODY:
        is_staff = person is people.STAFF
        user = User(
            username=person.username,
            email=f"{person.username}@example.com",
            password=password,
            role=person.role,
            shipping_address=person.shipping_address,
            is_staff=is_staff,
            is_superuser=is_staff,
        )
        user.save()
        demo.users[person.username] = user


def stock_shops(demo: Demo) -> None:
    """Offer the products, the shops taking turns, long enough ago to have been ordered."""
    shuffled = offers()
    random.Random(1).shuffle(shuffled)  # noqa: S311 a fixed, pleasant mixture
    for number, offer in enumerate(shuffled):
        product = create_product(seller=demo.users[offer.shop], fields=offer.fields(now=demo.now))
        created = demo.now - timedelta(days=60) + number * timedelta(hours=21)
        # Silent, as all that is moved into the past here: nobody listens to a demo being loaded.
        Product.objects.filter(pk=product.pk).update(created_at=created, updated_at=created)
        demo.products[offer.slug] = product


def buy(demo: Demo, purchase: Purchase) -> list[Order]:
    """Place the purchase's orders at their time in the past."""
    placed = place_orders(
        buyer=demo.users[purchase.buyer],
        lines=[
            CartLine(product_id=demo.products[slug].pk, quantity=quantity)
            for slug, quantity in purchase.lines.items()
        ],
        note=purchase.note,
    )
    at = demo.now - timedelta(hours=purchase.hours_ago)
    Order.objects.filter(pk__in=[order.pk for order in placed]).update(created_at=at, updated_at=at)
    OrderStep.objects.filter(order__in=placed).update(at=at)
    date_notifications(demo, at)
    return placed


def carry_on(demo: Demo, purchase: Purchase, order: Order) -> None:
    """Take the order's steps, each at its time after the placing."""
    for status in WAYS[purchase.status]:
        buyers_step = status in {Status.DELIVERED, Status.CANCELLED}
        by = order.buyer if buyers_step else order.seller
        transition_order(order_id=order.pk, to=status, by=by, reason=purchase.reason)
        at = demo.now - timedelta(hours=purchase.hours_ago) + AFTER[status]
        Order.objects.filter(pk=order.pk).update(updated_at=at)
        OrderStep.objects.filter(order=order, to_status=status).update(at=at)
        date_notifications(demo, at)


def date_notifications(demo: Demo, at: datetime) -> None:
    """Bring what people were just told to its time. Yesterday's they have read."""
    new = Notification.objects.filter(created_at__gte=demo.now)
    read_at = at + AFTER_NEWS if at <= demo.now - NEWS_FOR else None
    new.update(created_at=at, read_at=read_at)


def suggest(demo: Demo, wish: Wish) -> None:
    """Make the suggestion at its time in the past, with its votes and its answer."""
    product = None if wish.product is None else demo.products[wish.product]
    suggestion = create_suggestion(
        author=demo.users[wish.author],
        product_id=None if product is None else product.pk,
        title=wish.title,
        text=wish.text,
    )
    for voter in wish.voters:
        cast_vote(suggestion_id=suggestion.pk, by=demo.users[voter])
    row = Suggestion.objects.filter(pk=suggestion.pk)
    row.update(created_at=demo.now - timedelta(hours=wish.hours_ago))
    if wish.answer is not None:
        by, text = demo.users[wish.answer.by], wish.answer.text
        answer_suggestion(suggestion_id=suggestion.pk, by=by, text=text)
        at = demo.now - timedelta(hours=wish.answer.hours_ago)
        row.update(answered_at=at)
        date_notifications(demo, at)
