"""Test events, sent from the log's page in the admin."""

import json

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from marketplace.accounts.models import User
from realtime.models import OutboxEvent
from tests.support.people import browser_of

PAGE = "/admin/realtime/logevent/test/"
LOG = "/admin/realtime/logevent/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def sender(staff: User) -> Client:
    """The browser of somebody who may send test events."""
    return browser_of(staff, "send_test_event", "view_logevent")


def test_it_publishes_what_was_typed_and_puts_it_on_record(sender: Client, staff: User) -> None:
    answer = sender.post(PAGE, {"channel": "product.7", "text": "[1] naïve"}, follow=True)
    said = [str(message) for message in answer.context["messages"]]
    assert said == ["The test event was sent to product.7."]
    sent = OutboxEvent.objects.get()
    assert (sent.type, sent.audiences) == ("test-sent", "product.7")
    assert json.loads(sent.payload)["data"] == {
        "channel": "product.7",
        "text": "[1] naïve",
        "sentById": staff.pk,
    }
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_repr) == (staff, "test-sent to product.7")
    assert entry.get_change_message() == "Added test-sent “[1] naïve”."
    assert "test-sent to product.7" in sender.get("/admin/").content.decode()


def test_it_proposes_the_sender_as_the_one_who_hears(sender: Client, staff: User) -> None:
    assert f'href="{PAGE}"' in sender.get(LOG).content.decode()
    assert f'value="user.{staff.pk}"' in sender.get(PAGE).content.decode()
    assert not OutboxEvent.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("channel", ""),
        ("channel", "No channel"),
        ("channel", "user.7 staff"),
        ("channel", "user.7\nstaff"),
        ("channel", "user:7"),
        ("channel", "x" * 33),
        ("channel", "user." + "7" * 65),
        ("text", ""),
        ("text", "x" * 201),
        ("text", "\0"),
    ],
)
def test_it_refuses_at_its_field_what_cannot_be_sent(
    sender: Client, field: str, value: str
) -> None:
    answer = sender.post(PAGE, {"channel": "staff", "text": "Hello", field: value})
    assert set(answer.context["adminform"].form.errors) == {field}
    assert 'class="errorlist"' in answer.content.decode()
    assert not OutboxEvent.objects.exists()
    assert not LogEntry.objects.exists()


def test_it_is_for_those_who_have_its_permission(
    other_buyer: User, buyer: User, seller: User
) -> None:
    form = {"channel": "staff", "text": "Hello"}
    for user in (other_buyer, seller):
        user.is_staff = True
        user.save()
    OutboxEvent.objects.all().delete()
    looker = browser_of(other_buyer, "view_logevent", "change_logevent", "add_logevent")
    assert PAGE not in looker.get(LOG).content.decode()
    assert looker.get(PAGE).status_code == 403
    assert looker.post(PAGE, form).status_code == 403
    outsider = browser_of(buyer, "send_test_event")
    assert outsider.post(PAGE, form).headers["Location"].startswith("/admin/login/")
    assert not OutboxEvent.objects.exists()
    only_sender = browser_of(seller, "send_test_event")
    assert only_sender.post(PAGE, form, follow=True).status_code == 200
    assert OutboxEvent.objects.count() == 1


def test_it_is_sent_by_a_form_of_this_site_alone(staff: User) -> None:
    client = browser_of(staff, "send_test_event", enforce_csrf_checks=True)
    form = {"channel": "staff", "text": "Hello"}
    assert client.get(PAGE, form).status_code == 200
    assert client.post(PAGE, form).status_code == 403
    assert not OutboxEvent.objects.exists()
    token = client.cookies["csrftoken"].value
    assert client.post(PAGE, {**form, "csrfmiddlewaretoken": token}).status_code == 302
    assert OutboxEvent.objects.count() == 1
