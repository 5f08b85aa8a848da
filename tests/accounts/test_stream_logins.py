"""marketplace.streams: what accounts tell streams of who listens."""

import pytest
from django.test import Client

from marketplace.accounts.models import User
from marketplace.accounts.services import end_login
from marketplace.accounts.tokens import read_access_token
from marketplace.streams import StreamLogins
from realtime.api import NOBODY, Credentials, Listener, NotLoggedIn
from realtime.models import OutboxEvent
from tests.accounts.conftest import LogIn
from tests.accounts.test_authentication import bearer
from tests.accounts.test_sessions import logged_in
from tests.accounts.test_tickets import issue


class OneByOne:
    """StreamLogins, asked about one stream at a time."""

    def log_in(self, credentials: Credentials) -> Listener:
        (found,) = StreamLogins().log_in([credentials])
        if isinstance(found, NotLoggedIn):
            raise found
        return found

    def still_valid(self, listener: Listener) -> Listener | None:
        (found,) = StreamLogins().still_valid([listener])
        return found


logins = OneByOne()


def cookies_of(client: Client) -> dict[str, str]:
    """What a browser sends along."""
    return {name: morsel.value for name, morsel in client.cookies.items()}


def test_it_knows_the_listener_by_an_access_token(log_in: LogIn, buyer: User) -> None:
    access = log_in(buyer)["access"]
    claims = read_access_token(access)
    by_header = logins.log_in(Credentials(authorization=f"Bearer {access}"))
    by_query = logins.log_in(Credentials(token=access))

    assert by_header == by_query
    assert by_header.user_id == buyer.pk
    assert by_header.login_id == str(claims.sid)
    assert by_header.expires_at == claims.expires_at.timestamp()
    assert by_header.is_staff is False
    assert by_header.audiences == ("all", "catalogue", "buyers", f"user.{buyer.pk}")


def test_it_gives_sellers_and_staff_their_own(log_in: LogIn, seller: User, staff: User) -> None:
    of_seller = logins.log_in(Credentials(token=log_in(seller)["access"]))
    of_staff = logins.log_in(Credentials(token=log_in(staff)["access"]))
    assert of_seller.audiences == ("all", "catalogue", "sellers", f"user.{seller.pk}")
    assert of_staff.audiences == ("all", "catalogue", "buyers", f"user.{staff.pk}", "staff")
    assert of_staff.is_staff is True


def test_it_knows_the_listener_by_a_ticket_once(log_in: LogIn, buyer: User) -> None:
    ticket = issue(bearer(log_in(buyer)["access"]))
    assert logins.log_in(Credentials(ticket=ticket)).user_id == buyer.pk
    with pytest.raises(NotLoggedIn):
        logins.log_in(Credentials(ticket=ticket))


def test_it_knows_the_listener_by_a_session(buyer: User) -> None:
    cookies = cookies_of(logged_in(buyer))
    listener = logins.log_in(Credentials(cookies=cookies))
    login = buyer.logins.get()
    assert (listener.user_id, listener.login_id) == (buyer.pk, str(login.pk))
    assert listener.expires_at == login.expires_at.timestamp()


def test_it_takes_the_first_credential_that_is_there(
    log_in: LogIn, buyer: User, seller: User, staff: User, other_buyer: User
) -> None:
    everything = {
        "authorization": f"Bearer {log_in(buyer)['access']}",
        "ticket": issue(bearer(log_in(seller)["access"])),
        "token": log_in(staff)["access"],
        "cookies": cookies_of(logged_in(other_buyer)),
    }
    for name, user in (
        ("authorization", buyer), ("ticket", seller), ("token", staff), ("cookies", other_buyer),
    ):  # fmt: skip
        assert logins.log_in(Credentials(**everything)).user_id == user.pk  # type: ignore[arg-type]
        everything.pop(name)


def test_it_only_reads_where_an_access_token_decides() -> None:
    reads = StreamLogins().only_reads
    bearer, cookies = "Bearer a", {"sessionid": "a"}
    assert reads(Credentials(authorization=bearer, ticket="t", token="b", cookies=cookies))
    assert reads(Credentials(token="b", cookies=cookies))
    assert not reads(Credentials(authorization="Basic YTpi", ticket="t", token="b"))
    assert not reads(Credentials(cookies=cookies))


def test_it_does_not_go_on_to_the_next_when_the_first_is_bad(log_in: LogIn, buyer: User) -> None:
    with pytest.raises(NotLoggedIn):
        logins.log_in(Credentials(ticket="nonsense", token=log_in(buyer)["access"]))


def test_it_knows_nobody_without_a_credential(client: Client, db: None) -> None:
    anonymous = client.session
    anonymous["theme"] = "dark"
    anonymous.save()
    assert logins.log_in(Credentials()) == NOBODY
    assert logins.log_in(Credentials(authorization="Basic YTpi")) == NOBODY
    assert logins.log_in(Credentials(cookies={"sessionid": anonymous.session_key or ""})) == NOBODY


@pytest.mark.django_db
@pytest.mark.parametrize(
    "credentials",
    [
        Credentials(authorization="Bearer"),
        Credentials(authorization="Bearer nonsense"),
        Credentials(token="nonsense"),
        Credentials(ticket="nonsense"),
        Credentials(cookies={"sessionid": "nonsense"}),
        Credentials(cookies={"sessionid": "\0"}),
    ],
)
def test_it_refuses_what_does_not_hold(credentials: Credentials) -> None:
    with pytest.raises(NotLoggedIn):
        logins.log_in(credentials)


def test_it_refuses_a_refresh_token(log_in: LogIn, buyer: User) -> None:
    with pytest.raises(NotLoggedIn):
        logins.log_in(Credentials(token=log_in(buyer)["refresh"]))


def test_it_refuses_a_login_that_has_ended(log_in: LogIn, buyer: User) -> None:
    access = log_in(buyer)["access"]
    end_login(sid=buyer.logins.get().pk)
    with pytest.raises(NotLoggedIn):
        logins.log_in(Credentials(token=access))


def test_it_refuses_a_session_whose_login_has_ended(buyer: User) -> None:
    cookies = cookies_of(logged_in(buyer))
    end_login(sid=buyer.logins.get().pk)
    with pytest.raises(NotLoggedIn):
        logins.log_in(Credentials(cookies=cookies))


def test_it_finds_the_listener_as_the_user_is_now(log_in: LogIn, buyer: User) -> None:
    listener = logins.log_in(Credentials(token=log_in(buyer)["access"]))
    assert logins.still_valid(listener) == listener

    buyer.role, buyer.is_staff = "seller", True
    buyer.save()
    present = logins.still_valid(listener)
    assert present is not None
    assert present.audiences == ("all", "catalogue", "sellers", f"user.{buyer.pk}", "staff")
    assert present.expires_at == listener.expires_at

    end_login(sid=buyer.logins.get().pk)
    assert logins.still_valid(listener) is None


def test_it_lets_nobody_stay_nobody(db: None) -> None:
    assert logins.still_valid(NOBODY) == NOBODY


def test_it_has_streams_told_in_the_same_transaction(log_in: LogIn, buyer: User) -> None:
    log_in(buyer)
    sid = buyer.logins.get().pk
    OutboxEvent.objects.all().delete()
    buyer.role = "seller"
    buyer.save()
    end_login(sid=sid)
    told = OutboxEvent.objects.order_by("id").values_list("type", "audiences")
    assert list(told) == [
        ("_user-changed", f"user.{buyer.pk}"),
        ("_login-ended", f"login.{sid}"),
    ]
