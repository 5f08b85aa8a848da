"""What sellers do while somebody looks at a page; all of it is announced."""

from decimal import Decimal
from typing import Any

from playwright.sync_api import Locator, Page

from marketplace.accounts.models import User
from products import services
from products.models import Product


def offer(seller: User, title: str, **fields: Any) -> Product:
    """Put a new product on sale, announced."""
    values: Any = {
        "title": title,
        "price": Decimal("12.50"),
        "currency": "EUR",
        "kind": "goods",
        "stock": 10,
        **fields,
    }
    return services.create_product(seller=seller, fields=values)


def change(product: Product, **changes: Any) -> None:
    """Change a product on behalf of its seller, announced."""
    values: Any = changes
    services.update_product(product_id=product.pk, by=product.seller, changes=values)


def change_stock(product: Product, by: int) -> None:
    """Add or take out pieces on behalf of the seller, announced."""
    services.change_stock(product_id=product.pk, by=product.seller, change=by)


def card(page: Page, title: str) -> Locator:
    """The card of a product."""
    return page.locator("article[data-object=product]", has_text=title)


def titles(page: Page) -> Locator:
    """The titles of the cards that the catalogue shows, in order."""
    return page.locator("#products > :not([hidden]) .picture-card-link")
