"""Two server processes beside one another: with a Redis between them, and without."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from django.db import transaction

from marketplace.accounts.models import User
from marketplace.accounts.tokens import Tokens
from products.models import Product
from realtime.models import LogHead
from tests.conftest import StartServer
from tests.realtime.things import publish_thing
from tests.streams.conftest import start_with
from tests.streams.test_logins import (
    change_password,
    deactivate_in_shell,
    log_out,
    spend_twice,
)
from tests.streams.things import (
    bearer,
    cookie,
    in_thread,
    listen,
    log_in,
    next_events,
    offer,
    process,
    rest,
    settled,
    talk,
)
from tests.support import servers
from tests.support.servers import Marketplace

Pair = tuple[Marketplace, Marketplace]


@pytest.fixture(scope="module", params=["with Redis", "without Redis"])
def pair(
    request: pytest.FixtureRequest,
    transactional_db: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Pair]:
    """Two servers as they are in production."""
    with ExitStack() as running:
        start = start_with(running, tmp_path_factory.mktemp("pair"))
        redis = running.enter_context(servers.redis()) if request.param == "with Redis" else ""
        variables = {"STREAMS_PER_USER": "100", "REDIS_URL": redis}
        yield start(**variables), start(**variables)


def has_redis(pair: Pair) -> bool:
    """Whether the two ring at each other's door."""
    return bool(pair[0].environment["REDIS_URL"])


async def test_a_change_through_one_reaches_streams_on_the_other(
    pair: Pair, seller: User, buyer: User
) -> None:
    pot = offer(seller)
    await settled()
    waits: list[float] = []
    name = f"product.{pot.pk}"
    async with (
        await listen(pair[0], buyer, channels=name) as near,
        await listen(pair[1], buyer, channels=name) as far,
        await talk(pair[1], buyer, channels=name) as talking,
    ):
        for each in (near, far, talking):
            await each.until("subscribed")
        for number in range(9):
            with rest(pair[0], seller) as api:
                began = time.monotonic()
                assert api.patch(f"/api/products/{pot.pk}", json={"price": f"{number}.10"})
            heard = await far.until("product-updated")
            waits.append(time.monotonic() - began)
            assert heard.body["data"]["product"]["price"] == f"{number}.10"
            assert (await near.until("product-updated")).raw == heard.raw
            assert (await talking.until("product-updated")) == heard.body
            # Not in step with the once-a-second look.
            await asyncio.sleep(0.13)
    waits.sort()
    kind = "with" if has_redis(pair) else "without"
    print(f"Through the other process, {kind} Redis: {waits[4] * 1000:.0f} ms, at most "
          f"{waits[-1] * 1000:.0f} ms")  # fmt: skip
    assert waits[-1] < 5
    if has_redis(pair):
        assert waits[4] < 0.7  # no look comes so early


@pytest.mark.parametrize("end", [log_out, change_password, spend_twice, deactivate_in_shell])
async def test_a_login_that_ends_on_one_ends_streams_on_the_other(
    pair: Pair, buyer: User, end: Callable[[Marketplace, User, Tokens], None]
) -> None:
    tokens = log_in(buyer)
    async with (
        await listen(pair[1], token=tokens.access) as stream,
        await talk(pair[1], token=tokens.access) as client,
    ):
        await stream.frame()
        await in_thread(end, pair[0], buyer, tokens)
        began = time.monotonic()
        assert (await stream.until("closing")).body["data"]["reason"] == "logged-out"
        assert (await client.ends())[1] == 4401
        print(f"{end.__name__}: ended on the other process {time.monotonic() - began:.2f} s later")


async def test_a_change_of_rights_on_one_moves_streams_on_the_other(
    pair: Pair, buyer: User
) -> None:
    async with await listen(pair[1], headers=cookie(buyer)) as stream:
        await stream.frame()
        present = User.objects.get(pk=buyer.pk)
        present.role = "seller"
        present.save()
        publish_thing(1, to="buyers")
        publish_thing(2, to="sellers")
        assert (await next_events(stream, 1))[0].body["data"]["number"] == 2


SHOPKEEPER = """
from marketplace.accounts.models import User
from marketplace.accounts.tokens import Tokens
from products.services import change_stock
seller = User.objects.get(pk=sys.argv[2])
for _ in range(150):
    change_stock(product_id=int(sys.argv[1]), by=seller, change=-1)
"""


async def test_both_tell_the_same_in_the_same_order_whoever_numbers(
    pair: Pair, seller: User
) -> None:
    """Three writers of one product: through each server, and in a process of its own."""
    pot = offer(seller, stock=100_000)
    await settled()
    name = f"product.{pot.pk}"

    def write(server: Marketplace) -> None:
        with rest(server, seller) as api:
            for _ in range(60):
                answer = api.post(f"/api/products/{pot.pk}/stock", json={"change": -1})
                assert answer.status_code == 200, answer.text

    async with (
        await listen(pair[0], channels=name) as one,
        await listen(pair[1], channels=name) as other,
    ):
        for each in (one, other):
            await each.until("subscribed")
        with process(SHOPKEEPER, str(pot.pk), str(seller.pk)):
            await asyncio.gather(*(in_thread(write, server) for server in pair))
        heard = await asyncio.gather(next_events(one, 270, 60), next_events(other, 270, 60))
    assert [frame.raw for frame in heard[0]] == [frame.raw for frame in heard[1]]
    versions = [frame.body["data"]["stockVersion"] for frame in heard[0]]
    assert versions == list(range(2, 272))
    assert heard[0][-1].body["data"]["stock"] == Product.objects.get(pk=pot.pk).stock


async def test_nothing_is_lost_when_one_is_killed_while_it_numbers(
    start_server: StartServer, buyer: User
) -> None:
    code = (
        "from tests.realtime.things import publish_thing\n"
        "for number in range(900): publish_thing(number, to=sys.argv[1])"
    )
    victim, survivor = start_server(), start_server()
    async with await listen(survivor, buyer) as stream:
        await stream.frame()
        with process(code, f"user.{buyer.pk}"):
            await asyncio.sleep(0.6)
            victim.process.kill()
        heard = await next_events(stream, 900, 60)
    assert [frame.body["data"]["number"] for frame in heard] == list(range(900))


DIES_AFTER_ITS_COMMIT = """
import os
from realtime import publishing
from tests.realtime.things import publish_thing
publishing.doorbell.ring = lambda: os._exit(0)
publish_thing(7, to=sys.argv[1])
raise AssertionError("It should be gone.")
"""


async def test_nothing_is_lost_when_a_process_dies_right_after_its_commit(
    pair: Pair, buyer: User
) -> None:
    """Before it can ring: each server's own look finds the event."""
    async with await listen(pair[0], buyer) as near, await listen(pair[1], buyer) as far:
        with process(DIES_AFTER_ITS_COMMIT, f"user.{buyer.pk}"):
            for stream in (near, far):
                (heard,) = await next_events(stream, 1)
                assert heard.body["data"]["number"] == 7


@pytest.mark.postgresql
async def test_a_login_waits_for_no_sequencer_that_waits_for_its_lock(
    pair: Pair, buyer: User
) -> None:
    headers = bearer(buyer)
    await settled()
    with transaction.atomic():
        LogHead.objects.select_for_update().get(id=1)
        publish_thing(2, to=f"user.{buyer.pk}")
        async with asyncio.timeout(4):  # the sequencers wait all this time
            for server in pair:
                async with await listen(server, headers=headers) as stream:
                    await stream.until("connected")
                async with await talk(server, headers=headers) as client:
                    await client.until("connected")


async def test_changes_arrive_when_the_redis_between_them_dies(
    start_server: StartServer, seller: User, buyer: User
) -> None:
    with servers.redis() as url:
        near, far = start_server(REDIS_URL=url), start_server(REDIS_URL=url)
        async with await listen(far, buyer) as stream:
            await stream.frame()
            publish_thing(0, to="all")
            await next_events(stream, 1)
    async with await listen(far, buyer) as stream:
        await stream.frame()
        for number in range(3):
            with rest(near, seller) as api:
                body = {"title": f"Bowl {number}", "price": "1.00", "currency": "EUR",
                        "kind": "goods", "stock": 9}  # fmt: skip
                began = time.monotonic()
                assert api.post("/api/products", json=body).status_code == 201
            (heard,) = await next_events(stream, 1)
            print(f"Without its Redis: {time.monotonic() - began:.2f} s")
            assert heard.body["data"]["product"]["title"] == f"Bowl {number}"


async def test_a_change_in_the_shell_arrives_soon(
    start_server: StartServer, seller: User, buyer: User
) -> None:
    """Without a Redis the once-a-second look finds it."""
    pot = offer(seller)
    server = start_server()
    await settled()
    async with await listen(server, buyer) as stream:
        await stream.frame()
        waits = []
        for number in range(1, 4):
            with process(REPRICE, str(pot.pk), str(number)):
                (heard,) = await next_events(stream, 1)
                arrived = time.time()
            saved = Product.objects.get(pk=pot.pk).updated_at.timestamp()
            waits.append(arrived - saved)
            assert heard.body["data"]["product"]["price"] == f"{number}.00"
    print("From another process, no Redis:", ", ".join(f"{wait:.2f} s" for wait in waits))
    assert max(waits) < 8


REPRICE = """
from products.models import Product
from realtime.models import LogHead
product = Product.objects.get(pk=sys.argv[1])
product.price = int(sys.argv[2])
product.save()
"""
