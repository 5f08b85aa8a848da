"""Reading one's notifications over REST: what is shown, marked and announced; each their own."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from marketplace.accounts.models import User
from tests.conftest import ClientFor
from tests.notifications.things import API, events_of, forget_events, tell
from tests.support.answers import refusal, refused_fields


def listed(client: Any, query: str = "") -> list[str]:
    """The titles of a list."""
    return [shown["title"] for shown in client.get(f"{API}{query}").json()["results"]]


def test_it_lists_the_newest_first_and_counts_the_unread(
    buyer: User, other_buyer: User, client_for: ClientFor
) -> None:
    first, *_others = [tell(buyer, f"Fact {number}") for number in range(3)]
    tell(other_buyer, "Not yours")
    client = client_for(buyer)
    client.post(f"{API}/{first}/read")

    answer = client.get(f"{API}?pageSize=2").json()
    assert (answer["count"], answer["unread"], answer["previous"]) == (3, 2, None)
    assert [shown["title"] for shown in answer["results"]] == ["Fact 2", "Fact 1"]
    assert listed(client, "?pageSize=2&page=2") == ["Fact 0"]
    assert listed(client, "?unread=true") == ["Fact 2", "Fact 1"]
    assert listed(client, "?unread=false") == ["Fact 0"]
    assert listed(client, "?unread=") == ["Fact 2", "Fact 1", "Fact 0"]
    assert client.get(f"{API}?unread=false").json()["unread"] == 2
    assert int(client.get(API)["Event-Position"]) >= 0


@pytest.mark.parametrize("query", ["unread=perhaps", "page=0", "page=9", "pageSize=101"])
def test_it_refuses_a_parameter_that_it_does_not_understand(
    buyer: User, client_for: ClientFor, query: str
) -> None:
    answer = client_for(buyer).get(f"{API}?{query}")
    assert list(refused_fields(answer)) == [query.split("=")[0]]


def test_it_marks_one_as_read_once(buyer: User, client_for: ClientFor) -> None:
    first, second = tell(buyer), tell(buyer)
    forget_events()
    client = client_for(buyer)
    answer = client.post(f"{API}/{first}/read")
    assert answer.status_code == 200
    assert answer.json()["unread"] == 1
    assert answer.json()["readAt"] is not None
    (shown,) = client.get(f"{API}?unread=false").json()["results"]
    assert answer.json() == {**shown, "unread": 1}
    assert events_of(buyer) == [("notification-read", {"notificationIds": [first], "unread": 1})]

    assert client.post(f"{API}/{first}/read").json() == answer.json()
    client.post(f"{API}/{second}/read")
    assert [data["unread"] for _type, data in events_of(buyer)] == [1, 0]


def test_it_marks_all_as_read_once(buyer: User, other_buyer: User, client_for: ClientFor) -> None:
    for _ in range(3):
        tell(buyer)
    tell(other_buyer)
    forget_events()
    client = client_for(buyer)
    for _ in range(2):
        answer = client.post(f"{API}/read-all")
        assert (answer.status_code, answer.json()) == (200, {"unread": 0})
    assert events_of(buyer) == [("notification-read", {"notificationIds": "all", "unread": 0})]
    assert events_of(other_buyer) == []
    assert client_for(other_buyer).get(API).json()["unread"] == 1


def test_it_marks_what_leads_to_one_page(buyer: User, client_for: ClientFor) -> None:
    here = [tell(buyer, url="/orders/7"), tell(buyer, url="/orders/7#timeline")]
    for elsewhere in ("/orders/77", "/orders/7/more", "/orders"):
        tell(buyer, url=elsewhere)
    forget_events()
    client = client_for(buyer)
    for _ in range(2):
        assert client.post(f"{API}/read-all", {"url": "/orders/7"}, format="json").json() == {
            "unread": 3
        }
    assert events_of(buyer) == [("notification-read", {"notificationIds": here, "unread": 3})]


@pytest.mark.parametrize("body", [{"uri": "/"}, {"url": None}, {"url": ""}, {"url": "/" * 501}])
def test_it_marks_nothing_for_a_body_that_it_does_not_understand(
    buyer: User, client_for: ClientFor, body: dict[str, Any]
) -> None:
    pk = tell(buyer)
    client = client_for(buyer)
    assert client.post(f"{API}/read-all", body, format="json").status_code == 400
    one = client.post(f"{API}/{pk}/read", body, format="json")
    assert refused_fields(one) == dict.fromkeys(body, "unknown_field")
    assert client.get(API).json()["unread"] == 1


@pytest.mark.parametrize("who", ["other_buyer", "seller", "staff"])
def test_it_shows_nobody_anothers(
    request: pytest.FixtureRequest, buyer: User, client_for: ClientFor, who: str
) -> None:
    pk = tell(buyer)
    forget_events()
    client = client_for(request.getfixturevalue(who))
    assert listed(client) == []
    for number in (pk, pk + 1, 2**80):
        assert refusal(client.post(f"{API}/{number}/read")) == (404, "not_found")
    client.post(f"{API}/read-all")
    assert events_of(buyer) == []
    assert client_for(buyer).get(API).json()["unread"] == 1


def test_it_has_nothing_for_nobody(buyer: User) -> None:
    pk = tell(buyer)
    nobody = APIClient()
    for answer in (
        nobody.get(API),
        nobody.post(f"{API}/{pk}/read"),
        nobody.post(f"{API}/read-all"),
        nobody.get(f"{API}/preferences"),
        nobody.put(f"{API}/preferences", {}, format="json"),
    ):
        assert refusal(answer) == (401, "not_authenticated")


def test_it_asks_for_the_csrf_token_of_a_session(
    buyer: User, session_client_for: ClientFor
) -> None:
    tell(buyer)
    assert refusal(session_client_for(buyer).post(f"{API}/read-all")) == (403, "csrf_failed")
