"""The pages of imports, as they are rendered: who sees them, and what is said of each state."""

import re
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from marketplace.accounts.models import User
from products.imports.columns import FIELDS
from products.imports.guide import COLUMNS
from products.imports.models import Import
from tests.imports.things import make_import
from tests.support.people import browser_of

PAGE = "/imports/"
_TAG = re.compile(r"<(/?)([a-z0-9]+)([^>]*)>")
_EMPTY = {"br", "hr", "img", "input", "link", "meta", "use"}


def seen(client: Client, path: str) -> str:
    """The texts of the page's main part that are not hidden, with single blanks between them."""
    content = client.get(path).content.decode()
    main = re.split(r"<main[^>]*>|</main>", content)[1]
    main = re.sub(r"<(template|dialog|script)\b.*?</\1>", "", main, flags=re.DOTALL)
    texts, hidden, end = [], 0, 0
    for tag in _TAG.finditer(main):
        if not hidden:
            texts.append(main[end : tag.start()])
        end = tag.end()
        closes, name, attributes = tag.groups()
        if name in _EMPTY or attributes.endswith("/"):
            continue
        if closes:
            hidden = max(0, hidden - 1)
        elif hidden or re.search(r"\shidden(?=\s|$)", attributes):
            hidden += 1
    return " ".join(" ".join(texts).replace("\xa0", " ").split())


def path_of(job: Import) -> str:
    """Where its page is."""
    return f"{PAGE}{job.pk}"


def test_who_is_not_logged_in_is_asked_to(client: Client, seller: User) -> None:
    for path in (PAGE, path_of(make_import(seller))):
        assert client.get(path)["Location"] == f"/login?next={path}"


def test_it_is_its_owners_and_staffs(
    seller: User, other_seller: User, buyer: User, staff: User
) -> None:
    job = make_import(seller, file_name="spring.csv")
    for user, status in ((seller, 200), (staff, 200), (other_seller, 404), (buyer, 404)):
        browser = browser_of(user)
        assert browser.get(path_of(job)).status_code == status
        assert ("spring.csv" in seen(browser, PAGE)) == (status == 200)
    assert seller.get_username() in seen(browser_of(staff), path_of(job))
    assert browser_of(seller).get(f"{PAGE}{uuid.uuid4()}").status_code == 404


def test_only_sellers_find_the_form(seller: User, buyer: User, staff: User) -> None:
    assert "Choose a file" in seen(browser_of(seller), PAGE)
    assert "Nothing imported yet" in seen(browser_of(staff), PAGE)
    assert "Choose a file" not in seen(browser_of(staff), PAGE)
    assert "Imports are for sellers" in seen(browser_of(buyer), PAGE)


def test_it_says_of_every_column_what_stands_in_it(seller: User) -> None:
    text = seen(browser_of(seller), PAGE)
    assert [column.name for column in COLUMNS] == list(FIELDS)
    for words in ("externalId always needed Your own number", "kind needed for a new product"):
        assert words in text


def test_the_list_says_how_far_each_is_and_what_it_came_to(seller: User) -> None:
    make_import(seller, file_name="a.csv", status="done", created=1204, failed=1)
    make_import(seller, file_name="b.csv", status="done", dry_run=True, created=3, updated=2)
    make_import(seller, file_name="c.csv", status="running", step="writing", current=43, total=100)
    make_import(seller, file_name="d.csv", failed=9)
    make_import(seller, file_name="e.csv", status="failed")
    text = seen(browser_of(seller), PAGE)
    assert re.findall(r"[a-e]\.csv", text) == ["e.csv", "d.csv", "c.csv", "b.csv", "a.csv"]
    for said in (
        "a.csv now 1,204 created 1 bad row Done",
        "b.csv Trial now 3 to create 2 to update Done",
        "c.csv now Writing 43 % Running",
        "d.csv now Waiting",
        "e.csv now Failed",
    ):
        assert said in text


def test_the_list_costs_the_same_however_long_it_is(seller: User) -> None:
    browser = browser_of(seller)
    asked = []
    for _ in range(2):
        for number in range(2):
            make_import(seller, status="failed", errors=[(number, "", "No.")])
        with CaptureQueriesContext(
            connection,
        ) as queries:
            browser.get(PAGE)
        asked.append(len(queries))
    assert asked[0] == asked[1]


def test_the_list_has_pages(seller: User) -> None:
    for number in range(21):
        make_import(seller, file_name=f"file-{number:02}.csv")
    browser = browser_of(seller)
    assert "file-00.csv" not in (text := seen(browser, PAGE))
    assert "Older" in text
    assert "Newer" not in text
    assert "file-00.csv" in (text := seen(browser, f"{PAGE}?page=2"))
    assert "Newer" in text
    assert "Older" not in text
    # What waits on another page is not taken for new.
    for known in Import.objects.all():
        assert str(known.pk) in browser.get(f"{PAGE}?page=2").content.decode()


QUEUED: dict[str, Any] = {}
READING = {"status": "running", "step": "reading", "current": 1_234_567, "total": 50_000_000}
WRITING = {"status": "running", "step": "writing", "current": 12_400, "total": 100_000}
BAD = [(3, "price", "It is no amount like 12.50.")]


@pytest.mark.parametrize(
    ("fields", "there", "not_there"),
    [
        (QUEUED, ["Waiting for its turn", "Cancel"], ["Bad rows", "Outcome", "of"]),
        (READING, ["1.2 of 50 MB · 2 %", "Reading", "Publishing", "Cancel"], ["Waiting"]),
        ({**READING, "total": 40_001, "current": 1}, ["1 of 41 kB · 0 %"], []),
        (
            {"status": "running", "step": "reading", "total": 40_000, "format": "xlsx"},
            ["Getting ready…"],
            ["kB", "rows ·"],
        ),
        (
            {"status": "running", "step": "reading", "current": 9, "total": 9, "format": "xlsx"},
            ["9 rows so far"],
            ["100", "9 of"],
        ),
        (WRITING, ["12,400 of 100,000 rows · 12 %", "Running"], ["Outcome"]),
        ({**WRITING, "current": 1, "total": 1}, ["1 of 1 row · 100 %"], []),
        ({**WRITING, "step": "publishing"}, ["12,400 of 100,000 products · 12 %"], ["Cancel"]),
        (
            {**WRITING, "step": "validating", "dry_run": True},
            ["Trial", "Checking", "nothing is changed"],
            ["Publishing"],
        ),
        (
            {"status": "done", "created": 1204, "updated": 3},
            ["Every good row is written", "Created 1,204", "Updated 3", "Bad rows 0"],
            ["Progress", "trial", "Download all", "not used"],
        ),
        (
            {"status": "done", "dry_run": True, "created": 5, "failed": 1, "errors": BAD},
            [
                "It was a trial",
                "for real",
                "Would be created 5",
                "Download all bad rows",
                "3 price",
            ],
            ["Every good row"],
        ),
        (
            {"status": "done", "failed": 1, "errors": BAD},
            ["nothing was changed"],
            ["Every good row"],
        ),
        (
            {"status": "done", "dry_run": True, "failed": 1, "errors": BAD},
            ["would change nothing"],
            ["It was a trial"],
        ),
        (
            {"status": "failed", "errors": [(0, "", "The file is empty.")]},
            ["could not go on. The file is empty.", "No product was changed", "Import it again"],
            ["Download all", "Created", "stays", "Cancel"],
        ),
        (
            {"status": "failed", "errors": [(1204, "", "The row is not UTF-8.")]},
            ["could not go on. Row 1,204: The row is not UTF-8."],
            ["Bad rows"],
        ),
        (
            {"status": "failed", "updated": 2, "errors": [(0, "", "Sellers only."), *BAD]},
            ["Sellers only.", "What was written before stays", "Updated 2", "3 price It is no"],
            ["No product was changed", "0 – Sellers only."],
        ),
        (
            {"status": "cancelled"},
            ["cancelled before anything was written"],
            ["Created", "could not go on"],
        ),
        (
            {"status": "cancelled", "created": 250, "ignored_columns": ["colour", "<b>"]},
            ["cancelled on the way", "Created 250", "not used: colour, &lt;b&gt;"],
            ["before anything was written"],
        ),
        (
            {"status": "cancelled", "dry_run": True, "created": 250},
            ["cancelled before anything was written"],
            ["Would be created"],
        ),
    ],
)
def test_it_says_what_is_true_of_its_state(
    seller: User, fields: dict[str, Any], there: list[str], not_there: list[str]
) -> None:
    text = seen(browser_of(seller), path_of(make_import(seller, **fields)))
    assert [words for words in there if words not in text] == []
    assert [words for words in not_there if re.search(rf"\b{words}\b", text)] == []


def test_it_shows_the_first_hundred_bad_rows(seller: User) -> None:
    errors = [(row, "", "No.") for row in range(2, 110)]
    job = make_import(seller, status="done", failed=108, errors=errors)
    text = seen(browser_of(seller), path_of(job))
    assert "101 – No." in text
    assert "102 – No." not in text
