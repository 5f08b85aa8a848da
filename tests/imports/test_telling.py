"""It tells of what it wrote once, in lots, to those who may know of it."""

import pytest

from marketplace.accounts.models import User
from products.imports.models import UnannouncedLot
from products.imports.steps import Steps
from products.models import Product
from realtime.models import OutboxEvent
from tests.imports.things import (
    HEADER,
    csv_file,
    imported,
    row,
    told_of_products,
)
from tests.products.things import (
    announced,
    forget_announcements,
    make_product,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_tells_of_new_products_in_lots_of_fifty(seller: User) -> None:
    job = imported(seller, csv_file([row(number) for number in range(120)]))
    told = told_of_products()
    circle = ["catalogue", f"user.{seller.pk}", "staff"]
    assert [(kind, audiences, len(names)) for kind, audiences, names in told] == [
        ("products-imported", circle, 50),
        ("products-imported", circle, 50),
        ("products-imported", circle, 20),
    ]
    assert [name for _, _, names in told for name in names] == [f"Product {n}" for n in range(120)]
    assert announced()[0][2]["taskId"] == str(job.pk)
    assert not UnannouncedLot.objects.exists()


@pytest.mark.usefixtures("slow")
def test_it_owes_what_it_may_not_tell_at_once_and_tells_it_as_it_is_then(
    seller: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = make_product(seller, external_id="sku-7", title="Product 7", stock=10)

    def publish_later(self: Steps) -> None:
        assert [lot.size for lot in UnannouncedLot.objects.order_by("pk")] == [50, 50, 19]
        assert not OutboxEvent.objects.filter(type="products-imported").exists()
        Product.objects.get(external_id="sku-1").delete()
        Product.objects.filter(external_id="sku-2").update(title="Renamed", version=2)
        publish(self)

    publish = Steps.publish
    monkeypatch.setattr(Steps, "publish", publish_later)
    job = imported(seller, csv_file([row(number) for number in range(120)]))
    assert (job.current, job.total, job.announced) == (119, 119, 119)
    names = [name for kind, _, some in told_of_products() if "imported" in kind for name in some]
    expected = {f"Product {n}" for n in range(120)} - {"Product 1", "Product 2", old.title}
    assert set(names) == expected | {"Renamed"}
    assert len(names) == len(set(names)) == 118
    assert not UnannouncedLot.objects.exists()


def test_a_frame_has_sixty_four_kilobytes_at_most(seller: User) -> None:
    rows = [[*row(number), "\x01" * 10_000] for number in range(3)]
    rows += [[*row(number), "é" * 9_000] for number in range(3, 20)]
    imported(seller, csv_file(rows, header=[*HEADER, "description"]))
    frames = OutboxEvent.objects.filter(type="products-imported")
    assert max(len(frame.payload.encode()) for frame in frames) <= 64 * 1024
    assert sum(len(names) for _, _, names in told_of_products()) == 20


def test_of_what_is_off_sale_only_its_seller_and_staff_hear(seller: User) -> None:
    rows = [[*row(1), "true"], [*row(2), "false"]]
    imported(seller, csv_file(rows, header=[*HEADER, "isActive"]))
    assert told_of_products() == [
        ("products-imported", ["catalogue", f"user.{seller.pk}", "staff"], ["Product 1"]),
        ("products-imported", [f"user.{seller.pk}", "staff"], ["Product 2"]),
    ]


def test_a_products_own_listeners_and_those_who_run_low_hear_as_ever(seller: User) -> None:
    product = make_product(seller, external_id="sku-1", stock=10)
    imported(seller, csv_file([row(1, stock="2")]))
    own, circle = f"product.{product.pk}", [f"user.{seller.pk}", "staff"]
    assert told_of_products() == [
        ("product-updated", [own], ["Product 1"]),
        ("availability-updated", [own], ["Product 1"]),
        ("availability-low", ["availability", own, *circle, "all"], ["Product 1"]),
        ("products-imported", ["catalogue", *circle], ["Product 1"]),
    ]


def test_going_off_sale_and_coming_back_are_told_as_ever(seller: User) -> None:
    product = make_product(seller, external_id="sku-1", title="Product 1")
    header = ["externalId", "isActive"]
    imported(seller, csv_file([["sku-1", "no"]], header=header))
    circle = [f"user.{seller.pk}", "staff"]
    assert told_of_products() == [
        ("product-deleted", ["catalogue", "all", f"product.{product.pk}"], [str(product.pk)]),
        ("product-updated", circle, ["Product 1"]),
        ("products-imported", circle, ["Product 1"]),
    ]
    forget_announcements()
    imported(seller, csv_file([["sku-1", "yes"]], header=header))
    assert told_of_products() == [("products-imported", ["catalogue", *circle], ["Product 1"])]


def test_its_owner_is_told_that_it_is_over(seller: User) -> None:
    job = imported(seller, csv_file([row(1), row(2, price="")]))
    last = [(audiences, data) for kind, audiences, data in announced() if kind == "progress"]
    assert last == [
        (
            [f"import.{job.pk}", f"user.{seller.pk}"],
            {
                "taskId": str(job.pk),
                "status": "done",
                "step": "publishing",
                "current": 1,
                "total": 1,
                "percent": 100,
            },
        )
    ]
    told = OutboxEvent.objects.get(type="notification")
    assert told.audiences == f"user.{seller.pk}"
    assert '"title":"Import done: catalogue.csv","text":"1 created. 1 bad row."' in told.payload
