"""What every page does: search, colours, forms, toasts, and patching without moving anything."""

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import BrowserContext, Page, expect

from marketplace.accounts.models import User
from tests.support.people import make_user
from tests.support.servers import Marketplace

# A list of two rows in place of the page's content, and what makes further rows.
LIST = """async () => {
  const { makeNode, patchObject } = await import("/static/realtime/patch.js");
  const { LiveList, removeNode } = await import("/static/realtime/live-list.js");
  document.getElementById("main").innerHTML = `
    <template id="row"><li class="lane-item" data-object="product">
      <a data-field="id" data-as="link" data-pattern="/products/{id}">
        <span data-field="title"></span></a>
      <span data-field="price" data-as="money"></span>
      <span class="level" data-field="level" data-as="level"></span>
    </li></template>
    <ol id="rows"></ol>`;
  const rows = document.getElementById("rows");
  const list = new LiveList(rows, { pillText: (count) => `${count} new` });
  const product = (id, more = {}) => ({
    id, title: `Bowl ${id}`, price: "12.50", currency: "EUR", stock: 9, level: "few",
    version: 1, stockVersion: 1, ...more,
  });
  window.add = (id) => list.add(makeNode("row", product(id)));
  window.patch = (id, more) => patchObject("product", product(id, more));
  window.remove = (id) => removeNode(rows.querySelector(`[data-id="${id}"]`));
  add(1); add(2);
}"""


@pytest.fixture
def account(context: BrowserContext, client: Client, live_server_process: Marketplace) -> Page:
    """The account page of a seller."""
    client.force_login(make_user("maja", role="seller"))
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server_process.url}]
    )
    page = context.new_page()
    page.goto("/account/")
    return page


@pytest.fixture
def rows(account: Page) -> Page:
    """A page with a list of Bowl 2 and Bowl 1, nothing of it touched."""
    account.evaluate(LIST)
    account.mouse.move(2, 2)
    return account


def titles(page: Page) -> list[str]:
    """The titles of the rows that are seen, from the top."""
    return page.locator("#rows > li:visible [data-field=title]").all_inner_texts()


# --- The shell ------------------------------------------------------------------------------


def test_it_leads_to_the_search_by_a_slash_unless_somebody_types(account: Page) -> None:
    account.keyboard.press("/")
    expect(account.locator("#search")).to_be_focused()

    city = account.get_by_label("City")
    city.fill("")
    city.press("/")
    expect(city).to_have_value("/")


def test_it_keeps_the_colours_that_were_chosen(account: Page) -> None:
    button = account.locator("#scheme")
    button.click()
    button.click()
    account.reload()

    expect(account.locator("html")).to_have_attribute("data-scheme", "dark")
    expect(button).to_have_accessible_name("Colours: dark")
    button.click()
    expect(account.locator("html")).not_to_have_attribute("data-scheme", "dark")


def test_it_closes_a_menu_on_escape_and_on_a_press_beside_it(account: Page) -> None:
    menu = account.locator("summary.account-button")
    menu.click()
    expect(account.get_by_role("link", name="Account")).to_be_visible()
    account.keyboard.press("Escape")
    expect(menu).to_be_focused()
    expect(account.get_by_role("link", name="Account")).to_be_hidden()

    menu.click()
    account.get_by_role("heading", name="maja").click()
    expect(account.get_by_role("link", name="Account")).to_be_hidden()


def test_it_changes_the_language_of_a_user_for_good(account: Page) -> None:
    account.locator("summary[aria-label=Language]").click()
    with account.expect_navigation():
        account.get_by_role("button", name="Français").click()

    expect(account.locator("html")).to_have_attribute("lang", "fr")
    assert User.objects.get(username="maja").language == "fr"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_it_can_be_read_and_operated_by_everybody(
    account: Page, width: int, scheme: Literal["light", "dark"]
) -> None:
    account.set_viewport_size({"width": width, "height": 844})
    account.emulate_media(color_scheme=scheme)
    for path in ("/account/", "/login", "/register", "/password-reset/"):
        account.goto(path)
        violations = Axe().run(account).response["violations"]
        assert [(path, violation["id"]) for violation in violations] == []
        wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert account.evaluate(wider) <= 0, path


# --- Forms and toasts -----------------------------------------------------------------------


def test_it_sends_a_form_once_however_often_it_is_pressed(account: Page) -> None:
    sent: list[str] = []
    account.on("request", lambda request: sent.append(request.method))
    save = account.get_by_role("button", name="Save")
    save.dblclick()

    expect(account.locator(".toast")).to_have_text("Saved.")
    assert sent.count("POST") == 1


def test_it_shows_the_errors_of_the_api_at_their_fields(account: Page) -> None:
    account.evaluate(
        """() => { document.getElementById("main").innerHTML = `
          <form data-fetch data-method="PATCH" action="/api/auth/me">
            <div class="field"><label for="a">Language</label><input id="a" name="language"></div>
            <input name="role" value="x" type="hidden"><input name="surprise" type="hidden">
            <button>Keep</button>
          </form>`; }"""
    )
    account.get_by_role("textbox", name="Language").fill("klingon")
    account.get_by_role("button", name="Keep").click()

    expect(account.get_by_role("textbox", name="Language")).to_have_attribute(
        "aria-invalid", "true"
    )
    expect(account.get_by_role("textbox", name="Language")).to_be_focused()
    expect(account.locator(".field-error")).to_contain_text("klingon")
    expect(account.get_by_role("button", name="Keep")).not_to_have_attribute("aria-busy", "true")


def test_it_shows_three_toasts_at_most_and_keeps_one_that_is_looked_at(account: Page) -> None:
    account.clock.install()
    account.evaluate(
        """async () => {
          const { toast } = await import("/static/toasts.js");
          for (const name of ["one", "two", "three", "four"]) toast({ text: name });
        }"""
    )
    toasts = account.locator(".toast:not([data-leaving]) .toast-text")
    expect(toasts).to_have_text(["two", "three", "four"])

    toasts.last.hover()
    account.clock.run_for(7_000)
    expect(toasts).to_have_text(["four"])
    account.mouse.move(700, 20)
    account.clock.run_for(7_000)
    expect(toasts).to_have_count(0)


# --- Patching -------------------------------------------------------------------------------


def test_it_shows_what_is_newer_and_only_that(rows: Page) -> None:
    rows.evaluate("void patch(1, { price: '9.00', version: 2, level: 'out', stockVersion: 1 })")
    row = rows.locator("#rows [data-id='1']")
    expect(row).to_contain_text("€9.00")
    expect(row).to_contain_text("Sold out")
    expect(row.locator("[data-changed]")).to_have_count(2)
    expect(row.locator("[data-changed]")).to_have_count(0)

    rows.evaluate("void patch(1, { price: '1.00', version: 1, level: 'low', stockVersion: 1 })")
    expect(row).to_contain_text("€9.00")
    expect(row).to_contain_text("Sold out")


def test_it_shows_text_as_text(rows: Page) -> None:
    rows.evaluate("void patch(1, { title: '<b>Bowl</b>', version: 2 })")
    expect(rows.locator("#rows [data-id='1']")).to_contain_text("<b>Bowl</b>")


def test_it_brings_a_new_row_in_while_nobody_touches_the_list(rows: Page) -> None:
    rows.evaluate("void add(3)")
    assert titles(rows) == ["Bowl 3", "Bowl 2", "Bowl 1"]
    expect(rows.locator(".pill")).to_have_count(0)


def test_it_lets_new_rows_wait_while_the_list_is_touched(rows: Page) -> None:
    rows.get_by_text("Bowl 2").hover()
    rows.evaluate("add(3); void add(4)")
    pill = rows.locator(".pill")
    expect(pill).to_have_text("2 new")
    assert titles(rows) == ["Bowl 2", "Bowl 1"]

    rows.evaluate("void patch(3, { title: 'Jug', version: 2 })")
    rows.evaluate("remove(4)")
    expect(pill).to_have_text("1 new")
    pill.click()
    assert titles(rows) == ["Jug", "Bowl 2", "Bowl 1"]
    expect(pill).to_have_count(0)


def test_it_takes_no_row_away_under_the_pointer_or_the_focus(rows: Page) -> None:
    rows.get_by_text("Bowl 2").hover()
    rows.get_by_role("link", name="Bowl 1").focus()
    rows.evaluate("remove(2); remove(1)")
    assert titles(rows) == ["Bowl 2", "Bowl 1"]

    rows.mouse.move(2, 2)
    expect(rows.locator("#rows > li")).to_have_count(1)
    rows.locator("#search").focus()
    expect(rows.locator("#rows > li")).to_have_count(0)
