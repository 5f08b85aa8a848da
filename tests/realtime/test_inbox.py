"""Contiguity, without a hub around it."""

from hypothesis import given
from hypothesis import strategies as st

from realtime import inbox as inboxes
from realtime.inbox import Inbox
from tests.realtime.things import entry

Batch = tuple[int, int]
LOG = {position: entry(position) for position in range(1, 80)}

batches = st.tuples(st.integers(1, 70), st.integers(0, 9))


@given(st.lists(batches, max_size=40), st.integers(0, 30))
def test_it_hands_out_what_follows_once_and_in_order(told: list[Batch], last: int) -> None:
    """Whatever comes, and whatever is read in between: positions grow by one."""
    inbox = Inbox()
    start = last
    handed_out: list[int] = []
    for first, more in told:
        inbox.add([LOG[position] for position in range(first, first + more + 1)])
        while entries := inbox.take_after(last):
            handed_out += [each.position for each in entries]
            last = handed_out[-1]
    assert handed_out == list(range(start + 1, last + 1))
    known = {p for first, more in told for p in range(first, first + more + 1)}
    missing = inbox.missing_after(last)
    if missing is None:
        assert max(known, default=0) <= last
    else:
        # All of the gap is unknown, and the next batch begins right behind it, if there is one.
        assert not known & set(range(last + 1, missing + 1))
        assert missing + 1 in known


@given(st.lists(batches, max_size=30))
def test_it_is_whole_when_the_gaps_are_read(told: list[Batch]) -> None:
    inbox = Inbox()
    last = 0
    handed_out: list[int] = []
    for first, more in told:
        inbox.add([LOG[position] for position in range(first, first + more + 1)])
    while True:
        while entries := inbox.take_after(last):
            handed_out += [each.position for each in entries]
            last = handed_out[-1]
        end = inbox.missing_after(last)
        if end is None:
            break
        handed_out += range(last + 1, end + 1)  # from the log
        last = end
    highest = max((first + more for first, more in told), default=0)
    assert handed_out == list(range(1, highest + 1))
    assert not inbox._batches
    assert inbox._bytes == 0


def test_it_knows_of_what_it_was_only_told_of() -> None:
    inbox = Inbox()
    inbox.start_from(5)
    assert inbox.missing_after(5) is None
    assert inbox.hear(9)
    assert not inbox.hear(9)
    assert inbox.missing_after(5) == 9
    inbox.add([LOG[8], LOG[9]])
    assert inbox.missing_after(5) == 7
    assert inbox.take_after(5) == []


def test_it_keeps_no_more_than_its_bound_and_knows_what_it_left() -> None:
    inbox = Inbox()
    large = "x" * 100_000
    count = inboxes.WAITING_BYTES // len(large) + 20
    for position in range(2, count):
        inbox.add([entry(position, text=large)])
    assert inbox._bytes <= inboxes.WAITING_BYTES
    assert inbox.heard == count - 1
    kept = 1
    while entries := inbox.take_after(kept):
        kept = entries[-1].position
    assert kept < count - 1
    assert inbox.missing_after(kept) == count - 1
    assert inbox._bytes == 0
