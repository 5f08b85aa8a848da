"""Who works on it may be killed at any moment: the next ends with exactly the rows of the file."""

import os
import signal
import subprocess
import sys
from uuid import UUID

import pytest
from django.conf import settings
from django.utils import timezone

from marketplace.accounts.models import User
from products.imports.models import Import
from tests.conftest import StartServer, database_url
from tests.imports.things import URL, hand_in, wait_until
from tests.imports.whole import GOOD, ROWS, assert_is_whole, catalogue, is_over, written_rows
from tests.streams.things import rest
from tests.support.machine import ROOT
from tests.support.processes import dying_with_parent

pytestmark = pytest.mark.django_db(transaction=True)

CHECK, WRITE = "products.imports.steps.keep_complaints", "products.imports.writing.keep_complaints"
# Where each worker dies, in whose stead the next one goes on, and what is there then: the step, and
# how many rows were written. All but the last die in the middle of a transaction.
DEATHS = [
    ((CHECK, 3, "at-once"), "validating", 0),
    ((WRITE, 2, "at-once"), "writing", 250),
    ((WRITE, 5, "at-once"), "writing", 1250),
    ((WRITE, 6, "owed"), "writing", 2500),
    (("products.imports.announcing.product_data", 120, "owed"), "publishing", GOOD),
    (("products.imports.running.end_import", 1, "owed"), "publishing", GOOD),
]


def work_in_process(task_id: UUID, *death: object) -> int:
    """Have a worker work on the import until its end, or its death; its exit code."""
    command = [sys.executable, "-m", "tests.imports.worker", str(task_id), *map(str, death)]
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "marketplace.settings",
        "DATABASE_URL": database_url(),
        "IMPORTS_DIR": str(settings.IMPORTS_ROOT),
    }
    return subprocess.run(
        dying_with_parent(command), cwd=ROOT, env=environment, timeout=120, check=False
    ).returncode


def test_each_goes_on_behind_the_one_that_was_killed_before(seller: User) -> None:
    job = hand_in(seller, catalogue(seller))
    for death, step, written in DEATHS:
        assert work_in_process(job.pk, *death) == -signal.SIGKILL
        job.refresh_from_db()
        assert (job.status, job.step, job.written_rows) == ("running", step, written)
        assert job.held_until is not None
        # As if five seconds had passed.
        Import.objects.filter(pk=job.pk).update(held_until=timezone.now())
    assert work_in_process(job.pk) == 0
    assert_is_whole(job, seller)


def test_another_server_takes_over_from_one_that_was_killed(
    seller: User, start_server: StartServer
) -> None:
    doomed = start_server()
    with rest(doomed, seller) as api:
        sent = api.post(URL, files={"file": ("catalogue.csv", catalogue(seller))})
    job = Import.objects.get(pk=sent.json()["taskId"])
    wait_until(lambda: written_rows(job) >= ROWS // 5, "Nobody begins.")
    doomed.process.kill()
    doomed.process.wait()
    job.refresh_from_db()
    assert (job.status, job.step, job.finished_at) == ("running", "writing", None)

    start_server()
    wait_until(lambda: is_over(job), "Nobody goes on.")
    assert_is_whole(job, seller)
