"""Suggestions in browsers: made, voted for and answered in one, seen in all of them."""

from collections.abc import Callable

from django.contrib.auth.models import Permission
from playwright.sync_api import Locator, Page, Route, expect

from marketplace.accounts.models import User
from products.models import Product
from products.suggestions.listing import PAGE_SIZE
from products.suggestions.models import Suggestion
from products.suggestions.services import (
    answer_suggestion,
    cast_vote,
    create_suggestion,
    withdraw_vote,
)
from tests.journeys.accessibility import assert_accessible
from tests.journeys.chat import Talker
from tests.journeys.conftest import assert_state_law, open_live, requests_of
from tests.journeys.steps import change, offer
from tests.products.things import make_product
from tests.suggestions.things import BODY, suggest

PAGE = "/suggestions/"


def row(page: Page, title: str) -> Locator:
    """The suggestion of that title."""
    return page.locator("li.suggestion", has_text=title)


def vote(page: Page, title: str) -> Locator:
    """The button by which one votes for it."""
    return row(page, title).locator("[data-vote]")


def titles(page: Page) -> Locator:
    """The titles that the page shows, in order."""
    return page.locator("#suggestions > li:not([hidden]) :is(h2, h3)")


def answer(suggestion: Suggestion, by: User, text: str) -> None:
    """Answer it elsewhere, announced."""
    answer_suggestion(suggestion_id=suggestion.pk, by=by, text=text)


def publish(
    page: Page, title: str, text: str, *, meanwhile: Callable[[], None] | None = None
) -> None:
    """Answer the suggestion of that title; meanwhile happens before the button is pressed."""
    form = row(page, title)
    form.locator("summary").click()
    form.get_by_label("Your answer, for everybody to read").fill(text)
    if meanwhile is not None:
        meanwhile()
    form.get_by_role("button", name="Publish the answer").click()


def expect_vote(page: Page, title: str, votes: int, *, own: bool) -> None:
    """Until the page shows so many votes, and whether one of them is the reader's."""
    expect(vote(page, title).locator("[data-field=votes]")).to_have_text(str(votes))
    expect(vote(page, title)).to_have_attribute("aria-pressed", str(own).lower())


def test_it_moves_the_count_everywhere_and_the_vote_in_ones_own_tabs(
    talker: Talker, buyer: User, other_buyer: User, seller: User
) -> None:
    pot = make_product(seller)
    lid = suggest(seller, pot, title="A lid that stays on")
    mine, theirs = talker(buyer), talker(other_buyer)
    tab = mine.context.new_page()
    open_live(tab, f"/products/{pot.pk}")
    for page in (mine, theirs):
        open_live(page, PAGE)
    with requests_of(theirs) as urls:
        vote(mine, "A lid").click()
        for page, own in ((mine, True), (tab, True), (theirs, False)):
            expect_vote(page, "A lid", 1, own=own)
        vote(theirs, "A lid").click()
        for page in (mine, tab, theirs):
            expect_vote(page, "A lid", 2, own=True)
        vote(tab, "A lid").click()
        for page, own in ((mine, False), (tab, False), (theirs, True)):
            expect_vote(page, "A lid", 1, own=own)
    assert [url.rpartition("/api/")[2] for url in urls] == [f"suggestions/{lid.pk}/vote"]
    for page in (mine, tab, theirs):
        assert_state_law(page)


def test_it_shows_what_is_suggested_and_answered_elsewhere(
    talker: Talker, buyer: User, seller: User, staff: User
) -> None:
    pot = make_product(seller, title="Teapot")
    mine, sellers, staffs = talker(buyer), talker(seller), talker(staff)
    open_live(mine, f"/products/{pot.pk}")
    expect(mine.get_by_text("Nobody has suggested anything about it yet.")).to_be_visible()
    for page in (sellers, staffs):
        open_live(page, PAGE)
    mine.get_by_role("link", name="Suggest something").click()
    expect(mine.get_by_label("In a few words")).to_be_focused()
    mine.keyboard.type("A lid that stays on")
    mine.get_by_label("What would be better, and why").fill("It falls into the cup.")
    mine.get_by_role("button", name="Suggest it").click()
    expect(titles(mine)).to_have_text(["A lid that stays on"])
    create_suggestion(author=staff, **BODY)

    for page in (sellers, staffs):
        expect(titles(page)).to_have_text([BODY["title"], "A lid that stays on"])
        expect(row(page, "A lid").get_by_role("link", name="Teapot")).to_be_visible()
    expect(row(sellers, BODY["title"]).locator("summary")).to_have_count(0)
    expect(row(staffs, BODY["title"]).locator("summary")).to_be_visible()

    publish(sellers, "A lid", "From May on. ")
    for page in (mine, sellers, staffs):
        expect(row(page, "A lid").locator(".suggestion-answer")).to_contain_text("From May on.")
        assert_state_law(page)

    # Two write at the same time: nobody's answer is replaced by one who has not seen it.
    lid = Suggestion.objects.get(title="A lid that stays on")
    publish(sellers, "A lid", "From June on.", meanwhile=lambda: answer(lid, staff, "In\r\nJuly."))
    expect(row(sellers, "A lid").get_by_role("alert")).to_contain_text("In July.")
    lid.refresh_from_db()
    assert (lid.answer, lid.answered_by) == ("In\r\nJuly.", staff)
    sellers.get_by_role("button", name="Publish the answer").click()
    for page in (mine, sellers, staffs):
        expect(row(page, "A lid").locator(".suggestion-answer")).to_contain_text("From June on.")
    publish(staffs, "A lid", "In August.")
    for page in (mine, sellers, staffs):
        expect(row(page, "A lid").locator(".suggestion-answer")).to_contain_text("In August.")
        assert_state_law(page)
    lid.refresh_from_db()
    assert lid.answered_by == staff


def test_it_names_a_product_to_those_who_may_know_of_it(
    talker: Talker, buyer: User, seller: User
) -> None:
    pot = make_product(seller, title="Teapot")
    suggest(buyer, pot, title="A lid")
    mine, sellers = talker(buyer), talker(seller)
    for page in (mine, sellers):
        open_live(page, PAGE)
    change(pot, title="Jug")
    for page in (mine, sellers):
        expect(row(page, "A lid").get_by_role("link", name="Jug")).to_be_visible()
    change(pot, is_active=False)
    expect(row(mine, "A lid").get_by_text("A product that is not on sale")).to_be_visible()
    assert_state_law(mine)
    expect(mine.get_by_text("Jug")).to_have_count(0)
    assert_state_law(sellers)
    expect(row(sellers, "A lid").get_by_role("link", name="Jug")).to_be_visible()
    change(pot, is_active=True)
    expect(row(mine, "A lid").get_by_role("link", name="Jug")).to_be_visible()
    bowl = offer(seller, "Bowl")
    create_suggestion(author=seller, product_id=bowl.pk, title="Deeper", text="For soup.")
    expect(row(mine, "Deeper").get_by_role("link", name="Bowl")).to_be_visible()
    assert_state_law(mine)
    change(bowl, is_active=False)
    create_suggestion(author=seller, product_id=bowl.pk, title="Lighter", text="In the hand.")
    expect(row(sellers, "Lighter").get_by_role("link", name="Bowl")).to_be_visible()
    mine.get_by_role("button", name="1 change, show").click()
    expect(row(mine, "Lighter").get_by_text("A product that is not on sale")).to_be_visible()


def test_it_offers_what_only_a_new_page_would_show(
    talker: Talker, buyer: User, seller: User, staff: User
) -> None:
    first, second = suggest(buyer, title="First"), suggest(buyer, title="Second")
    page = talker(buyer)
    open_live(page, f"{PAGE}?ordering=-votes")
    cast_vote(suggestion_id=second.pk, by=buyer)
    expect_vote(page, "Second", 1, own=True)
    assert_state_law(page)
    for user in (buyer, seller):
        cast_vote(suggestion_id=first.pk, by=user)
    expect_vote(page, "First", 2, own=True)
    page.get_by_role("button", name="1 change, show").click()
    expect(titles(page)).to_have_text(["First", "Second"])

    last = suggest(buyer, title="Wish 0")
    for number in range(1, PAGE_SIZE):
        suggest(buyer, title=f"Wish {number}")
    open_live(page, PAGE)
    create_suggestion(author=seller, title="Newest", text="Of all.")
    expect(row(page, "Newest")).to_be_visible()
    expect(titles(page)).to_have_count(PAGE_SIZE)
    assert_state_law(page)
    page.get_by_role("link", name="Next page").click()
    expect(titles(page)).to_have_text(["Wish 0", "Second", "First"])
    withdraw_vote(suggestion_id=first.pk, by=seller)
    expect_vote(page, "First", 1, own=True)
    create_suggestion(author=seller, title="Newer", text="Than all.")
    expect(page.get_by_role("button", name="1 change, show")).to_be_visible()
    expect(row(page, "Newer")).to_have_count(0)

    # What many want is told to them who see it, not to each page behind.
    cast_vote(suggestion_id=first.pk, by=seller)
    open_live(page, f"{PAGE}?ordering=-votes&page=2")
    cast_vote(suggestion_id=first.pk, by=staff)
    answer_suggestion(suggestion_id=last.pk, by=staff, text="Soon.")
    expect(row(page, "Wish 0")).to_contain_text("Soon.")
    expect(page.locator("#changes")).to_be_hidden()
    cast_vote(suggestion_id=last.pk, by=staff)
    expect(page.get_by_role("button", name="1 change, show")).to_be_visible()


def test_it_shows_a_product_its_most_wanted_live(
    talker: Talker, buyer: User, seller: User, staff: User
) -> None:
    pot, bowl = make_product(seller, title="Teapot"), make_product(seller, title="Bowl")
    wanted = suggest(buyer, pot, title="Wanted")
    for title in ("Old", "Older"):
        suggest(buyer, pot, title=title)
    cast_vote(suggestion_id=wanted.pk, by=staff)
    page = talker(buyer)
    open_live(page, f"/products/{pot.pk}")
    expect(titles(page)).to_have_text(["Wanted", "Older", "Old"])
    create_suggestion(author=seller, product_id=bowl.pk, title="Of the bowl", text="Deeper.")
    create_suggestion(author=seller, product_id=pot.pk, title="New", text="In blue.")
    answer_suggestion(suggestion_id=wanted.pk, by=seller, text="Soon.")
    expect(row(page, "Wanted")).to_contain_text("Soon.")
    expect(titles(page)).to_have_text(["Wanted", "New", "Older"])
    assert_state_law(page)

    # One that does not belong among them is not announced there, either.
    for suggestion in Suggestion.objects.filter(title__in=["New", "Older"]):
        cast_vote(suggestion_id=suggestion.pk, by=staff)
    row(page, "Wanted").hover()
    create_suggestion(author=seller, product_id=pot.pk, title="Newer", text="In red.")
    answer_suggestion(suggestion_id=wanted.pk, by=seller, text="In June.")
    expect(row(page, "Wanted")).to_contain_text("In June.")
    expect(page.locator(".pill")).to_have_count(0)
    assert_state_law(page)


def test_it_says_when_a_vote_did_not_arrive(talker: Talker, buyer: User, other_buyer: User) -> None:
    lid = suggest(buyer, title="A lid")
    page = talker(buyer)
    open_live(page, PAGE)
    held: list[Route] = []
    page.route("**/vote", lambda route: held.append(route))
    vote(page, "A lid").click()
    cast_vote(suggestion_id=lid.pk, by=other_buyer)
    expect_vote(page, "A lid", 1, own=True)
    held[0].abort()
    expect(page.locator(".toast")).to_contain_text("No answer came. Try again.")
    expect_vote(page, "A lid", 1, own=False)
    page.unroute("**/vote")
    page.evaluate("import('/static/realtime/client.js').then((client) => client.disconnect())")
    vote(page, "A lid").click()
    expect_vote(page, "A lid", 2, own=True)
    # The second press of a double click, when the first one has been answered.
    page.mouse.down(click_count=2)
    page.mouse.up(click_count=2)
    expect_vote(page, "A lid", 2, own=True)
    vote(page, "A lid").press("Enter")
    expect_vote(page, "A lid", 1, own=False)


def test_it_is_counted_in_the_admins_list(talker: Talker, buyer: User, staff: User) -> None:
    suggestion = suggest(buyer)
    staff.user_permissions.add(Permission.objects.get(codename="view_suggestion"))
    page = talker(staff)
    page.goto("/admin/suggestions/suggestion/")
    cast_vote(suggestion_id=suggestion.pk, by=buyer)
    expect(page.locator("#changes").get_by_role("status")).to_have_text("1 changed.")
    create_suggestion(author=buyer, **BODY)
    expect(page.locator("#changes").get_by_role("status")).to_have_text("2 changed.")


def test_it_finds_nothing_wrong(talker: Talker, buyer: User, seller: User, staff: User) -> None:
    long_word = "Donaudampfschifffahrtsgesellschaft" * 3
    pot: Product = make_product(seller, title=f"Teapot {long_word}")
    answered = suggest(buyer, pot, title=long_word, text=long_word)
    suggest(buyer)
    cast_vote(suggestion_id=answered.pk, by=seller)
    answer_suggestion(suggestion_id=answered.pk, by=seller, text=long_word)
    page = talker(seller)
    open_live(page, f"{PAGE}?ordering=-votes")
    row(page, long_word).locator("summary").click()
    assert_accessible(page)
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("button", name="More").click()
    expect(page.get_by_role("link", name="Board")).to_be_visible()
    assert_accessible(page)
    for path in (f"/products/{pot.pk}", f"{PAGE}?product={pot.pk}#suggest"):
        page.set_viewport_size({"width": 390, "height": 844})
        open_live(page, path)
        assert_accessible(page)
