"""Coming back with a cursor: everything once and in order, and no gap between replay and live."""

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from subprocess import Popen

import httpx
import pytest
from django.db import transaction
from django.test import Client

from marketplace.accounts.models import User
from products.models import Product
from realtime import log, pages
from realtime.models import LogAudience
from tests.conftest import StartServer
from tests.products.test_admin import opened, page_of
from tests.realtime.things import publish_thing
from tests.streams.clocks import hurried
from tests.streams.conftest import newcomer
from tests.streams.things import (
    bearer,
    change,
    cookie,
    listen,
    next_events,
    offer,
    order,
    process,
    rest,
    run_shell,
    settled,
    talk,
)
from tests.support.servers import Marketplace
from tests.support.streams import SseClient, SseFrame

PUBLISHER = """
from tests.realtime.things import publish_thing
audience, noise, count, pause = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
for number in range(count):
    publish_thing(number, to=audience)
    if number % 3 == 0:
        publish_thing(-1, to=noise)
    time.sleep(pause)
"""


SELLER = """
from products.models import Product
end = time.monotonic() + 5
while time.monotonic() < end:
    product = Product.objects.get(pk=sys.argv[1])
    product.stock -= 1
    product.save()
"""

REPRICE = """
from products.models import Product
product = Product.objects.get(pk={})
product.price = 4
product.save()
"""


@contextmanager
def publisher(user: User, *, count: int, pause: float) -> Iterator[Popen[bytes]]:
    """Another process that announces 0, 1, 2 … to the user, and other things to nobody."""
    arguments = (f"user.{user.pk}", "user.999999999", str(count), str(pause))
    with process(PUBLISHER, *arguments) as running:
        yield running


def numbers(frames: list[SseFrame]) -> list[int]:
    """What the publisher counted."""
    return [frame.body["data"]["number"] for frame in frames]


# --- Replay and live ------------------------------------------------------------------------


async def test_it_has_no_gap_between_replay_and_live(server: Marketplace, buyer: User) -> None:
    start = await settled()
    with publisher(buyer, count=600, pause=0.003):

        async def follow(delay: float) -> list[SseFrame]:
            await asyncio.sleep(delay)
            async with await listen(server, buyer, lastEventId=str(start)) as stream:
                connected = await stream.frame()
                assert (connected.event, connected.id) == ("connected", start)
                return await next_events(stream, 600, seconds=60)

        heard = await asyncio.gather(*(follow(0.4 * n) for n in range(8)))
    for frames in heard:
        assert numbers(frames) == list(range(600))
        positions = [frame.id for frame in frames]
        assert positions == sorted(set(positions))  # type: ignore[type-var]
    assert len({tuple(frame.raw for frame in frames) for frames in heard}) == 1


class Traveller:
    """A client that is cut again and again, and comes back with the last id that it saw."""

    def __init__(self, cursor: int) -> None:
        self.cursor = cursor
        self.frames: list[SseFrame] = []
        self.cuts: list[str] = []

    async def travel(self, stream: SseClient, chance: random.Random) -> None:
        """Take some frames, or bytes in the middle of one, and cut the connection."""
        first = True
        whole_frames = chance.choice([0, 1, 2, 5, 20, 60])
        for _ in range(whole_frames):
            try:
                frame = await stream.any_frame(3)
            except TimeoutError:
                break
            assert frame.event in {"connected", "heartbeat", "thing-happened"}
            if frame.id is not None:
                assert frame.id == self.cursor if first else frame.id >= self.cursor
                self.cursor = frame.id
            first = False
            if frame.event == "thing-happened":
                self.frames.append(frame)
            elif frame.event == "heartbeat" and chance.random() < 0.7:
                break
        if whole_frames and chance.random() < 0.5:
            await stream.read_part(chance.randint(1, 300))
            self.cuts.append("middle")
        else:
            self.cuts.append(frame.event if whole_frames else "start")
        stream.cut()


async def test_it_loses_nothing_however_often_it_is_cut(
    start_server: StartServer, buyer: User
) -> None:
    server = start_server(program=hurried(heartbeat=1), STREAMS_PER_USER="1000")
    count = 1500
    headers = bearer(buyer)
    travellers = [Traveller(await settled()) for _ in range(4)]
    chance = random.Random(7)

    async def travel(traveller: Traveller) -> None:
        while len(traveller.cuts) < 60 or len(traveller.frames) < count:
            # The header wins over the query, which a page keeps for ever.
            own = {**headers, "Last-Event-ID": str(traveller.cursor)}
            stream = await listen(server, headers=own, lastEventId="0")
            await traveller.travel(stream, chance)

    with publisher(buyer, count=count, pause=0.004):
        async with asyncio.timeout(90):
            await asyncio.gather(*map(travel, travellers))
    cuts = [cut for traveller in travellers for cut in traveller.cuts]
    assert len(cuts) >= 240
    assert {"start", "middle", "connected", "heartbeat", "thing-happened"} <= set(cuts)
    for traveller in travellers:
        assert numbers(traveller.frames) == list(range(count))


async def test_it_resumes_a_websocket(server: Marketplace, buyer: User) -> None:
    cursor = start = await settled()
    count = 300
    heard: list[int] = []
    with publisher(buyer, count=count, pause=0.004):
        while len(heard) < count:
            async with await talk(server, buyer, lastEventId=str(cursor)) as client:
                connected = await client.message()
                assert connected["id"] == cursor
                for _ in range(7):
                    message = await client.message()
                    assert message["id"] > cursor
                    cursor = message["id"]
                    heard.append(message["data"]["number"])
                    if len(heard) == count:
                        break
                client.connection.transport.abort()
    assert heard == list(range(count))
    assert cursor > start


async def test_it_replays_more_than_memory_and_a_page_hold(
    server: Marketplace, buyer: User
) -> None:
    start = await settled()
    count = 2 * pages.REPLAY_PAGE + 4200
    with transaction.atomic():
        for number in range(count):
            publish_thing(number, to=f"user.{buyer.pk}" if number % 2 else "user.999999999")
    await settled()
    pot = offer(newcomer("seller"))
    async with await listen(
        server, buyer, lastEventId=str(start), channels=f"product.{pot.pk}"
    ) as stream:
        heard = await next_events(stream, count // 2, seconds=60)
        subscribed = await stream.until("subscribed")
        assert heard[-1].id is not None
        assert subscribed.body["data"]["position"] >= heard[-1].id
        publish_thing(count, to=f"user.{buyer.pk}")
        heard.append(await stream.until("thing-happened"))
    assert numbers(heard) == [*range(1, count, 2), count]


async def test_it_replays_large_events_to_a_client_that_takes_its_time(
    server: Marketplace, buyer: User
) -> None:
    """A replay waits for its reader: its size alone makes nobody a slow reader."""
    start = await settled()
    count = 350
    for number in range(count):
        publish_thing(number, to=f"user.{buyer.pk}", text="x" * 40_000)
        if number % 100 == 0:
            await settled()  # some of them are in the server's memory then
    await settled()
    async with await listen(server, buyer, lastEventId=str(start)) as stream:
        await stream.frame()
        heard: list[SseFrame] = []
        for pause in range(4):
            publish_thing(count + pause, to=f"user.{buyer.pk}")
            await asyncio.sleep(0.6)
            heard += await next_events(stream, 20)
        heard += await next_events(stream, count + 4 - len(heard), seconds=60)
    assert numbers(heard) == list(range(count + 4))


async def test_it_gives_states_that_are_not_behind_what_was_replayed(
    server: Marketplace, start_server: StartServer, seller: User
) -> None:
    pot = offer(seller, stock=100_000)
    cursor = str(await settled())
    name = f"product.{pot.pk}"
    for _ in range(20):
        change(pot, stock=Product.objects.get(pk=pot.pk).stock - 1)
    with process(SELLER, str(pot.pk)) as running:
        # It has nothing of this in its memory: what is missing comes from the log.
        later = start_server(program=hurried())

        async def follow() -> None:
            version = 1
            async with await listen(later, channels=name, lastEventId=cursor) as stream:
                await stream.until("connected")
                while (frame := await stream.frame()).event != "subscribed":
                    assert frame.body["data"]["stockVersion"] == version + 1
                    version += 1
                assert frame.body["data"]["state"]["stockVersion"] >= version

        while running.poll() is None:
            await asyncio.gather(*(follow() for _ in range(6)))


# --- Cursors that the log does not know -----------------------------------------------------


@pytest.mark.parametrize("ahead", ["1", "1000000", str(10**18), str(10**19), str(10**40)])
async def test_it_resets_a_cursor_from_the_future(
    server: Marketplace, seller: User, ahead: str
) -> None:
    pot = offer(seller)
    head = await settled()
    cursor = str(head + int(ahead))
    async with await listen(
        server, channels=f"product.{pot.pk}", headers={"Last-Event-ID": cursor}
    ) as stream:
        connected, reset, subscribed = [await stream.frame() for _ in range(3)]
        change(pot, stock=5)
        updated = await stream.frame()
    assert connected.event == "connected"
    if len(cursor) <= 18:
        assert connected.id == int(cursor)
    assert (reset.event, reset.body["data"]) == ("reset", {"reason": "cursor-unknown"})
    assert reset.id == head
    assert subscribed.body["data"]["position"] == head
    assert subscribed.body["data"]["state"]["stock"] == 100
    assert (updated.event, updated.body["data"]["stock"]) == ("availability-updated", 5)
    assert updated.id is not None
    assert updated.id > head


async def test_it_resets_a_cursor_that_is_too_old(start_server: StartServer, buyer: User) -> None:
    with transaction.atomic():
        for number in range(10):
            publish_thing(number, to=f"user.{buyer.pk}")
    first = start_server()
    head = await settled()
    first.stop()
    log.trim(before=datetime.min.replace(tzinfo=UTC), keep=5)
    assert log.read_head() == (head, head - 5)

    # It was not there when they happened, so that the log is all that it has.
    server = start_server()
    for cursor in (0, 1, head - 6):
        async with await listen(server, buyer, lastEventId=str(cursor)) as stream:
            connected, reset = await stream.frame(), await stream.frame()
            assert (connected.event, connected.id) == ("connected", cursor)
            assert (reset.event, reset.id) == ("reset", head)
            assert reset.body["data"] == {"reason": "cursor-too-old"}
    for cursor, kept in ((head - 5, [5, 6, 7, 8, 9]), (head - 1, [9]), (head, [])):
        async with await listen(server, buyer, lastEventId=str(cursor)) as stream:
            assert (await stream.frame()).id == cursor
            assert numbers(await next_events(stream, len(kept))) == kept


async def test_it_tells_a_fresh_stream_from_where_it_follows(
    server: Marketplace, buyer: User
) -> None:
    for cursor in ({}, {"lastEventId": ""}):
        head = await settled()
        async with await listen(server, buyer, **cursor) as stream:  # type: ignore[arg-type]
            assert (await stream.frame()).id == head


async def test_it_takes_the_cursor_from_the_header_first(server: Marketplace, buyer: User) -> None:
    start = await settled()
    for number in range(3):
        publish_thing(number, to=f"user.{buyer.pk}")
    head = await settled()
    header = {"Last-Event-ID": str(head - 1)}
    async with await listen(server, buyer, headers=header, lastEventId=str(start)) as stream:
        assert (await stream.frame()).id == head - 1
        assert numbers(await next_events(stream, 1)) == [2]


async def test_it_has_no_gap_behind_a_reset(server: Marketplace, buyer: User) -> None:
    """What follows a reset follows its position, however much happens at that moment."""
    headers = bearer(buyer)
    audience = f"user.{buyer.pk}"

    async def come_from_the_future(times: int) -> None:
        for _ in range(times):
            async with await listen(server, headers=headers, lastEventId=str(10**15)) as stream:
                await stream.frame()
                reset = await stream.frame()
                assert reset.event == "reset"
                publish_thing(-1, to=audience)
                (first,) = await next_events(stream, 1)
            behind = LogAudience.objects.filter(audience=audience, position__gt=reset.id)
            assert behind.order_by("position")[0].position == first.id

    with publisher(buyer, count=1500, pause=0.0):
        await asyncio.gather(*(come_from_the_future(15) for _ in range(10)))


# --- Heartbeats -----------------------------------------------------------------------------


async def test_it_moves_the_cursor_of_a_quiet_client_on(
    server: Marketplace, buyer: User, other_buyer: User
) -> None:
    """One wait of twenty seconds for everybody."""
    async with (
        await listen(server, buyer) as stream,
        await listen(server, channels="availability") as anonymous,
        await talk(server, buyer) as client,
    ):
        start = (await stream.frame()).id
        await anonymous.until("subscribed")
        await client.message()
        for number in range(5):
            publish_thing(number, to=f"user.{other_buyer.pk}")
        head = await settled()
        assert start is not None
        assert head >= start + 5
        beats = await asyncio.gather(
            stream.any_frame(40), anonymous.any_frame(40), client.until("ping", 40)
        )
        for beat in beats[:2]:
            assert beat.event == "heartbeat"  # the events of others are not even counted
            assert beat.id == beat.body["id"] == head
        assert set(beats[2]) == {"id", "type", "timestamp"}
        assert beats[2]["id"] == head
        await client.say("pong")
    async with await listen(server, buyer, lastEventId=str(head)) as stream:
        assert (await stream.frame()).id == head


# --- Where changes come from ----------------------------------------------------------------


async def test_it_pushes_changes_from_everywhere(
    server: Marketplace, seller: User, buyer: User
) -> None:
    pot = offer(seller)
    placed = order(buyer, pot)
    admin = Client()
    admin.force_login(newcomer("buyer", is_staff=True, is_superuser=True))
    await settled()
    async with await listen(server, seller, channels=f"product.{pot.pk}") as stream:
        await stream.until("subscribed")

        with rest(server, seller) as api:
            assert api.patch(f"/api/products/{pot.pk}", json={"price": "1.00"}).is_success
        assert (await stream.frame()).body["data"]["product"]["price"] == "1.00"

        at_home = {"Origin": server.url, **cookie(seller)}
        with httpx.Client(base_url=server.url, headers=at_home) as page:
            page.headers["X-CSRFToken"] = csrf = "a" * 32
            page.headers["Cookie"] += f"; csrftoken={csrf}"
            assert page.patch(f"/api/products/{pot.pk}", json={"price": "2.00"}).is_success
        assert (await stream.frame()).body["data"]["product"]["price"] == "2.00"

        values = {**opened(admin, page_of(pot)), "price": "3.00"}
        assert admin.post(page_of(pot), values).status_code == 302
        assert (await stream.frame()).body["data"]["product"]["price"] == "3.00"

        chosen = {"action": "confirm", "_selected_action": str(placed.pk)}
        assert admin.post("/admin/orders/order/", chosen).status_code == 302
        updated = await stream.frame()
        assert (updated.event, updated.body["data"]["previousStatus"]) == (
            "order-updated",
            "pending",
        )
        assert (await stream.frame()).event == "notification"

        run_shell(REPRICE.format(pot.pk))
        assert (await stream.frame()).body["data"]["product"]["price"] == "4.00"


async def test_it_pushes_nothing_that_was_rolled_back(
    server: Marketplace, seller: User, buyer: User
) -> None:
    pot, cup = offer(seller, stock=5), offer(seller, stock=1)
    await settled()
    async with await listen(server, buyer, channels=f"product.{pot.pk}") as stream:
        await stream.until("subscribed")
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            change(pot, title="Never")
            publish_thing(1, to=f"user.{buyer.pk}")
            raise ZeroDivisionError
        with rest(server, buyer) as api:
            lines = [{"productId": pot.pk, "quantity": 1}, {"productId": cup.pk, "quantity": 2}]
            assert api.post("/api/orders", json={"lines": lines}).status_code == 409
        change(pot, title="Bowl")
        told = await stream.frame()
        assert told.body["data"]["product"]["title"] == "Bowl", told
    assert Product.objects.get(pk=pot.pk).stock == 5
