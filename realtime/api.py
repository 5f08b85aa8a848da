"""The one door to realtime for the other apps: declare, publish, register.

Declare an event as a subclass of Event, publish it in the transaction that makes it true, and
register which channels exist, who may listen, and what clients may say. Tell a person something
with notify(), of a kind that is registered. A list in the admin counts events as a LiveListAdmin; a
page that shows what happened last reads latest_events; whoever tells another system reads the log
behind a LogCursor.
"""

from realtime.channels import ChannelKind, Pulse, Visit, register_channel_kind
from realtime.client_messages import NotAllowed, register_client_message
from realtime.control import end_login, recheck_user
from realtime.cursors import CursorTaken, LogCursor, LoggedEvent
from realtime.database import with_own_connection
from realtime.ephemeral import publish_ephemeral
from realtime.events import Event, Fields, iso_milliseconds
from realtime.figures import StreamFigures, stream_figures
from realtime.latest import Logged, latest_events
from realtime.listeners import (
    NOBODY,
    Authenticator,
    Credentials,
    Listener,
    NotLoggedIn,
    register_authenticator,
)
from realtime.live_admin import LiveListAdmin
from realtime.notifications.kinds import NotificationKind, register_notification_kind
from realtime.notifications.services import Addressee, notify
from realtime.presence import who_is_here
from realtime.publishing import Announcement, publish, publish_all

__all__ = [
    "NOBODY",
    "Addressee",
    "Announcement",
    "Authenticator",
    "ChannelKind",
    "Credentials",
    "CursorTaken",
    "Event",
    "Fields",
    "Listener",
    "LiveListAdmin",
    "LogCursor",
    "Logged",
    "LoggedEvent",
    "NotAllowed",
    "NotLoggedIn",
    "NotificationKind",
    "Pulse",
    "StreamFigures",
    "Visit",
    "end_login",
    "iso_milliseconds",
    "latest_events",
    "notify",
    "publish",
    "publish_all",
    "publish_ephemeral",
    "recheck_user",
    "register_authenticator",
    "register_channel_kind",
    "register_client_message",
    "register_notification_kind",
    "stream_figures",
    "who_is_here",
    "with_own_connection",
]
