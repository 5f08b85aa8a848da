"""What is true for a moment: told when it is committed, to those who listen now."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest
from django.db import transaction
from django.test import override_settings
from django.utils import timezone

from realtime import ephemeral
from realtime import station as stations
from realtime.api import publish_ephemeral
from realtime.connection import Frame
from realtime.database import DatabaseThreads
from realtime.ephemeral import Ephemeral, Finder
from realtime.listeners import Credentials
from realtime.models import EphemeralEvent, OutboxEvent
from realtime.rights import StreamRequest
from tests.realtime.things import Misdirected, ThingHappened

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def told() -> Iterator[list[str]]:
    """What this process's outlets are told."""
    texts: list[str] = []

    def outlet(moment: Ephemeral) -> None:
        texts.append(moment.text)

    ephemeral.register_outlet(outlet)
    yield texts
    ephemeral.unregister_outlet(outlet)
    ephemeral.unregister_outlet(outlet)


def test_it_is_told_on_commit_and_stored_in_no_log(told: list[str]) -> None:
    with transaction.atomic():
        publish_ephemeral(ThingHappened(number=1))
        assert told == []
    publish_ephemeral(ThingHappened(number=2))
    numbers = [json.loads(text)["data"]["number"] for text in told]
    assert numbers == [1, 2]
    assert "id" not in json.loads(told[0])
    assert not OutboxEvent.objects.exists()


def test_it_is_not_told_of_what_was_rolled_back(told: list[str]) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        publish_ephemeral(ThingHappened(number=1))
        raise ZeroDivisionError
    assert told == []
    assert not EphemeralEvent.objects.exists()


def test_it_refuses_what_could_not_be_published_either() -> None:
    with pytest.raises(ValueError, match="no channel name"):
        publish_ephemeral(Misdirected(number=1, to="no channel"))
    publish_ephemeral(ThingHappened(number=1, text="é" * 8_000), key="x" * 100)
    for text, key in (("é" * 8_192, ""), ("", "x" * 101)):
        with pytest.raises(ValueError, match="too large"):
            publish_ephemeral(ThingHappened(number=1, text=text), key=key)


def leave(monkeypatch: pytest.MonkeyPatch, number: int, key: str = "") -> None:
    """Have another process publish without a Redis."""
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(ephemeral, "_OURS", "00000000-0000-4000-8000-000000000000")
        publish_ephemeral(ThingHappened(number=number), key=key)


def test_it_is_found_once_and_only_the_newest_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    finder = Finder()
    for number in range(3):
        leave(monkeypatch, number, key="a")
        leave(monkeypatch, 10 + number, key="b")
    publish_ephemeral(ThingHappened(number=99))  # our own: told already
    numbers = [json.loads(moment.text)["data"]["number"] for moment in finder.find()]
    assert numbers == [2, 12]
    assert finder.find() == []
    leave(monkeypatch, 5, key="a")
    assert len(finder.find()) == 1


def test_it_is_forgotten_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    leave(monkeypatch, 1)
    ephemeral.forget_old()
    assert EphemeralEvent.objects.count() == 1
    EphemeralEvent.objects.update(left_at=timezone.now() - timedelta(seconds=10))
    assert Finder().find() == []
    EphemeralEvent.objects.update(left_at=timezone.now() - timedelta(minutes=1))
    ephemeral.forget_old()
    assert not EphemeralEvent.objects.exists()


@pytest.mark.usefixtures("threads")
async def test_it_comes_to_those_who_listen_from_this_process_and_from_others(
    monkeypatch: pytest.MonkeyPatch, threads: DatabaseThreads
) -> None:
    station = await stations.station()
    asked = StreamRequest(
        credentials=Credentials(), transport="websocket", address="", channels=("catalogue",)
    )
    connection = await station.streams.admit(asked)
    heard: list[int] = []

    async def write(frames: Sequence[Frame]) -> None:
        messages = [json.loads(frame) for frame in frames]
        heard.extend(m["data"]["number"] for m in messages if m["type"] == "thing-happened")

    replay = station.streams.replay(connection, write)
    await replay.open(None)
    pumping = asyncio.create_task(replay.pump())
    await threads.run(publish_ephemeral, ThingHappened(number=1, to="catalogue"))
    await threads.run(publish_ephemeral, ThingHappened(number=2, to="staff"))
    async with asyncio.timeout(10):
        while heard != [1]:
            await asyncio.sleep(0.01)

    def leave_one() -> None:
        with override_settings(REDIS_URL=""):
            publish_ephemeral(ThingHappened(number=3, to="catalogue"))
        EphemeralEvent.objects.update(process="00000000-0000-4000-8000-000000000000")

    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(ephemeral, "_outlets", [])
        await threads.run(leave_one)
    async with asyncio.timeout(10):
        while heard[-1] != 3:
            await asyncio.sleep(0.01)
    connection.leave()
    await pumping
    station.streams.leave(connection)
    await stations.stop_station()
