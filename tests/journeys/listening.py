"""What journeys ask of a page that listens, and what there is to hear."""

from typing import cast

from playwright.sync_api import BrowserContext, Page, Request

from marketplace.accounts.models import User
from products.models import Product

STREAM = "**/api/events*"
LISTEN = """async () => {
  const client = await import("/static/realtime/client.js");
  window.client = client;
  window.heard = [];
  for (const type of ["product-created", "subscribed", "refused", "availability-updated"]) {
    client.on(type, (event) => window.heard.push(event));
  }
}"""


def wait_until(page: Page, script: str, argument: object = None) -> None:
    """Until the script is true in the page.

    Playwright's own wait_for_function needs eval(), which the content security policy refuses.
    """
    for _ in range(150):
        if page.evaluate(script, argument):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"Not true within 15 s: {script}")


def create_product(seller: User, title: str) -> Product:
    """A product whose creation is announced."""
    return Product.objects.create(
        seller=seller, title=title, price="12.50", currency="EUR", kind="goods", stock=9
    )


def titles_heard(page: Page) -> list[str]:
    """The titles of the new products that the page heard of, in order."""
    script = "heard.filter((e) => e.type === 'product-created').map((e) => e.data.product.title)"
    return cast(list[str], page.evaluate(script))


def wait_to_hear(page: Page, title: str) -> None:
    """Until the page has heard of that product."""
    script = "(title) => heard.some((event) => event.data.product?.title === title)"
    wait_until(page, script, title)


def open_streams(context: BrowserContext) -> list[Request]:
    """Every request for a stream that the context makes from now on."""
    requests: list[Request] = []

    def note(request: Request) -> None:
        if "/api/events?" in request.url:
            requests.append(request)

    context.on("request", note)
    return requests
