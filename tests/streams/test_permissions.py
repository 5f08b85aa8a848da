"""Who hears what: every event, live and at replay (contract §6).

Who may hear which channel stands in test_channel_rights.py.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from marketplace.accounts.models import User
from orders.models import Order
from orders.services import transition_order
from products.models import Product
from tests.realtime.things import publish_thing
from tests.streams.things import bearer, change, listen, next_events, offer, order, settled, talk
from tests.support.servers import Marketplace
from tests.support.streams import SseClient, SseFrame

People = dict[str, User | None]


@pytest.fixture
def people(seller: User, other_seller: User, buyer: User, other_buyer: User, staff: User) -> People:
    return {
        "seller": seller,
        "buyer": buyer,
        "staff": staff,
        "other seller": other_seller,
        "other buyer": other_buyer,
        "nobody": None,
    }


async def test_it_gives_everybody_their_own_channels(server: Marketplace, people: People) -> None:
    for who, user in people.items():
        if user is None:
            continue
        role = "sellers" if "seller" in who else "buyers"
        own = ["all", "catalogue", role, f"user.{user.pk}", *(["staff"] if who == "staff" else [])]
        async with await listen(server, user) as stream:
            assert (await stream.frame()).body["data"]["channels"] == own
        async with await talk(server, user) as client:
            assert (await client.message())["data"]["channels"] == own


# --- Who hears what -------------------------------------------------------------------------

# Listeners by name: as whom, and with which channels on request.
LISTENERS = {
    "seller": ("seller", []),
    "seller with all": ("seller", ["catalogue", "availability", "product.shown", "order.placed"]),
    "seller with hidden": ("seller", ["product.hidden"]),
    "buyer": ("buyer", []),
    "buyer with order": ("buyer", ["order.placed", "product.shown"]),
    "staff": ("staff", []),
    "staff with all": ("staff", ["availability", "product.hidden", "order.placed"]),
    "other seller": ("other seller", []),
    "other buyer": ("other buyer", []),
    "other buyer with board": ("other buyer", ["availability"]),
    "visitor": (None, ["catalogue"]),
    "board": (None, ["availability"]),
    "reader": (None, ["product.shown"]),
    "reader of another": (None, ["product.spare"]),
}
SELLERS = {"seller", "seller with all", "seller with hidden"}
BUYERS = {"buyer", "buyer with order"}
STAFF = {"staff", "staff with all"}
ALL = SELLERS | BUYERS | STAFF | {"other seller", "other buyer", "other buyer with board"}
CATALOGUE = ALL | {"visitor"}
BOARD = {"board", "other buyer with board"}
# Whoever asked for the channel of the shown product.
READERS = {"reader", "seller with all", "buyer with order"}


@dataclass
class Story:
    """What happens, in which order, and to whom it is told."""

    seller: User
    buyer: User
    shown: Product
    hidden: Product
    spare: Product
    placed: Order

    def tell(self) -> list[tuple[str, int, set[str]]]:
        """Let it happen; gives type, object and listeners of every event that must come."""
        shown, hidden, spare, placed = self.shown.pk, self.hidden.pk, self.spare.pk, self.placed.pk
        new = offer(self.seller).pk
        secret = offer(self.seller, is_active=False).pk
        change(self.shown, price=9)
        change(self.shown, stock=50)
        change(self.shown, stock=4)
        bought = order(self.buyer, self.shown).pk
        take_step(self.placed, self.seller, Order.Status.CONFIRMED)
        take_step(self.placed, self.seller, Order.Status.CANCELLED)
        change(self.hidden, price=9)
        change(self.hidden, stock=4)
        change(self.shown, is_active=False)
        change(self.shown, stock=70)
        change(self.shown, is_active=True)
        change(self.spare, price=9)
        circle = SELLERS | STAFF
        available = circle | BOARD | READERS
        return [
            ("product-created", new, CATALOGUE),
            ("product-created", secret, circle),
            ("product-updated", shown, CATALOGUE | READERS),
            ("availability-updated", shown, available),
            ("availability-updated", shown, available),
            ("availability-low", shown, available | ALL),
            ("notification", shown, SELLERS),
            ("availability-updated", shown, available),
            ("order-created", bought, circle | BUYERS),
            ("notification", bought, SELLERS),
            ("order-updated", placed, circle | BUYERS),
            ("notification", placed, BUYERS),
            ("availability-updated", shown, available),
            ("order-updated", placed, circle | BUYERS),
            ("notification", placed, BUYERS),
            ("product-updated", hidden, circle),
            ("availability-updated", hidden, circle),
            ("availability-low", hidden, circle),
            ("notification", hidden, SELLERS),
            ("product-deleted", shown, CATALOGUE | READERS),
            ("product-updated", shown, circle),
            ("availability-updated", shown, circle),
            ("product-created", shown, CATALOGUE),
            ("product-updated", spare, CATALOGUE | {"reader of another"}),
        ]


def take_step(placed: Order, by: User, to: Order.Status) -> None:
    """Announce the order's next step."""
    transition_order(order_id=placed.pk, to=to, by=by)


def fact(frame: SseFrame) -> tuple[str, int]:
    """The type of an event, and the product or order that it is about."""
    data = frame.body["data"]
    if frame.event == "notification":
        return frame.event, int(data["url"].rpartition("/")[2])
    about = data.get("product") or data.get("order") or {"id": data.get("productId")}
    return frame.event, about["id"]


async def heard_until(stream: SseClient, last: int) -> list[SseFrame]:
    """The stored events before the one at that position, which every listener hears."""
    frames: list[SseFrame] = []
    while not frames or frames[-1].id != last:
        frames += await next_events(stream, 1)
    return frames[:-1]


async def test_it_tells_everybody_what_they_may_hear_once_live_and_at_replay(
    server: Marketplace, people: People, seller: User, buyer: User
) -> None:
    shown, hidden, spare = offer(seller), offer(seller, is_active=False), offer(seller)
    story = Story(seller, buyer, shown, hidden, spare, order(buyer, shown))
    names = {
        "product.shown": f"product.{shown.pk}",
        "product.hidden": f"product.{hidden.pk}",
        "product.spare": f"product.{spare.pk}",
        "order.placed": f"order.{story.placed.pk}",
    }

    async def open_all(**query: Any) -> list[SseClient]:
        streams = []
        for who, asked in LISTENERS.values():
            user = people[who] if who else None
            channels = ",".join(names.get(name, name) for name in asked)
            streams.append(await listen(server, user, channels=channels, **query))
        return streams

    async def heard_by(streams: list[SseClient]) -> list[list[SseFrame]]:
        frames = await asyncio.gather(*(heard_until(stream, end) for stream in streams))
        for stream in streams:
            await stream.close()
        return frames

    start = await settled()
    live = await open_all()
    for stream in live:
        await stream.until("connected")
    told = story.tell()
    publish_thing(0, to=f"all catalogue availability product.{shown.pk} product.{spare.pk}")
    end = await settled()
    heard_live = await heard_by(live)
    for listener, frames in zip(LISTENERS, heard_live, strict=True):
        expected = [(type_name, about) for type_name, about, to in told if listener in to]
        assert [fact(frame) for frame in frames] == expected, listener

    heard_again = await heard_by(await open_all(lastEventId=str(start)))
    for before, after in zip(heard_live, heard_again, strict=True):
        assert [frame.raw for frame in before] == [frame.raw for frame in after]


async def test_it_tells_of_deletions(
    server: Marketplace, seller: User, other_seller: User, buyer: User
) -> None:
    shown, hidden, bought = offer(seller), offer(seller, is_active=False), offer(seller)
    order(buyer, bought)
    start = await settled()
    async with (
        await listen(server, seller) as own,
        await listen(server, other_seller) as other,
        await listen(server, channels=f"product.{shown.pk}") as reader,
    ):
        for product in (hidden, shown, bought):
            Product.objects.get(pk=product.pk).delete()
        gone = ("product-deleted", shown.pk), ("product-deleted", bought.pk)
        # The one with an order is off sale, and its seller hears how it stands.
        still_there = ("product-updated", bought.pk)
        heard = [fact(frame) for frame in await next_events(own, 4)]
        assert heard == [("product-deleted", hidden.pk), *gone, still_there]
        assert [fact(frame) for frame in await next_events(other, 2)] == [*gone]
        assert fact(await reader.until("product-deleted")) == gone[0]
    assert not Product.objects.get(pk=bought.pk).is_active
    async with await listen(server, other_seller, lastEventId=str(start)) as again:
        assert [fact(frame) for frame in await next_events(again, 2)] == [*gone]


async def test_it_asks_again_who_listens_when_it_replays(
    server: Marketplace, staff: User, seller: User, buyer: User
) -> None:
    start = await settled()
    order(buyer, offer(seller))
    await settled()
    headers = bearer(staff)
    for is_staff, expected in (
        (True, ["product-created", "availability-updated", "order-created"]),
        (False, ["product-created"]),
    ):
        staff.is_staff = is_staff
        staff.save()
        publish_thing(0, to=f"user.{staff.pk}")
        await settled()
        heard = []
        async with await listen(server, headers=headers, lastEventId=str(start)) as stream:
            while "thing-happened" not in heard:
                heard += [frame.event for frame in await next_events(stream, 1)]
        assert heard[:-1] == expected
