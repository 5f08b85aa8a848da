"""The newest events of a channel, read out of the log by its index."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from realtime import latest, log
from realtime.api import latest_events
from realtime.models import LogEvent
from tests.realtime.test_log import number_all
from tests.realtime.things import Misdirected, ThingHappened, publish_thing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def head() -> None:
    """The head row, which emptying the tables between tests takes away."""
    log.ensure_head()


def happen(*numbers: int, to: str = "all") -> None:
    """Publish and number a thing for each."""
    for number in numbers:
        publish_thing(number, to=to)
    number_all()


def test_it_reads_the_newest_of_one_channel_first() -> None:
    happen(1, 2)
    happen(3, to="other")
    happen(4)
    found = latest_events(ThingHappened, audience="all", limit=2)
    assert [(each.position, each.event.number) for each in found] == [(4, 4), (2, 2)]
    row = LogEvent.objects.get(position=4)
    assert abs((found[0].at - row.published_at).total_seconds()) < 0.001
    assert latest_events(ThingHappened, audience="nobody", limit=2) == []


def test_it_leaves_other_types_out() -> None:
    happen(1, 2)
    LogEvent.objects.filter(position=2).update(type=Misdirected.type_name)
    (found,) = latest_events(ThingHappened, audience="all", limit=5)
    assert found.position == 1
    both = latest_events(ThingHappened, Misdirected, audience="all", limit=5)
    assert [type(each.event) for each in both] == [Misdirected, ThingHappened]


def test_it_leaves_out_what_another_release_wrote_in_another_form() -> None:
    happen(1, 2)
    changed = LogEvent.objects.get(position=2).payload.replace('"number"', '"figure"')
    LogEvent.objects.filter(position=2).update(payload=changed)
    (found,) = latest_events(ThingHappened, audience="all", limit=5)
    assert found.event.number == 1


def test_it_looks_for_a_rare_type_no_further_than_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latest, "LOOKED_AT", 20)
    monkeypatch.setattr(latest, "_ROWS_AT_ONCE", 10)
    happen(*range(1, 31))
    with CaptureQueriesContext(connection) as queries:
        assert latest_events(Misdirected, audience="all", limit=1) == []
    assert len(queries) == 4
    LogEvent.objects.filter(position__in=(10, 11)).update(type=Misdirected.type_name)
    (found,) = latest_events(Misdirected, audience="all", limit=5)
    assert found.position == 11
