"""It is worked on by one worker at a time, the oldest of a seller first."""

from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from marketplace.accounts.models import User
from products.imports import holding
from products.imports.checking import CheckedRow
from products.imports.holding import Cancelled, Hold, Lost, Stopped, waiting_imports
from products.imports.matching import Matched, match_rows
from products.imports.models import Import
from products.imports.running import MAX_ATTEMPTS, run_import
from products.imports.services import cancel_import
from products.imports.steps import Steps
from products.imports.writing import write_rows
from products.models import Product
from products.services import change_stock
from tests.imports.things import csv_file, errors_of, hand_in, row, wait_until, work_on
from tests.products.things import make_product

pytestmark = pytest.mark.django_db(transaction=True)

FILE = csv_file([row(1)])


def take(job: Import) -> Hold | None:
    """Take it, as a worker does."""
    return Hold.take(job.pk, stop=Event())


def die(job: Import) -> None:
    """What is left when a worker is killed, some seconds later."""
    past = timezone.now() - timedelta(seconds=1)
    Import.objects.filter(pk=job.pk).update(held_until=past)


def test_one_worker_has_it(seller: User) -> None:
    job = hand_in(seller, FILE)
    assert waiting_imports() == [job.pk]
    hold = take(job)
    assert hold is not None
    assert (take(job), waiting_imports()) == (None, [])
    with hold:
        pass
    assert waiting_imports() == [job.pk]


def test_one_of_a_seller_comes_after_the_other(seller: User, other_seller: User) -> None:
    first, second, others = (hand_in(who, FILE) for who in (seller, seller, other_seller))
    assert waiting_imports() == [first.pk, others.pk]
    assert take(second) is None
    assert take(others) is not None
    assert take(first) is not None
    assert take(second) is None
    die(first)
    assert waiting_imports() == [first.pk]
    work_on(first.pk)
    assert waiting_imports() == [second.pk]


def test_an_older_one_that_appears_late_waits_for_the_one_in_hand(seller: User) -> None:
    late, early = hand_in(seller, FILE), hand_in(seller, FILE)
    Import.objects.filter(pk=late.pk).update(created_at=timezone.now() + timedelta(hours=1))
    assert take(early) is not None
    Import.objects.filter(pk=late.pk).update(created_at=timezone.now() - timedelta(hours=1))
    assert take(late) is None


def test_who_was_taken_for_dead_writes_nothing(seller: User) -> None:
    job = hand_in(seller, FILE)
    frozen = take(job)
    assert frozen is not None
    die(job)
    assert take(job) is not None
    with pytest.raises(Lost):
        write_rows([CheckedRow(number=2, external_id="x")], hold=frozen, up_to=1, tell=True)
    with pytest.raises(Lost):
        frozen.save("current")
    frozen.renew()
    with pytest.raises(Lost):
        frozen.check()
    assert not Product.objects.exists()


def test_it_hears_of_a_stop_and_of_a_cancellation(seller: User) -> None:
    job, stop = hand_in(seller, FILE), Event()
    hold = Hold.take(job.pk, stop=stop)
    assert hold is not None
    hold.check()
    cancel_import(task_id=job.pk, by=seller)
    hold.renew()
    with pytest.raises(Cancelled):
        hold.check()
    hold.check(may_be_cancelled=False)
    stop.set()
    with pytest.raises(Stopped):
        hold.check(may_be_cancelled=False)


def test_its_thread_keeps_it_and_saves_how_far_it_is(
    seller: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "RENEWED_EACH_SECONDS", 0.01)
    job = hand_in(seller, FILE)
    hold = take(job)
    assert hold is not None
    die(job)
    with hold:
        hold.job.current = 7
        for _ in range(1000):
            now = Import.objects.get(pk=job.pk)
            if now.current == 7:
                break
        assert now.held_until is not None
        assert now.held_until > timezone.now()
    assert Import.objects.get(pk=job.pk).held_until is None


def test_it_is_given_up_when_nobody_gets_any_further(seller: User) -> None:
    job = hand_in(seller, FILE)
    for _ in range(MAX_ATTEMPTS):
        assert take(job) is not None
        die(job)
    assert work_on(job.pk).status == "failed"
    assert "several times" in errors_of(job)[0][2]
    assert not Product.objects.exists()


def test_a_stop_is_no_failed_attempt(seller: User) -> None:
    job, stop = hand_in(seller, FILE), Event()
    for _ in range(MAX_ATTEMPTS + 2):
        hold = Hold.take(job.pk, stop=stop)
        assert hold is not None
        with pytest.raises(Stopped), hold:
            raise Stopped
    assert work_on(job.pk).status == "done"


@pytest.mark.parametrize("place", ["_begin_anew", "_check_lot"])
def test_who_was_frozen_while_checking_leaves_what_the_next_has_found(
    seller: User, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    job = hand_in(seller, csv_file(row(number, price="") for number in range(300)))
    real = getattr(Steps, place)

    def freeze(steps: Steps, *args: Any) -> Any:
        monkeypatch.undo()
        die(job)
        work_on(job.pk)  # all of it, by another, while this one stands still
        return real(steps, *args)

    monkeypatch.setattr(Steps, place, freeze)
    assert run_import(job.pk, stop=Event())
    job.refresh_from_db()
    assert (job.status, job.failed, job.errors.count()) == ("done", 300, 300)


def test_what_fails_stays_failed_when_its_worker_stops_on_the_way(
    seller: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = hand_in(seller, csv_file(row(number) for number in range(700)))
    monkeypatch.setattr("products.imports.announcing.Pace.wait_seconds", lambda _pace: 0.001)

    def write_and_shut_out(*args: Any, **options: Any) -> int:
        frames = write_rows(*args, **options)
        User.objects.filter(pk=seller.pk).update(is_active=False)
        return frames

    def stop_there(*_: Any, **__: Any) -> int:
        raise Stopped  # when its step says already that it announces

    monkeypatch.setattr("products.imports.steps.write_rows", write_and_shut_out)
    monkeypatch.setattr("products.imports.steps.announce_lots", stop_there)
    run_import(job.pk, stop=Event())
    monkeypatch.undo()
    assert work_on(job.pk).status == "failed"
    assert Product.objects.count() == 250


def somebody_waits_for_us() -> bool:
    """Whether another transaction waits for a lock that this one has."""
    with connection.cursor() as cursor:
        # Not pg_stat_activity, which stays as it was for a whole transaction.
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_locks"
            " WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
        )
        return bool(cursor.fetchone()[0])


@pytest.mark.postgresql
def test_what_is_sold_while_a_lot_is_written_waits_and_stays_sold(
    seller: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = make_product(seller, external_id="sku-1", stock=10)
    job = hand_in(seller, csv_file([["sku-1", "Vase"]], header=["externalId", "title"]))
    sold: list[Thread] = []

    def sell() -> None:
        change_stock(product_id=product.pk, by=seller, change=-2)
        connection.close()

    def match_and_sell(*args: Any, **options: Any) -> Matched:
        matched = match_rows(*args, **options)
        sold.append(Thread(target=sell))
        sold[0].start()
        wait_until(somebody_waits_for_us, "The lot holds nothing.")
        return matched

    monkeypatch.setattr("products.imports.writing.match_rows", match_and_sell)
    work_on(job.pk)
    sold[0].join()
    product.refresh_from_db()
    assert (product.title, product.stock, product.version) == ("Vase", 8, 2)
