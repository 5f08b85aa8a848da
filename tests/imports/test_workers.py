"""A server alone does an import, whichever server it is, and takes up what another has left."""

import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from marketplace.accounts.models import User
from products.imports import workers
from products.imports.files import ImportFiles, tidy
from products.imports.models import Import
from products.models import Product
from tests.conftest import database_url
from tests.imports.things import URL, csv_file, hand_in, row
from tests.streams.test_clients import RUNSERVER, wait_until_it_listens
from tests.streams.things import bearer
from tests.support import servers
from tests.support.servers import PRODUCTION, Program

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE_SECONDS = 30


def wait_until(is_so: Callable[[], bool]) -> None:
    """Return when it is so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("program", [PRODUCTION, RUNSERVER], ids=["uvicorn", "daphne"])
def test_a_server_alone_does_it(
    seller: User, tmp_path: Path, settings: Any, program: Program
) -> None:
    with ExitStack() as running:
        server = running.enter_context(
            servers.marketplace(
                tmp_path,
                database_url=database_url(),
                settings={"IMPORTS_DIR": str(settings.IMPORTS_ROOT)},
                program=program,
            )
        )
        wait_until_it_listens(server)
        headers = bearer(seller)
        file = {"file": ("c.csv", csv_file([row(1), row(2, price="")]))}
        answer = httpx.post(server.url + URL, files=file, headers=headers)
        assert answer.status_code == 202, answer.text
        one = f"{server.url}{URL}/{answer.json()['taskId']}"
        wait_until(lambda: httpx.get(one, headers=headers).json()["status"] == "done")
        errors = httpx.get(f"{one}/errors.csv", headers=headers)
        assert errors.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert errors.text == ("\ufeffrow,field,message\r\n3,price,It is no amount like 12.50.\r\n")
        template = httpx.get(f"{server.url}{URL}/template.csv", headers=headers)
        assert template.text.startswith("\ufeffexternalId,title,description,")
        assert server.stop() == 0
        assert "Traceback" not in server.log.read_text()
    assert Product.objects.get().title == "Product 1"


def test_it_sends_what_waits_again_and_says_when_nobody_takes_it(
    seller: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(workers, "SENT_AGAIN_SECONDS", 0.0)
    job, sent = hand_in(seller, csv_file([row(1)])), Counter[UUID]()

    def send(task_id: UUID) -> None:
        sent[task_id] += 1
        if sent[task_id] == 1:
            raise ConnectionError("The broker is away.")

    foreman = workers.Foreman(send)
    for _ in range(5):
        foreman._look()
    assert sent == {job.pk: 5}
    assert caplog.text.count("The broker is away.") == 1
    assert caplog.text.count("does a Celery worker run?") == 1


def test_it_tidies_up_what_died_at_the_end_and_nothing_else(
    seller: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("products.imports.files._YOUNG_SECONDS", -1)
    precious = settings.IMPORTS_ROOT / "precious"
    precious.mkdir(parents=True)
    over, waiting = (hand_in(seller, csv_file([row(1)])) for _ in range(2))
    Import.objects.filter(pk=over.pk).update(finished_at=over.created_at)
    tidy()
    assert not ImportFiles(over.pk).folder.exists()
    assert ImportFiles(waiting.pk).upload.exists()
    assert precious.exists()
