"""The messages of the bridge, as bytes: what is read, and what is refused, without a broker."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from products.availability.bridge_messages import (
    LOW,
    QUEUE_NAME,
    UPDATED,
    LowSeatsMessage,
    Refused,
    read_message,
)
from tests.availability.things import low, updated

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def refused(body: bytes, key: str = UPDATED) -> str:
    """Why it is refused, for people."""
    with pytest.raises(Refused) as refusal:
        read_message(body, routing_key=key)
    assert refusal.value.reason == "malformed"
    return str(refusal.value)


def encoded(message: dict[str, Any], **changes: Any) -> bytes:
    return json.dumps({**message, **changes}).encode()


def test_it_reads_a_message() -> None:
    message = read_message(
        encoded(updated(), timestamp="2026-11-21T10:15:30.123Z"), routing_key=UPDATED
    )
    assert (message.tour_id, message.available_seats) == ("T-1", 7)
    assert message.timestamp == datetime(2026, 11, 21, 10, 15, 30, 123_000, tzinfo=UTC)


def test_it_reads_one_of_few_seats() -> None:
    for size in (12, None):
        message = read_message(encoded(low(), maxGroupSize=size), routing_key=LOW)
        assert isinstance(message, LowSeatsMessage)
        assert message.available_seats == 2


def test_it_ignores_further_fields() -> None:
    body = encoded(updated(), source="booking", tourTitle=7, nested=[{"a": None}])
    assert read_message(body, routing_key=UPDATED).tour_id == "T-1"


def test_it_takes_a_time_with_any_offset_and_precision() -> None:
    for text in ("2026-11-21T12:15:30.123456+02:00", "2026-11-21T10:15:30Z"):
        message = read_message(encoded(updated(), timestamp=text), routing_key=UPDATED)
        assert message.timestamp.replace(microsecond=0) == datetime(
            2026, 11, 21, 10, 15, 30, tzinfo=UTC
        )


def test_it_takes_what_came_by_the_queue_itself() -> None:
    assert read_message(encoded(low()), routing_key=QUEUE_NAME).event_type == LOW


@pytest.mark.parametrize("key", [LOW, "tour.availability.deleted", "", "tour.availability"])
def test_it_refuses_a_type_that_does_not_fit_its_key(key: str) -> None:
    assert "came by the key" in refused(encoded(updated()), key)


@pytest.mark.parametrize(
    "changes",
    [
        *({name: None} for name in updated()),
        *({name: []} for name in updated()),
        {"eventId": ""},
        {"eventId": "x" * 201},
        {"eventId": "a\0"},
        {"eventId": 7},
        {"eventType": "tour.availability.deleted"},
        {"tourId": ""},
        {"tourId": "a\0b"},
        {"tourId": "a\n\0"},
        {"tourId": "x" * 101},
        {"tourId": 1},
        {"availableSeats": "7"},
        {"availableSeats": 7.5},
        {"availableSeats": True},
        {"timestamp": "2026-11-21T10:15:30.123"},
        {"timestamp": "2026-11-21"},
        {"timestamp": "yesterday"},
        {"timestamp": 1764000000},
        {"timestamp": "2026-13-21T10:15:30Z"},
    ],
)
def test_it_refuses_fields_that_are_not_what_they_should_be(changes: dict[str, Any]) -> None:
    refused(encoded(updated(), **changes))


@pytest.mark.parametrize("name", updated())
def test_it_refuses_a_message_without_a_field(name: str) -> None:
    body = updated()
    del body[name]
    assert name in refused(encoded(body))


@pytest.mark.parametrize("name", ["tourTitle", "maxGroupSize", "threshold"])
def test_it_refuses_few_seats_without_what_belongs_to_it(name: str) -> None:
    body = low()
    del body[name]
    assert name in refused(encoded(body), LOW)
    refused(encoded(low(), **{name: []}), LOW)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"seats: 7",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        json.dumps(updated()).encode("utf-16"),
        json.dumps(updated()).encode() + b"x",
        json.dumps(updated()).replace("T-1", "\\ud800").encode(),
        b"[" * 100_000,
        json.dumps(updated())[:-1].encode() + b', "deep": ' + b"[" * 100_000,
    ],
)
def test_it_refuses_what_is_no_json_object(body: bytes) -> None:
    refused(body)


@given(st.binary(max_size=200))
def test_it_reads_or_refuses_whatever_comes(body: bytes) -> None:
    with pytest.raises(Refused):
        read_message(body, routing_key=UPDATED)


@given(name=st.sampled_from([*low()]), value=ANY_JSON, key=st.sampled_from([UPDATED, LOW]))
def test_it_reads_or_refuses_any_value(name: str, value: Any, key: str) -> None:
    body = {**(low() if key == LOW else updated()), name: value}
    with suppress(Refused):
        message = read_message(json.dumps(body).encode(), routing_key=key)
        # What is read can be asked of the database, and compared with its moments.
        assert message.tour_id
        assert "\0" not in message.tour_id + message.event_id
        assert message.timestamp.tzinfo is not None


@given(
    moment=st.datetimes(timezones=st.just(UTC)),
    minutes=st.integers(min_value=-14 * 60, max_value=14 * 60),
)
def test_it_reads_any_moment_and_can_compare_it(moment: datetime, minutes: int) -> None:
    text = moment.replace(tzinfo=timezone(timedelta(minutes=minutes))).isoformat()
    try:
        message = read_message(encoded(updated(), timestamp=text), routing_key=UPDATED)
    except Refused:
        assert moment.year in {1, 9999}
    else:
        assert (message.timestamp > datetime.now(UTC)) in {True, False}
