"""A test event: whether what is published arrives, tried by hand."""

import json
from collections.abc import Iterable

from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from realtime.events import Event
from realtime.models import LogEvent
from realtime.publishing import publish

MAX_TEXT = 200


class TestSent(Event, frozen=True, kw_only=True):
    """Staff tried, from the admin's page of the log, whether events arrive.

    Goes to the one channel that it names. Never sent by itself, and pages show nothing of it.
    """

    channel: str
    text: str
    sent_by_id: int

    def audiences(self) -> Iterable[str]:
        """The channel that was asked for."""
        return (self.channel,)


@transaction.atomic
def send_test_event(*, by: AbstractBaseUser, channel: str, text: str) -> None:
    """Publish a test event, and put on the admin's record who sent it."""
    publish(TestSent(channel=channel, text=text, sent_by_id=by.pk))
    LogEntry.objects.create(
        user_id=by.pk,
        content_type=ContentType.objects.get_for_model(LogEvent),
        object_repr=f"{TestSent.type_name} to {channel}",
        action_flag=ADDITION,
        # The admin takes a text that begins with a bracket for such a list.
        change_message=json.dumps([{"added": {"name": TestSent.type_name, "object": text}}]),
    )
