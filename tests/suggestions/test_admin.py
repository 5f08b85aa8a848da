"""Suggestions in the admin: corrected, answered, never added or deleted."""

import re
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from marketplace.accounts.models import User
from products.models import Product
from products.suggestions.models import Suggestion
from products.suggestions.services import answer_suggestion, cast_vote
from tests.products.things import announced, announced_types, forget_announcements, make_product
from tests.suggestions.things import BODY, suggest, votes_of
from tests.support.people import browser_of, make_user

pytestmark = pytest.mark.django_db

LIST = "/admin/suggestions/suggestion/"


@pytest.fixture
def member(db: None) -> User:
    """Somebody of the staff."""
    return make_user("ida", is_staff=True)


@pytest.fixture
def admin(member: User) -> Client:
    """The browser of one of the staff who may see and change suggestions."""
    return browser_of(member, "view_suggestion", "change_suggestion")


def page_of(suggestion: Suggestion) -> str:
    """The address of the suggestion's form."""
    return f"{LIST}{suggestion.pk}/change/"


def opened(client: Client, suggestion: Suggestion) -> dict[str, str]:
    """The values of the form as a browser would send them back."""
    page = client.get(page_of(suggestion))
    assert page.status_code == 200
    form = page.context["adminform"].form
    values = {name: str(form[name].value()) for name in form.fields}
    hidden = r'name="(initial-[^"]+)" value="([^"]*)"|name="(initial-[^"]+)"[^>]*>\s*([^<]*)<'
    for found in re.findall(hidden, page.content.decode()):
        name, value = (found[0], found[1]) if found[0] else (found[2], found[3])
        values[name] = unescape(value)
    return values


def test_it_corrects_words_and_announces_them(admin: Client, buyer: User) -> None:
    suggestion = suggest(buyer)
    values = opened(admin, suggestion)
    cast_vote(suggestion_id=suggestion.pk, by=buyer)
    forget_announcements()

    answer = admin.post(page_of(suggestion), {**values, "title": "Shorter hours", "votes": "9"})

    assert answer.status_code == 302
    [(type_name, _audiences, data)] = announced()
    shown = data["suggestion"]
    assert (type_name, shown["title"], shown["votes"]) == (
        "suggestion-updated",
        "Shorter hours",
        1,
    )
    assert votes_of(suggestion) == (1, 1)


def test_it_says_nothing_when_nothing_was_touched(admin: Client, buyer: User) -> None:
    suggestion = suggest(buyer, text="Two\nlines <b>")
    assert admin.post(page_of(suggestion), opened(admin, suggestion)).status_code == 302
    assert announced() == []


def test_it_writes_over_nothing_that_was_not_touched(
    admin: Client, buyer: User, staff: User
) -> None:
    suggestion = suggest(buyer)
    values = opened(admin, suggestion)
    answer_suggestion(suggestion_id=suggestion.pk, by=staff, text="Yes.")
    Suggestion.objects.get().save()
    suggestion.text = "Until midnight."
    suggestion.save()

    admin.post(page_of(suggestion), {**values, "title": "Shorter hours"})

    row = Suggestion.objects.get()
    assert (row.title, row.text, row.answer) == ("Shorter hours", "Until midnight.", "Yes.")


def test_it_answers_corrects_and_takes_back(
    admin: Client, member: User, buyer: User, staff: User
) -> None:
    suggestion = suggest(buyer)
    url = page_of(suggestion)
    admin.post(url, {**opened(admin, suggestion), "answer": "From May on.", "title": "Hours"})
    row = Suggestion.objects.get()
    assert (row.title, row.answer, row.answered_by) == ("Hours", "From May on.", member)

    answer_suggestion(suggestion_id=suggestion.pk, by=staff, text="From June on.")
    admin.post(url, {**opened(admin, suggestion), "answer": "From July on."})
    row = Suggestion.objects.get()
    assert (row.answer, row.answered_by) == ("From July on.", member)

    forget_announcements()
    admin.post(url, {**opened(admin, suggestion), "answer": ""})
    row = Suggestion.objects.get()
    assert (row.answer, row.answered_by, row.answered_at) == ("", None, None)
    [(_type, _audiences, data)] = announced()
    assert data["suggestion"]["answer"] is None


def test_it_refuses_words_that_are_too_many(admin: Client, buyer: User) -> None:
    suggestion = suggest(buyer)
    values = opened(admin, suggestion)
    for name, most in (("title", 120), ("text", 2000), ("answer", 2000)):
        answer = admin.post(page_of(suggestion), {**values, name: "x" * (most + 1)})
        assert answer.status_code == 200
    assert announced() == []


def test_it_neither_adds_nor_deletes(admin: Client, buyer: User) -> None:
    suggestion = suggest(buyer)
    assert admin.get(f"{LIST}add/").status_code == 403
    assert admin.post(f"{LIST}{suggestion.pk}/delete/", {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [suggestion.pk], "post": "yes"}
    admin.post(LIST, chosen)
    assert Suggestion.objects.exists()


def test_it_is_found_by_words_people_and_answers(
    admin: Client, buyer: User, staff: User, seller: User
) -> None:
    suggest(buyer, make_product(seller, title="Teapot"))
    answered = suggest(buyer, title="Parking")
    answer_suggestion(suggestion_id=answered.pk, by=staff, text="Yes.")

    def found(query: str) -> list[str]:
        return [row.title for row in admin.get(f"{LIST}?{query}").context["cl"].result_list]

    assert found("q=teapot") == found("answered=no") == [BODY["title"]]
    assert found("q=parking") == found("answered=yes") == ["Parking"]
    assert found("q=buyer") == ["Parking", BODY["title"]]


def test_it_lists_any_number_for_the_same(admin: Client, seller: User) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert admin.get(f"{LIST}?q=hours").status_code == 200
        return len(queries)

    suggest(seller, make_product(seller))
    few = cost()
    for number in range(10):
        suggest(make_user(f"author-{number}"), make_product(seller))
    assert cost() == few


def test_it_asks_for_the_channel_that_it_counts(admin: Client, buyer: User) -> None:
    suggest(buyer)
    page = admin.get(LIST).content.decode()
    assert 'data-channels="suggestions"' in page
    assert "suggestion-voted" in page


def test_it_takes_products_off_sale_in_place_of_deletions(buyer: User, seller: User) -> None:
    products = [make_product(seller), make_product(seller)]
    for product in products:
        suggest(buyer, product)
    admin = browser_of(make_user("root", is_staff=True, is_superuser=True))
    one, other = products
    admin.post(f"/admin/products/product/{one.pk}/delete/", {"post": "yes"})
    chosen = {"action": "delete_selected", "_selected_action": [other.pk], "post": "yes"}
    page = admin.post("/admin/products/product/", chosen, follow=True).content.decode()

    assert "1 product has orders, conversations or suggestions" in page
    assert set(Product.objects.values_list("is_active", flat=True)) == {False}
    assert announced_types() == ["product-deleted", "product-updated"] * 2


def test_it_is_closed_to_others(buyer: User, seller: User, staff: User) -> None:
    suggestion = suggest(buyer)
    for user, status in ((buyer, 302), (seller, 302), (staff, 403)):
        client = Client()
        client.force_login(user)
        assert client.get(LIST).status_code == status
        assert client.post(page_of(suggestion), {"title": "Mine"}).status_code == status
    assert announced() == []
