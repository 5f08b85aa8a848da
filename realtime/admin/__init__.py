"""What staff see of the event path in the admin."""

from realtime.admin.log import LogEventAdmin, OutboxEventAdmin
from realtime.admin.processes import ProcessLeaseAdmin

__all__ = ["LogEventAdmin", "OutboxEventAdmin", "ProcessLeaseAdmin"]
