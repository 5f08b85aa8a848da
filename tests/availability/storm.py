"""Broker and bridge are killed while messages go both ways: each is applied once, told in order.

Django is set up by then; events are numbered meanwhile.
"""

import json
import secrets
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from products.availability.models import ReceivedMessage
from products.models import Product
from realtime.models import LogEvent, LogHead, OutboxEvent, StoredCursor
from tests.availability.other import DEAD_LETTERS, BridgeProcess, Letter, Other, wait_until
from tests.availability.things import counts, encoded, updated
from tests.products.things import make_tour
from tests.support.people import make_user
from tests.support.servers import RabbitMQ

TOURS = 5
SEATS = 1000
# Of so many messages that come in, one is invalid, for one reason after the other.
INVALID_EVERY = 20
WRONG: dict[str, dict[str, Any]] = {
    "malformed": {"availableSeats": "many"},
    "unknown-tour": {"tourId": "nowhere"},
    "seats-out-of-range": {"availableSeats": SEATS + 1},
    "timestamp-in-future": {"timestamp": "2999-01-01T00:00:00.000Z"},
}


@dataclass(frozen=True)
class Plan:
    """How many messages go each way, and how often what carries them dies meanwhile."""

    messages: int
    broker_kills: int
    bridge_kills: int


@dataclass
class Summary:
    """What was counted; everything from lost_in on must be 0."""

    messages_each_way: int
    broker_kills: int
    bridge_kills: int
    seconds: float = 0.0
    came_again: int = 0  # taken for what they were
    sent_again: int = 0  # with the eventId that they had
    dead_letters: int = 0
    lost_in: int = 0
    twice_in: int = 0
    lost_out: int = 0
    out_of_order: int = 0
    sent_back: int = 0
    wrong_reasons: int = 0

    def as_dict(self) -> dict[str, Any]:
        """For a report."""
        return asdict(self)

    @property
    def faultless(self) -> bool:
        """Whether each was applied once and told in order, and what is invalid refused."""
        faults = (self.lost_in, self.twice_in, self.lost_out, self.out_of_order)
        return not any((*faults, self.sent_back, self.wrong_reasons))


def weather_the_storm(
    plan: Plan, *, broker: RabbitMQ, other: Other, start_bridge: Callable[[], BridgeProcess]
) -> Summary:
    """Let it all happen; the summary tells what came of it."""
    summary = Summary(plan.messages, plan.broker_kills, plan.bridge_kills)
    _make_tours()
    messages = [_message(number) for number in range(plan.messages)]
    bridge = start_bridge()
    wait_until(StoredCursor.objects.exclude(holder=None).exists, "the bridge sends")
    began = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        streams = [
            pool.submit(_on_own_connection, lambda: _say_all(other, messages)),
            pool.submit(_on_own_connection, lambda: _change_all(plan.messages)),
        ]
        for due, what in _kills(plan):
            wait_until(lambda due=due: _progress() >= due, f"{due} messages")  # type: ignore[misc]
            if what == "broker":
                broker.kill()
                broker.start()
            else:
                bridge.kill()
                bridge = start_bridge()
        for stream in streams:
            stream.result()
    refused = sum(reason is not None for _body, _key, reason in messages)
    wait_until(lambda: _taken_in() >= plan.messages - refused, "all have come in")
    wait_until(lambda: counts().get("rejected", 0) >= refused, "all invalid ones are refused")
    wait_until(_all_is_sent, "all is sent")
    summary.seconds = round(time.monotonic() - began, 1)
    bridge.stop()
    _judge_what_came_in(messages, other.hear(DEAD_LETTERS), summary)
    _judge_what_went_out([letter for letter in other.hear() if letter.is_ours], summary)
    return summary


def _make_tours() -> None:
    seller = make_user(f"storm-{secrets.token_hex(4)}", role="seller")
    for number in range(TOURS):
        for way in ("in", "out"):
            make_tour(seller, external_id=f"{way}-{number}", stock=SEATS, max_group_size=SEATS)
    # Known of a moment that is gone by: the other system's messages are all later, and none ahead.
    Product.objects.update(stock_as_of=timezone.now() - timedelta(hours=1))


# --- What is sent each way ------------------------------------------------------------------

# Body, key, and the reason for which it is to be refused.
Message = tuple[bytes, str, str | None]


def _message(number: int) -> Message:
    moment = timezone.now() - timedelta(minutes=50) + timedelta(milliseconds=10 * number)
    seats = SEATS - 1 - number // TOURS
    message = updated(f"in-{number % TOURS}", seats, at=moment)
    reason = None
    if number % INVALID_EVERY == INVALID_EVERY - 1:
        reason = list(WRONG)[number // INVALID_EVERY % len(WRONG)]
        message |= WRONG[reason]
    return encoded(message), message["eventType"], reason


def _say_all(other: Other, messages: Sequence[Message]) -> None:
    sibling = Other(other.url)  # a connection belongs to one thread
    for body, key, _reason in messages:
        sibling.say(body, key=key)
    sibling.close()


def _change_all(messages: int) -> None:
    ids = Product.objects.filter(external_id__startswith="out-").order_by("pk")
    tours = list(ids.values_list("pk", flat=True))
    for number in range(messages):
        row = Product.objects.get(pk=tours[number % TOURS])
        row.stock -= 1
        row.save()


def _kills(plan: Plan) -> list[tuple[int, str]]:
    """When what dies, by the number of messages that went either way."""
    total = 2 * plan.messages
    dues = [
        (total * number // (often + 1), what)
        for often, what in ((plan.broker_kills, "broker"), (plan.bridge_kills, "bridge"))
        for number in range(1, often + 1)
    ]
    return sorted(dues)


def _on_own_connection(work: Callable[[], None]) -> None:
    try:
        work()
    finally:
        connection.close()


def _taken_in() -> int:
    return sum(counts().get(name, 0) for name in ("applied", "stale", "unchanged"))


def _progress() -> int:
    return _taken_in() + counts().get("rejected", 0) + counts().get("sent", 0)


def _all_is_sent() -> bool:
    if OutboxEvent.objects.exists():
        return False
    return StoredCursor.objects.get().position >= LogHead.objects.get().position


# --- What came of it ------------------------------------------------------------------------


def _judge_what_came_in(
    messages: Sequence[Message], dead: Sequence[Letter], summary: Summary
) -> None:
    expected: dict[str, list[str]] = {}
    for body, _key, reason in messages:
        if reason is None:
            message = json.loads(body)
            expected.setdefault(message["tourId"], []).append(message["eventId"])
    for tour in Product.objects.filter(external_id__startswith="in-"):
        names = expected[tour.external_id]
        rows = ReceivedMessage.objects.filter(product_id=tour.pk).order_by("stock_version")
        applied = list(rows.values_list("event_id", flat=True))
        summary.lost_in += len(set(names) - set(applied))
        # Each message has another value: the version counts how often one was applied.
        summary.twice_in += tour.stock_version - 1 - len(names)
        summary.out_of_order += applied != names
    summary.came_again = counts().get("duplicate", 0)
    invalid = {body: reason for body, _key, reason in messages if reason is not None}
    reasons = {letter.raw: letter.headers["x-reason"] for letter in dead}
    summary.dead_letters = len(dead)
    summary.wrong_reasons = len(invalid.items() ^ reasons.items())


def _judge_what_went_out(sent: Sequence[Letter], summary: Summary) -> None:
    names = dict(Product.objects.values_list("pk", "external_id"))
    expected = []
    for payload in LogEvent.objects.order_by("position").values_list("payload", flat=True):
        event = json.loads(payload)
        data = event["data"]
        if event["type"].startswith("availability") and names[data["productId"]][:3] == "out":
            expected.append((names[data["productId"]], data["stock"], event["timestamp"]))
    distinct = {letter.body["eventId"]: letter.body for letter in sent}  # by their first coming
    told = [
        (body["tourId"], body["availableSeats"], body["timestamp"]) for body in distinct.values()
    ]
    summary.sent_again = len(sent) - len(distinct)
    summary.sent_back = sum(tour.startswith("in") for tour, _seats, _moment in told)
    summary.lost_out = len(set(expected) - set(told))
    summary.out_of_order += told != expected
