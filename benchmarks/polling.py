"""The same dashboards polled and pushed: server CPU seconds a minute.

A thousand people, sellers and buyers in turn, each with a page of orders and sellers with a page of
products: they ask for these lists every 30 s, or have a stream and ask for nothing.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import cpu
from benchmarks.cores import MEASURED, OTHERS, allow_files, on_core
from benchmarks.load import Load, Report, load
from benchmarks.product import databases
from benchmarks.report import Row, Table, percentile
from benchmarks.site import OPEN_TO_LOAD, READY, STREAMS, people, serving
from tests.support.servers import Marketplace

CLIENTS = 1_000
POLL_EVERY_SECONDS = 30.0
WARM_UP_CLIENTS = 20
# One event for each client in ten seconds: of its own, or the same one for all.
OWN = f"open,rate={CLIENTS // 10},seconds=30"
SHARED = "open,rate=0.1,seconds=50"
# What the opening has left over is done then.
SETTLE_SECONDS = 3.0


def run() -> Table:
    """Polled first, then pushed, by one server."""
    allow_files(CLIENTS)
    table = Table(f"{CLIENTS} dashboards for a minute: polled every 30 s, or an event in 10 s each")
    with (
        on_core(OTHERS),
        databases() as postgres,
        tempfile.TemporaryDirectory() as folder,
        on_core(MEASURED),
        serving(
            Path(folder), database_url=postgres.new(), settings={}, program=OPEN_TO_LOAD
        ) as server,
        on_core(OTHERS),
    ):
        shops = people(server, CLIENTS, maker="benchmarks.shops")
        print("polling", file=sys.stderr, flush=True)
        polled = asyncio.run(_poll(server, shops))
        table.rows.append(polled)
        audiences = [(f"user.{pk}", str(at)) for at, (pk, _) in enumerate(shops)]
        pushes: tuple[tuple[str, str, list[tuple[str, str]]], ...] = (
            ("pushed, each its own", OWN, audiences),
            ("pushed, one for all", SHARED, []),
        )
        for name, stage, hearers in pushes:
            print(name, file=sys.stderr, flush=True)
            report = _push(server, [token for _, token in shops], stage, hearers)
            if faults := report.faults():
                table.failures.append(f"{name}: {faults} {report.sample}")
            table.rows.append(_pushed(name, report, polled))
    return table


# --- polling --------------------------------------------------------------------------------


class Refused(Exception):
    """A list was not given."""


@dataclass
class Dashboard:
    """One client that polls, over a connection that lasts as long as the server lets it."""

    port: int
    token: str
    paths: Sequence[str]
    connections: int = 0
    answers: list[float] = field(default_factory=list)  # how long each took, in seconds
    bytes: int = 0
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def poll_at(self, moment: float) -> None:
        """Ask for everything once, at that time of the loop's clock."""
        await asyncio.sleep(moment - asyncio.get_running_loop().time())
        for path in self.paths:
            began = time.monotonic()
            await self._get(path)
            self.answers.append(time.monotonic() - began)

    async def _get(self, path: str) -> None:
        reader, writer = await self._connection()
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Authorization: Bearer {self.token}\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            raise Refused(f"{path}: {head!r}")
        length = int(head.lower().partition(b"content-length:")[2].split()[0])
        self.bytes += len(head) + len(await reader.readexactly(length))

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        # uvicorn ends one that rests for five seconds.
        if self._streams is None or self._streams[0].at_eof():
            await self.close()
            self._streams = await asyncio.open_connection("127.0.0.1", self.port)
            self.connections += 1
        return self._streams

    async def close(self) -> None:
        """Let go of the connection."""
        if self._streams is not None:
            _, writer = self._streams
            self._streams = None
            writer.close()
            await writer.wait_closed()


async def _poll(server: Marketplace, shops: Sequence[tuple[int, str]]) -> Row:
    """What it costs when each asks once in the time between two polls."""
    await poll_once(dashboards(server, shops[:WARM_UP_CLIENTS]), 1.0)
    everybody = dashboards(server, shops)
    before, began = cpu.seconds_of(server.process.pid), time.monotonic()
    await poll_once(everybody, POLL_EVERY_SECONDS)
    minutes = (time.monotonic() - began) / 60
    took = cpu.seconds_of(server.process.pid) - before
    answers = sorted(answer for each in everybody for answer in each.answers)
    return {
        "how": "polled",
        "clients": CLIENTS,
        "requests/min": len(answers) / minutes,
        "events/min": None,
        "KB/min": sum(each.bytes for each in everybody) / 1024 / minutes,
        "connections": sum(each.connections for each in everybody),
        "server CPU s/min": took / minutes,
        "÷ polled": 1.0,
        "saved %": 0.0,
        "p50 ms": percentile(answers, 0.5) * 1000,
        "p99 ms": percentile(answers, 0.99) * 1000,
    }


def dashboards(server: Marketplace, shops: Sequence[tuple[int, str]]) -> list[Dashboard]:
    """One for each of them, sellers and buyers in turn."""
    return [
        Dashboard(server.port, token, _lists_of(pk, is_seller=at % 2 == 0))
        for at, (pk, token) in enumerate(shops)
    ]


def _lists_of(pk: int, *, is_seller: bool) -> list[str]:
    return ["/api/orders", *([f"/api/products?seller={pk}"] if is_seller else [])]


async def poll_once(dashboards: Sequence[Dashboard], seconds: float) -> None:
    """Every dashboard once, evenly spread over so long."""
    began = asyncio.get_running_loop().time()
    try:
        async with asyncio.TaskGroup() as tasks:
            for number, dashboard in enumerate(dashboards):
                moment = began + number * seconds / len(dashboards)
                tasks.create_task(dashboard.poll_at(moment))
    finally:
        for dashboard in dashboards:
            await dashboard.close()


# --- pushing --------------------------------------------------------------------------------


def _push(
    server: Marketplace, tokens: Sequence[str], stage: str, audiences: Sequence[tuple[str, str]]
) -> Report:
    return load(
        Load(
            ports=[server.port],
            clients=len(tokens),
            path=STREAMS["sse"],
            ready=READY,
            tokens=tokens,
            audiences=audiences,
            pids=[server.process.pid],
            settle=SETTLE_SECONDS,
            stages=[stage],
        )
    )


def _pushed(name: str, report: Report, polled: Row) -> Row:
    stage = report.stage("open")
    minutes = stage.seconds / 60
    took = stage.server_cpu_seconds / minutes
    polling_took = polled["server CPU s/min"]
    assert isinstance(polling_took, float)
    share = took / polling_took
    return {
        "how": name,
        "clients": CLIENTS,
        "requests/min": None,
        "events/min": stage.published / minutes,
        "KB/min": stage.bytes / 1024 / minutes,
        "connections": report.connected,
        "server CPU s/min": took,
        "÷ polled": share,
        "saved %": (1 - share) * 100,
        "p50 ms": stage.latency_ms.p50,
        "p99 ms": stage.latency_ms.p99,
    }
