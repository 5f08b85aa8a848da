"""POST /api/events/ticket, and what a ticket opens."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from marketplace.accounts.errors import InvalidLogin
from marketplace.accounts.models import Ticket, User
from marketplace.accounts.proofs import prove_by_ticket
from marketplace.accounts.services import end_login
from marketplace.accounts.tokens import read_access_token
from tests.accounts.conftest import LogIn
from tests.accounts.test_authentication import bearer
from tests.conftest import ClientFor
from tests.support.answers import refusal

TICKET = "/api/events/ticket"


def issue(client: APIClient) -> str:
    """A new ticket."""
    answer = client.post(TICKET)
    assert answer.status_code == 201, answer.content
    ticket: str = answer.json()["ticket"]
    return ticket


def test_it_is_valid_for_thirty_seconds(client_for: ClientFor, buyer: User) -> None:
    client, lifetime = client_for(buyer), timedelta(seconds=30)
    before = timezone.now()
    answer = client.post(TICKET)
    assert answer.status_code == 201
    assert set(answer.json()) == {"ticket", "expiresIn"}
    assert answer.json()["expiresIn"] == 30
    assert before + lifetime <= Ticket.objects.get().expires_at <= timezone.now() + lifetime


def test_it_is_of_the_login_that_asked_and_ends_as_its_token_does(
    log_in: LogIn, buyer: User
) -> None:
    access = log_in(buyer)["access"]
    proof = prove_by_ticket(issue(bearer(access)))
    assert proof.user == buyer
    assert proof.login.pk == read_access_token(access).sid
    assert proof.expires_at == read_access_token(access).expires_at


def test_it_ends_as_the_session_does(session_client_for: ClientFor, buyer: User) -> None:
    client = session_client_for(buyer)
    client.handler.enforce_csrf_checks = False  # CSRF has its own tests
    assert prove_by_ticket(issue(client)).expires_at == buyer.logins.get().expires_at


def test_it_is_not_stored(client_for: ClientFor, buyer: User) -> None:
    ticket = issue(client_for(buyer))
    assert ticket not in str(Ticket.objects.values())


def test_it_opens_one_stream(client_for: ClientFor, buyer: User) -> None:
    ticket = issue(client_for(buyer))
    prove_by_ticket(ticket)
    with pytest.raises(InvalidLogin):
        prove_by_ticket(ticket)


def test_it_expires(client_for: ClientFor, buyer: User) -> None:
    client = client_for(buyer)
    ticket = issue(client)
    Ticket.objects.update(expires_at=timezone.now())
    with pytest.raises(InvalidLogin):
        prove_by_ticket(ticket)


def test_it_is_cleared_away_when_nobody_used_it(client_for: ClientFor, buyer: User) -> None:
    client = client_for(buyer)
    issue(client)
    Ticket.objects.update(expires_at=timezone.now())
    issue(client)
    assert Ticket.objects.count() == 1


def test_it_dies_with_its_login(client_for: ClientFor, buyer: User) -> None:
    ticket = issue(client_for(buyer))
    end_login(sid=buyer.logins.get().pk)
    with pytest.raises(InvalidLogin):
        prove_by_ticket(ticket)
    assert not Ticket.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["", "nonsense", "x" * 10_000, "\0", "\udcff"])
def test_it_is_refused_when_unknown(text: str) -> None:
    with pytest.raises(InvalidLogin):
        prove_by_ticket(text)


def test_it_is_for_those_who_are_logged_in(visitor: APIClient) -> None:
    assert refusal(visitor.post(TICKET)) == (401, "not_authenticated")


@pytest.mark.django_db(transaction=True)
def test_it_opens_one_stream_when_two_come_with_it(client_for: ClientFor, buyer: User) -> None:
    ticket = issue(client_for(buyer))
    outcomes: list[str] = []
    together = Barrier(2)

    def redeem() -> None:
        together.wait()
        try:
            prove_by_ticket(ticket)
            outcomes.append("opened")
        except InvalidLogin:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [Thread(target=redeem) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["opened", "refused"]
