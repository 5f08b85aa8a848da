"""What the hub remembers, against the whole log looked through from its start."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime import recent
from realtime.control import LOGIN_ENDED
from realtime.log import LogEntry
from realtime.recent import Recent
from tests.realtime.things import entry

AUDIENCES = ("all", "staff", "user.1", "login.x")
rows = st.tuples(
    st.lists(st.sampled_from(AUDIENCES), min_size=1, max_size=3, unique=True), st.booleans()
)


def log_of(drawn: list[tuple[list[str], bool]]) -> list[LogEntry]:
    return [
        LogEntry(position, LOGIN_ENDED, " ".join(names), '{"x":1}', datetime.now(UTC))
        if internal
        else entry(position, " ".join(names))
        for position, (names, internal) in enumerate(drawn, 1)
    ]


@given(
    drawn=st.lists(rows, max_size=30),
    batch=st.integers(1, 5),
    bound=st.integers(1, 12),
    audiences=st.frozensets(st.sampled_from(AUDIENCES)),
)
def test_it_gives_what_the_whole_log_would(
    drawn: list[tuple[list[str], bool]], batch: int, bound: int, audiences: frozenset[str]
) -> None:
    log = log_of(drawn)
    remembered = Recent()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recent, "RECENT_EVENTS", bound)
        for start in range(0, len(log), batch):
            remembered.add(log[start : start + batch])
    first_kept = max(len(log) - bound, 0) + 1
    for after in range(len(log) + 1):
        assert remembered.reaches_back_to(after) == (bool(log) and first_kept <= after + 1)
        if after < first_kept - 1:
            continue
        for until in (None, after, after + 3, len(log)):
            expected = [
                each
                for each in log[after:until]
                if not each.internal and not audiences.isdisjoint(each.audiences)
            ]
            assert remembered.heard_by(audiences, after, until) == expected


def test_it_keeps_so_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "RECENT_BYTES", 5000)
    remembered = Recent()
    remembered.add([entry(number, text="x" * 1000) for number in range(1, 11)])
    assert not remembered.reaches_back_to(5)
    assert remembered.reaches_back_to(6)
    assert [each.position for each in remembered.heard_by(["all"], 6)] == [7, 8, 9, 10]


def test_it_forgets_everything() -> None:
    remembered = Recent()
    remembered.add([entry(1), entry(2)])
    remembered.clear()
    assert not remembered.reaches_back_to(0)
    remembered.add([entry(9)])
    assert [each.position for each in remembered.heard_by(["all"], 8)] == [9]
