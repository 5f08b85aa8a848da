"""Presence through real processes: who has a conversation or an order open, and who is told."""

import asyncio
import time
from typing import Any

import pytest

from marketplace.accounts.models import User
from realtime.api import who_is_here
from securechat.services import open_session
from tests.conftest import StartServer
from tests.streams.things import in_thread, listen, offer, order, settled, talk
from tests.support.servers import Marketplace
from tests.support.streams import SseClient, WebSocketClient

Told = dict[str, Any]


async def told(stream: SseClient, state: str, *, of: set[tuple[User, str]]) -> None:
    """Return when this, and nothing else, was said of each of these users in these channels."""
    expected = {(user.pk, channel) for user, channel in of}
    heard: set[tuple[int, str]] = set()
    while heard != expected:
        frame = await stream.until("presence")
        assert frame.id is None
        place = (frame.body["data"]["userId"], frame.body["data"]["channel"])
        if place in expected:
            assert frame.body["data"]["state"] == state
            heard.add(place)


async def greeted(client: WebSocketClient, channel: str) -> tuple[Told | None, list[int]]:
    """What a channel begins with: its state, and who is there, until the client is answered."""
    state = (await client.until("subscribed"))["data"]
    assert state["channel"] == channel
    await client.say("ping")
    here = []
    while (said := await client.message())["type"] != "pong":
        assert said["type"] == "presence", said
        assert (said["data"]["channel"], said["data"]["state"]) == (channel, "here")
        here.append(said["data"]["userId"])
    return state["state"], here


@pytest.mark.parametrize("with_redis", [False, True], ids=["without Redis", "Redis"])
async def test_it_is_right_over_processes_and_after_one_was_killed(
    start_server: StartServer,
    request: pytest.FixtureRequest,
    buyer: User,
    seller: User,
    other_buyer: User,
    with_redis: bool,
) -> None:
    settings = {"REDIS_URL": request.getfixturevalue("redis_url")} if with_redis else {}
    first, second = await asyncio.gather(
        *(asyncio.to_thread(start_server, **settings) for _ in range(2))
    )
    product = offer(seller)
    session = (await in_thread(open_session, product_id=product.pk, by=buyer)).session
    placed = await in_thread(order, buyer, product)
    await settled()
    chat, deal = f"chat.{session.pk}", f"order.{placed.pk}"
    async with (
        await listen(second, seller, channels=deal) as sellers,
        await listen(second, other_buyer) as others,
        await talk(first, buyer, channels=f"{chat},{deal}") as buyers,
    ):
        both = {(buyer, chat), (buyer, deal)}
        await told(sellers, "here", of={*both, (seller, deal)})
        assert (await buyers.until("presence"))["data"]["channel"] == deal
        # Whoever comes finds who is there, as far as it is told.
        async with await talk(second, seller, channels=chat) as pane:
            assert await greeted(pane, chat) == (None, [buyer.pk])
            await pane.say("subscribe", channel=deal)
            state, here = await greeted(pane, deal)
            assert state is not None
            assert (state["id"], here) == (placed.pk, [buyer.pk, seller.pk])
        first.process.kill()
        killed_at = time.monotonic()
        await told(sellers, "away", of=both)
        print(f"\nknown to be gone {time.monotonic() - killed_at:.1f} s after the kill")
        await come_back(second, seller, buyer, sellers, deal)
        offer(seller)
        heard: list[str] = []
        while heard[-1:] != ["product-created"]:
            heard.append((await others.frame()).event)
        assert "presence" not in heard  # a stranger is told of none of it


async def come_back(
    server: Marketplace, seller: User, buyer: User, sellers: SseClient, deal: str
) -> None:
    """Whoever was cut off hears who is there now, and not who has gone meanwhile."""
    async with await talk(server, buyer, channels=deal):
        await told(sellers, "here", of={(buyer, deal)})
        sellers.cut()
        async with await listen(server, seller, channels=deal) as again:
            await told(again, "here", of={(buyer, deal)})
            again.cut()
    while buyer.pk in (await in_thread(who_is_here, [deal])).get(deal, ()):
        await asyncio.sleep(0.05)
    async with await listen(server, seller, channels=deal) as again:
        await again.until("subscribed")
        offer(seller)
        while (frame := await again.frame()).event != "product-created":
            assert frame.body["data"]["userId"] != buyer.pk
