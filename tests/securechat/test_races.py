"""Everything at once: one session, one activation, one message."""

from collections import Counter
from functools import partial
from uuid import uuid4

import pytest

from marketplace.accounts.models import User
from realtime.models import OutboxEvent
from securechat.models import Message, Session
from securechat.services import open_session, rekey_session, send_message, submit_key
from tests.products.things import make_product
from tests.securechat.things import make_envelope, make_key, make_session
from tests.support.races import Work, at_once

pytestmark = pytest.mark.django_db(transaction=True)


def types() -> Counter[str]:
    return Counter(OutboxEvent.objects.values_list("type", flat=True))


def test_it_makes_one_session_and_activates_it_once(buyer: User, seller: User) -> None:
    pot = make_product(seller)
    # Twenty-five tabs of each: a tab submits its browser's key, which is the same in all of them.
    buyers_key, sellers_key = make_key("buyer"), make_key("seller")
    open_session(product_id=pot.pk, by=buyer)  # so that the seller may address the buyer

    def press_as_buyer() -> str:
        session = open_session(product_id=pot.pk, by=buyer).session
        submit_key(session_id=session.pk, by=buyer, public_key=buyers_key, epoch=1)
        return str(session.pk)

    def press_as_seller() -> str:
        session = open_session(product_id=pot.pk, by=seller, buyer_id=buyer.pk).session
        submit_key(session_id=session.pk, by=seller, public_key=sellers_key, epoch=1)
        return str(session.pk)

    works: list[Work] = [press_as_buyer, press_as_seller] * 25
    assert at_once(works) == {str(Session.objects.get().pk): 50}
    assert Session.objects.get().status == "active"
    assert types() == {
        "dh-session-created": 1, "dh-key-submitted": 2, "dh-session-active": 1, "notification": 1,
    }  # fmt: skip


def test_it_makes_one_session_for_fifty_who_open_it(buyer: User, seller: User) -> None:
    pot = make_product(seller)
    opened = at_once([lambda: open_session(product_id=pot.pk, by=buyer).is_new] * 50)
    assert opened == {True: 1, False: 49}
    assert Session.objects.count() == 1
    assert types() == {"dh-session-created": 1, "notification": 1}


def test_it_takes_one_of_two_keys_of_one_side(buyer: User, seller: User) -> None:
    session = make_session(buyer, make_product(seller), active=False)

    def submit() -> str:
        key = make_key("buyer")
        submit_key(session_id=session.pk, by=buyer, public_key=key, epoch=1)
        return "taken"

    assert at_once([submit] * 10) == {"taken": 1, "key_conflict": 9}
    assert types() == {"dh-key-submitted": 1}


def test_it_begins_one_epoch_for_many_who_ask(buyer: User, seller: User) -> None:
    session = make_session(buyer, make_product(seller))

    def rekey(user: User) -> int:
        return rekey_session(session_id=session.pk, by=user, epoch=1).epoch

    works: list[Work] = [partial(rekey, user) for user in (buyer, seller) * 10]
    assert at_once(works) == {2: 20}
    assert types() == {"dh-session-rekeyed": 1}


def test_it_numbers_without_holes_and_stores_each_message_once(buyer: User, seller: User) -> None:
    session = make_session(buyer, make_product(seller))
    letters = [(uuid4(), make_envelope("buyer")) for _ in range(20)]

    def send(number: int) -> int:
        name, envelope = letters[number]
        sent = send_message(
            session_id=session.pk,
            by=buyer,
            client_message_id=name,
            epoch=1,
            envelope=envelope,
        )
        return sent.message.seq

    works: list[Work] = [partial(send, number) for number in [*range(20)] * 2]
    assert at_once(works) == dict.fromkeys(range(1, 21), 2)
    assert list(Message.objects.values_list("seq", flat=True)) == [*range(1, 21)]
    assert types() == {"chat-message": 20}
