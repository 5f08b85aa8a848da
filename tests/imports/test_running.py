"""It writes what a file says, tells of it once, and ends with counts that are right."""

import io
from threading import Event
from typing import Any

import pytest
from django.db import IntegrityError

from marketplace.accounts.models import User
from products.images import store_image
from products.imports.holding import Hold
from products.imports.matching import Matched, match_rows
from products.imports.services import cancel_import
from products.imports.writing import write_rows
from products.models import Product
from products.services import change_stock
from tests.imports.things import (
    HEADER,
    counts,
    csv_file,
    errors_of,
    hand_in,
    imported,
    row,
    told_of_products,
    work_on,
    xlsx_file,
)
from tests.orders.things import make_order
from tests.products.things import (
    announced,
    forget_announcements,
    make_product,
    make_tour,
    picture,
)

pytestmark = pytest.mark.django_db(transaction=True)


# --- What is written ------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "make"), [("a.csv", csv_file), ("a.xlsx", xlsx_file)])
def test_it_writes_the_products_of_a_file(seller: User, name: str, make: Any) -> None:
    job = imported(seller, make([row(number) for number in range(1, 8)]), name=name)
    assert counts(job) == ("done", 7, 0, 0)
    assert (job.step, job.percent, job.holder) == ("publishing", 100, None)
    products = Product.objects.filter(seller=seller).order_by("pk")
    assert [product.external_id for product in products] == [f"sku-{n}" for n in range(1, 8)]
    first = products[0]
    assert (first.title, str(first.price), first.stock) == ("Product 1", "12.50", 10)
    assert (first.version, first.stock_version, first.is_active) == (1, 1, True)
    assert first.created_at == first.updated_at == first.stock_changed_at == first.stock_as_of


def test_it_keeps_every_character_of_a_text(seller: User) -> None:
    text = "a\tb\nc\r\n\\d \\N \\. é 🫖 \"quoted\" 'single' ;,"
    imported(seller, csv_file([[*row(1, title="\\N"), text]], header=[*HEADER, "description"]))
    product = Product.objects.get()
    assert (product.title, product.description) == ("\\N", text)
    make_product(seller, external_id="sku-2")  # the next id is free


def test_it_shows_the_newest_row_first(seller: User) -> None:
    imported(seller, csv_file([row(number) for number in range(300)]))
    titles = list(Product.objects.values_list("title", flat=True))
    assert titles == [f"Product {number}" for number in reversed(range(300))]


def test_it_changes_what_is_there_and_leaves_the_rest_alone(seller: User) -> None:
    same = make_product(seller, external_id="sku-1", title="Product 1", stock=10)
    other = make_product(seller, external_id="sku-2", description="Blue.", stock=3)
    job = imported(seller, csv_file([row(1), row(2), row(3)]))
    assert counts(job) == ("done", 1, 2, 0)
    assert Product.objects.get(pk=same.pk).version == 1
    now = Product.objects.get(pk=other.pk)
    assert (now.title, now.stock, now.description) == ("Product 2", 10, "Blue.")
    assert (now.version, now.stock_version) == (2, 2)
    assert now.created_at == other.created_at < now.updated_at


def test_it_changes_the_columns_that_the_file_has_and_no_stock(seller: User) -> None:
    product = make_product(seller, external_id="sku-1", stock=3)
    job = imported(seller, csv_file([["sku-1", "9"]], header=["externalId", "price"]))
    assert counts(job) == ("done", 0, 1, 0)
    now = Product.objects.get(pk=product.pk)
    assert (str(now.price), now.title, now.stock, now.stock_version) == ("9.00", "Teapot", 3, 1)


def test_a_second_time_it_changes_nothing_and_says_nothing(seller: User) -> None:
    content = csv_file([row(1), row(2)])
    imported(seller, content)
    forget_announcements()
    assert counts(imported(seller, content)) == ("done", 0, 2, 0)
    assert told_of_products() == []
    assert {product.version for product in Product.objects.all()} == {1}


def test_bad_rows_do_not_stop_the_others(seller: User) -> None:
    rows = [row(1), row(2, price="cheap", stock="-1"), row(3), row(1), row(5, title="")]
    job = imported(seller, csv_file(rows))
    assert counts(job) == ("done", 2, 0, 3)
    found = [(number, field) for number, field, _ in errors_of(job)]
    assert found == [(3, "price"), (3, "stock"), (5, "externalId"), (6, "title")]
    assert "Row 2" in errors_of(job)[2][2]


def test_a_new_product_needs_what_every_product_has(seller: User) -> None:
    make_product(seller, external_id="sku-1")
    job = imported(
        seller, csv_file([["sku-1", "9"], ["sku-2", "9"]], header=["externalId", "price"])
    )
    assert counts(job) == ("done", 0, 1, 1)
    assert [error[:2] for error in errors_of(job)] == [
        (3, name) for name in ("title", "currency", "kind", "stock")
    ]


def test_a_tour_stays_within_its_group_of_the_file_or_of_before(seller: User) -> None:
    tour = make_tour(seller, external_id="sku-1", stock=10)
    header = [*HEADER, "maxGroupSize"]
    rows = [
        [*row(1, kind="tour", stock="13"), "12"],
        [*row(2, kind="tour", stock="13"), "12"],
        [*row(3, kind="tour", stock="12"), "12"],
    ]
    job = imported(seller, csv_file(rows, header=header))
    assert counts(job) == ("done", 1, 0, 2)
    assert [error[:2] for error in errors_of(job)] == [(2, "stock"), (3, "stock")]
    assert Product.objects.get(pk=tour.pk).stock == 10
    one_column = csv_file([["sku-1", "99"]], header=["externalId", "stock"])
    assert counts(imported(seller, one_column)) == ("done", 0, 0, 1)


def test_others_products_are_theirs(seller: User, other_seller: User) -> None:
    theirs = make_product(other_seller, external_id="sku-1", title="Theirs")
    tour = make_tour(other_seller, external_id="sku-2", title="Their tour")
    job = imported(seller, csv_file([row(1), row(2), row(3, externalId="sku-2", kind="tour")]))
    assert counts(job) == ("done", 2, 0, 1)
    assert [error[:2] for error in errors_of(job)] == [(4, "externalId")]
    job = imported(seller, csv_file([row(2, kind="tour")]))
    assert counts(job) == ("done", 0, 0, 1)
    for product in (theirs, tour):
        now = Product.objects.get(pk=product.pk)
        assert (now.title, now.version, now.stock) == (product.title, 1, product.stock)


def test_a_trial_changes_nothing_and_says_what_would_be(seller: User) -> None:
    make_product(seller, external_id="sku-1")
    job = imported(seller, csv_file([row(1), row(2), row(3, price="")]), dry_run=True)
    assert counts(job) == ("done", 1, 1, 1)
    assert [error[:2] for error in errors_of(job)] == [(4, "price")]
    assert Product.objects.count() == 1
    assert told_of_products() == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (csv_file([], header=HEADER), "no rows"),
        (csv_file([row(1)], header=["a", *HEADER[1:]]), "externalId"),
        (csv_file([row(1)] * 3_000) + b"\xff\n", "UTF-8"),
        (csv_file([row(1)]) + b'"open', "no CSV"),
        (b"\xef\xbb\xbf", "empty"),
    ],
)
def test_a_file_that_cannot_be_read_to_its_end_changes_nothing(
    seller: User, content: bytes, words: str
) -> None:
    job = imported(seller, content)
    assert counts(job) == ("failed", 0, 0, 0)
    ((_row, field, message),) = errors_of(job)
    assert (field, words in message) == ("", True)
    assert not Product.objects.exists()


def test_it_says_which_columns_it_did_not_use(seller: User) -> None:
    job = imported(seller, csv_file([[*row(1), "red"]], header=[*HEADER, "Colour"]))
    assert job.ignored_columns == ["Colour"]


def test_what_was_written_for_the_work_is_gone_in_the_end(seller: User, settings: Any) -> None:
    imported(seller, csv_file([row(1)]))
    assert list(settings.IMPORTS_ROOT.iterdir()) == []


def test_a_picture_that_is_replaced_is_deleted(seller: User, settings: Any) -> None:
    url = store_image(io.BytesIO(picture()))
    make_product(seller, external_id="sku-1", image_url=url)
    path = settings.MEDIA_ROOT / url.removeprefix(settings.MEDIA_URL)
    assert path.exists()
    imported(seller, csv_file([["sku-1", ""]], header=["externalId", "imageUrl"]))
    assert not path.exists()


# --- Others at the same time ----------------------------------------------------------------


def test_cancelled_while_it_waits_it_never_begins(seller: User) -> None:
    job = hand_in(seller, csv_file([row(1)]))
    cancel_import(task_id=job.pk, by=seller)
    assert counts(work_on(job.pk)) == ("cancelled", 0, 0, 0)
    assert not Product.objects.exists()
    assert [kind for kind, _, _ in announced()] == ["progress"]


@pytest.mark.usefixtures("slow")
def test_cancelled_while_it_runs_it_keeps_and_tells_what_is_written(
    seller: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = hand_in(seller, csv_file([row(number) for number in range(700)]))

    def write_and_cancel(*args: Any, hold: Hold, **options: Any) -> int:
        frames = write_rows(*args, hold=hold, **options)
        cancel_import(task_id=job.pk, by=seller)
        hold.renew()
        return frames

    monkeypatch.setattr("products.imports.steps.write_rows", write_and_cancel)
    assert counts(work_on(job.pk)) == ("cancelled", 250, 0, 0)
    assert Product.objects.count() == 250
    assert sum(len(names) for _, _, names in told_of_products()) == 250


def test_a_worker_that_is_stopped_leaves_the_rest_to_the_next(
    seller: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, stop = hand_in(seller, csv_file([row(number) for number in range(700)])), Event()

    def write_and_stop(*args: Any, **options: Any) -> int:
        stop.set()
        return write_rows(*args, **options)

    monkeypatch.setattr("products.imports.steps.write_rows", write_and_stop)
    left = work_on(job.pk, stop=stop)
    assert (counts(left), left.written_rows, left.holder) == (("running", 250, 0, 0), 250, None)
    monkeypatch.undo()
    assert counts(work_on(job.pk)) == ("done", 700, 0, 0)
    assert Product.objects.count() == 700
    assert sum(len(names) for _, _, names in told_of_products()) == 700


@pytest.mark.parametrize("change", [{"role": "buyer"}, {"is_active": False}])
def test_who_is_no_seller_any_more_imports_nothing_more(
    seller: User, change: dict[str, Any]
) -> None:
    job = hand_in(seller, csv_file([row(1)]))
    User.objects.filter(pk=seller.pk).update(**change)
    assert counts(work_on(job.pk)) == ("failed", 0, 0, 0)
    assert errors_of(job) == [(0, "", "Only sellers may offer products.")]


def test_pieces_that_are_sold_meanwhile_stay_sold_where_the_file_has_no_stock(
    seller: User, buyer: User
) -> None:
    product = make_product(seller, external_id="sku-1", stock=10)
    job = hand_in(seller, csv_file([["sku-1", "Vase"]], header=["externalId", "title"]))
    make_order(buyer, product)
    change_stock(product_id=product.pk, by=seller, change=-2)
    before = Product.objects.get(pk=product.pk).stock
    work_on(job.pk)
    now = Product.objects.get(pk=product.pk)
    assert (now.stock, now.title) == (before, "Vase")


def test_a_product_that_appears_between_the_look_and_the_write_is_updated(
    seller: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = hand_in(seller, csv_file([row(1), row(2)]))
    lost: list[bool] = []

    def match_and_lose(*args: Any, **options: Any) -> Matched:
        if not lost:
            lost.append(True)
            raise IntegrityError  # as the unique constraint raises it
        return match_rows(*args, **options)

    monkeypatch.setattr("products.imports.writing.match_rows", match_and_lose)
    make_product(seller, external_id="sku-2")
    assert counts(work_on(job.pk)) == ("done", 1, 1, 0)


def test_what_fails_by_our_own_fault_is_said_and_logged(
    seller: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(*_: Any, **__: Any) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr("products.imports.steps.write_rows", break_down)
    job = imported(seller, csv_file([row(1)]))
    assert counts(job) == ("failed", 0, 0, 0)
    assert errors_of(job) == [(0, "", "Something went wrong here. It has been logged.")]
    assert "a bug" in caplog.text
