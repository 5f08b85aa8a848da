"""Test events of the admin arrive where they are sent to, and nowhere else."""

import httpx
import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission

from marketplace.accounts.models import User
from tests.streams.things import cookie, listen
from tests.support.servers import Marketplace


@pytest.fixture
def sender(server: Marketplace, staff: User) -> httpx.Client:
    """The browser of somebody who may send test events."""
    staff.user_permissions.add(Permission.objects.get(codename="send_test_event"))
    headers = {"Origin": server.url, "X-CSRFToken": "a" * 32, **cookie(staff)}
    headers["Cookie"] += f"; csrftoken={'a' * 32}"
    return httpx.Client(base_url=server.url, headers=headers)


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
        assert event.body["data"] == {"text": "Is anybody there", "sentById": staff.pk}
        # The outsider hears the second one, and not the first before it.
        assert (await outside.until("test-sent")).body["data"]["text"] == "And you"
    on_record = LogEntry.objects.filter(user=staff).order_by("pk")
    assert [entry.object_repr for entry in on_record] == [
        f"test-sent to user.{buyer.pk}",
        f"test-sent to user.{other_buyer.pk}",
    ]
