"""What REST told, with the events since, is what REST tells afresh: for a client that is cut and
comes back while sellers change everything at once."""

import asyncio
import contextlib
import random
from typing import Any

import httpx

from marketplace.accounts.models import User
from realtime.testing import assert_state_law
from tests.imports.things import HEADER, csv_file, imported, row
from tests.streams.things import in_thread, listen, offer, rest, settled
from tests.support.servers import Marketplace
from tests.support.streams import SseClient

Product = dict[str, Any]
Shelf = dict[int, Product]

STOCK_FIELDS = ("stock", "stockVersion", "level")


def shelf_of(server: Marketplace, seller: User) -> tuple[Shelf, int]:
    """The seller's products on sale as anybody reads them, and the position that they are as new
    as."""
    query = {"seller": str(seller.pk), "pageSize": "100"}
    answer = httpx.get(f"{server.url}/api/products", params=query)
    products = answer.json()["results"]
    return {product["id"]: product for product in products}, int(answer.headers["Event-Position"])


def apply(shelf: Shelf, event: dict[str, Any]) -> Shelf:
    """What a client makes of an event: it takes what is newer than what it has."""
    data = event["data"]
    if event["type"] in {"product-created", "product-updated"}:
        return take(shelf, data["product"], comes=event["type"] == "product-created")
    if event["type"] == "products-imported":
        for product in data["products"]:
            shelf = take(shelf, product, comes=True)
        return shelf
    if event["type"] == "product-deleted":
        return {key: product for key, product in shelf.items() if key != data["productId"]}
    present = shelf.get(data["productId"])
    if present is None or data["stockVersion"] <= present["stockVersion"]:
        return shelf
    changed = {**present, **{name: data[name] for name in STOCK_FIELDS}}
    return {**shelf, data["productId"]: changed}


def take(shelf: Shelf, product: Product, *, comes: bool) -> Shelf:
    """The shelf with what is newer of a product; comes: it is put there if it is not there."""
    present = shelf.get(product["id"])
    if present is None:
        return {**shelf, product["id"]: product} if comes else shelf
    newer = product if product["version"] > present["version"] else present
    stock = max(product, present, key=lambda each: int(each["stockVersion"]))
    return {**shelf, product["id"]: {**newer, **{name: stock[name] for name in STOCK_FIELDS}}}


def import_everything(seller: User, seed: int) -> None:
    """Six imports of a dozen products, each of which makes, changes, withdraws or brings back."""
    chance = random.Random(seed)
    for _ in range(6):
        rows = [
            [
                *row(number, price=f"{chance.randrange(1, 99)}.00", stock=chance.randrange(20)),
                on_sale,
            ]
            for number in range(12)
            if (on_sale := chance.choice(["yes", "yes", "no", None]))
        ]
        imported(seller, csv_file(rows, header=[*HEADER, "isActive"]))


def change_everything(server: Marketplace, seller: User, seed: int) -> None:
    """Forty changes of every kind."""
    chance = random.Random(seed)
    with rest(server, seller) as api:
        mine = [product["id"] for product in api.get("/api/products").json()["results"]
                if product["sellerId"] == seller.pk]  # fmt: skip
        for number in range(40):
            product = f"/api/products/{chance.choice(mine)}"
            kind = chance.choice(["price", "stock", "stock", "sale", "new", "delete"])
            if kind == "price":
                api.patch(product, json={"price": f"{number + 1}.00"})
            elif kind == "stock":
                api.post(f"{product}/stock", json={"change": chance.choice([-30, -1, 1, 30])})
            elif kind == "sale":
                api.patch(product, json={"isActive": chance.random() < 0.5})
            elif kind == "new":
                body = {"title": f"Bowl {number}", "price": "1.00", "currency": "EUR",
                        "kind": "goods", "stock": 9}  # fmt: skip
                mine.append(api.post("/api/products", json=body).json()["id"])
            elif len(mine) > 2:
                api.delete(product)


class Follower:
    """A visitor's client: it is cut every few events, and comes back with its cursor."""

    def __init__(self, server: Marketplace, cursor: int) -> None:
        self.events: list[dict[str, Any]] = []
        self.cuts = 0
        self._server = server
        self._cursor = cursor

    async def follow(self, until: asyncio.Future[int], chance: random.Random) -> None:
        """Listen up to the position that is told when everything was changed."""
        while not until.done() or self._cursor < until.result():
            stream = await listen(
                self._server,
                lastEventId=str(self._cursor),
                channels="catalogue,availability",
            )
            with contextlib.suppress(TimeoutError):
                for _ in range(chance.randint(2, 12)):
                    self._take(await self._next(stream))
            stream.cut()
            self.cuts += 1

    async def _next(self, stream: SseClient) -> dict[str, Any]:
        return (await stream.any_frame(1.0)).body

    def _take(self, event: dict[str, Any]) -> None:
        position = event.get("id", self._cursor)
        if event["type"] not in {"connected", "subscribed", "heartbeat"}:
            self.events.append(event)
        self._cursor = max(self._cursor, position)


def events_about(
    seller: User, events: list[dict[str, Any]], *, known: set[int]
) -> list[dict[str, Any]]:
    """Those about the seller's products: the ones that were there, and the ones that came."""
    mine = []
    for event in events:
        product = event["data"].get("product")
        told = event["data"].get("products", [product] if product else [])
        known.update(each["id"] for each in told if each["sellerId"] == seller.pk)
        if (told[0]["id"] if told else event["data"]["productId"]) in known:
            mine.append(event)
    return mine


async def test_what_was_read_and_the_events_since_are_what_is_read_afresh(
    server: Marketplace, seller: User, other_seller: User
) -> None:
    for _ in range(4):
        offer(seller, stock=40)
        offer(other_seller)
    await settled()
    before, position = shelf_of(server, seller)
    follower = Follower(server, position)
    until: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    following = asyncio.create_task(follower.follow(until, random.Random(3)))
    await asyncio.gather(
        *(in_thread(change_everything, server, seller, seed) for seed in range(3)),
        in_thread(change_everything, server, other_seller, 9),
        in_thread(import_everything, seller, 5),
    )
    until.set_result(await settled())
    await asyncio.wait_for(following, 60)
    after, _ = shelf_of(server, seller)
    mine = events_about(seller, follower.events, known=set(before))
    assert_state_law(before, mine, apply=apply, afresh=after)
    assert before != after
    assert follower.cuts > 5
