"""Presence through real processes: who has a conversation open, and who is told."""

import asyncio
import time

import pytest

from marketplace.accounts.models import User
from securechat.services import open_session
from tests.conftest import StartServer
from tests.streams.things import in_thread, listen, offer, talk


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
    session = (await in_thread(open_session, product_id=offer(seller).pk, by=buyer)).session
    channel = f"chat.{session.pk}"
    async with (
        await listen(second, seller) as sellers,
        await listen(second, other_buyer) as others,
        await talk(first, buyer, channels=channel),
    ):
        told = await sellers.until("presence")
        assert told.id is None
        assert told.body["data"] == {"channel": channel, "userId": buyer.pk, "state": "here"}
        # Whoever comes finds who is there.
        async with await talk(second, seller, channels=channel) as pane:
            while (said := await pane.message())["type"] != "subscribed":
                pass
            assert buyer.pk in said["data"]["state"]["here"]
        first.process.kill()
        killed_at = time.monotonic()
        while (told := await sellers.until("presence")).body["data"]["userId"] != buyer.pk:
            pass
        assert told.body["data"]["state"] == "away"
        print(f"\nknown to be gone {time.monotonic() - killed_at:.1f} s after the kill")
        offer(seller)
        heard: list[str] = []
        while heard[-1:] != ["product-created"]:
            heard.append((await others.frame()).event)
        assert "presence" not in heard  # a stranger is told of none of it
