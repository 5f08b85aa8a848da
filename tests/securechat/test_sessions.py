"""Opening, keying, closing and opening again: what each answers, and what both are told."""

import pytest
from rest_framework.test import APIClient

from marketplace.accounts.models import User
from securechat.errors import StaleSession
from securechat.models import Session
from tests.conftest import ClientFor
from tests.orders.things import make_order
from tests.products.things import announced, announced_types, forget_announcements, make_product
from tests.securechat.things import SESSIONS, code, make_key, make_session, of, send


def both(session: Session) -> list[str]:
    return [f"user.{session.buyer_id}", f"user.{session.seller_id}"]


def test_it_opens_one_session_for_a_product_and_buyer(
    buyer: User, seller: User, client_for: ClientFor
) -> None:
    pot = make_product(seller)
    client = client_for(buyer)
    first = client.post(SESSIONS, {"productId": pot.pk}, format="json")
    again = client.post(SESSIONS, {"productId": pot.pk}, format="json")
    by_seller = client_for(seller).post(
        SESSIONS, {"productId": pot.pk, "buyerId": buyer.pk}, format="json"
    )
    assert (first.status_code, again.status_code, by_seller.status_code) == (201, 200, 200)
    assert first.json() == again.json() == by_seller.json()
    session = Session.objects.get()
    assert first.json() == {
        "sessionId": str(session.pk),
        "context": "localhost",
        "productId": pot.pk,
        "productTitle": "Teapot",
        "buyerId": buyer.pk,
        "buyerName": "buyer",
        "sellerId": seller.pk,
        "sellerName": "seller",
        "status": "waiting",
        "epoch": 1,
        "keys": {"buyer": None, "seller": None},
        "lastSeq": 0,
        "lastMessageAt": None,
        "blocked": False,
        "blockedByMe": False,
        "version": 1,
        "createdAt": first.json()["createdAt"],
    }
    fact = {"sessionId": str(session.pk), "buyerId": buyer.pk, "sellerId": seller.pk,
            "productId": pot.pk, "epoch": 1, "version": 1}  # fmt: skip
    assert announced() == [("dh-session-created", both(session), fact)]
    assert client.get(of(session)).json() == client.get(SESSIONS).json()["results"][0]


def test_it_becomes_active_with_the_second_key(
    buyer: User, seller: User, client_for: ClientFor
) -> None:
    session = make_session(buyer, make_product(seller), active=False)
    keys = {"buyer": make_key("buyer"), "seller": make_key("seller")}
    statuses = []
    for role, user in (("seller", seller), ("buyer", buyer)):
        body = {"publicKey": keys[role], "epoch": 1}
        for _twice in range(2):
            answer = client_for(user).post(of(session, "/key"), body, format="json")
            assert answer.status_code == 200
        statuses.append(answer.json()["status"])
    assert statuses == ["waiting", "active"]
    assert answer.json()["keys"] == keys
    told = announced()
    assert [type_name for type_name, _, _ in told] == [
        "dh-key-submitted",
        "dh-key-submitted",
        "dh-session-active",
    ]
    assert all(audiences == both(session) for _, audiences, _ in told)
    assert told[0][2] == {
        "sessionId": str(session.pk), "role": "seller", "epoch": 1, "version": 2,
    }  # fmt: skip
    assert told[2][2] == {"sessionId": str(session.pk), "epoch": 1, "version": 3, "keys": keys}


def test_it_keeps_the_first_key_of_an_epoch(
    buyer: User, seller: User, client_for: ClientFor
) -> None:
    session = make_session(buyer, make_product(seller), active=False)
    client = client_for(buyer)
    first = make_key("buyer")
    client.post(of(session, "/key"), {"publicKey": first, "epoch": 1}, format="json")
    other = client.post(
        of(session, "/key"), {"publicKey": make_key("buyer"), "epoch": 1}, format="json"
    )
    assert code(other) == "409 key_conflict"
    assert client.get(of(session)).json()["keys"]["buyer"] == first


@pytest.mark.parametrize("epoch", [2, 3])
def test_it_refuses_a_key_for_another_epoch(
    buyer: User, seller: User, client_for: ClientFor, epoch: int
) -> None:
    session = make_session(buyer, make_product(seller), active=False)
    body = {"publicKey": make_key("buyer"), "epoch": epoch}
    answer = client_for(buyer).post(of(session, "/key"), body, format="json")
    assert code(answer) == "409 stale_epoch"
    assert answer.json()["errors"][0]["epoch"] == 1


def test_it_begins_one_epoch_whoever_asks_how_often(
    buyer: User, seller: User, client_for: ClientFor
) -> None:
    session = make_session(buyer, make_product(seller))
    for user in (buyer, seller, buyer):
        answer = client_for(user).post(of(session, "/rekey"), {"epoch": 1}, format="json")
        assert answer.status_code == 200
        assert answer.json()["epoch"] == 2
    assert answer.json()["status"] == "waiting"
    assert answer.json()["keys"] == {"buyer": None, "seller": None}
    assert announced_types() == ["dh-session-rekeyed"]
    future = client_for(buyer).post(of(session, "/rekey"), {"epoch": 3}, format="json")
    assert code(future) == "409 stale_epoch"


def test_it_closes_once_and_opens_again_with_a_new_epoch(
    buyer: User, seller: User, client_for: ClientFor
) -> None:
    session = make_session(buyer, make_product(seller))
    client = client_for(seller)
    for _twice in range(2):
        assert client.post(of(session, "/close")).json()["status"] == "closed"
    assert announced_types() == ["dh-session-closed"]
    key = {"publicKey": make_key("seller"), "epoch": 1}
    for answer in (
        send(client, session, "seller"),
        client.post(of(session, "/key"), key, format="json"),
        client.post(of(session, "/rekey"), {"epoch": 1}, format="json"),
    ):
        assert code(answer) == "409 session_closed"
    forget_announcements()
    opened = client_for(buyer).post(SESSIONS, {"productId": session.product_id}, format="json")
    assert opened.status_code == 200
    assert (opened.json()["status"], opened.json()["epoch"]) == ("waiting", 2)
    assert announced_types() == ["dh-session-rekeyed"]


def test_it_lets_a_seller_address_only_buyers_whom_they_know(
    buyer: User, other_buyer: User, seller: User, other_seller: User, client_for: ClientFor
) -> None:
    pot, foreign = make_product(seller), make_product(other_seller)
    client = client_for(seller)

    def ask(**body: int) -> str:
        answer = client.post(SESSIONS, body, format="json")
        return str(answer.status_code) if answer.status_code < 400 else code(answer)

    assert ask(productId=pot.pk) == "400 required"
    assert ask(productId=pot.pk, buyerId=buyer.pk) == "404 not_found"
    make_order(buyer, pot)
    assert ask(productId=pot.pk, buyerId=buyer.pk) == "201"
    assert ask(productId=pot.pk, buyerId=other_buyer.pk) == "404 not_found"
    assert ask(productId=pot.pk, buyerId=other_seller.pk) == "404 not_found"
    assert ask(productId=pot.pk, buyerId=seller.pk) == "404 not_found"
    assert ask(productId=pot.pk, buyerId=10**12) == "404 not_found"
    assert ask(productId=foreign.pk, buyerId=buyer.pk) == "404 not_found"
    make_session(other_buyer, pot)
    assert ask(productId=pot.pk, buyerId=other_buyer.pk) == "200"


def test_it_opens_nothing_about_what_a_buyer_may_not_see(
    buyer: User, other_buyer: User, seller: User, client_for: ClientFor
) -> None:
    pot = make_product(seller)
    make_order(buyer, pot)
    pot.is_active = False
    pot.save()
    bought = client_for(buyer).post(SESSIONS, {"productId": pot.pk}, format="json")
    assert bought.status_code == 201
    client = client_for(other_buyer)
    assert code(client.post(SESSIONS, {"productId": pot.pk}, format="json")) == "404 not_found"
    assert code(client.post(SESSIONS, {"productId": 10**12}, format="json")) == "404 not_found"
    on_sale = make_product(seller)
    for_another = {"productId": on_sale.pk, "buyerId": buyer.pk}
    assert code(client.post(SESSIONS, for_another, format="json")) == "404 not_found"


OUTSIDERS = ("other_buyer", "other_seller", "staff")


@pytest.mark.parametrize("who", OUTSIDERS)
def test_it_is_not_there_for_anybody_but_the_two(
    request: pytest.FixtureRequest, buyer: User, seller: User, client_for: ClientFor, who: str
) -> None:
    session = make_session(buyer, make_product(seller))
    assert send(client_for(buyer), session, "buyer").status_code == 201
    before = Session.objects.values().get()
    client = client_for(request.getfixturevalue(who))
    assert client.get(SESSIONS).json()["count"] == 0
    key = {"publicKey": make_key("buyer"), "epoch": 1}
    report = {"seqs": [1], "plaintexts": ["text"], "reason": "spam"}
    for answer in (
        client.get(of(session)),
        client.get(of(session, "/messages")),
        client.delete(of(session, "/messages")),
        client.get(of(session, f"/attachments/{session.pk}")),
        client.post(of(session, "/key"), key, format="json"),
        client.post(of(session, "/rekey"), {"epoch": 1}, format="json"),
        client.post(of(session, "/close")),
        client.post(of(session, "/typing")),
        client.post(of(session, "/block")),
        client.post(of(session, "/unblock")),
        client.post(of(session, "/report"), report, format="json"),
        client.post(of(session, "/attachments"), b"x", content_type="application/octet-stream"),
        send(client, session, "buyer"),
    ):
        assert code(answer) == "404 not_found"
    assert Session.objects.values().get() == before


def test_it_has_nothing_for_nobody(buyer: User, seller: User) -> None:
    session = make_session(buyer, make_product(seller))
    nobody = APIClient()
    for address in (SESSIONS, of(session), of(session, "/messages")):
        assert code(nobody.get(address)) == "401 not_authenticated"


def test_it_refuses_a_stale_save(buyer: User, seller: User) -> None:
    session = make_session(buyer, make_product(seller))
    old = Session.objects.get()
    session.status = "closed"
    session.save()
    with pytest.raises(StaleSession):
        old.save()


def test_it_takes_no_number_of_messages_from_an_old_instance(
    buyer: User, seller: User, client_for: ClientFor
) -> None:
    session = make_session(buyer, make_product(seller))
    old = Session.objects.get()
    send(client_for(buyer), session, "buyer")
    old.status = "closed"
    old.save()
    assert Session.objects.get().last_seq == 1
