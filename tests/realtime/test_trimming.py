"""The log is trimmed by a command as well."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.utils import timezone

from realtime import log
from realtime.models import LogEvent
from tests.realtime.things import publish_thing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def ten_events() -> None:
    """A log of ten events, of which the first three are two days old."""
    log.ensure_head()
    for number in range(1, 11):
        publish_thing(number)
    log.number_committed()
    LogEvent.objects.filter(position__lte=3).update(published_at=timezone.now() - timedelta(2))


def trim_log(*arguments: str) -> str:
    """What the command prints."""
    out = StringIO()
    call_command("trim_log", *arguments, stdout=out)
    return out.getvalue()


def said(deleted: int, floor: int) -> str:
    return f"Events deleted: {deleted}. The floor is {floor}: nothing at or below it is replayed.\n"


def kept() -> list[int]:
    return list(LogEvent.objects.order_by("position").values_list("position", flat=True))


def test_it_keeps_what_the_settings_keep() -> None:
    assert trim_log() == said(0, 0)
    with override_settings(REALTIME_RETENTION=timedelta(days=1)):
        assert trim_log() == said(3, 3)
    with override_settings(REALTIME_RETENTION_EVENTS=4):
        assert trim_log() == said(3, 6)
    assert kept() == [7, 8, 9, 10]


def test_it_deletes_more_when_it_is_told_to() -> None:
    assert trim_log("--days", "3") == said(0, 0)
    assert trim_log("--days", "1") == said(3, 3)
    assert trim_log("--days", "1", "--keep", "2") == said(5, 8)
    assert kept() == [9, 10]
    assert trim_log("--keep", "0") == said(2, 10)
    assert log.read_head() == (10, 10)


def test_it_deletes_everything_that_was_published_until_now() -> None:
    assert trim_log("--days", "0") == said(10, 10)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--days", "-1"),
        ("--keep", "-1"),
        ("--days", "-1", "--keep", "5"),
        ("--days", "5", "--keep", "-1"),
        ("--days", "999999999"),
        ("--days", "9999999999999"),
        ("--days", "soon"),
    ],
)
def test_it_refuses_numbers_that_make_no_sense(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        trim_log(*arguments)
    assert len(kept()) == 10
