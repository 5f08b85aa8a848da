"""Lists: page and pageSize."""

import pytest
from rest_framework.test import APIClient

from marketplace.accounts.models import User
from tests.support.answers import refused_fields

pytestmark = pytest.mark.urls("tests.rest.things")


@pytest.fixture(autouse=True)
def crowd(db: None) -> None:
    """Forty-five users."""
    User.objects.bulk_create(User(username=f"user-{number:02}") for number in range(45))


def names(answer: dict[str, list[dict[str, str]]]) -> list[str]:
    """Who stands in a page."""
    return [user["someText"] for user in answer["results"]]


def test_it_shows_twenty_at_first(visitor: APIClient) -> None:
    page = visitor.get("/api/users").json()
    assert set(page) == {"count", "next", "previous", "results"}
    assert page["count"] == 45
    assert page["previous"] is None
    assert names(page) == [f"user-{number:02}" for number in range(20)]


def test_it_leads_from_page_to_page(visitor: APIClient) -> None:
    seen, forward = [], "/api/users?pageSize=10&search=x"
    while forward:
        page = visitor.get(forward).json()
        seen += names(page)
        back, forward = page["previous"], page["next"]
        assert forward is None or forward.startswith("http://testserver/api/users?")
    assert seen == [f"user-{number:02}" for number in range(45)]
    assert names(visitor.get(back).json()) == [f"user-{number}" for number in range(30, 40)]


def test_it_shows_a_hundred_at_most(visitor: APIClient) -> None:
    assert len(names(visitor.get("/api/users?pageSize=100").json())) == 45
    assert refused_fields(visitor.get("/api/users?pageSize=101")) == {"pageSize": "max_value"}


@pytest.mark.parametrize(
    "text", ["0", "-1", "x", "", "1.5", "1e3", " 1", "٣", "²", "9" * 30, "9" * 5000, "true"]
)
@pytest.mark.parametrize("name", ["page", "pageSize"])
def test_it_refuses_what_is_no_number(visitor: APIClient, name: str, text: str) -> None:
    assert refused_fields(visitor.get("/api/users", {name: text})) == {name: "invalid"}


@pytest.mark.parametrize("page", ["4", "999999999999999999"])
def test_it_refuses_pages_behind_the_last(visitor: APIClient, page: str) -> None:
    assert refused_fields(visitor.get("/api/users", {"page": page})) == {"page": "invalid_page"}


def test_it_shows_an_empty_first_page(visitor: APIClient) -> None:
    User.objects.all().delete()
    page = visitor.get("/api/users").json()
    assert page == {"count": 0, "next": None, "previous": None, "results": []}
