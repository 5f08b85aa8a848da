"""A plausible day of the demo, action by action: what people do, through the services alone."""

import random
from collections import Counter
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.utils import timezone

from marketplace.accounts.models import User
from marketplace.demo import people
from marketplace.demo.catalogue import offers
from marketplace.rest.errors import DomainError
from orders.cart import CartLine
from orders.models import Order
from orders.services import place_orders, transition_order
from products.models import Product
from products.services import ProductFields, change_stock, create_product, update_product

Status = Order.Status

REASONS = ["Found it nearer by.", "Ordered the wrong size.", "Changed my mind.", ""]
NOTES = ["", "", "", "Ring twice.", "A present: no invoice in the parcel.", "No hurry."]
VARIANTS = ["second choice", "limited edition", "from the old stock", "as a set", "in blue"]


class NobodyThere(Exception):
    """The database has no demo, so nobody could do anything."""


class Life:
    """People who act, one action at a time; the same seed chooses the same way."""

    def __init__(self, *, seed: int | None = None) -> None:
        """Raises NobodyThere without the demo's people or products."""
        self.random = random.Random(seed)  # noqa: S311 no secret
        self.done: Counter[str] = Counter()
        self.buyers = self._present(people.BUYERS)
        self.sellers = self._present(people.SELLERS)
        if not self.buyers or not self.sellers or self._any_product() is None:
            raise NobodyThere
        # How often each happens, of a hundred; an order takes three steps until it is delivered.
        self.actions = {
            self.place_order: 18,
            self.take_step: 59,
            self.refill: 12,
            self.change_price: 6,
            self.cancel: 2,
            self.turn_sale: 2,
            self.offer_new: 1,
        }

    def act(self) -> str:
        """Do one thing, and return in a few words what it was or why it was refused."""
        [action] = self.random.choices(list(self.actions), list(self.actions.values()))
        try:
            told = action()
        except (DomainError, ValidationError) as refusal:
            # As in life: somebody was faster, or it is sold out.
            self.done["refused"] += 1
            return f"refused: {type(refusal).__name__}"
        self.done[action.__name__] += 1
        return told

    def place_order(self) -> str:
        """Somebody buys one to three products that are there."""
        buyer = self.random.choice(self.buyers)
        shelf = Product.objects.filter(seller__in=self.sellers, is_active=True, stock__gt=0)
        ids = list(shelf.exclude(starts_at__lte=timezone.now()).values_list("pk", flat=True))
        chosen = self.random.sample(ids, min(len(ids), self.random.choice([1, 1, 1, 2, 3])))
        if not chosen:
            return self.refill()
        lines = [CartLine(product_id=pk, quantity=self.random.choice([1, 1, 2])) for pk in chosen]
        orders = place_orders(buyer=buyer, lines=lines, note=self.random.choice(NOTES))
        return f"{buyer.username} ordered: {', '.join(f'order {order.pk}' for order in orders)}"

    def take_step(self) -> str:
        """The oldest orders go on: confirmed, shipped, delivered."""
        order = self._open_order(Status.PENDING, Status.CONFIRMED, Status.SHIPPED)
        if order is None:
            return self.place_order()
        steps = {
            Status.PENDING: (Status.CONFIRMED, order.seller),
            Status.CONFIRMED: (Status.SHIPPED, order.seller),
            Status.SHIPPED: (Status.DELIVERED, order.buyer),
        }
        to, by = steps[Status(order.status)]
        transition_order(order_id=order.pk, to=to, by=by)
        return f"order {order.pk} is {to}"

    def cancel(self) -> str:
        """A buyer thinks again while the order is pending."""
        order = self._open_order(Status.PENDING)
        if order is None:
            return self.place_order()
        reason = self.random.choice(REASONS)
        transition_order(order_id=order.pk, to=Status.CANCELLED, by=order.buyer, reason=reason)
        return f"order {order.pk} is cancelled"

    def refill(self) -> str:
        """A seller fills up what is scarcest; a tour gets seats of those that fell through."""
        product = self._any_product("stock")
        if product is None:
            return "nothing to refill"
        room = product.most_stock - product.stock
        more = min(room, self.random.randint(1, 3) * max(product.low_stock_threshold, 1))
        if more == 0:
            return self.change_price()
        change_stock(product_id=product.pk, by=product.seller, change=more)
        return f"{product.title}: {more} more"

    def change_price(self) -> str:
        """A seller moves a price by up to a tenth."""
        product = self._any_product()
        if product is None:
            return "nothing to price"
        factor = Decimal(self.random.choice([90, 95, 98, 102, 105, 110])) / 100
        price = max((product.price * factor).quantize(Decimal("0.01")), Decimal("1.00"))
        update_product(product_id=product.pk, by=product.seller, changes={"price": price})
        return f"{product.title}: {price} {product.currency}"

    def turn_sale(self) -> str:
        """A product goes off sale, or the one that did comes back."""
        own = Product.objects.filter(seller__in=self.sellers).select_related("seller")
        product = own.filter(is_active=False).first() or self._any_product()
        if product is None:
            return "nothing to sell"
        changes = ProductFields(is_active=not product.is_active)
        update_product(product_id=product.pk, by=product.seller, changes=changes)
        return f"{product.title}: {'back on sale' if changes['is_active'] else 'off sale'}"

    def offer_new(self) -> str:
        """A seller offers a variant of what the shop has."""
        offer = self.random.choice([offer for offer in offers() if offer.seats is None])
        seller = next(user for user in self.sellers if user.username == offer.shop)
        fields = offer.fields(now=timezone.now())
        fields["title"] = f"{offer.title}, {self.random.choice(VARIANTS)}"
        fields["external_id"] = ""  # the original has it
        fields["stock"] = self.random.randint(2, 30)
        product = create_product(seller=seller, fields=fields)
        return f"new: {product.title}"

    def _present(self, persons: list[people.Person]) -> list[User]:
        names = [person.username for person in persons]
        return list(User.objects.filter(username__in=names).order_by("pk"))

    def _any_product(self, *ordering: str) -> Product | None:
        """One of those on sale: any, or one of the first ten in this order."""
        own = Product.objects.filter(seller__in=self.sellers, is_active=True)
        ids = list(own.order_by(*ordering, "pk").values_list("pk", flat=True))
        if not ids:
            return None
        pk = self.random.choice(ids[:10] if ordering else ids)
        return own.select_related("seller").get(pk=pk)

    def _open_order(self, *statuses: Order.Status) -> Order | None:
        """One of the oldest orders with such a status, between people of the demo."""
        rows = Order.objects.filter(
            status__in=statuses, buyer__in=self.buyers, seller__in=self.sellers
        )
        oldest = list(rows.select_related("buyer", "seller").order_by("updated_at")[:12])
        return self.random.choice(oldest) if oldest else None
