"""What listeners missed, page by page, for one and for many at once."""

import random

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from realtime import log, pages
from realtime.models import LogEvent
from realtime.pages import Missed, read_page, read_pages
from tests.realtime.things import publish_thing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def head(transactional_db: None) -> None:
    """The head row of an empty log."""
    log.ensure_head()


def number_all() -> None:
    """Number until nothing is left; SQLite's lock is waited for."""
    while True:
        try:
            if not log.number_committed():
                return
        except OperationalError:
            continue


def missed(*audiences: str, after: int = 0, until: int) -> Missed:
    return Missed(frozenset(audiences), after, until)


def seen(page: pages.Page) -> tuple[list[int], int]:
    return [entry.position for entry in page.entries], page.until


@pytest.fixture
def twenty(head: None) -> None:
    """A log of twenty events: odd ones for all, even ones for a second user, all for a first."""
    for number in range(1, 21):
        publish_thing(number, to="all user.1" if number % 2 else "user.1 user.2")
    number_all()


@pytest.mark.usefixtures("twenty")
def test_it_reads_for_an_audience_in_order_once_and_in_pages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert seen(read_page(missed("all", "user.1", until=20))) == (list(range(1, 21)), 20)
    assert seen(read_page(missed("user.2", until=9))) == ([2, 4, 6, 8], 9)
    assert seen(read_page(missed("nobody", until=20))) == ([], 20)
    assert seen(read_page(missed(until=20))) == ([], 20)
    monkeypatch.setattr(pages, "REPLAY_PAGE", 5)
    assert seen(read_page(missed("all", "user.1", after=3, until=20))) == ([4, 5, 6, 7, 8], 8)


def test_it_reads_few_large_events_at_once() -> None:
    for number in range(1, 8):
        publish_thing(number, text="x" * 100_000)
    number_all()
    assert seen(read_page(missed("all", until=7))) == ([1, 2, 3], 3)
    assert seen(read_page(missed("all", after=6, until=7))) == ([7], 7)
    for page in read_pages([missed("all", until=7), missed("all", "user.1", until=7)]):
        assert seen(page) == ([1, 2, 3], 3)


@pytest.mark.usefixtures("twenty")
def test_many_share_what_they_see_and_see_nothing_else() -> None:
    first, second, other = read_pages(
        [
            missed("all", "user.1", until=20),
            missed("all", after=4, until=16),
            missed("user.2", until=20),
        ]
    )
    assert seen(first) == (list(range(1, 21)), 20)
    assert seen(second) == ([5, 7, 9, 11, 13, 15], 16)
    assert seen(other) == (list(range(2, 21, 2)), 20)
    assert first.entries[4] is second.entries[0]
    assert read_pages([]) == []


@pytest.mark.usefixtures("twenty")
def test_a_hundred_cost_as_many_queries_as_two() -> None:
    many = [missed("all", f"user.{number}", after=2, until=20) for number in range(100)]
    with CaptureQueriesContext(connection) as queries:
        found = read_pages(many)
    assert len(queries) == 2
    assert seen(found[1]) == (list(range(3, 21)), 20)
    assert seen(found[2]) == (list(range(3, 21)), 20)
    assert seen(found[50]) == (list(range(3, 21, 2)), 20)


def test_many_who_missed_large_events_share_as_much_as_was_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Everybody has his page of it, and goes on from there."""
    monkeypatch.setattr(pages, "PAGE_BYTES", 2000)
    monkeypatch.setattr(pages, "STRETCH_BYTES", 8000)
    monkeypatch.setattr(pages, "_ROWS_AT_ONCE", 5)
    for number in range(1, 31):
        publish_thing(number, to="all rare" if number % 12 == 8 else "all", text="x" * 900)
    number_all()
    many = [missed("all", after=number % 5, until=30) for number in range(50)]
    few, beyond = missed("rare", until=30), missed("rare", after=8, until=30)
    with CaptureQueriesContext(connection) as queries:
        *found, of_few, of_beyond = read_pages([*many, few, beyond])
    assert [seen(page) for page in found[:5]] == [
        ([after + 1, after + 2], after + 2) for after in range(5)
    ]
    assert found[0].entries[1] is found[1].entries[0]
    assert seen(of_few) == ([8], 10)  # up to what was read
    assert seen(of_beyond) == ([20], 30)  # by itself: of its own nothing was read
    assert len(queries) == 3 + 2


@pytest.mark.usefixtures("twenty")
def test_an_event_that_is_trimmed_meanwhile_is_left_out() -> None:
    LogEvent.objects.filter(position=4).delete()
    for page in read_pages([missed("user.1", until=6), missed("user.1", after=2, until=6)]):
        assert 4 not in seen(page)[0]
        assert page.until == 6


@pytest.mark.parametrize("seed", range(3))
def test_many_who_read_on_get_what_each_would_get_alone(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the bounds: everybody comes to the end, with each of their events once."""
    chance = random.Random(seed)
    monkeypatch.setattr(pages, "REPLAY_PAGE", 7)
    monkeypatch.setattr(pages, "PAGE_BYTES", 2000)
    monkeypatch.setattr(pages, "STRETCH", 30)
    monkeypatch.setattr(pages, "STRETCH_BYTES", 3000)
    monkeypatch.setattr(pages, "_ROWS_AT_ONCE", 5)
    names = ["all", "user.1", "user.2", "user.3"]
    for number in range(1, 101):
        chosen = chance.sample(names, chance.randint(1, 3))
        publish_thing(number, to=" ".join(chosen), text="x" * chance.choice([10, 10, 900]))
    number_all()
    everything = {name: set(seen_by(name)) for name in names}
    readers = [
        (frozenset(chance.sample(names, chance.randint(1, 3))), chance.randint(0, 100))
        for _ in range(12)
    ]
    cursors = [after for _, after in readers]
    got: list[list[int]] = [[] for _ in readers]
    while any(cursor < 100 for cursor in cursors):
        asked = [
            Missed(audiences, cursor, 100)
            for (audiences, _), cursor in zip(readers, cursors, strict=True)
        ]
        for number, page in enumerate(read_pages(asked)):
            assert page.until > cursors[number] or cursors[number] == 100
            got[number] += seen(page)[0]
            cursors[number] = page.until
    for (audiences, after), positions in zip(readers, got, strict=True):
        expected = set().union(*(everything[name] for name in audiences))
        assert positions == sorted(position for position in expected if position > after)


def seen_by(audience: str) -> list[int]:
    """All positions of an audience, as the events themselves tell."""
    return [entry.position for entry in log.read_stretch(1, 100) if audience in entry.audiences]
