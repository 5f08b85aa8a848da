"""What staff do in the admin reaches streams, on every process."""

import re

import httpx
import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission

from marketplace.accounts.models import User
from tests.conftest import StartServer
from tests.realtime.things import publish_thing
from tests.streams.things import cookie, listen, talk
from tests.support.servers import Marketplace


def browser(server: Marketplace, user: User) -> httpx.Client:
    """What the user clicks in."""
    headers = {"Origin": server.url, "X-CSRFToken": "a" * 32, **cookie(user)}
    headers["Cookie"] += f"; csrftoken={'a' * 32}"
    return httpx.Client(base_url=server.url, headers=headers)


@pytest.fixture
def sender(server: Marketplace, staff: User) -> httpx.Client:
    """The browser of somebody who may send test events."""
    staff.user_permissions.add(Permission.objects.get(codename="send_test_event"))
    return browser(server, staff)


async def test_it_sends_a_test_event_to_the_channel_alone(
    server: Marketplace, sender: httpx.Client, staff: User, buyer: User, other_buyer: User
) -> None:
    async with await listen(server, buyer) as hears, await listen(server, other_buyer) as outside:
        with sender:
            for user, text in ((buyer, "Is anybody there"), (other_buyer, "And you")):
                form = {"channel": f"user.{user.pk}", "text": text}
                answer = sender.post("/admin/realtime/logevent/test/", data=form)
                assert answer.status_code == 302, answer.text
        event = await hears.until("test-sent")
        assert event.body["data"] == {
            "channel": f"user.{buyer.pk}",
            "text": "Is anybody there",
            "sentById": staff.pk,
        }
        # The outsider hears the second one, and not the first before it.
        assert (await outside.until("test-sent")).body["data"]["text"] == "And you"
    on_record = LogEntry.objects.filter(user=staff).order_by("pk")
    assert [entry.object_repr for entry in on_record] == [
        f"test-sent to user.{buyer.pk}",
        f"test-sent to user.{other_buyer.pk}",
    ]


# --- Who is connected -----------------------------------------------------------------------

STREAMS = "/admin/realtime/processlease/streams/"
ROW = re.compile(r'<th scope="row">([^<]*)</th>.*?name="client" value="([^"]*)"', re.DOTALL)


async def test_it_shows_the_streams_of_all_processes_and_ends_one(
    start_server: StartServer, staff: User, buyer: User, other_buyer: User
) -> None:
    first, second = start_server(), start_server()
    codenames = ("view_processlease", "end_stream")
    staff.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
    async with (
        await listen(first, buyer, channels="catalogue") as near,
        await listen(second, buyer) as far,
        await talk(second, other_buyer) as other,
    ):
        client_id = (await far.until("connected")).body["data"]["clientId"]
        with browser(first, staff) as admin:
            rows = ROW.findall(admin.get(STREAMS).text)
            assert sorted(name for name, _ in rows) == sorted(
                [buyer.username, buyer.username, other_buyer.username]
            )
            rows = ROW.findall(admin.get(STREAMS, params={"user": buyer.username}).text)
            assert [name for name, _ in rows] == [buyer.username] * 2
            assert client_id in [client for _, client in rows]
            answer = admin.post(f"{STREAMS}end/", data={"client": client_id})
            assert answer.status_code == 302, answer.text
            closing = await far.until("closing")
            assert closing.body["data"] == {"reason": "forbidden", "retryAfter": None}
            rows = ROW.findall(admin.get(STREAMS, params={"user": buyer.username}).text)
            assert len(rows) == 1
        publish_thing(5, to="all")
        await near.until("thing-happened")
        await other.until("thing-happened")
