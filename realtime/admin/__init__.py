"""What staff see of the event path in the admin."""

from realtime.admin.cursors import StoredCursorAdmin
from realtime.admin.log import LogEventAdmin, OutboxEventAdmin
from realtime.admin.notifications import NotificationAdmin
from realtime.admin.processes import ProcessLeaseAdmin

__all__ = [
    "LogEventAdmin",
    "NotificationAdmin",
    "OutboxEventAdmin",
    "ProcessLeaseAdmin",
    "StoredCursorAdmin",
]
