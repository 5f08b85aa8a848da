"""Waking the sequencers from a process that has none."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from typing import Any

import pytest
from django.db import transaction

from realtime import doorbell
from tests.conftest import database_url
from tests.realtime.things import publish_thing

PUBLISH = """
from django.db import transaction
from realtime.api import recheck_user
with transaction.atomic():
    recheck_user(1)
print("published")
"""


def test_it_lets_a_process_that_rang_through_redis_end(
    transactional_db: None, redis_url: str
) -> None:
    """A waiting thread that Python joins at its exit would keep commands and workers for ever."""
    ended = subprocess.run(
        [sys.executable, "manage.py", "shell", "-c", PUBLISH],
        env={**os.environ, "DATABASE_URL": database_url(), "REDIS_URL": redis_url},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "published" in ended.stdout


def test_it_does_so_when_redis_is_away(transactional_db: None) -> None:
    subprocess.run(
        [sys.executable, "manage.py", "shell", "-c", PUBLISH],
        env={**os.environ, "DATABASE_URL": database_url(), "REDIS_URL": "redis://127.0.0.1:1/0"},
        capture_output=True,
        timeout=60,
        check=True,
    )


class Redis:
    """A layer over one that is frozen for some messages, and then works."""

    def __init__(self, frozen_for: int) -> None:
        self._frozen_for = frozen_for
        self.thawed = threading.Event()
        self.types: list[str] = []  # of what came through

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        if self._frozen_for:
            self._frozen_for -= 1
            if not self._frozen_for:
                self.thawed.set()
            await asyncio.Event().wait()
        self.types.append(message["type"])


def test_it_rings_again_soon_after_redis_was_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not as long after as the messages that went nowhere took together."""
    redis = Redis(frozen_for=20)
    monkeypatch.setattr(doorbell, "new_channel_layer", lambda: redis)
    messenger = doorbell._Messenger()
    messenger.ring()
    for number in range(25):
        messenger.pass_on(f"slot {number}", ["a moment"])
    assert redis.thawed.wait(30)
    messenger.ring()
    deadline = time.monotonic() + 2
    while doorbell.WAKE not in redis.types:
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Sleeper:
    """Notes what is asked of it."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def wake(self) -> None:
        self.asked.append("wake")

    def let_pass(self, seconds: float) -> None:
        assert seconds < 0.1
        self.asked.append("let pass")


def test_it_wakes_who_sleeps_and_lets_it_pass_after_each_commit(transactional_db: None) -> None:
    sleeper = Sleeper()
    doorbell.register(sleeper)
    try:
        with transaction.atomic():
            publish_thing(1)
            assert sleeper.asked == []
        assert sleeper.asked == ["wake", "let pass"]
    finally:
        doorbell.unregister(sleeper)
    publish_thing(2)
    assert len(sleeper.asked) == 2
