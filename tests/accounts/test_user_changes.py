"""User.save(): who changes an account ends its logins, wherever the change is made."""

import pytest
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.utils import timezone

from marketplace.accounts.models import Login, User
from tests.accounts.conftest import LogIn
from tests.support.people import PASSWORD, make_user


def test_it_ends_all_logins_with_a_new_password(
    log_in: LogIn, buyer: User, seller: User, ended: list[str], changed: list[int]
) -> None:
    log_in(buyer), log_in(buyer), log_in(seller)
    buyer.set_password("battery-staple-8")
    buyer.save()
    assert sorted(ended) == sorted(str(login.pk) for login in buyer.logins.all())
    assert not buyer.logins.open().exists()
    assert seller.logins.open().exists()
    assert changed == []


def test_it_ends_all_logins_with_a_hash_that_was_set_by_hand(
    log_in: LogIn, buyer: User, ended: list[str]
) -> None:
    log_in(buyer)
    buyer.password = make_password("battery-staple-8")
    buyer.save(update_fields=["password"])
    assert len(ended) == 1


def test_it_keeps_the_login_that_is_named(log_in: LogIn, buyer: User) -> None:
    log_in(buyer), log_in(buyer)
    kept = buyer.logins.first()
    assert kept is not None
    buyer.set_password("battery-staple-8")
    buyer.save(keep_login=kept.pk)
    assert buyer.logins.open().get() == kept


def test_it_ends_all_logins_of_who_is_switched_off(
    log_in: LogIn, buyer: User, ended: list[str], changed: list[int]
) -> None:
    log_in(buyer), log_in(buyer)
    buyer.is_active = False
    buyer.save()
    assert len(ended) == 2
    assert changed == [buyer.pk]


@pytest.mark.parametrize(
    ("field", "value"), [("role", "seller"), ("is_staff", True), ("is_superuser", True)]
)
def test_it_tells_of_changed_rights_and_leaves_logins_open(
    log_in: LogIn, buyer: User, ended: list[str], changed: list[int], field: str, value: object
) -> None:
    log_in(buyer)
    setattr(buyer, field, value)
    buyer.save()
    assert (ended, changed) == ([], [buyer.pk])


def test_it_tells_nothing_of_other_fields(
    log_in: LogIn, buyer: User, ended: list[str], changed: list[int]
) -> None:
    log_in(buyer)
    buyer.email = "new@example.com"
    buyer.save()
    assert (ended, changed) == ([], [])


def test_it_tells_nothing_of_what_it_does_not_write(buyer: User, changed: list[int]) -> None:
    buyer.is_staff = True
    buyer.save(update_fields=["email"])
    assert changed == []


def test_it_tells_nothing_of_a_new_user(db: None, changed: list[int], ended: list[str]) -> None:
    make_user("new")
    assert (ended, changed) == ([], [])


def test_it_compares_with_the_row_and_not_with_what_was_loaded(
    buyer: User, changed: list[int]
) -> None:
    also_buyer = User.objects.get(pk=buyer.pk)
    for instance in (buyer, also_buyer):
        instance.role = "seller"
        instance.save(update_fields=["role"])
    assert changed == [buyer.pk]


def test_it_ends_the_logins_of_who_is_deleted(
    log_in: LogIn, buyer: User, seller: User, ended: list[str]
) -> None:
    log_in(buyer), log_in(seller)
    sid = str(buyer.logins.get().pk)
    User.objects.filter(pk=buyer.pk).delete()
    assert ended == [sid]


def test_it_takes_everything_back_together(log_in: LogIn, buyer: User) -> None:
    log_in(buyer)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        buyer.is_active = False
        buyer.save()
        raise ZeroDivisionError
    assert buyer.logins.open().exists()


def test_it_ends_no_login_when_a_hash_of_an_old_kind_is_replaced(
    log_in: LogIn, buyer: User, ended: list[str]
) -> None:
    from tests.support.people import QuickHasher

    old_hash = QuickHasher().encode(PASSWORD, "salt", iterations=2)
    User.objects.update(password=old_hash)
    buyer.refresh_from_db()
    log_in(buyer)
    buyer.refresh_from_db()
    assert buyer.password != old_hash
    assert buyer.check_password(PASSWORD)
    assert ended == []


def test_it_ends_a_login_once(log_in: LogIn, buyer: User, ended: list[str]) -> None:
    log_in(buyer)
    buyer.logins.all().end()
    buyer.logins.all().end()
    assert len(ended) == 1


def test_it_tells_nothing_of_a_login_that_is_over_anyway(buyer: User, ended: list[str]) -> None:
    Login.objects.create(user=buyer, expires_at=timezone.now())
    buyer.logins.all().end()
    assert ended == []


def test_it_keeps_names_apart_in_any_case(buyer: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        make_user("BUYER")


def test_it_knows_buyers_and_sellers_alone(buyer: User) -> None:
    buyer.role = "king"
    with pytest.raises(IntegrityError), transaction.atomic():
        buyer.save()
