"""Pages of the log: what listeners missed, read by the (audience, position) index, never the whole.

Thousands who come back at once miss the same stretch: what they ask for together is read once.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.db import connection

from realtime import log
from realtime.log import LogEntry
from realtime.models import LogAudience

# What one page holds at most.
REPLAY_PAGE = 500
PAGE_BYTES = 256 * 1024
_ROWS_AT_ONCE = 100
# What is read at once for many: so far from the one who is furthest behind, and so many bytes.
STRETCH = 4096
STRETCH_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Missed:
    """Which events are asked for: what these audiences see at positions after < p <= until."""

    audiences: frozenset[str]
    after: int
    until: int


@dataclass(frozen=True, slots=True)
class Page:
    """A part of what listeners missed: all of it up to the position until."""

    entries: list[LogEntry]
    until: int


def read_page(missed: Missed) -> Page:
    """The first part of it.

    At most REPLAY_PAGE events, and not many more bytes than PAGE_BYTES, so that a reader who takes
    his time costs little. One short range of the index for each audience.
    """
    positions = _first_positions(missed)
    entries: dict[int, LogEntry] = {}
    size = 0
    for start in range(0, len(positions), _ROWS_AT_ONCE):
        for entry in log.read_entries(positions[start : start + _ROWS_AT_ONCE]):
            entries[entry.position] = entry
            size += len(entry.text)
        if size > PAGE_BYTES:
            break
    return _page(missed, positions, entries)


def _page(missed: Missed, positions: Sequence[int], entries: Mapping[int, LogEntry]) -> Page:
    """positions: of what is asked for, as many as one page may hold. What was trimmed away
    meanwhile is left out: the floor of the log tells."""
    found: list[LogEntry] = []
    size = 0
    for position in positions:
        if (entry := entries.get(position)) is not None:
            found.append(entry)
            size += len(entry.text)
            if size > PAGE_BYTES:
                return Page(found, position)
    return Page(found, missed.until if len(positions) < REPLAY_PAGE else positions[-1])


def _first_positions(missed: Missed) -> list[int]:
    # Each audience is cut at the limit by itself: the union then reads at most so many of each.
    branch = (
        "SELECT position FROM (SELECT position FROM realtime_logaudience"
        " WHERE audience = %s AND position > %s AND position <= %s"
        " ORDER BY position LIMIT %s) AS one"
    )
    parameters: list[Any] = []
    for audience in missed.audiences:
        parameters += [audience, missed.after, missed.until, REPLAY_PAGE]
    if not parameters:
        return []
    sql = " UNION ".join([branch] * len(missed.audiences)) + " ORDER BY position LIMIT %s"
    with connection.cursor() as cursor:
        cursor.execute(sql, [*parameters, REPLAY_PAGE])
        return [position for (position,) in cursor.fetchall()]


# --- For many -------------------------------------------------------------------------------


def read_pages(many: Sequence[Missed]) -> list[Page]:
    """The first part for each of these, in their order. An event that several of them see is read
    once, and is the same object for all."""
    pages: dict[int, Page] = {}
    for stretch in _stretches(many):
        asked = [many[number] for number in stretch]
        # One alone is told more at once than up to the end of a stretch.
        read = _read_stretch(asked) if len(asked) > 1 else [read_page(*asked)]
        pages.update(zip(stretch, read, strict=True))
    return [pages[number] for number in range(len(many))]


def _stretches(many: Sequence[Missed]) -> Iterator[list[int]]:
    """The numbers of those who are about equally far behind."""
    together: list[int] = []
    for number in sorted(range(len(many)), key=lambda number: many[number].after):
        if together and many[number].after >= many[together[0]].after + STRETCH // 2:
            yield together
            together = []
        together.append(number)
    if together:
        yield together


def _read_stretch(many: Sequence[Missed]) -> list[Page]:
    start = min(missed.after for missed in many)
    end = min(start + STRETCH, max(missed.until for missed in many))
    cut = [Missed(each.audiences, each.after, min(each.until, end)) for each in many]
    heard = _positions_by_audience(cut, after=start, until=end)
    wanted = [_own(missed, heard) for missed in cut]
    entries, reached = _read_some(sorted(set(chain.from_iterable(wanted))))
    return [
        _page_of_some(missed, positions, entries, reached)
        for missed, positions in zip(cut, wanted, strict=True)
    ]


def _page_of_some(
    missed: Missed, positions: Sequence[int], entries: Mapping[int, LogEntry], reached: int
) -> Page:
    """The page of one, where entries are not looked for beyond the position reached."""
    if not positions or positions[-1] <= reached:
        return _page(missed, positions, entries)
    if positions[0] > reached:
        # So much is missed that nothing of it was read for all together.
        return read_page(missed)
    until_there = Missed(missed.audiences, missed.after, reached)
    return _page(until_there, positions[: bisect_right(positions, reached)], entries)


def _positions_by_audience(
    many: Iterable[Missed], *, after: int, until: int
) -> Mapping[str, list[int]]:
    audiences = frozenset().union(*(missed.audiences for missed in many))
    rows = LogAudience.objects.filter(
        audience__in=audiences, position__gt=after, position__lte=until
    )
    heard: defaultdict[str, list[int]] = defaultdict(list)
    for audience, position in rows.order_by("position").values_list("audience", "position"):
        heard[audience].append(position)
    return heard


def _own(missed: Missed, heard: Mapping[str, list[int]]) -> list[int]:
    """The positions of what one of them asks for, as many as a page may hold."""
    own: set[int] = set()
    for audience in missed.audiences & heard.keys():
        positions = heard[audience]
        first = bisect_right(positions, missed.after)
        own.update(
            positions[first : min(first + REPLAY_PAGE, bisect_right(positions, missed.until))]
        )
    return sorted(own)[:REPLAY_PAGE]


def _read_some(positions: Sequence[int]) -> tuple[dict[int, LogEntry], int]:
    """The events at these positions, and the last of them that was looked for."""
    entries: dict[int, LogEntry] = {}
    size = 0
    reached = 0
    for start in range(0, len(positions), _ROWS_AT_ONCE):
        chosen = positions[start : start + _ROWS_AT_ONCE]
        for entry in log.read_entries(chosen):
            entries[entry.position] = entry
            size += len(entry.text)
        reached = chosen[-1]
        if size > STRETCH_BYTES:
            break
    return entries, reached
