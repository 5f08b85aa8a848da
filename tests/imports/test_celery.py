"""With a broker Celery's workers do it; what they, or Redis, lose is sent again."""

import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis import Redis

from marketplace.accounts.models import User
from products.imports.models import Import
from tests.conftest import database_url
from tests.imports.things import URL, wait_until
from tests.imports.whole import assert_is_whole, catalogue, is_over, written_rows
from tests.streams.things import rest
from tests.support import servers
from tests.support.machine import ROOT
from tests.support.processes import dying_with_parent
from tests.support.servers import Marketplace, Program

pytestmark = pytest.mark.django_db(transaction=True)

QUEUE = "marketplace-imports"
# The server in earnest, but for the time that it leaves a task to be taken up.
_SERVER = """
import django
django.setup()
from products.imports import workers
workers.SENT_AGAIN_SECONDS = 1.0
from marketplace.server import main
main()
"""
IMPATIENT = Program(("-c", _SERVER, "--host", "127.0.0.1", "--port"), ready="Serving on http://")


@contextmanager
def handing_over(folder: Path, **broker: str) -> Iterator[Marketplace]:
    """A server that hands imports over to the broker of that setting."""
    settings = {
        **broker,
        "IMPORTS_DIR": str(folder / "imports"),
        "DJANGO_SETTINGS_MODULE": "marketplace.settings",
    }
    with servers.marketplace(
        folder, database_url=database_url(), settings=settings, program=IMPATIENT
    ) as running:
        yield running


@pytest.fixture
def server(transactional_db: None, tmp_path: Path, redis_url: str) -> Iterator[Marketplace]:
    """A server with Redis."""
    with handing_over(tmp_path, REDIS_URL=redis_url) as running:
        yield running


@contextmanager
def celery_worker(server: Marketplace) -> Iterator[Callable[[], None]]:
    """A worker with the server's settings; gives what kills it, with the processes that it has."""
    command = [sys.executable, "-m", "celery", "-A", "marketplace.celery", "worker",
               "--concurrency", "1", "--loglevel", "WARNING"]  # fmt: skip
    log = server.log.with_name(f"celery-{secrets.token_hex(4)}.log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            dying_with_parent(command),
            cwd=ROOT,
            env=server.environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def kill() -> None:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    with ExitStack() as end:
        end.callback(kill)
        yield kill
    assert "Traceback" not in log.read_text()


def send(api: httpx.Client, seller: User) -> Import:
    """Hand the catalogue in."""
    answer = api.post(URL, files={"file": ("catalogue.csv", catalogue(seller))})
    return Import.objects.get(pk=answer.json()["taskId"])


def progress_heard(api: httpx.Client, job: Import, start: Callable[[], None]) -> list[Any]:
    """What a stream says of the import, from before the start to its end."""
    heard: list[Any] = []
    parameters = {"channels": f"import.{job.pk}"}
    with api.stream("GET", "/api/events", params=parameters, timeout=60) as stream:
        for line in stream.iter_lines():
            if line == "event: subscribed":
                start()
            if line.startswith("data: ") and '"type":"progress"' in line:
                heard.append(json.loads(line.removeprefix("data: ")))
                if heard[-1]["data"]["status"] != "running":
                    break
    return heard


def test_a_worker_does_it_and_tells_streams_of_the_server_how_far_it_is(
    seller: User, server: Marketplace
) -> None:
    with rest(server, seller) as api, ExitStack() as running:
        job = send(api, seller)

        def start_worker() -> None:
            running.enter_context(celery_worker(server))

        heard = progress_heard(api, job, start_worker)
        wait_until(lambda: is_over(job), "It comes to no end.")
    assert_is_whole(job, seller)
    assert {event["data"]["step"] for event in heard} >= {"validating", "writing"}
    assert all("id" not in event for event in heard[:-1])
    last = heard[-1]
    assert (last["data"]["status"], last["data"]["percent"]) == ("done", 100)
    assert "id" in last


def test_what_redis_forgets_or_a_killed_worker_leaves_is_done_by_the_next(
    seller: User, server: Marketplace, redis_url: str
) -> None:
    with rest(server, seller) as api:
        job = send(api, seller)
    with Redis.from_url(redis_url) as redis:
        wait_until(lambda: redis.llen(QUEUE) == 1, "Nothing is sent.")
        redis.flushall()
        with celery_worker(server) as kill:
            wait_until(lambda: written_rows(job) >= 500, "It is not sent again.")
            kill()
        job.refresh_from_db()
        assert (job.status, job.finished_at) == ("running", None)
        with celery_worker(server):
            wait_until(lambda: is_over(job), "Nobody goes on.")
            # It was sent more than once meanwhile.
            wait_until(lambda: redis.llen(QUEUE) == 0, "Messages are left.")
    assert_is_whole(job, seller)


def test_a_worker_does_it_with_rabbitmq_alone(seller: User, tmp_path: Path) -> None:
    with (
        servers.rabbitmq() as broker,
        handing_over(tmp_path, AMQP_URL=broker.url) as server,
        celery_worker(server),
        rest(server, seller) as api,
    ):
        job = send(api, seller)
        wait_until(lambda: is_over(job), "It comes to no end.")
        assert "WARNING" not in server.log.read_text()
    assert_is_whole(job, seller)
