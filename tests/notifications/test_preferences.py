"""Each chooses for themselves which kinds they get."""

from typing import Any

import pytest

from marketplace.accounts.models import User
from realtime.api import NotificationKind, register_notification_kind
from realtime.notifications.kinds import notification_kinds
from realtime.notifications.models import MutedKind
from tests.conftest import ClientFor
from tests.notifications.things import API, events_of, tell, told
from tests.orders.things import make_order
from tests.products.things import make_product
from tests.support.answers import refused_fields

PREFERENCES = f"{API}/preferences"


def put(client: Any, wanted: dict[str, Any]) -> Any:
    """Send preferences."""
    return client.put(PREFERENCES, wanted, format="json")


def test_it_gives_every_kind_until_it_is_switched_off(buyer: User, client_for: ClientFor) -> None:
    client = client_for(buyer)
    everything = dict.fromkeys(notification_kinds(), True)
    assert {"new-order", "order-status", "stock-low", "secure-channel"} <= set(everything)
    assert client.get(PREFERENCES).json() == everything

    for _ in range(2):
        answer = put(client, {"order-status": False, "stock-low": True})
        assert (answer.status_code, answer.json()) == (200, {**everything, "order-status": False})
    # What is left out stays as it is.
    assert put(client, {"stock-low": False}).json() == {
        **everything, "order-status": False, "stock-low": False,
    }  # fmt: skip
    assert put(client, {"order-status": True, "stock-low": True}).json() == everything


def test_it_tells_nothing_of_a_kind_that_is_switched_off(
    buyer: User, other_buyer: User, client_for: ClientFor
) -> None:
    put(client_for(buyer), {"order-status": False})
    for kind in ("secure-channel", "order-status"):
        for user in (other_buyer, buyer):
            tell(user, kind=kind)
    assert [kind for kind, _title in told(buyer)] == ["secure-channel"]
    assert [data["kind"] for _type, data in events_of(buyer)] == ["secure-channel"]
    assert len(told(other_buyer)) == 2


def test_it_lets_an_order_be_placed_that_nobody_hears_of(
    buyer: User, seller: User, client_for: ClientFor
) -> None:
    put(client_for(seller), {"new-order": False})
    make_order(buyer, make_product(seller))
    assert told(seller) == []


@pytest.mark.parametrize(
    ("wanted", "refused"),
    [
        ({"weather": True}, {"weather": "unknown_field"}),
        ({"order-status": False, "weather": True}, {"weather": "unknown_field"}),
        ({"order-status": "no"}, {"order-status": "invalid"}),
        ({"order-status": 0}, {"order-status": "invalid"}),
        ({"order-status": None}, {"order-status": "null"}),
    ],
)
def test_it_refuses_what_is_no_preference(
    buyer: User, client_for: ClientFor, wanted: dict[str, Any], refused: dict[str, str]
) -> None:
    client = client_for(buyer)
    assert refused_fields(put(client, wanted)) == refused
    assert all(client.get(PREFERENCES).json().values())


def test_it_keeps_each_ones_own(buyer: User, other_buyer: User, client_for: ClientFor) -> None:
    put(client_for(buyer), dict.fromkeys(notification_kinds(), False))
    assert all(client_for(other_buyer).get(PREFERENCES).json().values())
    assert MutedKind.objects.filter(user=buyer).count() == len(notification_kinds())


def test_it_refuses_a_kind_of_a_name_that_is_taken() -> None:
    with pytest.raises(ValueError, match="registered already"):
        register_notification_kind(NotificationKind(name="new-order", label="Again"))
