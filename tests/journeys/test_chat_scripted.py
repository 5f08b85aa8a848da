"""The buyer's browser against a seller and a server that do what no honest ones do."""

import json
from uuid import uuid4

import pytest
from django.db import transaction
from playwright.sync_api import Page, Route, expect

from marketplace.accounts.models import User
from products.models import Product
from securechat.models import Message, Session
from securechat.services import close_session, open_session, rekey_session
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
from tests.journeys.scripted import ScriptedSeller
from tests.products.things import make_product
from tests.securechat.peer import Peer

Pair = tuple[Page, ScriptedSeller]

# Whose keys the browser knows.
KNOWN_PEOPLE = """async () => {
  const open = indexedDB.open(`secure-chat ${document.body.dataset.userId}`);
  await new Promise((resolve) => (open.onsuccess = resolve));
  const all = open.result.transaction("people").objectStore("people").getAllKeys();
  await new Promise((resolve) => (all.onsuccess = resolve));
  return all.result;
}"""
# As when a third key comes between what was shown and the press.
ACCEPT_ANOTHER_KEY = """async (sessionId) => {
  const [{ openDatabase }, { ChatApi }, { Channel }] = await Promise.all(
    ["database", "api", "channel"].map((name) => import(`/static/securechat/${name}.js`)),
  );
  const { userId } = document.body.dataset;
  const api = new ChatApi(sessionId);
  const channel = new Channel({
    database: await openDatabase(userId),
    api,
    session: await api.session(),
    userId: Number(userId),
    onChange() {},
  });
  await channel.acceptIdentity(new Uint8Array(32).fill(9));
}"""


@pytest.fixture
def scripted(talker: Talker, buyer: User, seller: User, pot: Product) -> Pair:
    """The buyer's page, secured with a scripted seller."""
    session = open_session(product_id=pot.pk, by=buyer).session
    sellers = ScriptedSeller(seller, session)
    page = talker(buyer)
    page.goto(f"/chat/{session.pk}")
    expect(page.locator("#status-text")).to_contain_text("Waiting")
    expect(page.locator("#text")).to_be_enabled()
    sellers.submit()
    expect_secured(page)
    sellers.begin()
    return page, sellers


def renew(page: Page, sellers: ScriptedSeller, peer: Peer | None = None) -> None:
    """A new epoch, whose keys both have; `peer`: the seller's new identity."""
    before = page.locator('.said[data-kind="secured"]').count()
    session = sellers.session
    rekey_session(session_id=session.pk, by=sellers.user, epoch=session.epoch)
    sellers.submit(peer)
    expect(page.locator('.said[data-kind="secured"]')).to_have_count(before + 1)
    sellers.begin()


def test_it_stays_with_the_people_with_whom_it_began(scripted: Pair) -> None:
    page, _sellers = scripted

    def show_another(route: Route) -> None:
        answer = route.fetch()
        body = {**answer.json(), "sellerId": 999_999}
        route.fulfill(response=answer, body=json.dumps(body))

    page.route("**/rekey", show_another)
    page.locator("details:has(#actions) summary").click()
    page.get_by_role("button", name="New keys").click()
    said(page, "other-people")
    assert page.evaluate(KNOWN_PEOPLE) == [Session.objects.get().seller_id]


def test_another_conversation_makes_no_key_trusted(
    scripted: Pair, buyer: User, seller: User, talker: Talker
) -> None:
    page, sellers = scripted
    genuine = sellers.peer
    renew(page, sellers, Peer("seller"))
    said(page, "identity-changed")
    expect(page.locator("#warning")).to_be_visible()
    other = open_session(product_id=make_product(seller).pk, by=buyer).session
    second = ScriptedSeller(seller, other)
    first_address = page.url
    page.goto(f"/chat/{other.pk}")
    second.submit(genuine)
    expect_secured(page)
    expect(page.locator("#warning")).to_be_hidden()
    numbers = safety_number(page)
    page.locator("#compared").check()
    page.goto(first_address)
    expect(page.locator("#warning")).to_be_visible()
    before = Message.objects.count()
    write(page, "Secret")
    expect(page.locator(".mark").last).to_have_attribute("data-mark", "waiting")
    # The number is that of the key in use here, and nobody has compared it.
    assert safety_number(page) != numbers
    assert not page.locator("#compared").is_checked()
    assert page.locator("#compared").is_disabled()
    expect(page.locator("#lock")).to_have_attribute("data-compared", "false")
    assert Message.objects.count() == before


def test_it_accepts_the_key_that_was_shown_and_no_other(scripted: Pair) -> None:
    page, sellers = scripted
    renew(page, sellers, Peer("seller"))
    expect(page.locator("#warning")).to_be_visible()
    page.evaluate(ACCEPT_ANOTHER_KEY, str(sellers.session.pk))
    page.reload()
    expect_secured(page)
    expect(page.locator("#warning")).to_be_visible()
    assert page.locator('.said[data-kind="identity-accepted"]').count() == 0


def test_it_hears_no_replaced_key_any_more(scripted: Pair) -> None:
    page, sellers = scripted
    name = str(uuid4())
    late = sellers.seal({"kind": "text", "id": name, "text": "Pay to the old account"})
    sellers.write("Before")
    expect_texts(page, "Before")
    renew(page, sellers, Peer("seller"))
    page.locator("#accept").click()
    sellers.write("After")
    expect_texts(page, "Before", "After")
    forge_message(
        sellers.session,
        sender_id=sellers.user.pk,
        epoch=1,
        client_message_id=name,
        envelope=late,
    )
    said(page, "refused")
    assert texts(page) == ["Before", "After"]


def test_it_shows_once_what_was_sealed_again_with_newer_keys(scripted: Pair) -> None:
    page, sellers = scripted
    name = str(uuid4())
    sellers.write("Pay 100", name=name)
    expect_texts(page, "Pay 100")
    renew(page, sellers)
    Message.objects.all().delete()  # so that the server takes the id again
    sellers.write("Pay 100", name=name)
    sellers.write("That is all")
    expect_texts(page, "Pay 100", "That is all")


def test_it_refuses_what_is_no_content_and_goes_on(scripted: Pair) -> None:
    page, sellers = scripted
    name = str(uuid4())
    deep = f'{{"kind":"text","id":"{name}","text":"deep","x":{"[" * 9_000}{"]" * 9_000}}}'
    sellers.send(name, sellers.seal(deep.encode()))
    for content in (b"no JSON", b"[]", b"null", b'{"kind":"text","id":1}', b"\xff"):
        sellers.send(str(uuid4()), sellers.seal(content))
    sellers.write("", kind="poll")
    sellers.write("<script>alert(1)</script>")
    expect(page.locator('.said[data-kind="refused"]')).to_have_count(5)
    expect(page.locator(".message-text").last).to_have_text("<script>alert(1)</script>")
    assert texts(page)[0] == "deep"
    write(page, "Still here")
    expect(page.locator(".mark").last).to_have_attribute("data-mark", "sent")


def test_it_reads_after_many_new_keys_what_was_written_before(scripted: Pair, buyer: User) -> None:
    page, sellers = scripted
    address = page.url
    page.goto("/")
    sellers.write("Before all that")
    for epoch in range(1, 5):
        rekey_session(session_id=sellers.session.pk, by=buyer, epoch=epoch)
    page.goto(address)
    expect_texts(page, "Before all that")


def test_it_submits_its_key_when_the_connection_is_back(
    talker: Talker, buyer: User, seller: User, pot: Product
) -> None:
    session = open_session(product_id=pot.pk, by=buyer).session
    page = talker(buyer)
    page.route("**/key", lambda route: route.abort())
    page.goto(f"/chat/{session.pk}")
    expect(page.locator("#status-text")).to_contain_text("No answer came")
    page.unroute("**/key")
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("#status-text")).to_contain_text("Waiting")
    session.refresh_from_db()
    assert session.buyer_key


def test_it_raises_no_alarm_at_keys_that_are_renewed_and_closed_at_once(scripted: Pair) -> None:
    page, sellers = scripted
    session = sellers.session
    with transaction.atomic():
        rekey_session(session_id=session.pk, by=sellers.user, epoch=1)
        close_session(session_id=session.pk, by=sellers.user)
    expect(page.locator("#status-text")).to_contain_text("Closed")
    assert page.locator('.said[data-kind="old-epoch"]').count() == 0


def test_a_text_that_is_too_long_for_an_envelope_is_not_taken(scripted: Pair) -> None:
    page, _sellers = scripted
    # By hand: the driver's own way takes its time with so many lines.
    page.evaluate("document.getElementById('text').value = 'x' + '\\n'.repeat(17_000) + 'x'")
    page.locator("#text").press("Enter")
    expect(page.locator(".toast")).to_contain_text("too long for one message")
    page.locator("#text").fill("x" * 32_000)
    page.locator("#text").press("Enter")
    expect(page.locator(".mark")).to_have_attribute("data-mark", "sent")


def test_it_waits_while_the_server_is_away_and_tries_again(scripted: Pair) -> None:
    page, _sellers = scripted
    failing = True

    def fail(route: Route) -> None:
        if route.request.method == "POST" and failing:
            route.fulfill(status=503, body="")
        else:
            route.fallback()

    page.route("**/messages", fail)
    write(page, "In the end")
    expect(page.locator(".mark")).to_have_attribute("data-mark", "waiting")
    failing = False
    expect(page.locator(".mark")).to_have_attribute("data-mark", "sent")


def test_it_can_be_sent_again_what_the_server_did_not_take(scripted: Pair) -> None:
    page, _sellers = scripted

    def refuse(route: Route) -> None:
        if route.request.method == "POST":
            route.fulfill(status=400, json={"errors": [{"code": "invalid", "detail": ""}]})
        else:
            route.fallback()

    page.route("**/messages", refuse)
    write(page, "Once more")
    expect(page.locator(".mark")).to_have_attribute("data-mark", "failed")
    page.unroute("**/messages")
    page.get_by_role("button", name="Send again").click()
    expect(page.locator(".mark")).to_have_attribute("data-mark", "sent")
    assert texts(page) == ["Once more"]


def test_another_browser_says_of_nothing_that_it_arrived(
    scripted: Pair, talker: Talker, buyer: User
) -> None:
    page, sellers = scripted
    page.goto("/")
    for _ in range(3):
        sellers.write("For the first browser")
    other = talker(buyer)
    other.goto(f"/chat/{sellers.session.pk}")
    expect(other.locator("#status-text")).to_contain_text("Another browser of yours")
    other.reload()
    expect(other.locator("#status-text")).to_contain_text("Another browser of yours")
    assert other.locator("#thread li").count() == 0
    assert Session.objects.get().buyer_has == 0


def test_a_date_that_is_none_ends_no_page(scripted: Pair) -> None:
    page, sellers = scripted
    forge_message(
        sellers.session,
        sender_id=sellers.user.pk,
        epoch=1,
        client_message_id="no uuid",
        envelope="AAAA",
        sent_at="never",
    )
    sellers.write("After it")
    expect_texts(page, "After it")
    page.reload()
    expect_texts(page, "After it")
