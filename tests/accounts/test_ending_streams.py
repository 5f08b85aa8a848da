"""Whatever ends a login ends its open streams on the server at once, and no other's."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx

from marketplace.accounts.models import User
from tests.support.people import PASSWORD, make_user
from tests.support.servers import Marketplace

End = Callable[[httpx.Client, dict[str, str], User], object]


def log_out(client: httpx.Client, tokens: dict[str, str], _user: User) -> None:
    """The user logs out."""
    assert client.post("/api/auth/logout", json={"refresh": tokens["refresh"]}).is_success


def spend_twice(client: httpx.Client, tokens: dict[str, str], _user: User) -> None:
    """A refresh token comes a second time."""
    for _ in range(2):
        client.post("/api/auth/token/refresh", json={"refresh": tokens["refresh"]})


def change_password(client: httpx.Client, _tokens: dict[str, str], user: User) -> None:
    """The user changes the password from another device."""
    elsewhere = client.post("/api/auth/token", json=credentials(user)).json()
    passwords = {"oldPassword": PASSWORD, "newPassword": "battery-staple-8"}
    headers = {"Authorization": f"Bearer {elsewhere['access']}"}
    assert client.post("/api/auth/password", json=passwords, headers=headers).is_success


def switch_off(_client: httpx.Client, _tokens: dict[str, str], user: User) -> None:
    """Somebody deactivates the user in a shell."""
    user.is_active = False
    user.save()


def delete(_client: httpx.Client, _tokens: dict[str, str], user: User) -> None:
    """Somebody deletes the user in a shell."""
    User.objects.filter(pk=user.pk).delete()


def credentials(user: User) -> dict[str, str]:
    """What a user logs in with."""
    return {"username": user.username, "password": PASSWORD}


@contextmanager
def stream(client: httpx.Client, access: str) -> Iterator[Iterator[dict[str, object]]]:
    """An open stream: its events, `connected` having come."""
    headers = {"Authorization": f"Bearer {access}"}
    with client.stream("GET", "/api/events", headers=headers, timeout=20) as answer:
        assert answer.status_code == 200
        lines = (line for line in answer.iter_lines() if line.startswith("data: "))
        frames = (json.loads(line.removeprefix("data: ")) for line in lines)
        events = (frame for frame in frames if frame["type"] != "heartbeat")
        assert next(events)["type"] == "connected"
        yield events


ENDS: list[End] = [log_out, spend_twice, change_password, switch_off, delete]


def test_it_ends_the_streams_of_this_user_alone(
    seller: User, live_server_process: Marketplace
) -> None:
    with httpx.Client(base_url=live_server_process.url) as client:
        of_another = client.post("/api/auth/token", json=credentials(seller)).json()
        with stream(client, of_another["access"]) as events_of_another:
            for end in ENDS:
                check_the_end(client, end, make_user(end.__name__))
            # The other stream goes on: it hears what comes next.
            log_out(client, of_another, seller)
            assert next(events_of_another)["type"] == "closing"


def check_the_end(client: httpx.Client, end: End, user: User) -> None:
    """That this way of ending a login ends its stream, and that none opens afterwards."""
    tokens = client.post("/api/auth/token", json=credentials(user)).json()
    with stream(client, tokens["access"]) as events:
        end(client, tokens, user)
        began = time.monotonic()
        closing = next(events)
        print(f"{end.__name__}: ended {time.monotonic() - began:.2f} s later")
        assert closing["type"] == "closing"
        assert closing["data"] == {"reason": "logged-out", "retryAfter": None}
        assert next(events, None) is None
    refused = client.get("/api/events", headers={"Authorization": f"Bearer {tokens['access']}"})
    assert refused.status_code == 401
