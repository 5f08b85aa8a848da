"""Parts of the dashboards, and what happens in a shop while somebody looks at them."""

import random
from decimal import Decimal
from typing import Any

from playwright.sync_api import Locator, Page

from marketplace.accounts.models import User
from marketplace.rest.errors import DomainError
from orders.cart import CartLine
from orders.models import Order
from orders.services import place_orders, transition_order
from products import services
from products.models import Product

Status = Order.Status


def buy(buyer: User, product: Product, quantity: int = 1, **more: Any) -> Order:
    """Order one product, announced."""
    line = CartLine(product_id=product.pk, quantity=quantity)
    (order,) = place_orders(buyer=buyer, lines=[line], **more)
    return order


def lane(page: Page, status: str) -> Locator:
    """The orders that stand in a lane, but for one that leaves."""
    return page.locator(f"[data-lane={status}] .lane-item:not([data-gone])")


def own_order(page: Page, order: Order) -> Locator:
    """An order in its buyer's list."""
    return page.locator(f"#own-orders > [data-id='{order.pk}']")


def figure(page: Page, name: str) -> Locator:
    """One of the seller's figures."""
    return page.locator(f".shop-stats [data-figure={name}]")


def stock_row(page: Page, title: str) -> Locator:
    """The row of a product that the seller edits."""
    return page.locator(".stock-row:not([data-gone])", has_text=title)


def data_asked_for(urls: list[str]) -> list[str]:
    """These requests without those of icons, which are asked for when they are first drawn, and
    without what says that a notification was read, which asks for nothing."""
    said = "/api/notifications/read-all"
    return [url for url in urls if "/static/" not in url and not url.endswith(said)]


class Market:
    """People who do one thing or another by the services; the same seed chooses alike."""

    def __init__(self, *, buyers: list[User], sellers: list[User], seed: int) -> None:
        self.random = random.Random(seed)
        self.buyers = buyers
        self.sellers = sellers
        self.made = 0

    def live(self, steps: int) -> None:
        """Order something, and do so many things. One that is refused (sold out, say) is none."""
        self.order()
        actions = [self.order] * 4 + [self.take_step] * 6 + [self.change_stock] * 3
        actions += [self.change_price, self.turn_sale, self.offer, self.delete]
        while steps > 0:
            try:
                self.random.choice(actions)()
            except DomainError:
                continue
            steps -= 1

    def order(self) -> None:
        """Somebody orders one or two products, of one seller or two."""
        shelf = list(Product.objects.filter(is_active=True, stock__gt=0).order_by("pk"))
        chosen = self.random.sample(shelf, self.random.choice([1, 2]))
        lines = [CartLine(product_id=product.pk, quantity=1) for product in chosen]
        place_orders(buyer=self.random.choice(self.buyers), lines=lines)

    def take_step(self) -> None:
        """An order goes on, or is cancelled by its seller."""
        orders = list(Order.objects.select_related("buyer", "seller").order_by("pk"))
        order, to = self.random.choice(orders), self.random.choice(list(Status)[1:])
        by = order.buyer if to == Status.DELIVERED else order.seller
        transition_order(order_id=order.pk, to=to, by=by, reason="So it is.")

    def change_stock(self) -> None:
        """Pieces come or go."""
        product = self.any_product()
        change = self.random.choice([-3, -1, 2, 9])
        services.change_stock(product_id=product.pk, by=product.seller, change=change)

    def change_price(self) -> None:
        """A price moves."""
        self.change(price=Decimal(self.random.randrange(100, 9_999)) / 100)

    def turn_sale(self) -> None:
        """A product goes off sale, or comes back."""
        self.change(is_active=self.random.choice([True, False]))

    def offer(self) -> None:
        """Something new is offered."""
        self.made += 1
        fields: Any = {
            "title": f"Novelty {self.made}",
            "price": Decimal("7.70"),
            "currency": self.random.choice(["EUR", "CHF"]),
            "kind": "goods",
            "stock": self.random.randrange(12),
        }
        services.create_product(seller=self.random.choice(self.sellers), fields=fields)

    def delete(self) -> None:
        """A product is deleted, or goes off sale for good where it was ordered."""
        product = self.any_product()
        services.delete_product(product_id=product.pk, by=product.seller)

    def change(self, **changes: Any) -> None:
        """Change any product."""
        product = self.any_product()
        fields: Any = changes
        services.update_product(product_id=product.pk, by=product.seller, changes=fields)

    def any_product(self) -> Product:
        """One of all products."""
        products = Product.objects.select_related("seller").order_by("pk")
        return self.random.choice(list(products))
