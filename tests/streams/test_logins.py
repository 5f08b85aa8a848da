"""Logins that end while their streams are open, and rights that change (contract §2, §6, §8)."""

import asyncio
import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import httpx
import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone
from rest_framework_simplejwt.tokens import AccessToken

from marketplace.accounts.models import Login, User
from marketplace.accounts.tokens import Tokens
from tests.conftest import StartServer
from tests.realtime.things import publish_thing
from tests.streams.conftest import newcomer
from tests.streams.things import (
    bearer,
    cookie,
    in_thread,
    listen,
    log_in,
    next_events,
    offer,
    order,
    run_shell,
    settled,
    talk,
)
from tests.support.people import PASSWORD
from tests.support.servers import Marketplace
from tests.support.streams import SseClient, SseFrame, StreamRefused

LOGGED_OUT = {"reason": "logged-out", "retryAfter": None}

# --- Logins that end ------------------------------------------------------------------------


def post(server: Marketplace, path: str, body: dict[str, str], access: str = "") -> httpx.Response:
    """Send a request of the API."""
    headers = {"Authorization": f"Bearer {access}"} if access else {}
    return httpx.post(f"{server.url}/api/auth/{path}", json=body, headers=headers, timeout=30)


def log_out(server: Marketplace, user: User, tokens: Tokens) -> None:
    assert post(server, "logout", {"refresh": tokens.refresh}).status_code == 204


def change_password(server: Marketplace, user: User, tokens: Tokens) -> None:
    body = {"oldPassword": PASSWORD, "newPassword": "another-horse-8"}
    assert post(server, "password", body, log_in(user).access).status_code == 204


def spend_twice(server: Marketplace, user: User, tokens: Tokens) -> None:
    assert post(server, "token/refresh", {"refresh": tokens.refresh}).status_code == 200
    assert post(server, "token/refresh", {"refresh": tokens.refresh}).status_code == 401


def deactivate(server: Marketplace, user: User, tokens: Tokens) -> None:
    present = User.objects.get(pk=user.pk)
    present.is_active = False
    present.save()


def deactivate_in_admin(server: Marketplace, user: User, tokens: Tokens) -> None:
    admin = Client()
    admin.force_login(newcomer("buyer", is_staff=True, is_superuser=True))
    page = f"/admin/accounts/user/{user.pk}/change/"
    form = admin.get(page).context["adminform"].form
    values = {name: form[name].value() for name in form.fields if name != "password"}
    values = {name: value for name, value in values.items() if value not in (None, False, "")}
    del values["is_active"]
    joined = values.pop("date_joined")
    values |= {"date_joined_0": f"{joined:%Y-%m-%d}", "date_joined_1": f"{joined:%H:%M:%S}"}
    last = values.pop("last_login", None)
    if last:
        values |= {"last_login_0": f"{last:%Y-%m-%d}", "last_login_1": f"{last:%H:%M:%S}"}
    assert admin.post(page, values).status_code == 302


def deactivate_in_shell(server: Marketplace, user: User, tokens: Tokens) -> None:
    run_shell(
        "from marketplace.accounts.models import User\n"
        f"user = User.objects.get(pk={user.pk})\n"
        "user.is_active = False\n"
        "user.save()"
    )


def delete(server: Marketplace, user: User, tokens: Tokens) -> None:
    User.objects.get(pk=user.pk).delete()


@pytest.mark.parametrize(
    "end",
    [
        log_out,
        change_password,
        spend_twice,
        deactivate,
        deactivate_in_admin,
        deactivate_in_shell,
        delete,
    ],
)
async def test_it_ends_the_streams_of_a_login_that_ends(
    server: Marketplace,
    buyer: User,
    other_buyer: User,
    end: Callable[[Marketplace, User, Tokens], None],
) -> None:
    tokens = log_in(buyer)
    headers = {"Authorization": f"Bearer {tokens.access}"}
    body = {"Content-Type": "application/json", **headers}
    answer = httpx.post(f"{server.url}/api/events/ticket", headers=body)
    async with (
        await listen(server, headers=headers) as stream,
        await listen(server, ticket=answer.json()["ticket"]) as by_ticket,
        await talk(server, headers=headers, channels="availability") as client,
        await listen(server, other_buyer) as other,
    ):
        await stream.frame()
        await by_ticket.frame()
        await client.until("subscribed")
        await in_thread(end, server, buyer, tokens)
        began = time.monotonic()
        for each in (stream, by_ticket):
            closing = await each.until("closing", 10)
            assert closing.body["data"] == LOGGED_OUT
            assert closing.id is None
            with pytest.raises(asyncio.IncompleteReadError):
                await each.any_frame()
        said, code = await client.ends()
        print(f"{end.__name__}: ended {time.monotonic() - began:.2f} s later")
        assert (said[-1]["type"], said[-1]["data"], code) == ("closing", LOGGED_OUT, 4401)
        with pytest.raises(StreamRefused) as refused:
            await listen(server, headers=headers, channels="catalogue")
        assert refused.value.status == 401
        publish_thing(7, to=f"user.{other_buyer.pk}")
        assert (await next_events(other, 1))[0].event == "thing-happened"


async def test_it_ends_the_streams_of_a_session_that_logs_out(
    server: Marketplace, buyer: User
) -> None:
    by_token = bearer(buyer)
    with httpx.Client(base_url=server.url) as browser:
        page = browser.get("/login").text
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token
        form = {"csrfmiddlewaretoken": token[1], "username": buyer.username, "password": PASSWORD}
        assert browser.post("/login", data=form).status_code == 302
        session = {"Cookie": f"sessionid={browser.cookies['sessionid']}"}
        async with (
            await listen(server, headers=session) as stream,
            await listen(server, headers=by_token) as other,
        ):
            await stream.frame()
            await other.frame()
            form = {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}
            assert browser.post("/logout", data=form).status_code == 302
            assert (await stream.until("closing")).body["data"] == LOGGED_OUT
            with pytest.raises(StreamRefused):
                await listen(server, headers=session)
            publish_thing(7, to=f"user.{buyer.pk}")
            assert (await next_events(other, 1))[0].event == "thing-happened"


async def test_it_keeps_the_login_that_changed_the_password(
    server: Marketplace, buyer: User
) -> None:
    own, other = log_in(buyer), log_in(buyer)
    async with (
        await listen(server, token=own.access) as stays,
        await listen(server, token=other.access) as goes,
    ):
        await stays.frame()
        body = {"oldPassword": PASSWORD, "newPassword": "another-horse-8"}
        assert post(server, "password", body, own.access).status_code == 204
        await goes.until("closing")
        publish_thing(7, to=f"user.{buyer.pk}")
        assert (await next_events(stays, 1))[0].event == "thing-happened"


async def test_it_ends_a_stream_in_the_middle_of_its_replay(
    server: Marketplace, start_server: StartServer, buyer: User
) -> None:
    start = await settled()
    with transaction.atomic():
        for number in range(300):
            publish_thing(number, to=f"user.{buyer.pk}", text="x" * 100_000)
    await settled()
    later = start_server()  # nothing of it is in this one's memory, nor about to be handed out
    stream = await SseClient.open(
        later.port, headers=bearer(buyer), receive_buffer=4096, lastEventId=str(start)
    )
    async with stream:
        await next_events(stream, 10)
        buyer.logins.all().end()
        frames = [frame async for frame in stream]
    assert frames[-1].event == "closing"
    assert frames[-1].body["data"] == LOGGED_OUT
    assert len(frames) < 200


# --- Logins that expire ---------------------------------------------------------------------


# Long enough to open streams by it on a busy machine.
SHORT_LIFE = timedelta(seconds=8)


def short_token(user: User) -> AccessToken:
    """An access token that does not live long."""
    token = AccessToken(log_in(user).access)  # type: ignore[arg-type]
    token.set_exp(lifetime=SHORT_LIFE)
    return token


async def end_of(stream: SseClient) -> list[SseFrame]:
    """What is said up to the end of the stream, `connected` aside."""
    return [frame async for frame in stream if frame.event not in {"connected", "heartbeat"}]


async def test_it_warns_of_the_end_of_a_token_and_ends(server: Marketplace, buyer: User) -> None:
    token = short_token(buyer)
    async with (
        await listen(server, token=str(token)) as stream,
        await talk(server, token=str(token)) as client,
    ):
        expiring, closing = await end_of(stream)
        ended = time.time()
        said, code = await client.ends()
    assert (expiring.event, expiring.id) == ("token-expiring", None)
    moment = expiring.body["data"]["expiresAt"]
    assert datetime.fromisoformat(moment).timestamp() == token["exp"]
    assert closing.event == "closing"
    assert closing.body["data"]["reason"] == "expired"
    assert closing.body["data"]["retryAfter"] > 0
    assert ended >= token["exp"]
    print(f"It ended {ended - token['exp']:.2f} s after its login.")
    assert [message["type"] for message in said] == ["connected", "token-expiring", "closing"]
    assert code == 4401


async def test_it_warns_once_of_the_end_of_a_session(server: Marketplace, buyer: User) -> None:
    """A session ends in the middle of a second."""
    headers = cookie(buyer)
    expires = timezone.now().replace(microsecond=950_000) + SHORT_LIFE
    Login.objects.filter(user=buyer).update(expires_at=expires)
    async with await listen(server, headers=headers) as stream:
        assert [frame.event for frame in await end_of(stream)] == ["token-expiring", "closing"]
        assert timezone.now() >= expires


async def test_it_ends_the_stream_of_a_ticket_with_the_token_that_asked_for_it(
    server: Marketplace, buyer: User
) -> None:
    token = short_token(buyer)
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx.post(f"{server.url}/api/events/ticket", headers=headers)
    async with await listen(server, ticket=answer.json()["ticket"]) as stream:
        assert [frame.event for frame in await end_of(stream)] == ["token-expiring", "closing"]


# --- Rights that change ---------------------------------------------------------------------


def set_rights(user: User, **rights: object) -> None:
    """Change what the user may."""
    present = User.objects.get(pk=user.pk)
    for name, value in rights.items():
        setattr(present, name, value)
    present.save()


async def test_it_moves_a_stream_with_its_users_role(server: Marketplace, buyer: User) -> None:
    """What follows the change goes by the new role, from the first event on."""
    async with await listen(server, buyer) as stream, await talk(server, buyer) as client:
        await stream.frame()
        await client.message()
        for role, audience in [("seller", "sellers"), ("buyer", "buyers")] * 3:
            with transaction.atomic():
                # All at once: they are numbered one behind the other.
                set_rights(buyer, role=role)
                for number, to in enumerate(["buyers", "sellers", "all", "sellers", "buyers"]):
                    publish_thing(number, to=to)
            expected = [1, 2, 3] if audience == "sellers" else [0, 2, 4]
            heard = await next_events(stream, 3)
            assert [frame.body["data"]["number"] for frame in heard] == expected
            said = [await client.message() for _ in expected]
            assert [message["data"]["number"] for message in said] == expected


async def test_it_moves_a_stream_that_opens_while_the_role_changes(
    server: Marketplace, buyer: User
) -> None:
    headers = bearer(buyer)
    for turn in range(20):
        role, audience = ("buyer", "buyers") if turn % 2 else ("seller", "sellers")
        opening = asyncio.create_task(listen(server, headers=headers))
        await asyncio.sleep(0.002 * (turn % 7))
        set_rights(buyer, role=role)
        async with await opening as stream:
            await stream.frame()
            publish_thing(turn, to=audience)
            (heard,) = await next_events(stream, 1)
            assert heard.body["data"]["number"] == turn


async def test_it_takes_from_a_stream_what_its_user_lost(
    server: Marketplace, staff: User, seller: User, buyer: User
) -> None:
    pot = offer(seller)
    placed = order(buyer, pot)
    headers = bearer(staff)
    await settled()
    async with (
        await listen(server, headers=headers) as stream,
        await listen(server, headers=headers, channels=f"order.{placed.pk}") as of_order,
        await talk(server, headers=headers, channels=f"order.{placed.pk}") as client,
    ):
        await stream.frame()
        await of_order.until("subscribed")
        await client.until("subscribed")
        set_rights(staff, is_staff=False)
        order(buyer, pot)
        publish_thing(7, to="all")
        # Not the order, nor the stock that it took.
        assert (await next_events(stream, 1))[0].event == "thing-happened"
        forbidden = {"reason": "forbidden", "retryAfter": None}
        assert (await of_order.until("closing")).body["data"] == forbidden
        said, code = await client.ends()
        assert (said[-1]["data"], code) == (forbidden, 4403)
        set_rights(staff, is_staff=True)
        order(buyer, pot)
        heard = [frame.event for frame in await next_events(stream, 2)]
        assert heard == ["availability-updated", "order-created"]
