"""Numbers of pages in addresses."""

import pytest
from django.test import Client

from marketplace.accounts.models import User
from marketplace.rest.numbers import MAX_PAGE, read_page_number


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("007", 7), (str(MAX_PAGE), MAX_PAGE)])
def test_it_reads_a_page_number(text: str, number: int) -> None:
    assert read_page_number(text) == number


@pytest.mark.parametrize(
    "text",
    ["", "0", "-1", "+1", " 1", "1_0", "x", "\u00b2", "\u0663", "10001", "000001", "9" * 4301],
)
def test_it_refuses_what_is_no_page_number(text: str) -> None:
    with pytest.raises(ValueError, match="page"):
        read_page_number(text)


@pytest.mark.parametrize("number", ["000001" + "9" * 20, "9" * 4301, "%D9%A3", "0"])
def test_it_has_no_such_page_of_a_dashboard(number: str, client: Client, buyer: User) -> None:
    client.force_login(buyer)
    assert client.get(f"/buyer/?page={number}").status_code == 404
