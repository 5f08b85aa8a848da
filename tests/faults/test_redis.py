"""Redis is a doorbell: without it everything arrives all the same, and with it at once again."""

import asyncio
import signal
import subprocess

import httpx
import pytest

from marketplace.accounts.models import User
from products.models import Product
from realtime.models import ProcessLease
from tests.conftest import StartServer
from tests.faults.services import Service
from tests.streams.things import bearer, listen, offer
from tests.support.servers import Marketplace
from tests.support.streams import SseClient

Pair = tuple[Marketplace, Marketplace]
# Later than the look that comes each second: that event came by nothing.
LATE_SECONDS = 30


@pytest.fixture
def pair(start_server: StartServer, redis: Service) -> Pair:
    """Two servers with a Redis between them."""
    url = f"redis://127.0.0.1:{redis.port}/0"
    return start_server(REDIS_URL=url), start_server(REDIS_URL=url)


class Shop:
    """Changes one product through one server, and listens on the other."""

    def __init__(self, near: Marketplace, far: Marketplace, seller: User, pot: Product) -> None:
        self._api = httpx.AsyncClient(base_url=near.url, headers=bearer(seller), timeout=10)
        self._far = far
        self._pot = pot
        self.stream: SseClient | None = None

    async def __aenter__(self) -> "Shop":
        self.stream = await listen(self._far, channels=f"product.{self._pot.pk}")
        await self.stream.until("subscribed")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self.stream is not None
        await self.stream.close()
        await self._api.aclose()

    async def change(self) -> None:
        """One change, which is neither refused nor held up, and arrives."""
        assert self.stream is not None
        path = f"/api/products/{self._pot.pk}/stock"
        answer = await self._api.post(path, json={"change": 1})
        assert answer.status_code == 200, answer.text
        heard = await self.stream.until("availability-updated", LATE_SECONDS)
        assert heard.body["data"]["stockVersion"] == answer.json()["stockVersion"]


@pytest.fixture
async def shop(pair: Pair, seller: User) -> Shop:
    """A shop whose product is known to both servers."""
    return Shop(*pair, seller, offer(seller))


def tally(server: Marketplace, name: str) -> int:
    """What the process counted, as of its last lease."""
    lease = ProcessLease.objects.get(name__endswith=f":{server.process.pid}")
    return int(lease.tallies[name])


async def until_doorbells_ring(shop: Shop, far: Marketplace) -> None:
    """Change until five changes in a row needed no look into the log."""
    async with asyncio.timeout(60):
        while True:
            await asyncio.sleep(1.2)
            before = tally(far, "gaps_healed")
            for _ in range(5):
                await shop.change()
            await asyncio.sleep(1.2)
            if tally(far, "gaps_healed") == before:
                return


async def test_it_rings_again_when_its_redis_was_restarted(
    pair: Pair, shop: Shop, redis: Service
) -> None:
    async with shop:
        await until_doorbells_ring(shop, pair[1])
        for _ in range(2):
            redis.kill()
            for _ in range(3):
                await shop.change()
            redis.start()
            await until_doorbells_ring(shop, pair[1])
    for server in pair:
        assert tally(server, "hub_errors") == tally(server, "sequencer_errors") == 0


async def test_it_waits_for_no_redis_that_is_frozen(pair: Pair, shop: Shop, redis: Service) -> None:
    assert redis.process is not None
    async with shop:
        await until_doorbells_ring(shop, pair[1])
        redis.process.send_signal(signal.SIGSTOP)
        try:
            for _ in range(6):
                await shop.change()
        finally:
            redis.process.send_signal(signal.SIGCONT)
        await until_doorbells_ring(shop, pair[1])
    for server in pair:
        assert tally(server, "hub_errors") == tally(server, "sequencer_errors") == 0


async def test_it_hears_again_when_its_connections_were_cut(
    pair: Pair, shop: Shop, redis: Service
) -> None:
    async with shop:
        await until_doorbells_ring(shop, pair[1])
        for kind in ("pubsub", "normal"):
            kill = ["redis-cli", "-p", str(redis.port), "CLIENT", "KILL", "TYPE", kind]
            await asyncio.to_thread(subprocess.run, kill, check=True, capture_output=True)
            for _ in range(3):
                await shop.change()
        await until_doorbells_ring(shop, pair[1])
