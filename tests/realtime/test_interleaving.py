"""Positions are given after the commit, so that a later commit has the higher one."""

import threading

import pytest
from django.db import connection, transaction

from realtime import log
from realtime.api import publish
from tests.realtime.things import ThingHappened, publish_thing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]


def test_it_gives_the_higher_position_to_the_transaction_that_commits_later() -> None:
    log.ensure_head()
    written, may_commit = threading.Event(), threading.Event()

    def slow_writer() -> None:
        try:
            with transaction.atomic():
                publish(ThingHappened(number=1))  # draws the lower outbox id
                written.set()
                may_commit.wait(10)
        finally:
            connection.close()

    thread = threading.Thread(target=slow_writer)
    thread.start()
    assert written.wait(10)
    publish_thing(2)
    (second,) = log.number_committed()
    may_commit.set()
    thread.join()
    (first,) = log.number_committed()
    assert '"number":2' in second.text
    assert '"number":1' in first.text
    assert (second.position, first.position) == (1, 2)
