"""A seller hands files in and watches what becomes of them."""

import re
from typing import Any

from django.db import transaction
from django.utils import timezone
from playwright.sync_api import Page, expect

from marketplace.accounts.models import User
from products.imports.events import progress_audiences, progress_of
from products.imports.models import Import, RowError
from products.models import Product
from realtime.api import publish, publish_ephemeral
from tests.imports.things import csv_file, hand_in, make_import, row
from tests.journeys.accessibility import assert_accessible
from tests.journeys.conftest import (
    assert_state_law,
    log_in,
    open_live,
    requests_of,
    wait_until_live,
)

PAGE = "/imports/"
FILE = csv_file([row(1), row(2, price="a lot")])


def choose(page: Page, content: bytes, name: str = "spring.csv") -> None:
    """Choose a file, as the browser's own dialog does."""
    file: Any = {"name": name, "mimeType": "text/csv", "buffer": content}
    page.locator("#file").set_input_files(file)


def badge(page: Page) -> Any:
    """The status that the page of an import shows."""
    return page.locator("#import .status").first


def come_to(job: Import, **fields: Any) -> None:
    """What the import's worker does now and then: the row is saved, and it is told."""
    Import.objects.filter(pk=job.pk).update(**fields)
    job.refresh_from_db()
    publish_ephemeral(progress_of(job), audiences=progress_audiences(job))


@transaction.atomic
def end(job: Import, **fields: Any) -> None:
    """What the import's worker does at the end."""
    Import.objects.filter(pk=job.pk).update(finished_at=timezone.now(), **fields)
    job.refresh_from_db()
    publish(progress_of(job), audiences=progress_audiences(job))


def test_a_file_is_tried_then_imported(page: Page, seller: User) -> None:
    log_in(page, seller)
    open_live(page, "/seller/")
    page.get_by_role("main").get_by_role("link", name="Import", exact=True).click()
    page.wait_for_url(f"**{PAGE}")
    expect(page.get_by_text("Nothing imported yet")).to_be_visible()
    other = page.context.new_page()
    open_live(other, PAGE)

    choose(page, FILE)
    page.get_by_label("Try only, change nothing").check()
    page.get_by_role("button", name="Try the file").click()
    page.wait_for_url(f"**{PAGE}*-*")
    expect(badge(page)).to_have_text("Done")
    expect(page.get_by_text("It was a trial, and nothing was changed.")).to_be_visible()
    expect(page.locator("#complaints tr")).to_have_text(["3priceIt is no amount like 12.50."])
    assert not Product.objects.exists()
    wait_until_live(page)
    assert_state_law(page)

    page.get_by_role("link", name="Import the file for real").click()
    choose(page, FILE)
    page.get_by_role("button", name="Import the products").click()
    page.wait_for_url(f"**{PAGE}*-*")
    expect(page.locator("[data-count]")).to_have_text(["1", "0", "1"])
    assert Product.objects.get().title == "Product 1"

    toast = other.locator(".toast", has_text="Import done: spring.csv").last
    link = toast.get_by_role("link", name="Show")
    assert link.get_attribute("href") == f"{PAGE}{Import.objects.all()[0].pk}"
    other.get_by_role("button", name="2 new imports, show").click()
    expect(other.locator(".import")).to_contain_text(["1 created", "1 to create"])
    with page.expect_download() as download:
        page.get_by_role("link", name="Download all bad rows").click()
    assert "3,price,It is no amount" in download.value.path().read_text()


def test_what_is_no_catalogue_is_said_at_the_form(page: Page, seller: User) -> None:
    log_in(page, seller)
    open_live(page, PAGE)
    wrong = page.locator(".field-error")
    send = page.get_by_role("button", name="Import the products")
    with requests_of(page) as asked:
        choose(page, FILE, "spring.pdf")
        send.click()
        expect(wrong).to_have_text("Send a CSV or XLSX file, with the ending of what it is.")
    assert asked == []
    choose(page, "externalId".encode("utf-16"))
    expect(wrong).to_have_count(0)
    send.click()
    refusal = "The file is UTF-16. Save it as “CSV UTF-8”."
    expect(page.get_by_role("main").get_by_role("alert")).to_have_text(refusal)
    assert_accessible(page)

    # Two at once are none.
    page.evaluate(
        """() => {
          const files = new DataTransfer();
          for (const name of ["a.csv", "b.csv"]) files.items.add(new File(["x"], name));
          const options = { dataTransfer: files, bubbles: true, cancelable: true };
          document.getElementById("handing-in").dispatchEvent(new DragEvent("drop", options));
        }"""
    )
    expect(wrong).to_have_text("One file at a time.")
    assert not Import.objects.exists()


def test_a_file_on_a_slow_line_is_seen_on_its_way_and_can_be_stopped(
    page: Page, seller: User
) -> None:
    log_in(page, seller)
    open_live(page, PAGE)
    line = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 500_000}
    line.send("Network.enable")
    line.send("Network.emulateNetworkConditions", slow)
    # Dropped on the card, beside the field.
    page.evaluate(
        """() => {
          const files = new DataTransfer();
          files.items.add(new File(["x".repeat(5_000_000)], "dropped.csv"));
          const options = { dataTransfer: files, bubbles: true, cancelable: true };
          document.getElementById("handing-in-title").dispatchEvent(new DragEvent("drop", options));
        }"""
    )
    expect(page.locator("#chosen")).to_have_text("dropped.csv · 5 MB")
    page.get_by_role("button", name="Import the products").click()
    expect(page.locator("#sending-words")).to_have_text(re.compile(r"^Uploading [1-9]\d\s%$"))
    page.get_by_role("button", name="Stop sending").click()
    expect(page.get_by_role("button", name="Import the products")).to_be_enabled()
    expect(
        page.locator("#sending, .form-error, .field-error").locator("visible=true")
    ).to_have_count(0)
    assert not Import.objects.exists()


def test_pages_follow_an_import_to_its_end(page: Page, seller: User) -> None:
    job = make_import(seller, status="running", step="reading", current=1, total=4_000_000)
    log_in(page, seller)
    one, its_list = page, page.context.new_page()
    open_live(one, f"{PAGE}{job.pk}")
    open_live(its_list, PAGE)
    amount = one.locator("#import-amount")
    expect(amount).to_have_text("0 of 4 MB · 0 %")

    come_to(job, step="writing", current=12_400, total=100_000)
    expect(amount).to_have_text("12,400 of 100,000 rows · 12 %")
    expect(one.locator("[aria-current=step]")).to_have_text("Writing")
    expect(one.locator("#import-news")).to_have_text("Writing")
    expect(its_list.locator(".import")).to_contain_text("Writing 12 %")
    assert_accessible(one)
    for each in (one, its_list):
        assert_state_law(each)

    RowError.objects.create(of=job, row=7, field="price", message="It is no amount like 12.50.")
    with requests_of(one) as asked:
        end(job, status="done", current=9, created=98_012, failed=1, ignored_columns=["Colour"])
        expect(badge(one)).to_have_text("Done")
        expect(one.locator("#import-news")).to_have_text("Done. 98,012 created. 1 bad row")
        expect(one.locator("#ignored")).to_have_text("Colour")
        expect(its_list.locator(".import")).to_contain_text("98,012 created")
    assert [url for url in asked if "/api/imports" in url] == [
        f"{one.url.partition(PAGE)[0]}/api/imports/{job.pk}"
    ]
    # What is told late is passed over.
    job.status = "running"
    publish_ephemeral(progress_of(job), audiences=progress_audiences(job))
    hand_in(seller, FILE)
    expect(its_list.get_by_role("button", name="1 new import, show")).to_be_visible()
    expect(badge(one)).to_have_text("Done")
    assert_accessible(one)
    assert_accessible(its_list)
    assert_state_law(one)
    its_list.get_by_role("button", name="1 new import, show").click()
    expect(its_list.locator(".import")).to_have_count(2)
    wait_until_live(its_list)
    assert_state_law(its_list)


def test_an_import_is_cancelled_after_one_question(page: Page, seller: User) -> None:
    running = make_import(seller, status="running", step="writing", current=10, total=100)
    waiting = make_import(seller, file_name="next.csv")
    log_in(page, seller)

    def cancel() -> None:
        page.get_by_role("button", name="Cancel", exact=True).press("Enter")
        page.get_by_role("button", name="Cancel the import").press("Enter")
        expect(page.get_by_role("dialog")).to_be_hidden()

    open_live(page, f"{PAGE}{waiting.pk}")
    expect(page.get_by_text("Waiting for its turn")).to_be_visible()
    cancel()
    expect(badge(page)).to_have_text("Cancelled")
    expect(page.get_by_text("cancelled before anything was written")).to_be_visible()
    expect(page.get_by_role("heading", name="next.csv")).to_be_focused()
    assert_state_law(page)

    open_live(page, f"{PAGE}{running.pk}")
    cancel()
    expect(page.get_by_role("button", name="Cancel", exact=True)).to_have_attribute(
        "aria-disabled", "true"
    )
    assert Import.objects.get(pk=running.pk).cancel_requested
    end(running, status="cancelled", created=10)
    expect(page.get_by_text("What was written until then stays.")).to_be_visible()
    assert_state_law(page)


def test_a_file_that_cannot_be_read_on_says_where(page: Page, seller: User) -> None:
    job = make_import(seller, status="running", step="reading", current=1, total=9)
    log_in(page, seller)
    open_live(page, f"{PAGE}{job.pk}")
    RowError.objects.create(of=job, row=1204, message="The row is not UTF-8.")
    end(job, status="failed")
    expect(page.locator("#reason")).to_have_text("Row 1,204: The row is not UTF-8.")
    expect(page.get_by_text("No product was changed.")).to_be_visible()
    assert_state_law(page)


def test_staff_follow_what_they_see_of_others(page: Page, seller: User, staff: User) -> None:
    job = make_import(seller, status="running", step="validating", total=3)
    log_in(page, staff)
    open_live(page, PAGE)
    come_to(job, current=1)
    expect(page.locator(".import")).to_contain_text("Checking 33 %")
    end(job, status="failed")
    expect(page.locator(".import .status")).to_have_text("Failed")
    assert_state_law(page)
