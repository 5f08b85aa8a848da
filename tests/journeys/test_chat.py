"""The secure chat, between two browsers."""

import json
import os
import statistics
from pathlib import Path

from playwright.sync_api import Page, Route, expect

from marketplace.accounts.models import User
from products.models import Product
from realtime.models import LogEvent
from securechat.models import Message, Report, Session
from tests.journeys.accessibility import assert_accessible
from tests.journeys.chat import (
    Talker,
    all_requests,
    expect_secured,
    expect_texts,
    said,
    write,
)
from tests.journeys.listening import wait_until
from tests.orders.things import make_order
from tests.products.things import make_product

# MEETINGS=50 in the environment holds more of them.
MEETINGS = int(os.environ.get("MEETINGS", 3))
# When the page came to say that it is secured, in milliseconds since the epoch.
WATCH = """() => {
  const words = document.getElementById("status-text");
  const look = () => {
    if (window.securedAt === undefined && words.textContent.startsWith("Secured since")) {
      window.securedAt = Date.now();
    }
  };
  new MutationObserver(look).observe(words, {childList: true, characterData: true, subtree: true});
  look();
}"""


def test_they_are_secured_at_once_when_both_press_at_the_same_moment(
    talker: Talker, buyer: User, seller: User, transactional_db: None
) -> None:
    buyers, sellers = talker(buyer), talker(seller)
    waits: list[float] = []
    for number in range(MEETINGS):
        product = make_product(seller, title=f"Pot {number}")
        order = make_order(buyer, product)
        for page in (buyers, sellers):
            page.goto(f"/orders/{order.pk}")
        with all_requests(buyers) as asked, all_requests(sellers) as too:
            # Two presses in two browsers: neither waits for the other.
            press = "document.querySelector('[data-secure-channel]').click()"
            buyers.evaluate(press)
            sellers.evaluate(press)
            for page in (buyers, sellers):
                page.wait_for_url("**/chat/*")
                page.evaluate(WATCH)
            expect_secured(buyers, sellers)
            write(buyers, f"From the buyer {number}")
            write(sellers, f"From the seller {number}")
            for page in (buyers, sellers):
                expect(page.locator(".message-text")).to_have_count(2)
                expect(page.locator(".said")).to_have_count(1)
        session = Session.objects.get(product=product)
        assert (session.status, session.epoch) == ("active", 1)
        active = LogEvent.objects.get(type="dh-session-active", payload__contains=str(session.pk))
        shown = [page.evaluate("window.securedAt") for page in (buyers, sellers)]
        waits.append(max(shown) - active.published_at.timestamp() * 1000)
        for requests in (asked, too):
            reads = [path for method, path in requests if method == "GET"]
            # What the page has when it opens; nothing is asked for again and again.
            assert len(reads) <= 3, requests
    ordered = sorted(waits)
    print(
        f"\n{MEETINGS} meetings, from the second key's commit to both pages: "
        f"median {statistics.median(ordered):.0f} ms, p99 {ordered[-1]:.0f} ms"
    )
    assert Session.objects.count() == MEETINGS


def test_it_tells_what_became_of_a_message(pair: tuple[Page, Page]) -> None:
    buyers, sellers = pair
    write(buyers, "Is it glazed?")
    expect_texts(sellers, "Is it glazed?")
    mark = buyers.locator(".mark")
    expect(mark).to_have_attribute("data-mark", "read")
    sellers.locator("details:has(#actions) summary").click()
    sellers.locator("#tells-read").uncheck()
    write(buyers, "Inside, too?")
    expect(buyers.locator(".mark").last).to_have_attribute("data-mark", "delivered")
    write(sellers, "Yes")
    expect_texts(buyers, "Is it glazed?", "Inside, too?", "Yes")
    expect(buyers.locator(".mark").last).to_have_attribute("data-mark", "delivered")


def test_it_delivers_what_was_written_while_the_other_was_away(pair: tuple[Page, Page]) -> None:
    buyers, sellers = pair
    sellers.goto("/")
    for number in range(5):
        write(buyers, f"Message {number}")
    expect(buyers.locator('.mark[data-mark="sent"]')).to_have_count(5)
    sellers.goto(f"/chat/{Session.objects.get().pk}")
    expect_texts(sellers, *(f"Message {number}" for number in range(5)))
    expect(buyers.locator('.mark[data-mark="read"]')).to_have_count(5)


def test_it_sends_what_was_written_before_the_keys_were_there(
    talker: Talker, buyer: User, seller: User, pot: Product
) -> None:
    buyers = talker(buyer)
    buyers.goto(f"/products/{pot.pk}")
    buyers.get_by_role("button", name="Secure channel").click()
    buyers.wait_for_url("**/chat/*")
    expect(buyers.locator("#status-text")).to_contain_text("Waiting for seller")
    write(buyers, "Are you there?")
    expect(buyers.locator(".mark")).to_have_attribute("data-mark", "waiting")
    assert not Message.objects.exists()
    sellers = talker(seller)
    sellers.goto(f"/chat/{Session.objects.get().pk}")
    expect_texts(sellers, "Are you there?")


def test_it_sends_again_what_was_stored_and_not_sent(pair: tuple[Page, Page]) -> None:
    buyers, sellers = pair

    def lose(route: Route) -> None:
        if route.request.method == "POST":
            route.abort()
        else:
            route.fallback()

    buyers.route("**/messages", lose)
    write(buyers, "Lost on its way")
    expect(buyers.locator(".mark")).to_have_attribute("data-mark", "waiting")
    # As after a crash: the page is gone, and what it had in memory.
    buyers.unroute("**/messages", lose)
    buyers.reload()
    expect_texts(sellers, "Lost on its way")
    write(buyers, "And another")
    expect_texts(sellers, "Lost on its way", "And another")


def test_it_sends_once_what_the_server_took_without_saying_so(pair: tuple[Page, Page]) -> None:
    buyers, sellers = pair

    def lose_answer(route: Route) -> None:
        if route.request.method == "POST":
            route.fetch()
            route.abort()
        else:
            route.fallback()

    buyers.route("**/messages", lose_answer)
    write(buyers, "Once")
    expect_texts(sellers, "Once")
    buyers.unroute("**/messages", lose_answer)
    buyers.reload()
    write(buyers, "Twice")
    expect_texts(sellers, "Once", "Twice")
    expect_texts(buyers, "Once", "Twice")
    own = Message.objects.filter(sender__username="buyer")
    assert own.count() == own.values("client_message_id").distinct().count()


def test_two_tabs_share_one_state(pair: tuple[Page, Page]) -> None:
    buyers, sellers = pair
    second = buyers.context.new_page()
    second.goto(buyers.url)
    expect_secured(second)
    wanted = []
    for number in range(6):
        for page, who in ((buyers, "first"), (second, "second")):
            text = f"{who} {number}"
            write(page, text)
            wanted.append(text)
            expect(page.locator(".message-text").last).to_have_text(text)
    expect(sellers.locator(".message-text")).to_have_count(12)
    write(sellers, "All of it")
    for page in (buyers, second, sellers):
        expect(page.locator(".message-text").last).to_have_text("All of it")
        expect(page.locator(".message-text")).to_have_count(13)
    # A reload shows what is stored: the same for both.
    second.reload()
    expect_texts(second, *buyers.locator(".message-text").all_inner_texts())
    expect(sellers.locator(".said")).to_have_count(1)


def test_a_new_browser_begins_anew_and_is_seen_to(
    talker: Talker, pair: tuple[Page, Page], buyer: User
) -> None:
    buyers, sellers = pair
    write(buyers, "From the old browser")
    expect_texts(sellers, "From the old browser")
    renewed = talker(buyer)
    renewed.goto(buyers.url)
    expect(renewed.locator("#status-text")).to_contain_text("Another browser of yours")
    assert renewed.locator("#text").is_disabled()
    renewed.get_by_role("button", name="Continue in this browser").click()
    expect_secured(renewed)
    said(sellers, "identity-changed")
    expect(sellers.locator("#warning")).to_be_visible()
    write(sellers, "Is that you?")
    # Nothing goes out to a key that nobody has accepted.
    expect(sellers.locator(".mark").last).to_have_attribute("data-mark", "waiting")
    write(renewed, "It is me")
    expect_texts(sellers, "From the old browser", "It is me", "Is that you?")
    assert "Is that you?" not in renewed.locator("#thread").inner_text()
    sellers.get_by_role("button", name="Accept the new key").click()
    expect(sellers.locator("#warning")).to_be_hidden()
    expect(renewed.locator(".message-text").last).to_have_text("Is that you?")
    # It stays visible, and the history of the old epoch stays where it was.
    said(sellers, "identity-changed")
    expect(sellers.locator(".message-text").first).to_have_text("From the old browser")
    expect(buyers.locator("#status-text")).to_contain_text("Another browser of yours")


def test_new_keys_keep_the_history_and_raise_no_alarm(pair: tuple[Page, Page]) -> None:
    buyers, sellers = pair
    write(buyers, "Before")
    expect_texts(sellers, "Before")
    sellers.locator("details:has(#actions) summary").click()
    sellers.get_by_role("button", name="New keys").click()
    expect(sellers.locator('.said[data-kind="secured"]')).to_have_count(2)
    expect(buyers.locator('.said[data-kind="secured"]')).to_have_count(2)
    write(buyers, "After")
    for page in (buyers, sellers):
        expect_texts(page, "Before", "After")
        expect(page.locator("#warning")).to_be_hidden()
    assert Session.objects.get().epoch == 2


def test_both_see_the_same_safety_number(pair: tuple[Page, Page]) -> None:
    numbers = []
    for page in pair:
        page.locator("#lock").click()
        expect(page.locator("#safety-digits li").last).to_be_visible()
        numbers.append(page.locator("#safety-digits").inner_text().split())
        assert page.locator("#safety-code path").get_attribute("d")
    assert numbers[0] == numbers[1]
    page.locator("#compared").check()
    page.keyboard.press("Escape")
    expect(page.locator("#lock")).to_have_attribute("data-compared", "true")


def test_it_shows_who_types_for_a_while(pair: tuple[Page, Page]) -> None:
    buyers, sellers = pair
    buyers.locator("#text").press_sequentially("Well")
    expect(sellers.locator("#typing")).to_be_visible()
    write(buyers, "Well, no")
    expect(sellers.locator("#typing")).to_be_hidden()
    expect(buyers.locator("#typing")).to_be_hidden()


def test_it_brings_a_picture_and_a_file_encrypted(pair: tuple[Page, Page], tmp_path: Path) -> None:
    buyers, sellers = pair
    picture = tmp_path / "pot.png"
    picture.write_bytes(buyers.screenshot())
    script = tmp_path / "page.html"
    script.write_text("<script>alert(1)</script>" * 1000)
    buyers.locator("#file").set_input_files([picture])
    sellers.locator(".file").click()
    shown = sellers.locator(".message-picture")
    expect(shown).to_be_visible()
    assert shown.evaluate("(node) => node.decode().then(() => node.naturalWidth)") > 0
    buyers.locator("#file").set_input_files([script])
    with sellers.expect_download() as download:
        sellers.locator(".file").last.click()
    assert Path(download.value.path()).read_text() == script.read_text()
    too_large = tmp_path / "large.bin"
    too_large.write_bytes(bytes(5 * 1024 * 1024 + 1))
    buyers.locator("#file").set_input_files([too_large])
    expect(buyers.locator(".toast")).to_contain_text("5 MB at most")


def test_the_list_says_what_is_unread_and_who_is_new(
    talker: Talker, pair: tuple[Page, Page], seller: User, other_buyer: User
) -> None:
    buyers, sellers = pair
    sellers.goto("/chat/")
    row = sellers.locator(".conversation")
    expect(row).to_have_count(1)
    for number in range(3):
        write(buyers, f"Message {number}")
    expect(row.locator("[data-unread]")).to_have_text("3")
    expect(row.locator("[data-preview]")).to_have_text("Message 2")
    # It arrived, and nobody has read it.
    expect(buyers.locator('.mark[data-mark="delivered"]')).to_have_count(3)
    other = talker(other_buyer)
    other.goto(f"/products/{Session.objects.get().product_id}")
    other.get_by_role("button", name="Secure channel").click()
    other.wait_for_url("**/chat/*")
    expect(sellers.locator(".conversation")).to_have_count(2)
    expect(sellers.locator(".conversation").first).to_contain_text("other-buyer")
    conversation = sellers.locator(".conversation", has_text="Message 2")
    conversation.get_by_role("link").click()
    expect(conversation.locator("[data-unread]")).to_be_hidden()
    expect(buyers.locator('.mark[data-mark="read"]')).to_have_count(3)


def test_it_is_closed_opened_deleted_blocked_and_reported(pair: tuple[Page, Page]) -> None:
    buyers, sellers = pair
    write(sellers, "Pay me outside")
    expect_texts(buyers, "Pay me outside")

    def choose(page: Page, name: str, yes: str | None = None) -> None:
        page.locator("details:has(#actions) summary").click()
        page.locator("#actions").get_by_role("button", name=name).click()
        if yes is not None:
            page.locator("#ask").get_by_role("button", name=yes).click()

    choose(buyers, "Report")
    buyers.locator("#report-messages input").check()
    buyers.locator("#report textarea").fill("fraud")
    buyers.get_by_role("button", name="Send the report").click()
    expect(buyers.locator(".toast").last).to_contain_text("The staff have your report")
    assert Report.objects.get().revealed[0]["text"] == "Pay me outside"
    choose(buyers, "Block seller", "Block")
    expect(buyers.locator("#status-text")).to_contain_text("You blocked seller")
    assert buyers.locator("#text").is_disabled()
    write(sellers, "Hello?")
    expect(sellers.locator("#status-text")).to_contain_text("has blocked the other")
    choose(buyers, "Unblock seller")
    expect_secured(buyers)
    with buyers.expect_download() as download:
        choose(buyers, "Save my copy")
    copy = json.loads(Path(download.value.path()).read_text())
    assert [entry.get("text") for entry in copy["entries"]] == [None, "Pay me outside"]
    choose(buyers, "Delete all messages", "Delete all")
    for page in (buyers, sellers):
        expect(page.get_by_text("Pay me outside")).to_have_count(0)
    assert not Message.objects.exists()
    choose(sellers, "Close the channel", "Close it")
    for page in (buyers, sellers):
        expect(page.locator("#status-text")).to_contain_text("Closed")
    buyers.goto(f"/products/{Session.objects.get().product_id}")
    buyers.get_by_role("button", name="Secure channel").click()
    buyers.wait_for_url("**/chat/*")
    expect_secured(buyers, sellers)
    assert Session.objects.get().epoch == 2


def test_it_says_why_it_cannot_work_without_https(pair: tuple[Page, Page]) -> None:
    page = pair[1]
    page.add_init_script("Object.defineProperty(globalThis, 'isSecureContext', {value: false})")
    page.reload()
    expect(page.locator("#status-text")).to_contain_text("needs an encrypted connection")


def test_it_is_nobody_elses_page(
    talker: Talker, pair: tuple[Page, Page], other_buyer: User
) -> None:
    page = talker(other_buyer)
    answer = page.goto(pair[0].url)
    assert answer is not None
    assert answer.status == 404


def test_axe_finds_nothing(pair: tuple[Page, Page]) -> None:
    page, sellers = pair
    write(page, "Is it glazed?")
    write(sellers, "It is, inside and out, in a colour that is hard to name.")
    expect(page.locator(".message-text")).to_have_count(2)
    assert_accessible(page)
    page.locator("#lock").click()
    expect(page.locator("#safety")).to_be_visible()
    assert_accessible(page)
    page.goto("/chat/")
    expect(page.locator(".conversation [data-preview]")).not_to_be_empty()
    assert_accessible(page)


def test_its_end_stays_in_view_when_something_takes_room(pair: tuple[Page, Page]) -> None:
    page = pair[0]
    page.set_viewport_size({"width": 390, "height": 600})
    for number in range(12):
        write(page, f"Message {number}")
    last = page.locator(".message-text").last
    expect(last).to_have_text("Message 11")
    expect(last).to_be_in_viewport()
    page.set_viewport_size({"width": 390, "height": 420})
    expect(last).to_be_in_viewport()
    # Who reads further up stays there.
    page.mouse.move(200, 200)
    page.mouse.wheel(0, -2_000)
    wait_until(page, "document.getElementById('thread-box').scrollTop === 0")
    write(pair[1], "Something new")
    expect(page.locator(".message-text")).to_have_count(13)
    assert page.locator("#thread-box").evaluate("(box) => box.scrollTop") < 50


def test_it_shows_who_has_the_conversation_open(pair: tuple[Page, Page]) -> None:
    buyers, sellers = pair
    for page in pair:
        expect(page.locator("#here")).to_be_visible()
    sellers.goto("/chat/")
    expect(buyers.locator("#here")).to_be_hidden()
    row = sellers.locator(".conversation")
    expect(row.locator(".avatar")).to_have_attribute("data-presence", "here")
    # The tab that is left listens for both; what nobody looks at is left out a moment later.
    other = buyers.context.new_page()
    other.goto("/")
    buyers.close()
    expect(row.locator(".avatar")).to_have_attribute("data-presence", "away")
    other.goto(f"/chat/{Session.objects.get().pk}")
    expect(row.locator(".avatar")).to_have_attribute("data-presence", "here")
    sellers.reload()
    expect(row.locator(".avatar")).to_have_attribute("data-presence", "here")
