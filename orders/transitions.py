"""Which steps an order can take, and whose they are: a table, without any I/O."""

from collections.abc import Collection, Mapping
from typing import Literal

from orders.models import Order

Party = Literal["buyer", "seller"]
Status = Order.Status

PARTIES: tuple[Party, Party] = ("buyer", "seller")

# Party → present status → the statuses that this party may bring about.
STEPS: Mapping[Party, Mapping[Status, tuple[Status, ...]]] = {
    "buyer": {
        Status.PENDING: (Status.CANCELLED,),
        Status.SHIPPED: (Status.DELIVERED,),
    },
    "seller": {
        Status.PENDING: (Status.CONFIRMED, Status.CANCELLED),
        Status.CONFIRMED: (Status.SHIPPED, Status.CANCELLED),
    },
}


def allowed_transitions(party: Party, status: Status) -> tuple[Status, ...]:
    """The statuses to which this party may bring an order of that status."""
    return STEPS[party].get(status, ())


def is_allowed(parties: Collection[Party], *, status: Status, to: Status) -> bool:
    """Whether one of the parties may take this step now."""
    return any(to in allowed_transitions(party, status) for party in parties)


def is_ever_allowed(parties: Collection[Party], *, to: Status) -> bool:
    """Whether there is a status from which one of the parties may take this step."""
    return any(is_allowed(parties, status=status, to=to) for status in Status)
