"""POST /api/auth/password."""

from rest_framework.test import APIClient

from marketplace.accounts.attempts import FAILURES
from marketplace.accounts.models import User
from marketplace.accounts.tokens import read_access_token
from tests.accounts.conftest import LogIn
from tests.accounts.test_authentication import ME, bearer
from tests.conftest import ClientFor
from tests.support.answers import refusal, refused_fields
from tests.support.people import PASSWORD

PASSWORD_PATH = "/api/auth/password"
NEW = "battery-staple-8"
CHANGE = {"oldPassword": PASSWORD, "newPassword": NEW}


def test_it_sets_the_password_and_ends_the_other_logins(
    log_in: LogIn, buyer: User, seller: User, ended: list[str]
) -> None:
    here, elsewhere, of_another = log_in(buyer), log_in(buyer), log_in(seller)

    answer = bearer(here["access"]).post(PASSWORD_PATH, CHANGE, format="json")
    assert answer.status_code == 204
    buyer.refresh_from_db()
    assert buyer.check_password(NEW)
    assert ended == [str(read_access_token(elsewhere["access"]).sid)]
    assert bearer(here["access"]).get(ME).status_code == 200
    assert bearer(elsewhere["access"]).get(ME).status_code == 401
    assert bearer(of_another["access"]).get(ME).status_code == 200


def test_it_keeps_the_session_that_changed_it(session_client_for: ClientFor, buyer: User) -> None:
    here, elsewhere = session_client_for(buyer), session_client_for(buyer)
    here.handler.enforce_csrf_checks = False  # CSRF has its own tests

    assert here.post(PASSWORD_PATH, CHANGE, format="json").status_code == 204
    assert here.get(ME).status_code == 200
    assert elsewhere.get(ME).status_code == 401


def test_it_needs_the_old_password(client_for: ClientFor, buyer: User) -> None:
    wrong = {**CHANGE, "oldPassword": "wrong-horse-7"}
    answer = client_for(buyer).post(PASSWORD_PATH, wrong, format="json")
    assert refused_fields(answer) == {"oldPassword": "invalid_password"}
    buyer.refresh_from_db()
    assert buyer.check_password(PASSWORD)


def test_it_wants_a_good_new_password(client_for: ClientFor, buyer: User) -> None:
    weak = {**CHANGE, "newPassword": "1234567"}
    answer = client_for(buyer).post(PASSWORD_PATH, weak, format="json")
    codes = {error["code"] for error in answer.json()["errors"]}
    assert answer.status_code == 400
    assert codes == {"password_too_short", "password_too_common", "password_entirely_numeric"}
    assert {error["attr"] for error in answer.json()["errors"]} == {"newPassword"}


def test_it_stops_whoever_guesses_in_an_open_browser(client_for: ClientFor, buyer: User) -> None:
    client = client_for(buyer)
    for _ in range(FAILURES.most):
        wrong = {**CHANGE, "oldPassword": "wrong-horse-7"}
        assert client.post(PASSWORD_PATH, wrong, format="json").status_code == 400
    answer = client.post(PASSWORD_PATH, CHANGE, format="json")
    assert refusal(answer) == (429, "throttled")
    assert int(answer["Retry-After"]) > 0


def test_it_is_for_those_who_are_logged_in(visitor: APIClient) -> None:
    answer = visitor.post(PASSWORD_PATH, CHANGE, format="json")
    assert refusal(answer) == (401, "not_authenticated")
