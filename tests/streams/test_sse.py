"""Server-Sent Events over the wire (contract §7): form, logins, refusals, limits."""

import asyncio
import json
import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from rest_framework_simplejwt.tokens import AccessToken

from marketplace.accounts.models import Ticket, User
from tests.conftest import StartServer
from tests.streams.things import (
    bearer,
    change,
    cookie,
    listen,
    log_in,
    next_events,
    offer,
    order,
    rest,
    settled,
    talk,
    ticket,
)
from tests.support.servers import Marketplace
from tests.support.streams import SseClient, StreamRefused

PATHS = ["/api/webhook/events", "/api/events"]
SHOP = "https://shop.example"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


async def refusal(server: Marketplace, **request: Any) -> tuple[int, str]:
    """The status and the code with which a stream is refused, in the format of all refusals."""
    with pytest.raises(StreamRefused) as caught:
        await listen(server, **request)
    refused = caught.value
    assert refused.headers["content-type"] == "application/json"
    body = json.loads(refused.body)
    assert set(body) == {"type", "errors"}
    [error] = body["errors"]
    assert set(error) == {"code", "detail", "attr"}
    return refused.status, error["code"]


async def heard_by(server: Marketplace, **request: Any) -> list[str]:
    """The channels that a stream says it carries."""
    async with await listen(server, **request) as stream:
        connected = await stream.frame()
    channels: list[str] = connected.body["data"]["channels"]
    return channels


def own(user: User) -> str:
    """The channel that one user alone hears."""
    return f"user.{user.pk}"


# --- Form -----------------------------------------------------------------------------------


async def test_it_sends_frames_of_the_documented_form(
    server: Marketplace, buyer: User, seller: User
) -> None:
    pot = offer(seller)
    head = await settled()
    async with await listen(server, buyer, channels=f"product.{pot.pk}") as stream:
        connected = await stream.frame()
        subscribed = await stream.frame()
        with rest(server, seller) as client:
            assert client.patch(f"/api/products/{pot.pk}", json={"price": "9.00"}).is_success
        updated = await stream.frame()
        shown = httpx.get(f"{server.url}/api/products/{pot.pk}").json()

    assert re.fullmatch(
        rb"retry: 3000\n"
        rb"id: %(id)d\n"
        rb"event: connected\n"
        rb'data: \{"id":%(id)d,"type":"connected","timestamp":"%(time)s","data":\{.+\}\}'
        % {b"id": head, b"time": TIME.encode()},
        connected.raw,
    )
    assert set(connected.body["data"]) == {"clientId", "message", "channels", "heartbeat"}
    assert UUID(connected.body["data"]["clientId"])
    assert connected.body["data"]["heartbeat"] == 20
    assert connected.body["data"]["channels"] == [
        "all", "catalogue", "buyers", own(buyer), f"product.{pot.pk}",
    ]  # fmt: skip

    assert re.fullmatch(
        rb"event: subscribed\n"
        rb'data: \{"type":"subscribed","timestamp":"%(time)s","data":\{.+\}\}'
        % {b"time": TIME.encode()},
        subscribed.raw,
    )
    assert set(subscribed.body["data"]) == {"channel", "position", "state"}
    assert subscribed.body["data"]["channel"] == f"product.{pot.pk}"
    assert subscribed.body["data"]["position"] == head
    assert subscribed.body["data"]["state"]["price"] == "12.50"

    assert updated.id == updated.body["id"] == head + 1
    assert list(updated.body) == ["id", "type", "timestamp", "data"]
    assert updated.body["data"] == {"product": shown}
    text = json.dumps(updated.body, separators=(",", ":"), ensure_ascii=False)
    assert updated.raw.decode() == f"id: {head + 1}\nevent: product-updated\ndata: {text}"


@pytest.mark.parametrize("path", PATHS)
async def test_it_answers_with_the_headers_of_a_stream(server: Marketplace, path: str) -> None:
    wishes = {"Accept-Encoding": "gzip, br", "Accept": "text/event-stream"}
    async with await listen(server, headers=wishes, path=path, channels="catalogue") as stream:
        assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert stream.headers["cache-control"] == "no-cache, no-transform"
        assert stream.headers["x-accel-buffering"] == "no"
        assert "content-encoding" not in stream.headers
        assert "set-cookie" not in stream.headers
        assert (await stream.frame()).event == "connected"


async def test_it_sends_text_as_it_was_written(
    server: Marketplace, buyer: User, seller: User
) -> None:
    told = "one\r\ntwo\rthree\nid: 7\n\nevent: forged\u2028naïve \U0001f600"
    async with await listen(server, buyer) as stream:
        await stream.frame()
        pot = offer(seller, description=told)
        (created,) = await next_events(stream, 1)
    assert created.event == "product-created"
    assert created.body["data"]["product"]["id"] == pot.pk
    assert created.body["data"]["product"]["description"] == told


# --- Logins ---------------------------------------------------------------------------------


async def test_it_takes_the_first_credential_that_is_there(
    server: Marketplace, buyer: User, other_buyer: User, seller: User, staff: User
) -> None:
    by_ticket, by_token = ticket(server, other_buyer), log_in(seller).access
    headers = {**bearer(buyer), **cookie(staff)}
    query = {"ticket": by_ticket, "token": by_token}
    assert own(buyer) in await heard_by(server, headers=headers, **query)
    del headers["Authorization"]
    assert own(other_buyer) in await heard_by(server, headers=headers, **query)
    del query["ticket"]
    assert own(seller) in await heard_by(server, headers=headers, **query)
    del query["token"]
    assert own(staff) in await heard_by(server, headers=headers, **query)


async def test_it_does_not_go_on_to_the_next_credential_when_one_is_bad(
    server: Marketplace, buyer: User
) -> None:
    good = log_in(buyer).access
    for request in (
        {"headers": {"Authorization": "Bearer nonsense"}, "token": good},
        {"headers": cookie(buyer), "ticket": "nonsense"},
        {"headers": cookie(buyer), "token": "nonsense"},
    ):
        assert await refusal(server, **request) == (401, "not_authenticated")


async def test_it_refuses_bad_credentials_even_for_public_channels(
    server: Marketplace, buyer: User, other_buyer: User, seller: User
) -> None:
    tokens = log_in(buyer)
    expired = AccessToken(tokens.access)  # type: ignore[arg-type]
    expired.set_exp(lifetime=timedelta(seconds=-1))
    revoked, of_revoked = log_in(other_buyer), cookie(other_buyer)
    left_ticket = ticket(server, other_buyer)
    other_buyer.logins.all().end()
    deactivated = log_in(seller).access
    seller.is_active = False
    seller.save()
    late = ticket(server, buyer)
    Ticket.objects.filter(login__user=buyer).update(expires_at=buyer.date_joined)

    for request in (
        {"headers": {"Authorization": f"Bearer {tokens.refresh}"}},
        {"headers": {"Authorization": "Bearer"}},
        {"headers": {"Authorization": f"Bearer {revoked.access}"}},
        {"headers": {"Cookie": "sessionid=unknown"}},
        {"headers": of_revoked},
        {"token": tokens.refresh},
        {"token": str(expired)},
        {"token": revoked.access},
        {"token": deactivated},
        {"token": "a.b.c"},
        {"token": "\0"},
        {"ticket": left_ticket},
        {"ticket": late},
        {"ticket": tokens.access},
        {"ticket": "\0"},
    ):
        refused = await refusal(server, channels="catalogue", **request)
        assert refused == (401, "not_authenticated"), request


async def test_it_opens_one_stream_for_a_ticket(server: Marketplace, buyer: User) -> None:
    spent = ticket(server, buyer)
    answers = await asyncio.gather(
        *(listen(server, ticket=spent) for _ in range(4)), return_exceptions=True
    )
    opened = [answer for answer in answers if isinstance(answer, SseClient)]
    refused = [answer for answer in answers if isinstance(answer, StreamRefused)]
    for stream in opened:
        await stream.close()
    assert len(opened) == 1
    assert [each.status for each in refused] == [401, 401, 401]


async def test_it_serves_nobody_public_channels_alone(server: Marketplace, seller: User) -> None:
    pot = offer(seller)
    names = ["availability", "catalogue", f"product.{pot.pk}"]
    assert await heard_by(server, channels=",".join(names)) == names
    assert await heard_by(server, channels=f" catalogue,,{names[2]},catalogue ") == names[1:]
    assert await refusal(server) == (401, "not_authenticated")
    assert await refusal(server, channels="") == (401, "not_authenticated")
    assert await refusal(server, channels="catalogue,order.1") == (401, "not_authenticated")


# --- Refusals -------------------------------------------------------------------------------


async def test_it_refuses_channels(
    server: Marketplace, buyer: User, other_buyer: User, seller: User
) -> None:
    pot, hidden = offer(seller), offer(seller, is_active=False)
    placed = order(buyer, pot)
    for name in (f"order.{placed.pk}", "order.999999999", f"product.{hidden.pk}", "product.999999"):
        refused = await refusal(server, user=other_buyer, channels=f"catalogue,{name}")
        assert refused == (403, "forbidden"), name
    for name in (
        "all", "buyers", "staff", own(buyer), "login.1", "orders", "order", "order.", "order.x",
        "order.0", "order.01", "order.-1", "order.1.1", f"order.{'9' * 30}", "catalogue.1",
        "catalogue.", "CATALOGUE", "product.1\0", "product.\u0661", ".", "a b",
    ):  # fmt: skip
        refused = await refusal(server, user=buyer, channels=name)
        assert refused == (403, "unknown-channel"), name


async def test_it_counts_each_channel_once(server: Marketplace, buyer: User) -> None:
    assert await heard_by(server, channels=",".join(["catalogue"] * 300)) == ["catalogue"]
    too_many = ",".join(f"product.{number}" for number in range(1, 130))
    assert await refusal(server, user=buyer, channels=too_many) == (403, "forbidden")
    # A credential that does not hold is told first, whatever it comes with.
    refused = await refusal(server, token="nonsense", channels=too_many)
    assert refused == (401, "not_authenticated")


async def test_it_takes_no_body(server: Marketplace, buyer: User) -> None:
    for headers in ({"Content-Length": "2"}, {"Transfer-Encoding": "chunked"}):
        refused = await refusal(server, user=buyer, headers=headers)
        assert refused == (400, "bad_request"), headers
    assert await heard_by(server, headers={"Content-Length": "0"}, channels="catalogue")


@pytest.mark.parametrize("cursor", ["abc", "-1", "1.5", "0x1", "1 2", "\u0661", "1e3", "null"])
async def test_it_refuses_a_cursor_that_is_no_number(
    server: Marketplace, buyer: User, cursor: str
) -> None:
    assert await refusal(server, user=buyer, lastEventId=cursor) == (400, "invalid")
    if cursor.isascii():
        header = {"Last-Event-ID": cursor}
        assert await refusal(server, user=buyer, headers=header) == (400, "invalid")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "HEAD"])
@pytest.mark.parametrize("path", PATHS)
async def test_it_allows_no_other_method(server: Marketplace, method: str, path: str) -> None:
    answer = httpx.request(method, f"{server.url}{path}?channels=catalogue")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    if method != "HEAD":
        assert answer.json()["errors"][0]["code"] == "method_not_allowed"


async def test_it_serves_no_other_host(server: Marketplace, buyer: User) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example", "127.0.0.1:80:80", "", "[", "a b"):
        status, _code = await refusal(server, user=buyer, headers={"Host": host})
        assert status == 400, host


async def test_it_serves_no_other_address(server: Marketplace, buyer: User) -> None:
    for path in ("/api/webhook/events/", "/api/events/", "/api/webhook"):
        answer = httpx.get(f"{server.url}{path}", headers=bearer(buyer))
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "not_found")


# --- Other origins --------------------------------------------------------------------------


async def test_it_lets_pages_of_allowed_origins_read_streams(
    server: Marketplace, buyer: User
) -> None:
    shop = {"Origin": SHOP}
    for request in (
        {"headers": {**shop, **bearer(buyer)}},
        {"headers": shop, "ticket": ticket(server, buyer)},
        {"headers": shop, "channels": "catalogue"},
    ):
        async with await listen(server, **request) as stream:
            assert stream.headers["access-control-allow-origin"] == SHOP
            assert "access-control-allow-credentials" not in stream.headers
            assert "origin" in stream.headers["vary"].lower()
    with pytest.raises(StreamRefused) as refused:
        await listen(server, headers={**shop, "Authorization": "Bearer nonsense"})
    assert refused.value.headers["access-control-allow-origin"] == SHOP


async def test_it_takes_no_cookies_from_another_origin(server: Marketplace, buyer: User) -> None:
    for origin in (SHOP, "https://evil.example", "null", "http://127.0.0.1", "http://[", "\xe9"):
        headers = {"Origin": origin, **cookie(buyer)}
        refused = await refusal(server, headers=headers)
        assert refused == (401, "not_authenticated"), origin
        assert await heard_by(server, headers=headers, channels="catalogue") == ["catalogue"]
    at_home = {"Origin": f"http://127.0.0.1:{server.port}", **cookie(buyer)}
    assert own(buyer) in await heard_by(server, headers=at_home)


async def test_it_lets_no_other_origin_read(server: Marketplace, buyer: User) -> None:
    headers = {"Origin": "https://evil.example", **bearer(buyer)}
    async with await listen(server, headers=headers) as stream:
        assert "access-control-allow-origin" not in stream.headers
        assert "origin" in stream.headers["vary"].lower()


@pytest.mark.parametrize("path", PATHS)
async def test_it_answers_the_preflight(server: Marketplace, path: str) -> None:
    wish = {
        "Origin": SHOP,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization,last-event-id",
    }
    answer = httpx.options(f"{server.url}{path}", headers=wish)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == SHOP
    assert "GET" in answer.headers["Access-Control-Allow-Methods"]
    allowed = answer.headers["Access-Control-Allow-Headers"]
    assert {"authorization", "last-event-id"} <= set(allowed.replace(" ", "").split(","))
    assert "Access-Control-Allow-Credentials" not in answer.headers

    foreign = httpx.options(
        f"{server.url}{path}", headers={**wish, "Origin": "https://evil.example"}
    )
    assert "Access-Control-Allow-Origin" not in foreign.headers


# --- Limits ---------------------------------------------------------------------------------


async def opens_again(server: Marketplace, **request: Any) -> None:
    """Until a stream is given that was refused before."""
    async with asyncio.timeout(10):
        while True:
            try:
                async with await listen(server, **request):
                    return
            except StreamRefused:
                await asyncio.sleep(0.05)


async def test_it_limits_the_streams_of_a_user(
    start_server: StartServer, buyer: User, other_buyer: User
) -> None:
    server = start_server(STREAMS_PER_USER="2", STREAMS_PER_ADDRESS="1")
    first, second = await listen(server, buyer), await listen(server, headers=cookie(buyer))
    async with second:
        with pytest.raises(StreamRefused) as caught:
            await listen(server, buyer)
        assert caught.value.status == 429
        assert int(caught.value.headers["retry-after"]) > 0
        assert json.loads(caught.value.body)["errors"][0]["code"] == "throttled"
        async with await listen(server, other_buyer):
            pass
        first.cut()
        await opens_again(server, user=buyer)


async def test_it_limits_the_streams_of_an_address_without_a_login(
    start_server: StartServer, buyer: User
) -> None:
    """Over both transports together."""
    server = start_server(STREAMS_PER_USER="5", STREAMS_PER_ADDRESS="2")
    stream = await listen(server, channels="catalogue")
    async with await talk(server, channels="catalogue") as socket:
        for headers in ({}, {"X-Forwarded-For": "203.0.113.7"}):
            refused = await refusal(server, headers=headers, channels="catalogue")
            assert refused == (429, "throttled")
            async with await talk(server, headers=headers, channels="catalogue") as client:
                said, code = await client.ends()
            assert ([message["type"] for message in said], code) == (["closing"], 4429)
        async with await listen(server, buyer, channels="catalogue"):
            pass
        await stream.close()
        await opens_again(server, channels="catalogue")
        assert socket.connection.close_code is None


async def test_it_counts_a_stream_once_however_it_is_refused(
    start_server: StartServer, buyer: User
) -> None:
    server = start_server(STREAMS_PER_USER="1")
    for _ in range(3):
        assert (await refusal(server, user=buyer, channels="order.999999"))[0] == 403
        assert (await refusal(server, user=buyer, lastEventId="x"))[0] == 400
    async with await listen(server, buyer):
        pass


# --- What stays with the server -------------------------------------------------------------


@pytest.mark.parametrize("log_format", ["console", "json"])
async def test_it_logs_no_secret(start_server: StartServer, buyer: User, log_format: str) -> None:
    server = start_server(LOG_FORMAT=log_format)
    tokens, once = log_in(buyer), ticket(server, buyer)
    secrets = [once, tokens.access, tokens.refresh, "bad-secret"]
    for query in ({"ticket": once}, {"token": tokens.access}):
        async with await listen(server, **query) as stream:  # type: ignore[arg-type]
            await stream.frame()
    for query in ({"ticket": once}, {"token": tokens.refresh}, {"ticket": "bad-secret"}):
        assert (await refusal(server, **query))[0] == 401
    for method in ("POST", "GET"):
        httpx.request(method, f"{server.url}/api/events/?token={tokens.access}&ticket=bad-secret")
    assert server.stop() == 0
    told = server.log.read_text()
    assert "Stream opened" in told
    assert [secret for secret in secrets if secret in told] == []


async def test_it_carries_on_after_clients_that_misbehave(
    server: Marketplace, buyer: User, seller: User
) -> None:
    for _ in range(20):
        (await listen(server, buyer)).cut()
    async with await listen(server, buyer, channels="availability") as stream:
        pot = offer(seller)
        change(pot, stock=3)
        events = await next_events(stream, 3)
    assert [event.event for event in events] == [
        "product-created", "availability-updated", "availability-low",
    ]  # fmt: skip
    assert "Traceback" not in server.log.read_text()
