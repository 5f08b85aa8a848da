"""Who is connected: asked and answered within the rights that staff were given."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone

from marketplace.accounts.models import User
from realtime import roll_call
from realtime.connection import Connection
from realtime.listeners import NOBODY, Listener
from realtime.models import OutboxEvent, ProcessLease, StreamReport
from realtime.roll_call import MOST, call_the_roll, forget_reports, report
from tests.support.people import browser_of

STREAMS = "/admin/realtime/processlease/streams/"
END = f"{STREAMS}end/"
PROCESSES = "/admin/realtime/processlease/"

pytestmark = pytest.mark.django_db(transaction=True)


def rows() -> QuerySet[OutboxEvent]:
    """What all processes are told."""
    return OutboxEvent.objects.filter(audiences="processes")


def streams_of(*user_ids: int | None) -> list[Connection]:
    """An open connection for each of these."""
    return [
        Connection(
            listener=NOBODY if user_id is None else Listener(user_id=user_id),
            transport="sse",
            address="192.0.2.7",
            opened_at=1_700_000_000,
        )
        for user_id in user_ids
    ]


def asked(user_id: int | None = None) -> str:
    """The payload of a roll call."""
    return json.dumps({"type": "_roll-called", "request": str(uuid4()), "userId": user_id})


def test_it_tells_of_every_stream() -> None:
    answer = report(process=uuid4(), payload=asked(), connections=streams_of(7, None), last=9)
    assert answer.total == 2
    assert answer.streams[0]["userId"] == 7
    assert answer.streams[0] == {
        "clientId": answer.streams[0]["clientId"],
        "userId": 7,
        "transport": "sse",
        "address": "192.0.2.7",
        "channels": [],
        "position": 0,
        "isBehind": True,
        "waitingBytes": 0,
        "delivered": 0,
        "openedAt": "2023-11-14T22:13:20.000Z",
    }


def test_it_says_how_far_each_has_come() -> None:
    level, held, behind = connections = streams_of(7, 7, 7)
    for connection in (level, held):
        connection.behind = False
    for connection in connections:
        connection.sent = 4
    held.hold(4)
    answer = report(process=uuid4(), payload=asked(), connections=connections, last=9)
    assert [facts["position"] for facts in answer.streams] == [9, 4, 4]
    assert [facts["isBehind"] for facts in answer.streams] == [False, False, True]
    assert behind.behind


def test_it_tells_of_one_users_streams_and_of_so_many_at_most() -> None:
    connections = streams_of(*[7] * (MOST + 3), 8)
    answer = report(process=uuid4(), payload=asked(7), connections=connections, last=9)
    assert answer.total == MOST + 3
    assert len(answer.streams) == MOST
    assert {facts["userId"] for facts in answer.streams} == {7}


def lease(**fields: object) -> ProcessLease:
    """A process that lives."""
    values = {"process": uuid4(), "renewed_at": timezone.now(), "name": "shop-1:4711", **fields}
    return ProcessLease.objects.create(**values)


def test_it_names_who_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roll_call, "PATIENCE_SECONDS", 0.1)
    lease()
    lease(name="shop-2:4712", renewed_at=timezone.now() - timedelta(minutes=1))
    found = call_the_roll()
    assert found.silent == ["shop-1:4711"]
    assert (found.streams, found.total) == ([], 0)
    assert rows().get().type == "_roll-called"


def test_it_forgets_answers() -> None:
    answer = report(process=uuid4(), payload=asked(), connections=[], last=9)
    answer.save()
    forget_reports()
    assert StreamReport.objects.exists()
    StreamReport.objects.update(answered_at=timezone.now() - timedelta(minutes=2))
    forget_reports()
    assert not StreamReport.objects.exists()


# --- The pages ------------------------------------------------------------------------------


def test_it_is_shown_to_those_alone_who_may_look(staff: User, other_buyer: User) -> None:
    lease(tallies={"gaps_healed": 3, "hub_errors": 0}, by_user={"7": 2}, by_address={"::1": 1})
    looker = browser_of(staff, "view_processlease")
    page = looker.get(PROCESSES).content.decode()
    assert "shop-1:4711" in page
    assert "gaps healed: 3" in page
    assert "hub errors" not in page
    assert '<td class="field-streams">3</td>' in page
    other_buyer.is_staff = True
    other_buyer.save()
    without = browser_of(other_buyer, "view_logevent")
    outsider = Client()
    outsider.force_login(User.objects.create_user("outsider"))
    for path in (PROCESSES, STREAMS):
        assert without.get(path).status_code == 403
        assert outsider.get(path).status_code == 302
    assert not rows().exists()


def test_it_refuses_to_end_streams_for_others(staff: User, buyer: User) -> None:
    looker = browser_of(staff, "view_processlease")
    outsider = Client()
    outsider.force_login(buyer)
    form = {"client": str(uuid4())}
    assert looker.post(END, form).status_code == 403
    assert outsider.post(END, form).status_code == 302
    assert not rows().exists()
    assert not LogEntry.objects.exists()


def test_it_ends_nothing_by_get_or_by_a_name_that_is_none(staff: User) -> None:
    ender = browser_of(staff, "view_processlease", "end_stream")
    assert ender.get(END, {"client": str(uuid4())}).status_code == 405
    for client in ("", "7", "x" * 5000):
        answer = ender.post(END, {"client": client})
        assert answer.status_code == 302
    assert not rows().exists()


def test_it_puts_on_record_who_ended_what(staff: User) -> None:
    ender = browser_of(staff, "view_processlease", "end_stream")
    client_id = str(uuid4())
    answer = ender.post(END, {"client": client_id, "query": "user=maja"})
    assert answer.headers["Location"] == f"{STREAMS}?user=maja"
    row = rows().get()
    assert (row.type, row.audiences) == ("_stream-ended", "processes")
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_repr) == (staff, f"stream of client {client_id}")


def test_it_says_that_a_user_is_unknown(staff: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roll_call, "PATIENCE_SECONDS", 0.1)
    looker = browser_of(staff, "view_processlease")
    assert "There is no such user." in looker.get(STREAMS, {"user": "nobody"}).content.decode()
    assert not rows().exists()
    answer = looker.get(STREAMS, {"user": staff.username.upper()})
    assert answer.status_code == 200
    assert json.loads(rows().get().payload)["userId"] == staff.pk
