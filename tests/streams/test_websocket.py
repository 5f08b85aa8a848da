"""The WebSocket (contract §8): logins and origins, what a client may say, and how it ends."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from rest_framework_simplejwt.tokens import AccessToken
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from marketplace.accounts.models import User
from products.models import Product
from tests.conftest import StartServer
from tests.realtime.things import publish_thing
from tests.streams.things import (
    bearer,
    change,
    cookie,
    in_thread,
    listen,
    log_in,
    offer,
    order,
    rest,
    talk,
    ticket,
)
from tests.support.servers import Marketplace
from tests.support.streams import WebSocketClient

SHOP = "https://shop.example"
Message = dict[str, Any]


async def refused_with(server: Marketplace, **request: Any) -> tuple[list[Message], int | None]:
    """What a connection is told that is not served, and its close code."""
    client = await talk(server, **request)
    return await client.ends()


async def told(client: WebSocketClient, *, until: str, seconds: float = 10.0) -> list[Message]:
    """All that is said up to the next message of that type."""
    said: list[Message] = []
    async with asyncio.timeout(seconds):
        while not said or said[-1]["type"] != until:
            said.append(await client.message(seconds))
    return said


async def answer_to(client: WebSocketClient, message: str | bytes) -> Message:
    """The answer to something said that is no event."""
    await client.connection.send(message)
    while (answer := await client.message())["type"] not in {
        "error", "pong", "subscribed", "unsubscribed", "authenticated",
    }:  # fmt: skip
        pass
    return answer


# --- Opening --------------------------------------------------------------------------------


async def test_it_sends_the_same_events_as_sse(
    server: Marketplace, buyer: User, seller: User
) -> None:
    pot = offer(seller)
    name = f"product.{pot.pk}"
    async with (
        await listen(server, buyer, channels=name) as stream,
        await talk(server, buyer, channels=name) as client,
    ):
        await stream.until("subscribed")
        connected, subscribed = await client.message(), await client.message()
        assert connected["type"] == "connected"
        assert isinstance(connected["id"], int)
        assert name in connected["data"]["channels"]
        assert subscribed["type"] == "subscribed"
        assert "id" not in subscribed
        with rest(server, seller) as api:
            api.post(f"/api/products/{pot.pk}/stock", json={"change": -97})
        frames = [await stream.until("availability-updated"), await stream.frame()]
        texts: list[str] = []
        while not texts or "availability-low" not in texts[-1]:
            texts.append(str(await client.connection.recv()))
    assert [frame.event for frame in frames] == ["availability-updated", "availability-low"]
    # The same bytes go to every client.
    assert [frame.raw.decode().partition("data: ")[2] for frame in frames] == texts[-2:]


async def test_it_takes_the_same_credentials(
    server: Marketplace, buyer: User, other_buyer: User, seller: User, staff: User
) -> None:
    query: dict[str, Any] = {
        "ticket": ticket(server, other_buyer),
        "token": log_in(seller).access,
    }
    headers = {**bearer(buyer), **cookie(staff)}
    for user, last in (
        (buyer, "Authorization"), (other_buyer, "ticket"), (seller, "token"), (staff, "Cookie"),
    ):  # fmt: skip
        async with await talk(server, headers=headers, **query) as client:
            assert f"user.{user.pk}" in (await client.message())["data"]["channels"]
        headers.pop(last, None)
        query.pop(last, None)


async def test_it_closes_with_4401_where_nobody_is_logged_in(
    server: Marketplace, buyer: User
) -> None:
    tokens, spent = log_in(buyer), ticket(server, buyer)
    async with await talk(server, ticket=spent):
        pass
    expired = AccessToken(tokens.access)  # type: ignore[arg-type]
    expired.set_exp(lifetime=timedelta(seconds=-1))
    for request in (
        {},
        {"channels": "order.1"},
        {"channels": "catalogue", "token": "nonsense"},
        {"channels": "catalogue", "token": tokens.refresh},
        {"channels": "catalogue", "token": str(expired)},
        {"channels": "catalogue", "ticket": spent},
        {"channels": "catalogue", "headers": {"Authorization": "Bearer x"}},
        {"channels": "catalogue", "headers": {"Cookie": "sessionid=unknown"}},
    ):
        said, code = await refused_with(server, **request)
        assert code == 4401, request
        assert [message["type"] for message in said] == ["closing"]
        assert said[0]["data"]["retryAfter"] is None


async def test_it_opens_one_stream_for_a_ticket(server: Marketplace, buyer: User) -> None:
    # It answers the handshake before it looks at the ticket: who asks first is not always served.
    spent = ticket(server, buyer)
    clients = await asyncio.gather(
        *(talk(server, ticket=spent, channels="catalogue") for _ in range(4))
    )
    answers = [(await client.message())["type"] for client in clients]
    for client in clients:
        await client.connection.close()
    assert sorted(answers) == ["closing", "closing", "closing", "connected"]


async def test_it_serves_nobody_public_channels(server: Marketplace, seller: User) -> None:
    async with await talk(server, channels="availability,catalogue") as client:
        connected = await client.message()
        assert connected["data"]["channels"] == ["availability", "catalogue"]
        with rest(server, seller) as api:
            body = {"title": "Bowl", "price": "1.00", "currency": "EUR", "kind": "goods"}
            created = api.post("/api/products", json={**body, "stock": 9}).json()
        event = await client.until("product-created")
        assert event["data"]["product"] == created


async def test_it_closes_with_4403_for_channels_of_others(
    server: Marketplace, buyer: User, other_buyer: User, seller: User
) -> None:
    placed = order(buyer, offer(seller))
    for name in (f"order.{placed.pk}", "order.99999999", "nonsense"):
        said, code = await refused_with(server, user=other_buyer, channels=name)
        assert code == 4403, name
        assert said[-1]["type"] == "closing"
        assert said[-1]["data"] == {"reason": "forbidden", "retryAfter": None}
    assert said[0]["code"] == "unknown-channel"


async def test_it_checks_the_origin(server: Marketplace, buyer: User) -> None:
    home = f"http://127.0.0.1:{server.port}"
    for origin in (None, home, SHOP):
        async with await talk(server, buyer, origin=origin) as client:
            assert (await client.message())["type"] == "connected"
    for origin in (
        "https://evil.example", "https://shop.example.evil.example", "http://shop.example",
        f"http://127.0.0.1:{server.port + 1}", "http://127.0.0.1", "null", "http://[",
        "https://shop.example:444", f"{home}.evil.example",
    ):  # fmt: skip
        said, code = await refused_with(server, user=buyer, origin=origin)
        assert (code, said[-1]["data"]["reason"]) == (4403, "forbidden"), origin


async def test_it_takes_no_cookies_from_another_origin(server: Marketplace, buyer: User) -> None:
    _said, code = await refused_with(server, headers=cookie(buyer), origin=SHOP)
    assert code == 4401
    async with await talk(
        server, headers=cookie(buyer), origin=f"http://127.0.0.1:{server.port}"
    ) as client:
        assert f"user.{buyer.pk}" in (await client.message())["data"]["channels"]


async def test_it_limits_the_connections_of_a_user(start_server: StartServer, buyer: User) -> None:
    server = start_server(STREAMS_PER_USER="2")
    async with await talk(server, buyer), await listen(server, buyer):
        pauses = set()
        for _ in range(4):
            said, code = await refused_with(server, user=buyer)
            assert code == 4429
            assert [message["type"] for message in said] == ["closing"]
            pauses.add(said[0]["data"]["retryAfter"])
        assert all(pause >= 1000 for pause in pauses)
        assert len(pauses) > 1  # or all who were turned away would come back at once


async def test_it_refuses_a_cursor_that_is_no_number(server: Marketplace, buyer: User) -> None:
    said, code = await refused_with(server, user=buyer, lastEventId="abc")
    assert code == 4400
    assert said[0]["code"] == "invalid-message"


async def test_it_has_no_other_address(server: Marketplace) -> None:
    for path in ("/ws/events/", "/ws", "/", "/api/events"):
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://127.0.0.1:{server.port}{path}", proxy=None)
        assert refused.value.response.status_code in {403, 404}


# --- Channels -------------------------------------------------------------------------------


async def test_it_subscribes_and_unsubscribes(
    server: Marketplace, buyer: User, seller: User
) -> None:
    placed = order(buyer, offer(seller))
    name = f"order.{placed.pk}"
    async with await talk(server, buyer) as client:
        greeted = await client.message()
        await client.say("subscribe", channel=name)
        subscribed = await client.until("subscribed")
        assert subscribed["data"]["channel"] == name
        assert subscribed["data"]["position"] >= greeted["id"]
        with rest(server, buyer) as api:
            assert subscribed["data"]["state"] == api.get(f"/api/orders/{placed.pk}").json()
        await client.say("unsubscribe", channel=name)
        assert (await client.until("unsubscribed"))["data"] == {"channel": name}
        # Not subscribed is what it wanted.
        await client.say("unsubscribe", channel=name)
        assert (await client.until("unsubscribed"))["data"] == {"channel": name}


async def test_it_hears_a_channel_from_subscribed_to_unsubscribed(
    server: Marketplace, seller: User
) -> None:
    pots = [offer(seller) for _ in range(2)]

    def sell(pot: Product) -> None:
        with rest(server, seller) as api:
            assert api.post(f"/api/products/{pot.pk}/stock", json={"change": -1}).is_success

    async with await talk(server, channels=f"product.{pots[0].pk}") as client:
        await client.until("subscribed")
        sell(pots[1])
        sell(pots[0])
        assert (await client.until("availability-updated"))["data"]["productId"] == pots[0].pk
        await client.say("subscribe", channel=f"product.{pots[1].pk}")
        assert (await client.until("subscribed"))["data"]["state"]["stock"] == 99
        await client.say("unsubscribe", channel=f"product.{pots[0].pk}")
        await client.until("unsubscribed")
        sell(pots[0])
        sell(pots[1])
        heard = await client.until("availability-updated")
        assert (heard["data"]["productId"], heard["data"]["stock"]) == (pots[1].pk, 98)


async def test_it_refuses_channels_and_stays(
    server: Marketplace, buyer: User, other_buyer: User, seller: User
) -> None:
    hidden = offer(seller, is_active=False)
    placed = order(buyer, offer(seller))
    names = {
        f"order.{placed.pk}": "forbidden",
        "order.999999999": "forbidden",
        f"product.{hidden.pk}": "forbidden",
        "product.999999999": "forbidden",
        "staff": "unknown-channel",
        f"user.{buyer.pk}": "unknown-channel",
        "order.x": "unknown-channel",
        "product.1\0": "unknown-channel",
        "": "unknown-channel",
    }
    async with await talk(server, other_buyer) as client:
        await client.message()
        # More than ten of them: asking for what one may not have is no bad message.
        for name, code in {
            **names,
            **{f"product.{10**9 + n}": "forbidden" for n in range(9)},
        }.items():
            answer = await answer_to(client, json.dumps({"type": "subscribe", "channel": name}))
            assert (answer["type"], answer["code"]) == ("error", code), name
        assert (await answer_to(client, '{"type":"ping"}'))["type"] == "pong"


async def test_it_hears_of_nothing_by_a_refused_subscription(
    server: Marketplace, other_buyer: User, seller: User
) -> None:
    hidden, shown = offer(seller, is_active=False), offer(seller)
    async with await talk(server, other_buyer, channels="availability") as client:
        await client.say("subscribe", channel=f"product.{hidden.pk}")
        assert (await client.until("error"))["code"] == "forbidden"
        change(hidden, stock=50)
        change(shown, stock=50)
        about: list[int] = []
        while shown.pk not in about:
            about.append((await client.until("availability-updated"))["data"]["productId"])
    assert hidden.pk not in about


async def test_it_carries_128_channels(server: Marketplace, seller: User) -> None:
    pots = [offer(seller) for _ in range(130)]
    names = [f"product.{pot.pk}" for pot in pots]
    _said, code = await refused_with(server, channels=",".join(names[:129]))
    assert code == 4403
    async with await talk(server, channels=",".join(names[:127])) as client:
        await client.until("connected")
        for _ in range(127):
            assert (await client.message())["type"] == "subscribed"
        for name, expected in (
            (names[127], "subscribed"), (names[128], "error"), (names[3], "subscribed"),
        ):  # fmt: skip
            answer = await answer_to(client, json.dumps({"type": "subscribe", "channel": name}))
            assert answer["type"] == expected, name
        await client.say("unsubscribe", channel=names[0])
        answer = await answer_to(client, json.dumps({"type": "subscribe", "channel": names[129]}))
        while answer["type"] == "unsubscribed":
            answer = await client.message()
        assert answer["type"] == "subscribed"


async def numbers_until(client: WebSocketClient, last: int) -> list[int]:
    """What is told of things, up to the last."""
    numbers: list[int] = []
    while last not in numbers:
        numbers.append((await client.until("thing-happened"))["data"]["number"])
    return numbers


async def test_it_leaves_a_user_what_is_theirs_without_asking(
    server: Marketplace, buyer: User
) -> None:
    own = f"user.{buyer.pk}"
    async with await talk(server, buyer, channels="catalogue") as client:
        await client.until("subscribed")
        for name, expected in (
            ("catalogue", "unsubscribed"), (own, "unknown-channel"), ("all", "unknown-channel"),
            ("buyers", "unknown-channel"),
        ):  # fmt: skip
            await client.say("unsubscribe", channel=name)
            told = await client.message()
            assert told.get("code", told["type"]) == expected, name
        for number, audience in enumerate(["catalogue", own, "all", "buyers"]):
            publish_thing(number, to=audience)
        assert await numbers_until(client, 3) == [0, 1, 2, 3]


async def test_it_tells_once_what_was_subscribed_twice(server: Marketplace, buyer: User) -> None:
    async with await talk(server, buyer, channels="availability") as client:
        for _ in range(3):
            await client.say("subscribe", channel="availability")
            await client.until("subscribed")
        for number in range(3):
            publish_thing(number, to="availability catalogue")
        assert await numbers_until(client, 2) == [0, 1, 2]
        await client.say("unsubscribe", channel="availability")
        await client.until("unsubscribed")
        publish_thing(3, to="availability")
        publish_thing(4, to="all")
        assert await numbers_until(client, 4) == [4]


class Belief:
    """What a client holds for true of a product, by the states and events that it was told."""

    def __init__(self) -> None:
        self.version = self.stock = self.position = 0

    def start_from(self, subscribed: Message) -> None:
        """Take the present state, which is never older than what was heard before."""
        state = subscribed["data"]["state"]
        assert state["stockVersion"] >= self.version
        assert subscribed["data"]["position"] >= self.position
        self.version, self.stock = state["stockVersion"], state["stock"]

    def follow(self, event: Message) -> None:
        """Take an event, if it is newer: nothing is left out before it."""
        assert event["id"] > self.position
        self.position = event["id"]
        if event["data"]["stockVersion"] > self.version:
            assert event["data"]["stockVersion"] == self.version + 1
            self.version, self.stock = event["data"]["stockVersion"], event["data"]["stock"]


async def test_it_gives_states_that_later_events_continue(
    server: Marketplace, seller: User
) -> None:
    """A writer changes stock while clients subscribe: states and events together never go back."""
    pot, quiet = offer(seller, stock=100_000), offer(seller)
    name, sold_out = f"product.{pot.pk}", 100_000 - 250
    subscriptions = 0

    def write() -> None:
        with rest(server, seller) as api:
            for _ in range(250):
                answer = api.post(f"/api/products/{pot.pk}/stock", json={"change": -1})
                assert answer.is_success, answer.text

    async def believe() -> Belief:
        nonlocal subscriptions
        belief = Belief()
        async with await talk(server, channels=f"product.{quiet.pk}") as client:
            await client.until("subscribed")
            while belief.stock != sold_out:
                await client.say("subscribe", channel=name)
                belief.start_from(await client.until("subscribed"))
                subscriptions += 1
                for _ in range(10):
                    if belief.stock != sold_out:
                        belief.follow(await client.until("availability-updated", 30))
                await client.say("unsubscribe", channel=name)
                await client.until("unsubscribed")
        return belief

    beliefs = await asyncio.gather(in_thread(write), *(believe() for _ in range(12)))
    truth = Product.objects.get(pk=pot.pk)
    for belief in beliefs[1:]:
        assert belief is not None
        assert (belief.version, belief.stock) == (truth.stock_version, truth.stock)
    assert subscriptions >= 50


# --- What a client says ---------------------------------------------------------------------


async def test_it_answers_a_ping(server: Marketplace, buyer: User) -> None:
    async with await talk(server, buyer) as client:
        answer = await answer_to(client, '{"type":"ping"}')
        assert set(answer) == {"type", "timestamp"}
        assert answer["type"] == "pong"
        # An answer to the server's own ping is taken without a word.
        await client.say("pong")
        assert (await answer_to(client, '{"type":"ping"}'))["type"] == "pong"


BAD_MESSAGES: list[tuple[str | bytes, str]] = [
    ("", "invalid-message"),
    ("nonsense", "invalid-message"),
    ("{", "invalid-message"),
    ("[]", "invalid-message"),
    ("null", "invalid-message"),
    ('"ping"', "invalid-message"),
    ("{}", "invalid-message"),
    ('{"type":null}', "invalid-message"),
    ('{"type":7}', "invalid-message"),
    ('{"type":["ping"]}', "invalid-message"),
    ('{"type":"subscribe"}', "invalid-message"),
    ('{"type":"subscribe","channel":7}', "invalid-message"),
    ('{"type":"subscribe","channel":null}', "invalid-message"),
    ('{"type":"authenticate"}', "invalid-message"),
    ('{"type":"authenticate","token":{}}', "invalid-message"),
    ('{"type":"nonsense"}', "unknown-type"),
    ('{"type":""}', "unknown-type"),
    ('{"type":"connected"}', "unknown-type"),
    ('{"type":"subscribe","channel":"product.' + "9" * 4000 + '"}', "unknown-channel"),
    ('{"type":"subscribe","channel":"\\u0000"}', "unknown-channel"),
    ('{"type":"subscribe","channel":"product.\\ud83d\\ude00"}', "unknown-channel"),
    ('{"type":"subscribe","channel":"product.\u0661"}', "unknown-channel"),
    ('{"type":"subscribe","channel":"product.1\\n"}', "unknown-channel"),
    ('{"type":"authenticate","token":"nonsense"}', "forbidden"),
    ('{"type":"authenticate","token":""}', "forbidden"),
    ('{"type":"authenticate","token":"\\u0000"}', "forbidden"),
    ('{"type":"authenticate","token":"a.b.c"}', "forbidden"),
    ('{"type":"ping","n":' + "9" * 5000 + "}", ""),
    ('{"type":"nonsense","n":' + "9" * 5000 + "}", "unknown-type"),
    ('{"type":"subscribe","channel":"\\ud800"}', ""),
    ('{"type":"authenticate","token":"\\ud800"}', ""),
    ('{"type":"\\ud800"}', ""),
    ("[" * 15_000, "invalid-message"),
    ('{"type":' * 1_500, "invalid-message"),
    ('{"type":"ping","x":' + "[" * 7_000 + "]" * 7_000 + "}", ""),
    ('{"type":"nonsense","x":' + '{"x":' * 2_000 + "1" + "}" * 2_001, ""),
    ('{"type":"ping"}' + " " * 17_000, "too-large"),
    ('{"type":"subscribe","channel":"' + "\u20ac" * 6_000 + '"}', "too-large"),
    ("x" * 100_000, "too-large"),
    ("\ufeff{}", "invalid-message"),
    (b'{"type":"ping"}', "invalid-message"),
    (b"\xff\xfe", "invalid-message"),
    (b"", "invalid-message"),
]


async def test_it_answers_bad_messages_and_stays(server: Marketplace, buyer: User) -> None:
    for message, code in BAD_MESSAGES:
        async with await talk(server, buyer) as client:
            await client.message()
            answer = await answer_to(client, message)
            if code:
                assert set(answer) == {"type", "code", "message"}, message[:60]
                assert (answer["type"], answer["code"]) == ("error", code), message[:60]
            assert (await answer_to(client, '{"type":"ping"}'))["type"] == "pong", message[:60]
    assert "Traceback" not in server.log.read_text()


async def test_it_closes_after_ten_bad_messages_in_a_row(server: Marketplace, buyer: User) -> None:
    async with await talk(server, buyer) as client:
        await client.message()
        messages: list[str | bytes] = ["nonsense"] * 9
        messages += ['{"type":"ping"}', "[]", b"x", "[]", b"x", "[]", b"x", "[]", b"x", "[]", b"x"]
        for message in messages:
            await client.connection.send(message)
        said, code = await client.ends()
    assert code == 4400
    assert [message["type"] for message in said] == ["error"] * 9 + ["pong"] + ["error"] * 10
    assert {message["code"] for message in said if message["type"] == "error"} == {
        "invalid-message"
    }


async def test_it_hears_100_messages_a_minute(server: Marketplace, buyer: User) -> None:
    async with await talk(server, buyer) as client:
        await client.message()
        for _ in range(105):
            await client.say("ping")
        answers = [await client.message() for _ in range(105)]
        assert [answer["type"] for answer in answers] == ["pong"] * 100 + ["error"] * 5
        assert {answer["code"] for answer in answers[100:]} == {"rate-limited"}
        # It goes on being told what happens.
        assert client.connection.close_code is None
        for _ in range(5):
            await client.say("ping")
        _said, code = await client.ends()
    assert code == 4400


async def test_it_survives_a_client_that_goes_in_the_middle(
    server: Marketplace, buyer: User, seller: User
) -> None:
    pot = offer(seller)
    for _ in range(20):
        client = await talk(server, buyer, channels="availability")
        await client.say("subscribe", channel=f"product.{pot.pk}")
        client.connection.transport.abort()
        await client.connection.wait_closed()
    async with await talk(server, buyer) as client:
        assert (await client.message())["type"] == "connected"
    assert "Traceback" not in server.log.read_text()


# --- Renewing a login -----------------------------------------------------------------------


async def test_it_renews_a_login(server: Marketplace, buyer: User) -> None:
    first = AccessToken(log_in(buyer).access)  # type: ignore[arg-type]
    first.set_exp(lifetime=timedelta(seconds=8))
    async with await talk(server, token=str(first)) as client:
        expiring = await client.until("token-expiring")
        assert expiring["data"]["expiresAt"].endswith("Z")
        assert "id" not in expiring
        await client.say("authenticate", token=log_in(buyer).access)
        said = await told(client, until="authenticated")
        assert "error" not in [message["type"] for message in said]
        await asyncio.sleep(8.5)
        assert (await answer_to(client, '{"type":"ping"}'))["type"] == "pong"


async def test_it_renews_nobody_elses_login(
    server: Marketplace, buyer: User, other_buyer: User
) -> None:
    tokens = log_in(other_buyer)
    ended = log_in(buyer)
    buyer.logins.all().end()
    async with await talk(server, buyer) as client:
        await client.message()
        for token in (tokens.access, tokens.refresh, ended.access, "nonsense", "a.b.c"):
            say = json.dumps({"type": "authenticate", "token": token})
            answer = await answer_to(client, say)
            assert (answer["type"], answer["code"]) == ("error", "forbidden")
        assert (await answer_to(client, '{"type":"ping"}'))["type"] == "pong"


async def test_it_makes_nobody_somebody(server: Marketplace, buyer: User) -> None:
    async with await talk(server, channels="catalogue") as client:
        await client.until("subscribed")
        for token in ("", " ", "nonsense", log_in(buyer).access):
            say = json.dumps({"type": "authenticate", "token": token})
            assert (await answer_to(client, say))["code"] == "forbidden"
        publish_thing(1, to="all")
        publish_thing(2, to="catalogue")
        assert await numbers_until(client, 2) == [2]


async def test_it_ends_with_the_login_that_it_was_renewed_by(
    server: Marketplace, buyer: User
) -> None:
    async with await talk(server, buyer) as client:
        await client.message()
        first = buyer.logins.get()
        await client.say("authenticate", token=log_in(buyer).access)
        await client.until("authenticated")
        type(first).objects.filter(pk=first.pk).end()
        await asyncio.sleep(1.5)
        assert (await answer_to(client, '{"type":"ping"}'))["type"] == "pong"
        buyer.logins.all().end()
        said, code = await client.ends()
    assert code == 4401
    assert said[-1]["data"] == {"reason": "logged-out", "retryAfter": None}


async def test_it_closes_without_a_word_to_a_client_that_closes(
    server: Marketplace, buyer: User
) -> None:
    client = await talk(server, buyer)
    await client.message()
    await client.connection.close(1000)
    with pytest.raises(ConnectionClosed):
        await client.message()
