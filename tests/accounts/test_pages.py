"""The pages: log in, register, one's account."""

import logging

import pytest
from django.test import Client

from marketplace.accounts.attempts import FAILURES
from marketplace.accounts.models import User
from tests.accounts.conftest import LogIn
from tests.accounts.test_authentication import bearer
from tests.accounts.test_sessions import ME, logged_in
from tests.support.people import ADDRESS, PASSWORD

LOGIN = "/login"
NEW = "battery-staple-8"
ANNA = {"username": "anna", "email": "anna@example.com", "password": PASSWORD, "role": "seller"}
TYPED_ADDRESS = {
    "name": "Anna Berg",
    "line1": "Am Markt 1",
    "line2": "",
    "postal_code": "07743",
    "city": "Jena",
    "country": "DE",
}


def typed(**changes: str) -> dict[str, str]:
    """The account page's form, as the buyer's browser sends it."""
    profile = {"email": "buyer@example.com", "language": "en", "current_password": ""}
    return {**profile, **TYPED_ADDRESS, **changes}


# --- Logging in -----------------------------------------------------------------------------


@pytest.mark.parametrize("username", ["buyer", "BUYER"])
def test_it_logs_in_and_goes_on(client: Client, buyer: User, username: str) -> None:
    form = {"username": username, "password": PASSWORD, "next": "/account/"}
    answer = client.post(LOGIN, form)
    assert (answer.status_code, answer["Location"]) == (302, "/account/")
    assert client.get(ME).json()["username"] == "buyer"
    assert buyer.logins.open().count() == 1


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "\0/"],
)
@pytest.mark.parametrize("path", [LOGIN, "/register"])
def test_it_goes_on_to_this_site_alone(
    client: Client, buyer: User, path: str, elsewhere: str
) -> None:
    fields = {"username": "buyer", "password": PASSWORD} if path == LOGIN else ANNA
    answer = client.post(path, {**fields, "next": elsewhere})
    assert (answer.status_code, answer["Location"]) == (302, "/")


def test_it_gives_the_session_another_id(client: Client, buyer: User) -> None:
    session = client.session
    session["basket"] = "kept"
    session.save()
    before = session.session_key
    client.post(LOGIN, {"username": "buyer", "password": PASSWORD})
    assert client.session.session_key != before
    assert client.session["basket"] == "kept"


@pytest.mark.parametrize("username", ["buyer", "nobody"])
def test_it_says_the_same_of_wrong_names_and_passwords(
    client: Client, buyer: User, username: str
) -> None:
    answer = client.post(LOGIN, {"username": username, "password": "wrong-horse-7"})
    assert answer.status_code == 200
    assert "The username or the password is wrong." in answer.content.decode()
    assert client.get(ME).status_code == 401


def test_it_makes_whoever_failed_ten_times_wait_here_and_in_the_api(
    client: Client, buyer: User
) -> None:
    for attempt in range(FAILURES.most):
        wrong = {"username": "buyer", "password": "wrong-horse-7"}
        if attempt % 2:
            client.post(LOGIN, wrong)
        else:
            client.post("/api/auth/token", wrong, content_type="application/json")

    right = {"username": "buyer", "password": PASSWORD}
    page = client.post(LOGIN, right)
    assert page.status_code == 429
    assert int(page["Retry-After"]) > 0
    assert "too many attempts" in page.content.decode()
    in_api = client.post("/api/auth/token", right, content_type="application/json")
    assert in_api.status_code == 429


def test_it_needs_the_csrf_token(buyer: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(LOGIN, {"username": "buyer", "password": PASSWORD})
    assert answer.status_code == 403


def test_it_is_the_admins_login_too(client: Client, staff: User) -> None:
    answer = client.get("/admin/", follow=True)
    assert answer.redirect_chain[-1][0] == "/login?next=%2Fadmin%2F"
    answer = client.post("/login?next=/admin/", {"username": "staff", "password": PASSWORD})
    assert answer["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_it_logs_no_password(client: Client, buyer: User, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for password in (PASSWORD, "wrong-horse-7"):
        client.post(LOGIN, {"username": "buyer", "password": password})
        assert password not in caplog.text


# --- Registering ----------------------------------------------------------------------------


def test_it_registers_and_logs_in(client: Client, db: None) -> None:
    answer = client.post("/register", {**ANNA, "next": "/account/"})
    assert (answer.status_code, answer["Location"]) == (302, "/account/")
    me = client.get(ME).json()
    assert (me["username"], me["role"]) == ("anna", "seller")


def test_it_shows_at_the_field_what_is_wrong(client: Client, buyer: User) -> None:
    answer = client.post("/register", {**ANNA, "username": "Buyer", "password": "1234567"})
    assert answer.status_code == 200
    found = answer.context["form"].errors
    assert set(found) == {"username", "password"}
    assert User.objects.count() == 1


# --- One's account --------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/account/", "/account/password", "/account/logins"])
def test_it_shows_nobody_an_account(client: Client, db: None, path: str) -> None:
    for answer in (client.get(path), client.post(path)):
        assert answer.status_code == 302
        assert answer["Location"] == f"/login?next={path}"


def test_it_shows_what_is_stored(buyer: User) -> None:
    answer = logged_in(buyer).get("/account/")
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    for value in ("buyer@example.com", *(value for value in ADDRESS.values() if value)):
        assert value in text
    assert answer.context["present_login"] == buyer.logins.get()


def test_it_saves_address_and_language(buyer: User, seller: User) -> None:
    client = logged_in(buyer)
    answer = client.post("/account/", typed(language="fr"))
    assert (answer.status_code, answer["Location"]) == (302, "/account/")
    buyer.refresh_from_db()
    assert buyer.language == "fr"
    assert buyer.shipping_address == {
        "name": "Anna Berg", "line1": "Am Markt 1", "line2": "", "postalCode": "07743",
        "city": "Jena", "country": "DE",
    }  # fmt: skip
    seller.refresh_from_db()
    assert seller.shipping_address is None
    assert client.get("/account/")["Content-Language"] == "fr"


def test_it_forgets_an_address_that_was_emptied(buyer: User) -> None:
    logged_in(buyer).post("/account/", typed(**dict.fromkeys(TYPED_ADDRESS, "")))
    buyer.refresh_from_db()
    assert buyer.shipping_address is None


def test_it_wants_an_address_whole(buyer: User) -> None:
    answer = logged_in(buyer).post("/account/", typed(city="", country=""))
    assert set(answer.context["form"].errors) == {"city", "country"}
    buyer.refresh_from_db()
    assert buyer.shipping_address == ADDRESS


def test_it_wants_the_password_for_another_email_address(buyer: User) -> None:
    client = logged_in(buyer)
    for password in ("", "wrong-horse-7"):
        answer = client.post("/account/", typed(email="new@example.com", current_password=password))
        assert set(answer.context["form"].errors) == {"current_password"}
    client.post("/account/", typed(email="new@example.com", current_password=PASSWORD))
    buyer.refresh_from_db()
    assert buyer.email == "new@example.com"


def test_it_sets_a_new_password_and_stays(log_in: LogIn, buyer: User) -> None:
    client, elsewhere, program = logged_in(buyer), logged_in(buyer), log_in(buyer)
    form = {"old_password": PASSWORD, "new_password": NEW}
    answer = client.post("/account/password", form)
    assert (answer.status_code, answer["Location"]) == (302, "/account/")
    assert client.get(ME).status_code == 200
    assert elsewhere.get(ME).status_code == 401
    assert bearer(program["access"]).get(ME).status_code == 401


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"old_password": "wrong-horse-7", "new_password": NEW}, "old_password"),
        ({"old_password": PASSWORD, "new_password": "short"}, "new_password"),
        ({"old_password": PASSWORD}, "new_password"),
    ],
)
def test_it_shows_what_is_wrong_with_passwords(
    buyer: User, form: dict[str, str], field: str
) -> None:
    answer = logged_in(buyer).post("/account/password", form)
    assert answer.status_code == 200
    assert set(answer.context["password_form"].errors) == {field}
    assert not answer.context["form"].errors
    buyer.refresh_from_db()
    assert buyer.check_password(PASSWORD)


def test_it_stops_whoever_guesses_in_an_open_browser(buyer: User) -> None:
    client = logged_in(buyer)
    wrong = {"old_password": "wrong-horse-7", "new_password": NEW}
    for _ in range(FAILURES.most):
        client.post("/account/password", wrong)
    answer = client.post("/account/password", {**wrong, "old_password": PASSWORD})
    assert answer.status_code == 429
    assert "Retry-After" in answer


def test_it_logs_out_everywhere_else(log_in: LogIn, buyer: User, seller: User) -> None:
    client, elsewhere, of_another = logged_in(buyer), log_in(buyer), log_in(seller)
    client.post("/account/logins")
    assert client.get(ME).status_code == 200
    assert bearer(elsewhere["access"]).get(ME).status_code == 401
    assert bearer(of_another["access"]).get(ME).status_code == 200


# --- All of them ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["/login", "/register", "/password-reset/", "/password-reset/sent", "/password-reset/complete"],
)
def test_it_shows_pages_to_visitors(client: Client, db: None, path: str) -> None:
    assert client.get(path).status_code == 200
