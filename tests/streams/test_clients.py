"""Clients that others wrote, on both servers: production's and `manage.py runserver`."""

import asyncio
import json
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from httpx_sse import aconnect_sse

from marketplace.accounts.models import User
from products.models import Product
from tests.conftest import StartServer
from tests.realtime.things import publish_thing
from tests.streams.clocks import hurried
from tests.streams.conftest import start_with
from tests.streams.things import (
    bearer,
    listen,
    log_in,
    offer,
    rest,
    settled,
    talk,
    ticket,
)
from tests.support.machine import ROOT
from tests.support.processes import end, start
from tests.support.servers import PRODUCTION, Marketplace, Program
from tests.support.streams import StreamRefused, Wire

NODE = Path(__file__).parent / "node"
RUNSERVER = Program((str(ROOT / "manage.py"), "runserver", "--noreload"), ready="CONTROL-C")


@pytest.fixture(scope="module", params=["uvicorn", "daphne"])
def either_server(
    request: pytest.FixtureRequest,
    transactional_db: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Marketplace]:
    """The production server, then the development server."""
    program = PRODUCTION if request.param == "uvicorn" else RUNSERVER
    with ExitStack() as running:
        server = start_with(running, tmp_path_factory.mktemp(request.param))(program=program)
        wait_until_it_listens(server)
        yield server


def wait_until_it_listens(server: Marketplace) -> None:
    """runserver says that it does before it does."""
    deadline = time.monotonic() + 20
    while True:
        try:
            assert httpx.get(f"{server.url}/health").status_code == 200
            return
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


class Output:
    """What a program prints, line by line, while it runs."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def lines(self) -> list[str]:
        """The whole lines so far."""
        return self._path.read_text().split("\n")[:-1]

    async def until(self, is_it: Callable[[list[str]], bool], seconds: float = 20) -> list[str]:
        """The lines, as soon as they are what is waited for."""
        try:
            async with asyncio.timeout(seconds):
                while not is_it(lines := self.lines()):
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"It printed only this:\n{self._path.read_text()}") from None
        return lines


@asynccontextmanager
async def running(folder: Path, *command: str | Path) -> AsyncIterator[Output]:
    """Run a program while the block lasts."""
    path = folder / "output"
    program = start(command, log=path)
    try:
        yield Output(path)
    finally:
        end(program)


@pytest.fixture(scope="session")
def node(pytestconfig: pytest.Config) -> Path:
    """A folder with the scripts and their packages, which are kept from one run to the next."""
    folder = Path(pytestconfig.cache.mkdir("stream-clients"))
    lock, installed = NODE / "package-lock.json", folder / "package-lock.json"
    if not installed.exists() or installed.read_bytes() != lock.read_bytes():
        for name in ("package.json", "package-lock.json"):
            shutil.copy(NODE / name, folder)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        outcome = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if outcome.returncode:
            installed.unlink()
            pytest.fail(f"npm ci failed:\n{outcome.stdout}{outcome.stderr}")
    for script in NODE.glob("*.js"):
        shutil.copy(script, folder)
    return folder


def sell(server: Marketplace, seller: User, pot: Product, change: int) -> None:
    """Change the stock over REST."""
    with rest(server, seller) as api:
        answer = api.post(f"/api/products/{pot.pk}/stock", json={"change": change})
        assert answer.status_code == 200, answer.text


# --- Both servers ---------------------------------------------------------------------------


async def test_it_serves_pages_rest_and_both_kinds_of_streams(
    either_server: Marketplace, seller: User, buyer: User
) -> None:
    pot = offer(seller)
    channel = f"product.{pot.pk}"
    for path, kind in (
        ("/", "text/html"),
        ("/login", "text/html"),
        ("/static/realtime/client.js", "text/javascript"),
        (f"/api/products/{pot.pk}", "application/json"),
        ("/api/asyncapi.json", "application/json"),
    ):
        answer = httpx.get(f"{either_server.url}{path}")
        assert answer.status_code == 200, path
        assert answer.headers["Content-Type"].startswith(kind), path
    async with (
        await listen(either_server, buyer, channels=channel) as stream,
        await talk(either_server, channels="availability") as client,
    ):
        await stream.until("subscribed")
        assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
        await client.until("subscribed")
        await client.say("subscribe", channel=channel)
        assert (await client.until("subscribed"))["data"]["state"]["stock"] == 100
        sell(either_server, seller, pot, -7)
        assert (await stream.until("availability-updated")).body["data"]["stock"] == 93
        heard = await client.until("availability-updated")
        while heard["data"]["productId"] != pot.pk:
            heard = await client.until("availability-updated")
        assert heard["data"]["stock"] == 93


async def test_it_ends_the_stream_of_a_login_that_ends(
    either_server: Marketplace, buyer: User
) -> None:
    tokens = log_in(buyer)
    async with (
        await listen(either_server, token=tokens.access) as stream,
        await talk(either_server, token=tokens.access) as client,
    ):
        await stream.frame()
        body = {"refresh": tokens.refresh}
        assert httpx.post(f"{either_server.url}/api/auth/logout", json=body).status_code == 204
        assert (await stream.until("closing")).body["data"]["reason"] == "logged-out"
        assert (await client.ends())[1] == 4401


@pytest.mark.parametrize("program", [PRODUCTION, RUNSERVER], ids=["uvicorn", "daphne"])
async def test_it_logs_no_secret_and_ends_by_ctrl_c(
    start_server: StartServer, buyer: User, program: Program
) -> None:
    server = start_server(program=program)
    wait_until_it_listens(server)
    tokens, once, spoken = log_in(buyer), ticket(server, buyer), ticket(server, buyer)
    async with await listen(server, ticket=once) as stream:
        await stream.frame()
    async with await talk(server, ticket=spoken) as client:
        await client.message()
        await client.say("authenticate", token=tokens.access)
        await client.until("authenticated")
    async with await talk(server, token=tokens.access) as client:
        await client.message()
    bad: list[dict[str, Any]] = [
        {"ticket": once},
        {"token": tokens.refresh},
        {"token": "very-secret"},
    ]
    for query in bad:
        with pytest.raises(StreamRefused):
            await listen(server, **query)
        async with await talk(server, **query) as client:
            assert (await client.ends())[1] == 4401
    async with await listen(server, token=tokens.access) as stream:
        await stream.frame()
        assert end(server.process, how=signal.SIGINT) == 0
    log = server.log.read_text()
    secrets = [tokens.access, tokens.refresh, once, spoken, "very-secret"]
    assert [secret for secret in secrets if secret in log] == []
    assert "Traceback" not in log


# --- Clients --------------------------------------------------------------------------------


async def test_curl_hears_events(
    either_server: Marketplace, buyer: User, seller: User, tmp_path: Path
) -> None:
    pot = offer(seller)
    address = f"{either_server.url}/api/webhook/events?channels=product.{pot.pk}"
    header = f"Authorization: Bearer {log_in(buyer).access}"
    async with running(tmp_path, "curl", "-siN", "-H", header, address) as curl:
        lines = await curl.until(lambda lines: "event: subscribed" in lines)
        assert lines[0].split()[1] == "200"
        first = lines.index("retry: 3000")
        assert lines[first + 1].startswith("id: ")
        assert lines[first + 2] == "event: connected"
        sell(either_server, seller, pot, -1)
        await curl.until(lambda lines: "event: availability-updated" in lines)


async def test_httpx_sse_resumes(either_server: Marketplace, buyer: User) -> None:
    start_at = await settled()
    for number in range(3):
        publish_thing(number, to=f"user.{buyer.pk}")
    await settled()
    last = str(start_at)
    numbers: list[int] = []
    async with httpx.AsyncClient(headers=bearer(buyer), timeout=20) as client:
        while len(numbers) < 3:
            address = f"{either_server.url}/api/events"
            headers = {"Last-Event-ID": last}
            async with aconnect_sse(client, "GET", address, headers=headers) as source:
                events = source.aiter_sse()
                connected = await anext(events)
                assert (connected.event, connected.id, connected.retry) == ("connected", last, 3000)
                event = await anext(events)
                last = event.id
                numbers.append(event.json()["data"]["number"])
                await events.aclose()
    assert numbers == [0, 1, 2]


async def test_ws_subscribes_and_hears_events(
    either_server: Marketplace, buyer: User, seller: User, node: Path, tmp_path: Path
) -> None:
    pot = offer(seller)
    address = either_server.url.replace("http", "ws") + "/ws/events"
    tokens = log_in(buyer)
    arguments = (node / "ws.js", address, tokens.access, f"product.{pot.pk}")
    async with running(tmp_path, "node", *arguments) as client:
        await client.until(lambda lines: any('"subscribed"' in line for line in lines))
        sell(either_server, seller, pot, -1)
        lines = await client.until(lambda lines: any("y-updated" in line for line in lines))
        assert json.loads(lines[0])["type"] == "connected"
        assert json.loads(lines[-1])["data"]["stock"] == 99
        httpx.post(f"{either_server.url}/api/auth/logout", json={"refresh": tokens.refresh})
        lines = await client.until(lambda lines: any("closed" in line for line in lines))
        assert json.loads(lines[-2])["data"]["reason"] == "logged-out"
        assert json.loads(lines[-1]) == {"type": "closed", "code": 4401}


async def test_eventsource_comes_back_and_misses_nothing(
    start_server: StartServer, buyer: User, node: Path, tmp_path: Path
) -> None:
    """Cut, and its server stopped and started: what happens meanwhile comes once."""

    def publish(*numbers: int) -> None:
        for number in numbers:
            publish_thing(number, to=f"user.{buyer.pk}")

    def heard(lines: list[str]) -> list[int]:
        events: list[dict[str, Any]] = [json.loads(line) for line in lines]
        happened = [each for each in events if each["type"] == "thing-happened"]
        assert all(each["id"] == str(each["event"]["id"]) for each in happened)
        return [each["event"]["data"]["number"] for each in happened]

    server = start_server(program=hurried())
    async with Wire() as wire:
        wire.target = server.port
        address = f"http://127.0.0.1:{wire.port}/api/webhook/events"
        types = ("connected", "thing-happened", "closing", "reset")
        arguments = (node / "eventsource.js", address, log_in(buyer).access, *types)
        async with running(tmp_path, "node", *arguments) as client:
            await client.until(lambda lines: any('"connected"' in line for line in lines))
            publish(0, 1)
            await client.until(lambda lines: heard(lines) == [0, 1])
            wire.target = 0
            await wire.cut()
            publish(2, 3)
            await settled()
            wire.target = server.port
            publish(4)
            await client.until(lambda lines: len(heard(lines)) == 5)
            assert await asyncio.to_thread(server.stop) == 0
            await client.until(lambda lines: any('"closing"' in line for line in lines))
            publish(5, 6)
            wire.target = start_server(program=hurried()).port
            publish(7)
            lines = await client.until(lambda lines: len(heard(lines)) == 8)
            assert heard(lines) == list(range(8))
            assert not any('"reset"' in line for line in lines)
