"""Health, readiness and statistics, of one process and of several (contract §9)."""

import asyncio
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from django.db import connection

from marketplace.accounts.models import User
from realtime.models import ProcessLease
from tests.conftest import StartServer, database_url
from tests.realtime.things import publish_thing
from tests.streams.clocks import hurried
from tests.streams.things import bearer, listen, next_events, settled, talk
from tests.support import servers
from tests.support.servers import Marketplace
from tests.support.streams import StreamRefused


def get(server: Marketplace, path: str, user: User | None = None) -> httpx.Response:
    """The answer to a request."""
    return httpx.get(f"{server.url}{path}", headers=bearer(user) if user else {}, timeout=30)


async def until(is_it: Any, seconds: float = 15) -> float:
    """Wait until a question is answered with yes; gives the seconds that it took."""
    began = time.monotonic()
    while not is_it():
        assert time.monotonic() - began < seconds
        await asyncio.sleep(0.05)
    return time.monotonic() - began


# --- Health ---------------------------------------------------------------------------------


async def test_it_reports_its_health(server: Marketplace, buyer: User) -> None:
    before = get(server, "/health").json()["connectedClients"]
    async with await listen(server, buyer), await talk(server, channels="catalogue") as client:
        await client.message()
        answer = get(server, "/health")
    assert answer.status_code == 200
    health = answer.json()
    assert set(health) == {"status", "service", "connectedClients", "timestamp", "checks"}
    assert (health["status"], health["service"]) == ("ok", "marketplace")
    assert health["connectedClients"] == before + 2
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", health["timestamp"])
    assert health["checks"] == {"database": "ok", "channelLayer": "in-memory"}
    for path in ("/health/live", "/health/ready"):
        answer = get(server, path)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_it_is_healthy_without_its_redis(start_server: StartServer, seller: User) -> None:
    with servers.redis() as url:
        server = start_server(REDIS_URL=url)
        assert get(server, "/health").json()["checks"]["channelLayer"] == "ok"
    answer = get(server, "/health")
    assert answer.status_code == 200
    assert answer.json()["checks"] == {"database": "ok", "channelLayer": "unavailable"}
    assert get(server, "/health/ready").status_code == 200
    async with await listen(server, seller) as stream:
        await stream.frame()
        publish_thing(7, to=f"user.{seller.pk}")
        assert (await next_events(stream, 1))[0].body["data"]["number"] == 7


DOOMED = "loses-its-database"


@contextmanager
def own_database(start_server: StartServer, folder: Path) -> Iterator[tuple[Marketplace, Any]]:
    """A server, and a context manager that takes its database away for a while."""
    if connection.vendor == "sqlite":
        path = folder / "own.sqlite3"
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(path)])
        yield start_server(program=hurried(), DATABASE_URL=f"sqlite:///{path}"), without_file(path)
    else:
        own = f"{database_url()}?application_name={DOOMED}"
        yield start_server(program=hurried(), DATABASE_URL=own), without_connections()


@contextmanager
def without_file(path: Path) -> Iterator[None]:
    """Put a folder in the place of a database that is a file."""
    path.rename(path.with_suffix(".away"))
    path.mkdir()
    yield
    path.rmdir()
    path.with_suffix(".away").rename(path)


@contextmanager
def without_connections() -> Iterator[None]:
    """End the server's connections to the database, and allow no new ones."""
    name = connection.settings_dict["NAME"]
    with psycopg.connect(os.environ["TEST_POSTGRES_URL"], autocommit=True) as administration:
        administration.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'.encode())
        try:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = %s",
                    [DOOMED],
                )
            yield
        finally:
            administration.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'.encode())


async def test_it_says_so_when_its_database_is_gone_and_comes_back_to_life(
    start_server: StartServer, tmp_path: Path
) -> None:
    with own_database(start_server, tmp_path) as (server, taken_away):
        async with await listen(server, channels="catalogue") as open_before:
            await open_before.until("subscribed")
            with taken_away:
                health = get(server, "/health")
                assert health.status_code == 503
                assert health.json()["status"] == "unavailable"
                assert health.json()["checks"]["database"] == "unavailable"
                assert get(server, "/health/ready").status_code == 503
                assert get(server, "/health/live").status_code == 200
                if connection.vendor == "postgresql":  # SQLite's open files are still there
                    with pytest.raises(StreamRefused) as refused:
                        await listen(server, channels=f"product.{10**6}")
                    assert refused.value.status == 503
                    assert int(refused.value.headers["retry-after"]) > 0
            await until(lambda: get(server, "/health/ready").status_code == 200)
            assert get(server, "/health").json()["status"] == "ok"
            if connection.vendor == "postgresql":
                publish_thing(7, to="catalogue")
                assert (await next_events(open_before, 1))[0].body["data"]["number"] == 7
                assert not (await listen_once(server)).endswith("closing")


async def listen_once(server: Marketplace) -> str:
    """The type of the first frame of a new stream."""
    async with await listen(server, channels="catalogue") as stream:
        return (await stream.frame()).event


# --- Statistics -----------------------------------------------------------------------------


def stats(server: Marketplace, staff: User) -> tuple[dict[int, int], int]:
    """Streams by user, and in all."""
    answer = get(server, "/api/webhook/stats", staff)
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"success", "data"}
    assert body["success"] is True
    data = body["data"]
    assert set(data) == {"totalUsers", "totalConnections", "users"}
    assert data["totalUsers"] == len(data["users"])
    users = {user["userId"]: user["connections"] for user in data["users"]}
    return users, data["totalConnections"]


async def test_it_shows_statistics_to_staff_alone(
    server: Marketplace, staff: User, buyer: User, seller: User
) -> None:
    assert get(server, "/api/webhook/stats").status_code == 401
    for user in (buyer, seller):
        answer = get(server, "/api/webhook/stats", user)
        assert answer.status_code == 403
        assert answer.json()["errors"][0]["code"] == "permission_denied"
    before = stats(server, staff)[1]
    async with (
        await listen(server, buyer),
        await talk(server, buyer),
        await listen(server, seller),
        await listen(server, channels="catalogue"),
    ):
        users, total = stats(server, staff)
        assert (users[buyer.pk], users[seller.pk], total) == (2, 1, before + 4)
    await until(lambda: buyer.pk not in stats(server, staff)[0])


async def opens(server: Marketplace, user: User) -> bool:
    """Whether the user may have one more stream."""
    try:
        async with await listen(server, user):
            return True
    except StreamRefused as refused:
        return refused.status != 429


async def test_it_sums_over_all_processes_and_forgets_those_that_died(
    start_server: StartServer, staff: User, buyer: User, seller: User
) -> None:
    first, second = start_server(STREAMS_PER_USER="3"), start_server(STREAMS_PER_USER="3")
    streams = [await listen(first, buyer) for _ in range(2)]
    streams += [await listen(second, buyer), await listen(second, seller)]
    for server in (first, second):
        await until(lambda: stats(server, staff)[0] == {buyer.pk: 3, seller.pk: 1})  # noqa: B023
        assert stats(server, staff)[1] == get(server, "/health").json()["connectedClients"] == 4
        # The limit counts over all processes, too; each reads the others' counts once a second.
        async with asyncio.timeout(5):
            while await opens(server, buyer):
                await asyncio.sleep(0.1)

    first.process.kill()
    first.process.wait()
    took = await until(lambda: stats(second, staff)[0] == {buyer.pk: 1, seller.pk: 1})
    print(f"The counts of a killed process were gone after {took:.1f} s")

    async with asyncio.timeout(10):
        while not await opens(second, buyer):
            await asyncio.sleep(0.1)
    for stream in streams:
        stream.cut()


async def test_it_gives_its_counts_back_when_it_stops(
    start_server: StartServer, staff: User, buyer: User
) -> None:
    first, second = start_server(), start_server()
    async with await listen(first, buyer) as stream:
        await until(lambda: buyer.pk in stats(second, staff)[0])
        assert await asyncio.to_thread(first.stop) == 0
        await stream.until("closing")
    # It did not leave them to the end of its lease.
    assert not ProcessLease.objects.filter(by_user__has_key=str(buyer.pk)).exists()
    await until(lambda: buyer.pk not in stats(second, staff)[0])
    await settled()
