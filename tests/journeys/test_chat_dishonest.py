"""A server that cheats: what it shows is refused, or said, and never passed off as genuine.

The test is the server's dishonest hand: it writes into the database what an honest one would not.
"""

from uuid import uuid4

import pytest
from django.db import transaction
from playwright.sync_api import Page, expect

from marketplace.accounts.models import User
from products.models import Product
from realtime.api import publish
from securechat.events import DhSessionActive, Keys, audiences_of
from securechat.models import Message, Session
from securechat.services import open_session, rekey_session, submit_key
from securechat.wire import from_base64url, to_base64url
from tests.journeys.chat import (
    Talker,
    expect_secured,
    expect_texts,
    forge_message,
    safety_number,
    said,
    texts,
    write,
)
from tests.products.things import make_product
from tests.securechat.peer import Peer

pytestmark = pytest.mark.usefixtures("transactional_db")
Pair = tuple[Page, Page]


def forge(session: Session, like: Message, **changes: object) -> None:
    """Announce a message that nobody sent: another one's, changed."""
    fields = {
        "sender_id": like.sender_id,
        "epoch": like.epoch,
        "client_message_id": str(like.client_message_id),
        "envelope": like.envelope,
    }
    forge_message(session, **{**fields, **changes})


def sent(session: Session, user: User) -> Message:
    """The last message of that user."""
    return Message.objects.filter(session=session, sender=user).latest("seq")


def flip(envelope: str, at: int) -> str:
    """The envelope with one bit changed."""
    content = bytearray(from_base64url(envelope))
    content[at] ^= 1
    return to_base64url(bytes(content))


def test_it_shows_no_message_that_was_doubled_reflected_changed_or_renamed(
    pair: Pair, buyer: User, seller: User
) -> None:
    buyers, sellers = pair
    session = Session.objects.get()
    write(buyers, "Once")
    expect_texts(sellers, "Once")
    write(sellers, "Answer")
    expect_texts(buyers, "Once", "Answer")
    theirs = sent(session, seller)
    mine = sent(session, buyer)
    forgeries: list[dict[str, object]] = [
        {},  # doubled
        {"client_message_id": str(uuid4())},  # doubled under another name
        {"envelope": mine.envelope},  # reflected
        {"envelope": flip(theirs.envelope, -1)},
        {"envelope": flip(theirs.envelope, 40)},
        {"envelope": flip(theirs.envelope, 2315)},
        {"envelope": "AAAA"},
        {"epoch": 7},
    ]
    for changes in forgeries:
        forge(session, theirs, **changes)
    expect(buyers.locator('.said[data-kind="refused"]')).to_have_count(len(forgeries) - 1)
    said(buyers, "no-key")
    forge(session, mine)
    forge(session, mine, client_message_id=str(uuid4()))
    said(buyers, "not-ours")
    said(buyers, "not-from-here")
    assert texts(buyers) == ["Once", "Answer"]
    # The conversation goes on.
    write(sellers, "Still here")
    expect_texts(buyers, "Once", "Answer", "Still here")


def test_it_shows_no_message_of_another_conversation(pair: Pair, seller: User) -> None:
    buyers, sellers = pair
    first = Session.objects.get()
    other = make_product(seller, title="Jug")
    buyers.goto(f"/products/{other.pk}")
    buyers.get_by_role("button", name="Secure channel").click()
    buyers.wait_for_url("**/chat/*")
    second = Session.objects.get(product=other)
    sellers.goto(f"/chat/{second.pk}")
    expect_secured(buyers, sellers)
    write(sellers, "About the jug")
    expect_texts(buyers, "About the jug")
    buyers.goto(f"/chat/{first.pk}")
    expect_secured(buyers)
    forge(first, sent(second, seller))
    said(buyers, "refused")
    assert texts(buyers) == []


def test_it_says_what_was_held_back_or_came_in_another_order(pair: Pair, buyer: User) -> None:
    buyers, sellers = pair
    sellers.goto("/")
    for number in range(5):
        write(buyers, f"Message {number}")
    expect(buyers.locator('.mark[data-mark="sent"]')).to_have_count(5)
    session = Session.objects.get()
    rows = list(Message.objects.filter(session=session, sender=buyer).order_by("seq"))
    rows[1].delete()  # held back
    one, two = rows[2], rows[3]  # swapped
    Message.objects.filter(pk=one.pk).update(client_message_id=uuid4())
    for row, like in ((two, one), (one, two)):
        Message.objects.filter(pk=row.pk).update(
            envelope=like.envelope, client_message_id=like.client_message_id
        )
    sellers.goto(f"/chat/{session.pk}")
    expect_texts(sellers, "Message 0", "Message 3", "Message 2", "Message 4")
    lines = sellers.locator(".message .said-line")
    expect(lines).to_have_text(
        ["2 messages are missing here.", "This message came late, out of its order."]
    )


def test_it_goes_back_to_no_old_keys_and_takes_no_other_ones(pair: Pair) -> None:
    buyers, sellers = pair
    session = Session.objects.get()
    old = Keys(buyer=session.buyer_key, seller=session.seller_key)
    sellers.goto("/")
    buyers.locator("details:has(#actions) summary").click()
    buyers.get_by_role("button", name="New keys").click()
    expect(buyers.locator("#status-text")).to_contain_text("Waiting")
    with transaction.atomic():
        event = DhSessionActive(session_id=str(session.pk), epoch=1, version=99, keys=old)
        publish(event, audiences=audiences_of(session))
    said(buyers, "old-epoch")
    # Refused, until an honest answer comes; that to the page's own key may still be on its way.
    assert buyers.locator("#status").get_attribute("data-phase") in {"refused", "waiting"}
    expect(buyers.locator('.said[data-kind="secured"]')).to_have_count(1)
    # Asked anew, an honest answer is taken again.
    buyers.reload()
    sellers.goto(f"/chat/{session.pk}")
    expect_secured(buyers, sellers)
    session.refresh_from_db()
    other = Peer("seller").make_bundle()
    keys = Keys(buyer=session.buyer_key, seller=to_base64url(other))
    with transaction.atomic():
        event = DhSessionActive(session_id=str(session.pk), epoch=2, version=99, keys=keys)
        publish(event, audiences=audiences_of(session))
    said(buyers, "bad-key")
    expect(buyers.locator("#text")).to_be_disabled()


def test_it_sends_nothing_to_a_key_that_was_put_in_between(
    pair: Pair, buyer: User, seller: User
) -> None:
    buyers, sellers = pair
    sellers.goto("/")
    session = rekey_session(session_id=Session.objects.get().pk, by=seller, epoch=1)
    expect(buyers.locator("#status-text")).to_contain_text("Waiting")
    attacker = Peer("seller")
    submit_key(
        session_id=session.pk,
        by=seller,
        public_key=to_base64url(attacker.make_bundle()),
        epoch=2,
    )
    said(buyers, "identity-changed")
    expect(buyers.locator("#warning")).to_be_visible()
    before = Message.objects.count()
    write(buyers, "Secret")
    expect(buyers.locator(".mark").last).to_have_attribute("data-mark", "waiting")
    buyers.reload()
    expect(buyers.locator("#warning")).to_be_visible()
    buyers.wait_for_timeout(1_000)
    assert Message.objects.count() == before


def test_the_safety_numbers_differ_when_somebody_stands_between(
    talker: Talker, buyer: User, seller: User, pot: Product
) -> None:
    """On first contact nothing else can tell: each side has begun with the attacker."""
    buyers = talker(buyer)
    session = open_session(product_id=pot.pk, by=buyer).session
    submit_key(
        session_id=session.pk,
        by=seller,
        public_key=to_base64url(Peer("seller").make_bundle()),
        epoch=1,
    )
    buyers.goto(f"/chat/{session.pk}")
    expect_secured(buyers)
    seen = safety_number(buyers)
    session = rekey_session(session_id=session.pk, by=seller, epoch=1)
    sellers = talker(seller)
    Session.objects.filter(pk=session.pk).update(
        buyer_key=to_base64url(Peer("buyer").make_bundle())
    )
    sellers.goto(f"/chat/{session.pk}")
    expect_secured(sellers)
    assert safety_number(sellers) != seen
