"""Messages: once, in order, ciphertext only, and gone when it is time."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.utils import timezone

from marketplace.accounts.models import User
from securechat.envelopes import HEADER_BYTES, MAX_ENVELOPE_BYTES, MIN_ENVELOPE_BYTES
from securechat.models import Attachment, Message, Session
from tests.conftest import ClientFor
from tests.products.things import announced, announced_types, make_product
from tests.securechat.things import code, make_envelope, make_session, of, send


def test_it_numbers_messages_and_tells_both(
    buyer: User, seller: User, client_for: ClientFor
) -> None:
    session = make_session(buyer, make_product(seller))
    answers = [
        send(client_for(buyer), session, "buyer"),
        send(client_for(seller), session, "seller"),
        send(client_for(buyer), session, "buyer"),
    ]
    assert [answer.status_code for answer in answers] == [201] * 3
    assert [answer.json()["seq"] for answer in answers] == [1, 2, 3]
    listed = client_for(seller).get(of(session, "/messages")).json()
    told = announced()
    assert [type_name for type_name, _, _ in told] == ["chat-message"] * 3
    assert [data for _, _, data in told] == listed["results"]
    assert {tuple(audiences) for _, audiences, _ in told} == {
        (f"user.{buyer.pk}", f"user.{seller.pk}")
    }
    shown = client_for(buyer).get(of(session)).json()
    assert (shown["lastSeq"], shown["lastMessageAt"]) == (3, answers[2].json()["sentAt"])
    after = client_for(buyer).get(of(session, "/messages?after=1&pageSize=1")).json()
    assert [message["seq"] for message in after["results"]] == [2]
    assert after["count"] == 2


def test_it_stores_what_is_sent_twice_once(
    buyer: User, seller: User, client_for: ClientFor
) -> None:
    session = make_session(buyer, make_product(seller))
    client = client_for(buyer)
    message = {"clientMessageId": str(uuid4()), "envelope": make_envelope("buyer")}
    first, again = (send(client, session, "buyer", **message) for _twice in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    other = send(client, session, "buyer", clientMessageId=message["clientMessageId"])
    assert code(other) == "409 message_conflict"
    # Another sender's ids are another's.
    theirs = send(client_for(seller), session, "seller", clientMessageId=message["clientMessageId"])
    assert theirs.json()["seq"] == 2
    assert announced_types() == ["chat-message"] * 2
    # It is found again whatever has become of the session.
    client.post(of(session, "/rekey"), {"epoch": 1}, format="json")
    assert send(client, session, "buyer", **message).json() == first.json()


def test_it_takes_messages_of_the_present_epoch_in_an_active_session_only(
    buyer: User, seller: User, client_for: ClientFor
) -> None:
    session = make_session(buyer, make_product(seller), active=False)
    client = client_for(buyer)
    assert code(send(client, session, "buyer")) == "409 session_not_active"
    assert code(send(client, session, "buyer", epoch=2)) == "409 stale_epoch"
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    "envelope",
    [
        "",
        "not base64url!",
        make_envelope("buyer") + "=",
        make_envelope("seller"),
        make_envelope("buyer", size=MIN_ENVELOPE_BYTES - 1),
        make_envelope("buyer", size=HEADER_BYTES),
        "Ag" + make_envelope("buyer")[2:],
    ],
    ids=["empty", "text", "padded", "other-role", "short", "header", "version"],
)
def test_it_refuses_what_no_browser_of_that_role_sends(
    buyer: User, seller: User, client_for: ClientFor, envelope: str
) -> None:
    session = make_session(buyer, make_product(seller))
    answer = send(client_for(buyer), session, "buyer", envelope=envelope)
    assert code(answer) in {"400 invalid_envelope", "400 blank"}
    assert answer.json()["errors"][0]["attr"] == "envelope"
    assert not Message.objects.exists()


def test_it_takes_the_largest_envelope_and_no_larger_one(
    buyer: User, seller: User, client_for: ClientFor
) -> None:
    session = make_session(buyer, make_product(seller))
    client = client_for(buyer)
    largest = make_envelope("buyer", size=MAX_ENVELOPE_BYTES)
    assert send(client, session, "buyer", envelope=largest).status_code == 201
    larger = make_envelope("buyer", size=MAX_ENVELOPE_BYTES + 3)
    assert send(client, session, "buyer", envelope=larger).status_code == 400


def test_it_deletes_for_both_and_says_up_to_where(
    buyer: User, seller: User, client_for: ClientFor
) -> None:
    session = make_session(buyer, make_product(seller))
    client = client_for(seller)
    for _ in range(2):
        send(client, session, "seller")
    content = "application/octet-stream"
    client.post(of(session, "/attachments"), b"x", content_type=content)
    for _twice in range(2):
        assert client.delete(of(session, "/messages")).status_code == 204
    # Said again: browsers keep copies of what is no longer here.
    deletion = (
        "dh-messages-deleted",
        [f"user.{buyer.pk}", f"user.{seller.pk}"],
        {"sessionId": str(session.pk), "upToSeq": 2},
    )
    assert announced()[2:] == [deletion, deletion]
    assert not Message.objects.exists()
    assert not Attachment.objects.exists()
    assert send(client, session, "seller").json()["seq"] == 3


def test_it_forgets_what_was_delivered_long_ago_and_nothing_else(
    buyer: User, seller: User, client_for: ClientFor
) -> None:
    session = make_session(buyer, make_product(seller))
    send(client_for(buyer), session, "buyer")
    send(client_for(seller), session, "seller")
    send(client_for(buyer), session, "buyer")
    content = "application/octet-stream"
    client_for(buyer).post(of(session, "/attachments"), b"x", content_type=content)
    long_ago = timezone.now() - timedelta(days=31)
    Message.objects.update(sent_at=long_ago)
    Attachment.objects.update(created_at=long_ago)
    client_for(seller).get(of(session, "/messages?after=1"))
    client_for(buyer).get(of(session, "/messages?after=999"))
    call_command("trim_chats")
    # 1 is with the seller, 2 with the buyer; 3 waits for the seller, and maybe the file with it.
    assert list(Message.objects.values_list("seq", flat=True)) == [3]
    assert Attachment.objects.count() == 1
    client_for(seller).get(of(session, "/messages?after=3"))
    send(client_for(seller), session, "seller")  # trims its own session
    assert list(Message.objects.values_list("seq", flat=True)) == [4]
    assert not Attachment.objects.exists()
    assert "dh-messages-deleted" not in announced_types()


def test_it_believes_no_cursor_beyond_what_was_sent(
    buyer: User, seller: User, client_for: ClientFor
) -> None:
    session = make_session(buyer, make_product(seller))
    send(client_for(buyer), session, "buyer")
    client = client_for(seller)
    client.get(of(session, f"/messages?after={2**62}"))
    assert Session.objects.get().seller_has == 1
    client.get(of(session, "/messages?after=0"))
    assert Session.objects.get().seller_has == 1
    assert client.get(of(session, "/messages?after=x")).status_code == 400
    assert client.get(of(session, "/messages?after=-1")).status_code == 400
