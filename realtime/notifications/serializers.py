"""What clients send about notifications, and what they are shown."""

from typing import Any

import msgspec
from django.http import QueryDict
from rest_framework import serializers

from marketplace.rest.serializers import InputSerializer, StructSerializer
from realtime.events import Fields
from realtime.notifications.events import NotificationData, notification_data
from realtime.notifications.kinds import notification_kinds
from realtime.notifications.models import MAX_URL
from realtime.notifications.services import Marked


class NotificationMarked(NotificationData, frozen=True, kw_only=True):
    """A notification that was read, and how many are left unread."""

    unread: int


class AllMarked(Fields, frozen=True, kw_only=True):
    """How many are left unread."""

    unread: int


class NotificationSerializer(StructSerializer):
    """A notification of one's own."""

    struct = NotificationData
    build = staticmethod(notification_data)


class NotificationMarkedSerializer(StructSerializer):
    """The answer to reading one."""

    struct = NotificationMarked

    @staticmethod
    def build(marked: Marked) -> NotificationMarked:
        """The notification as it stands now, and the count."""
        data = msgspec.structs.asdict(notification_data(marked.notification))
        return NotificationMarked(**data, unread=marked.unread)


class AllMarkedSerializer(StructSerializer):
    """The answer to reading all; its instance is the count."""

    struct = AllMarked

    @staticmethod
    def build(unread: int) -> AllMarked:
        """The count."""
        return AllMarked(unread=unread)


class NotificationFilter(InputSerializer):
    """The query parameters of the list."""

    unread = serializers.BooleanField(
        required=False, help_text="true: only what is unread; false: only what was read."
    )


def read_filter(params: QueryDict) -> bool | None:
    """What the query asks for in `unread`; None for both. Raises DRF's ValidationError.

    A parameter without a value, or with blanks alone, counts as absent, as in other lists.
    """
    unread = params.get("unread", "").strip()
    query = NotificationFilter(data={"unread": unread} if unread else {})
    return query.read().get("unread")


class ReadInput(InputSerializer):
    """What is sent with the reading of one: no field."""


class ReadAllInput(InputSerializer):
    """Which ones were read: all, or those that lead to one page."""

    url = serializers.CharField(
        max_length=MAX_URL,
        required=False,
        help_text="The path of a page: only what leads there. Without it everything.",
    )


class YesOrNoField(serializers.BooleanField):
    """True or false of JSON, and nothing that may mean it, as DRF takes "off" and 1."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class PreferencesSerializer(InputSerializer):
    """Every kind by name, and whether one gets it. What is left out stays as it is."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {
            name: YesOrNoField(required=False, help_text=str(kind.label))
            for name, kind in notification_kinds().items()
        }
