"""How far an import is: told to its owner and staff, not too often, and in the end for good."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import pairwise
from threading import Event
from time import monotonic
from typing import Any

import httpx
import pytest

from marketplace.accounts.models import User
from products.imports import reporting
from products.imports.holding import Hold
from products.imports.models import Import
from tests.imports.things import URL, csv_file, hand_in, row
from tests.streams.things import rest
from tests.support.servers import Marketplace

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = 4_000
STEPS = [None, "reading", "validating", "writing", "publishing"]

Told = dict[str, Any]


@contextmanager
def listening(api: httpx.Client, **parameters: str) -> Iterator[Iterator[Told]]:
    """What a stream says, event by event."""

    def events(answer: httpx.Response) -> Iterator[Told]:
        for line in answer.iter_lines():
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))

    with api.stream("GET", "/api/events", params=parameters, timeout=60) as answer:
        assert answer.status_code == 200
        yield events(answer)


def first(events: Iterator[Told], type_name: str) -> Told:
    """The next event of that type."""
    return next(event for event in events if event["type"] == type_name)


def progress_to_the_end(events: Iterator[Told]) -> list[Told]:
    """What is told of the import until it is over."""
    told: list[Told] = []
    while not told or told[-1]["data"]["status"] in {"queued", "running"}:
        told.append(first(events, "progress"))
    return told


def send(api: httpx.Client) -> str:
    """Hand a catalogue in."""
    content = csv_file(row(number) for number in range(ROWS))
    answer = api.post(URL, files={"file": ("catalogue.csv", content)})
    return str(answer.json()["taskId"])


def test_it_is_told_at_most_ten_times_a_second_and_stored_at_the_end(
    seller: User, staff: User, other_seller: User, live_server_process: Marketplace
) -> None:
    server = live_server_process
    with rest(server, seller) as api, rest(server, staff) as office:
        with listening(api) as events:
            start = first(events, "connected")["id"]
            task_id = send(api)
            channel = f"import.{task_id}"
            with listening(office, channels=channel) as watched:
                told, seen = progress_to_the_end(events), progress_to_the_end(watched)

        assert {event["data"]["taskId"] for event in told} == {task_id}
        moments = [datetime.fromisoformat(event["timestamp"]) for event in told]
        assert moments == sorted(moments)
        too_fast = [
            after - before
            for before, after in zip(moments, moments[10:], strict=False)
            if after - before < timedelta(seconds=1)
        ]
        assert not too_fast
        places = [(STEPS.index(e["data"]["step"]), e["data"]["current"]) for e in told]
        assert all(before <= after for before, after in pairwise(places))
        assert len({event["data"]["step"] for event in told}) >= 3
        assert all("id" not in event for event in told[:-1])
        end = told[-1]
        assert end == seen[-1]
        assert end["data"] == {
            "taskId": task_id,
            "status": "done",
            "step": "publishing",
            "current": ROWS,
            "total": ROWS,
            "percent": 100,
        }

        # Who was away hears the last one alone, and the present state with the channel.
        with listening(office, channels=channel, lastEventId=str(start)) as events:
            subscribed = first(events, "subscribed")["data"]
            replayed = subscribed["position"]
            assert subscribed["state"] == api.get(f"{URL}/{task_id}").json()
        with listening(api, lastEventId=str(start)) as events:
            assert progress_to_the_end(events) == [end]
        assert replayed >= end["id"]

    with rest(server, other_seller) as stranger:
        refused = stranger.get("/api/events", params={"channels": channel})
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (403, "forbidden")
        with listening(stranger, lastEventId=str(start), channels="catalogue") as events:
            heard = [first(events, "products-imported") for _ in range(ROWS // 50)]
    assert sum(len(event["data"]["products"]) for event in heard) == ROWS


def test_steps_that_follow_one_another_at_once_are_told_no_oftener(
    seller: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[float] = []
    monkeypatch.setattr(reporting, "publish_ephemeral", lambda *_, **__: told.append(monotonic()))
    hold = Hold.take(hand_in(seller, csv_file([row(1)])).pk, stop=Event())
    assert hold is not None
    report = reporting.Reporter(hold)
    while len(told) < 20:
        for step in Import.Step:
            report.begin(step, total=2)
            report.move(1)
    # The last one of all, which no Reporter tells, is told besides.
    assert all(after - before >= 1 for before, after in zip(told, told[8:], strict=False))
