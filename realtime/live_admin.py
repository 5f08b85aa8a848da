"""A list in the admin that says how many of its objects have changed since it was shown."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from realtime.events import Event
from realtime.log import head_position


class LiveListAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # no generic at run time
    """A ModelAdmin whose list says "3 changed" while it is looked at.

    live_events: what is announced of the model, and where in the data its id stands:
    {OrderCreated: "order.id"}; "products.*.id" are the ids of many. Only events that staff hear
    without asking for a channel count, and those of live_channels, the channels that are asked for.
    """

    live_events: ClassVar[Mapping[type[Event], str]]
    live_channels: ClassVar[Sequence[str]] = ()
    change_list_template = "realtime/live_change_list.html"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, with the position of the log that it is not older than."""
        live = {
            # Before the list is read: what happens in between counts, and is not missed.
            "event_position": head_position(),
            "live_events": json.dumps(
                {event.type_name: path for event, path in self.live_events.items()}
            ),
            "live_channels": " ".join(self.live_channels),
        }
        return super().changelist_view(request, {**live, **(extra_context or {})})
