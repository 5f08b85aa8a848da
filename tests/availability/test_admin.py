"""The counts of the bridge in the admin: to be read by who may, and changed by nobody."""

import pytest

from marketplace.accounts.models import User
from products.availability.counts import count_message
from products.availability.models import MessageCount
from tests.support.people import browser_of

pytestmark = pytest.mark.django_db
LIST = "/admin/availability/messagecount/"


def test_it_shows_the_counts_to_who_may_see_them(staff: User, seller: User) -> None:
    for _ in range(3):
        count_message("applied")
    assert browser_of(seller).get(LIST).status_code == 302
    assert browser_of(staff).get(LIST).status_code == 403
    page = browser_of(staff, "view_messagecount").get(LIST).content.decode()
    assert '<td class="field-number">3</td>' in page


def test_it_lets_nobody_change_them(staff: User) -> None:
    count_message("applied")
    names = ("view", "add", "change", "delete")
    browser = browser_of(staff, *(f"{name}_messagecount" for name in names))
    assert browser.get(f"{LIST}add/").status_code == 403
    assert browser.post(f"{LIST}applied/change/", {"number": 9}).status_code == 403
    assert browser.post(f"{LIST}applied/delete/", {"post": "yes"}).status_code == 403
    assert MessageCount.objects.get().number == 1
