"""Seats of three tours that come and go, so that the availability board has something to show."""

import random
from collections import Counter
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.utils import timezone

from marketplace.accounts.models import User
from marketplace.demo import people
from marketplace.demo.life import NobodyThere
from marketplace.rest.errors import DomainError
from orders.cart import CartLine
from orders.models import Order
from orders.services import place_orders, transition_order
from products.models import Product
from products.services import ProductFields, change_stock, update_product

# Paris, London and Rome, as other systems know them, too.
TOURS = ["tour_paris", "tour_london", "tour_rome"]
MOST_SEATS = 3
# One in so many looks at a tour that is sold out finds that there are seats again.
SOLD_OUT_FOR = 3
NEXT_DATE = timedelta(days=7)


class TourSeason:
    """People who book the tours, and a seller who finds new places; the same seed chooses alike."""

    def __init__(self, *, seed: int | None = None) -> None:
        """Raises NobodyThere without the demo's buyers or any of the three tours."""
        self.random = random.Random(seed)  # noqa: S311 no secret
        self.done: Counter[str] = Counter()
        names = [person.username for person in people.BUYERS]
        self.buyers = list(User.objects.filter(username__in=names).order_by("pk"))
        sellers = [person.username for person in people.SELLERS]
        tours = Product.objects.filter(
            external_id__in=TOURS, seller__username__in=sellers, max_group_size__isnull=False
        )
        self.tours = list(tours.order_by("pk").values_list("pk", flat=True))
        if not self.buyers or not self.tours:
            raise NobodyThere

    def act(self) -> str:
        """Have something happen to one tour, and return in a few words what, or why not."""
        tours = Product.objects.filter(pk__in=self.tours, is_active=True).select_related("seller")
        present = list(tours.order_by("pk"))
        if not present:
            return "no tour is on sale"
        tour = self.random.choice(present)
        try:
            return self._pass(tour)
        except (DomainError, ValidationError) as refusal:
            # As in life: somebody was faster.
            self.done["refused"] += 1
            return f"{tour.title}: refused: {type(refusal).__name__}"

    def _pass(self, tour: Product) -> str:
        if tour.has_begun(at=timezone.now()):
            return self.set_next_date(tour)
        if tour.stock > 0:
            return self.book(tour)
        if self.random.randrange(SOLD_OUT_FOR) > 0:
            return f"{tour.title}: sold out"
        return self.random.choice([self.cancel, self.add_places])(tour)

    def book(self, tour: Product) -> str:
        """Somebody takes one to three of the seats that are free."""
        buyer = self.random.choice(self.buyers)
        seats = min(tour.stock, self.random.randint(1, MOST_SEATS))
        place_orders(buyer=buyer, lines=[CartLine(product_id=tour.pk, quantity=seats)])
        self.done["book"] += 1
        return f"{tour.title}: {buyer.username} booked {seats}"

    def cancel(self, tour: Product) -> str:
        """Somebody who has booked thinks again; where nobody can, there are new places."""
        bookings = Order.objects.filter(
            lines__product_id=tour.pk, status=Order.Status.PENDING, buyer__in=self.buyers
        )
        booking = bookings.select_related("buyer").order_by("-pk").first()
        if booking is None:
            return self.add_places(tour)
        transition_order(order_id=booking.pk, to=Order.Status.CANCELLED, by=booking.buyer)
        self.done["cancel"] += 1
        return f"{tour.title}: {booking.buyer.username} cancelled order {booking.pk}"

    def add_places(self, tour: Product) -> str:
        """The seller takes a second group, of which a part is booked already."""
        room = tour.most_stock - tour.stock
        more = self.random.randint((room + 1) // 2, room)
        change_stock(product_id=tour.pk, by=tour.seller, change=more)
        self.done["add_places"] += 1
        return f"{tour.title}: {more} new places"

    def set_next_date(self, tour: Product) -> str:
        """A tour that has begun takes place again, a week from now."""
        changes = ProductFields(starts_at=timezone.now() + NEXT_DATE)
        update_product(product_id=tour.pk, by=tour.seller, changes=changes)
        self.done["set_next_date"] += 1
        return f"{tour.title}: takes place again in a week"
