"""Blocking and reporting, files, and what staff see."""

import pytest
from django.test import Client

from marketplace.accounts.models import User
from realtime.models import EphemeralEvent
from securechat.attachments import MAX_BYTES, MOST_A_DAY
from securechat.models import Attachment, Report, Session
from tests.conftest import ClientFor
from tests.products.things import make_product
from tests.securechat.things import SESSIONS, code, make_key, make_session, of, send, sides
from tests.support.people import browser_of

OCTETS = "application/octet-stream"


def test_it_lets_neither_write_where_one_blocked_the_other(
    buyer: User, seller: User, client_for: ClientFor
) -> None:
    session = make_session(buyer, make_product(seller))
    other = make_session(buyer, make_product(seller), active=False)
    blocked = client_for(buyer).post(of(session, "/block")).json()
    assert (blocked["blocked"], blocked["blockedByMe"]) == (True, True)
    shown = client_for(seller).get(of(session)).json()
    assert (shown["blocked"], shown["blockedByMe"]) == (True, False)
    for role, user in sides(session):
        client = client_for(user)
        body = {"publicKey": make_key(role), "epoch": 1}
        opening = {"productId": session.product_id, "buyerId": buyer.pk}
        for answer in (
            send(client, session, role),
            client.post(of(session, "/rekey"), {"epoch": 1}, format="json"),
            client.post(of(session, "/typing")),
            client.post(of(session, "/attachments"), b"x", content_type=OCTETS),
            client.post(of(other, "/key"), body, format="json"),
            client.post(SESSIONS, opening, format="json"),
        ):
            assert code(answer) == "403 blocked"
        assert client.get(of(session, "/messages")).status_code == 200
    # The other's block is not one's own to lift.
    assert client_for(seller).post(of(session, "/unblock")).json()["blocked"]
    assert not client_for(buyer).post(of(session, "/unblock")).json()["blocked"]
    assert send(client_for(seller), session, "seller").status_code == 201


def test_it_shows_staff_what_the_reporter_chose_and_no_more(
    buyer: User, seller: User, staff: User, client_for: ClientFor
) -> None:
    session = make_session(buyer, make_product(seller))
    client = client_for(buyer)
    for _ in range(3):
        send(client_for(seller), session, "seller")
    body = {"seqs": [2], "plaintexts": ["<b>Pay outside</b>"], "reason": "fraud"}
    assert client.post(of(session, "/report"), body, format="json").status_code == 201
    report = Report.objects.get()
    assert [(item["seq"], item["senderId"]) for item in report.revealed] == [(2, seller.pk)]
    client_for(seller).delete(of(session, "/messages"))
    # Who is reported cannot undo it by deleting.
    body = {"seqs": [1, 3], "plaintexts": ["one", "three"], "reason": "fraud"}
    assert client.post(of(session, "/report"), body, format="json").status_code == 201
    assert [item["senderId"] for item in Report.objects.latest("pk").revealed] == [None, None]
    pages = browser_of(staff, "view_report", "view_session", "view_block")
    page = pages.get(f"/admin/securechat/report/{report.pk}/change/").content.decode()
    assert "&lt;b&gt;Pay outside&lt;/b&gt;" in page
    assert pages.get(f"/admin/securechat/session/{session.pk}/change/").status_code == 200
    listed = pages.get("/admin/securechat/session/").content.decode()
    assert str(session.pk) in listed
    for message in session.messages.all():
        assert message.envelope not in page
    assert pages.post(f"/admin/securechat/session/{session.pk}/change/").status_code == 403


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({"seqs": [9], "plaintexts": ["x"], "reason": "spam"}, "400 invalid"),
        ({"seqs": [1, 1], "plaintexts": ["x", "y"], "reason": "spam"}, "400 invalid"),
        ({"seqs": [1], "plaintexts": [], "reason": "spam"}, "400 invalid"),
        ({"seqs": [1], "plaintexts": ["x"], "reason": ""}, "400 blank"),
        ({"seqs": [1] * 51, "plaintexts": ["x"] * 51, "reason": "spam"}, "400 max_length"),
    ],
    ids=["unknown", "twice", "uneven", "no-reason", "many"],
)
def test_it_refuses_a_report_that_cannot_be_read(
    buyer: User, seller: User, client_for: ClientFor, body: object, wanted: str
) -> None:
    session = make_session(buyer, make_product(seller))
    send(client_for(seller), session, "seller")
    answer = client_for(buyer).post(of(session, "/report"), body, format="json")
    assert code(answer) == wanted
    assert not Report.objects.exists()


def test_it_gives_a_file_back_as_it_was_left(
    buyer: User, seller: User, client_for: ClientFor
) -> None:
    session, other = (make_session(buyer, make_product(seller)) for _ in range(2))
    content = bytes(range(256)) * 100
    left = client_for(buyer).post(of(session, "/attachments"), content, content_type=OCTETS)
    assert left.status_code == 201
    path = f"/attachments/{left.json()['attachmentId']}"
    found = client_for(seller).get(of(session, path))
    assert found.content == content
    assert found["Content-Type"] == OCTETS
    assert found["Content-Disposition"] == "attachment"
    assert code(client_for(seller).get(of(other, path))) == "404 not_found"


def test_it_bounds_files(buyer: User, seller: User, client_for: ClientFor) -> None:
    session = make_session(buyer, make_product(seller))
    client = client_for(buyer)

    def leave(content: bytes, kind: str = OCTETS) -> object:
        return client.post(of(session, "/attachments"), content, content_type=kind)

    assert code(leave(bytes(MAX_BYTES + 1))) == "413 too_large"
    assert code(leave(b"")) == "400 blank"
    assert code(leave(b"{}", "application/json")) == "415 unsupported_media_type"
    assert leave(bytes(MAX_BYTES)).status_code == 201  # type: ignore[attr-defined] # an answer
    Attachment.objects.bulk_create(
        Attachment(session=session, sender=buyer, content=b"x", size=1)
        for _ in range(MOST_A_DAY - 1)
    )
    refused = client.post(of(session, "/attachments"), b"x", content_type=OCTETS)
    assert code(refused) == "429 throttled"
    assert 86_000 < int(refused["Retry-After"]) <= 86_400
    waiting = make_session(buyer, make_product(seller), active=False)
    early = client.post(of(waiting, "/attachments"), b"x", content_type=OCTETS)
    assert code(early) == "409 session_not_active"


@pytest.mark.django_db(transaction=True)
def test_it_tells_the_other_one_alone_who_types(
    buyer: User, seller: User, client_for: ClientFor
) -> None:
    session = make_session(buyer, make_product(seller))
    assert client_for(buyer).post(of(session, "/typing")).status_code == 204
    told = EphemeralEvent.objects.get()
    assert (told.type, told.audiences) == ("chat-typing", f"user.{seller.pk}")


def test_it_takes_a_product_with_a_conversation_off_sale(buyer: User, seller: User) -> None:
    session = make_session(buyer, make_product(seller))
    session.product.delete()
    session.product.refresh_from_db()
    assert not session.product.is_active
    assert Session.objects.filter(pk=session.pk).exists()


def test_it_keeps_strangers_out_of_the_admin(client: Client, buyer: User, seller: User) -> None:
    client.force_login(buyer)
    for model in ("session", "report", "block"):
        assert client.get(f"/admin/securechat/{model}/").status_code == 302
