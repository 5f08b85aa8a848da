"""Who hears which channel: one table, and all that is asked of it (contract §6).

A new kind of channel is one line in ON_REQUEST and, unless its name is the kind alone, one in
`market`; what is heard without asking stands in BY_ITSELF.
"""

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from marketplace.accounts.models import User
from marketplace.streams import own_audiences
from products.imports.models import Import
from products.models import Product
from realtime.api import publish_ephemeral
from realtime.channels import channel_kinds
from securechat.services import open_session
from tests.realtime.things import ThingHappened, publish_thing
from tests.streams.things import (
    bearer,
    change,
    in_thread,
    listen,
    next_events,
    offer,
    order,
    settled,
    talk,
)
from tests.support.servers import Marketplace
from tests.support.streams import SseClient, StreamRefused, WebSocketClient

# yes: hears it; no: forbidden; login: not without one.
ON_REQUEST = """
                    seller  buyer  other-seller  other-buyer  staff  nobody
catalogue           yes     yes    yes           yes          yes    yes
availability        yes     yes    yes           yes          yes    yes
product             yes     yes    yes           yes          yes    yes
product-off-sale    yes     no     no            no           yes    no
order               yes     yes    no            no           yes    login
chat                yes     yes    no            no           no     login
suggestions         yes     yes    yes           yes          yes    login
import              yes     no     no            no           yes    login
metrics             no      no     no            no           yes    login
"""
BY_ITSELF = """
                    seller  buyer  other-seller  other-buyer  staff  nobody
all                 yes     yes    yes           yes          yes    no
catalogue           yes     yes    yes           yes          yes    no
buyers              no      yes    no            yes          yes    no
sellers             yes     no     yes           no           no     no
user-of-seller      yes     no     no            no           no     no
user-of-buyer       no      yes    no            no           no     no
staff               no      no     no            no           yes    no
"""
REFUSED_WITH = {
    "no": (403, "forbidden", 4403),
    "login": (401, "not_authenticated", 4401),
}


def columns(table: str) -> dict[str, dict[str, str]]:
    """For each person, the cells by row."""
    head, *rows = (line.split() for line in table.strip().splitlines())
    return {who: {name: cells[n] for name, *cells in rows} for n, who in enumerate(head)}


WISHES, OWN = columns(ON_REQUEST), columns(BY_ITSELF)


@dataclass(frozen=True)
class Market:
    """The people, and the names of the rows' channels."""

    people: dict[str, User | None]
    channels: dict[str, str]
    shown: Product

    def name(self, row: str) -> str:
        """The channel of a row; a kind without ids is called as its row."""
        return self.channels.get(row, row)

    @property
    def audiences(self) -> list[str]:
        """Every channel once; what is told to each carries its place in this list."""
        rows = [*WISHES["nobody"], *OWN["nobody"]]
        return list(dict.fromkeys(self.name(row) for row in rows))

    def rows(self, who: str, cell: str) -> list[str]:
        """The channels on request with that cell in somebody's column."""
        return [row for row, present in WISHES[who].items() if present == cell]

    def heard_by(self, who: str, asked: Iterable[str]) -> list[int]:
        """What is heard of one round by somebody who asked for these rows."""
        own = [row for row, cell in OWN[who].items() if cell == "yes"]
        names = {self.name(row) for row in [*own, *asked]}
        return [number for number, name in enumerate(self.audiences) if name in names]


@pytest.fixture
async def market(
    seller: User, other_seller: User, buyer: User, other_buyer: User, staff: User
) -> Market:
    shown, hidden = offer(seller), offer(seller, is_active=False)
    placed = order(buyer, shown)
    # One that nobody works on: the server would.
    over = Import.objects.create(
        seller=seller, format=Import.Format.CSV, finished_at=timezone.now()
    )
    session = (await in_thread(open_session, product_id=shown.pk, by=buyer)).session
    return Market(
        people={
            "seller": seller,
            "buyer": buyer,
            "other-seller": other_seller,
            "other-buyer": other_buyer,
            "staff": staff,
            "nobody": None,
        },
        channels={
            "product": f"product.{shown.pk}",
            "product-off-sale": f"product.{hidden.pk}",
            "order": f"order.{placed.pk}",
            "chat": f"chat.{session.pk}",
            "import": f"import.{over.pk}",
            "user-of-seller": f"user.{seller.pk}",
            "user-of-buyer": f"user.{buyer.pk}",
        },
        shown=shown,
    )


def test_every_kind_of_channel_has_a_row(
    seller: User, buyer: User, staff: User, market: Market
) -> None:
    assert {market.name(row).partition(".")[0] for row in WISHES["nobody"]} == set(channel_kinds())
    own = {name for user in (seller, buyer, staff) for name in own_audiences(user)}
    named = {market.name(row) for row in OWN["nobody"]} | {f"user.{staff.pk}"}
    assert own == named


# --- What is told, and who heard it ---------------------------------------------------------

Client = SseClient | WebSocketClient
END = 1000


async def next_body(client: Client) -> dict[str, Any]:
    """What comes next, over either transport."""
    if isinstance(client, SseClient):
        return (await client.any_frame()).body
    return await client.any_message()


async def things_heard(client: Client, *, stored: bool) -> list[int]:
    """The numbers of one round up to its end."""
    numbers: list[int] = []
    async with asyncio.timeout(20):
        while END not in numbers:
            body = await next_body(client)
            if body["type"] == ThingHappened.type_name and ("id" in body) == stored:
                numbers.append(body["data"]["number"])
    return numbers[:-1]


async def all_heard(clients: Iterable[Client], *, stored: bool = True) -> list[list[int]]:
    """The same for all, who listen at the same time."""
    return await asyncio.gather(*(things_heard(client, stored=stored) for client in clients))


def tell_each(market: Market) -> None:
    """Tell every channel something, in one transaction, and everybody that this was all."""
    with transaction.atomic():
        for number, name in enumerate(market.audiences):
            publish_thing(number, to=name)
        publish_thing(END, to="all catalogue")


def tell_each_for_a_moment(market: Market) -> None:
    """The same, for those alone who listen now."""
    with transaction.atomic():
        for number, name in [*enumerate(market.audiences), (END, "all catalogue")]:
            publish_ephemeral(ThingHappened(number=number, to=name), key=str(number))


async def refused_stream(
    server: Marketplace, headers: dict[str, str], query: dict[str, Any]
) -> tuple[int, str, int | None]:
    """Status and code of a stream over SSE that is not given, close code of the WebSocket."""
    with pytest.raises(StreamRefused) as refused:
        await listen(server, headers=headers, **query)
    [error] = json.loads(refused.value.body)["errors"]
    async with await talk(server, headers=headers, **query) as client:
        _said, close_code = await client.ends()
    return refused.value.status, error["code"], close_code


async def close_all(clients: Iterable[Client]) -> None:
    """Let all of them go."""
    for client in clients:
        await (client.close() if isinstance(client, SseClient) else client.connection.close())


# --- Asking, hearing, hearing again ---------------------------------------------------------


@pytest.mark.parametrize("who", WISHES)
async def test_it_gives_each_what_the_table_says(
    server: Marketplace, market: Market, who: str
) -> None:
    user = market.people[who]
    headers = bearer(user) if user else {}
    allowed = market.rows(who, "yes")
    channels = ",".join(market.name(row) for row in allowed)
    # Somebody who asks for nothing hears what is theirs; nobody has to ask for something.
    little = "" if user else "catalogue"
    for cell, refusal in REFUSED_WITH.items():
        for row in market.rows(who, cell):
            name = market.name(row)
            for asked in (name, f"catalogue,{name}"):
                assert await refused_stream(server, headers, {"channels": asked}) == refusal, row

    start = await settled()
    clients: list[Client] = [
        await listen(server, headers=headers, channels=channels),
        await talk(server, headers=headers, channels=channels),
        by_and_by := await talk(server, headers=headers, channels=little),
        await listen(server, headers=headers, channels=little),
    ]
    if little:
        await by_and_by.until("subscribed")
    for row, cell in WISHES[who].items():
        await by_and_by.say("subscribe", channel=market.name(row))
        while (answer := await by_and_by.message())["type"] not in {"subscribed", "error"}:
            pass
        assert answer["type"] == ("subscribed" if cell == "yes" else "error"), row
        assert cell == "yes" or answer["code"] == "forbidden", row
    for row in OWN[who]:  # not to be asked for, unless everybody may
        if row not in WISHES[who]:
            await by_and_by.say("subscribe", channel=market.name(row))
            assert (await by_and_by.until("error"))["code"] == "unknown-channel", row

    much = market.heard_by(who, allowed)
    expected = [much, much, much, market.heard_by(who, little.split())]
    tell_each_for_a_moment(market)
    assert await all_heard(clients, stored=False) == expected
    tell_each(market)
    assert await all_heard(clients) == expected
    await close_all(clients)

    again: list[Client] = [
        await open_by(server, headers=headers, channels=asked, lastEventId=str(start))
        for open_by in (listen, talk)
        for asked in (channels, little)
    ]
    assert await all_heard(again) == [expected[0], expected[3]] * 2
    await close_all(again)


# --- Losing a right -------------------------------------------------------------------------


def take_staff_away(user: User) -> None:
    user.is_staff = False
    user.save()


def become_seller(user: User) -> None:
    user.role = User.Role.SELLER
    user.save()


@pytest.mark.parametrize(
    ("before", "after", "move"),
    [
        ("staff", "other-buyer", take_staff_away),
        ("other-buyer", "other-seller", become_seller),
    ],
)
async def test_it_moves_streams_to_another_column(
    server: Marketplace, market: Market, before: str, after: str, move: Callable[[User], None]
) -> None:
    """What is not theirs any more ends the streams that asked for it, and nothing of it is told."""
    user = market.people[before]
    assert user
    headers = bearer(user)
    rows = market.rows(before, "yes")
    streams = [await listen(server, headers=headers, channels=market.name(row)) for row in rows]
    sockets = [await talk(server, headers=headers, channels=market.name(row)) for row in rows]
    start = await settled()
    move(user)
    tell_each(market)
    await settled()
    for row, stream, socket in zip(rows, streams, sockets, strict=True):
        name = market.name(row)
        if WISHES[after][row] == "yes":
            expected = market.heard_by(after, [row])
            assert await all_heard([stream, socket]) == [expected] * 2, row
            again = await listen(server, headers=headers, channels=name, lastEventId=str(start))
            async with again:
                assert await things_heard(again, stored=True) == expected, row
        else:
            # Heartbeats and figures come by the clock, and may have come before.
            by_clock = {"heartbeat", "metrics-updated"}
            told = [frame.event async for frame in stream if frame.event not in by_clock]
            assert told == ["connected", "subscribed", "closing"], row
            said, code = await socket.ends()
            assert [m["type"] for m in said if m["type"] not in by_clock] == told, row
            assert (said[-1]["data"]["reason"], code) == ("forbidden", 4403), row
            resumed: dict[str, Any] = {"channels": name, "lastEventId": str(start)}
            assert await refused_stream(server, headers, resumed) == REFUSED_WITH["no"], row
    await close_all([*streams, *sockets])


def log_out(user: User) -> None:
    user.logins.all().end()


def deactivate(user: User) -> None:
    user.is_active = False
    user.save()


async def test_it_ends_every_channel_with_the_login(server: Marketplace, market: Market) -> None:
    people = [(who, user) for who, user in market.people.items() if user]
    listening: list[tuple[str, dict[str, str], SseClient, WebSocketClient]] = []
    for who, user in people:
        headers = bearer(user)
        for row in market.rows(who, "yes"):
            name = market.name(row)
            stream = await listen(server, headers=headers, channels=name)
            socket = await talk(server, headers=headers, channels=name)
            listening.append((name, headers, stream, socket))
    start = await settled()
    for number, (_who, user) in enumerate(people):
        (log_out, deactivate)[number % 2](user)
    tell_each(market)
    for name, headers, stream, socket in listening:
        told = [frame.event async for frame in stream if frame.event != "heartbeat"]
        assert told[-1] == "closing"
        assert ThingHappened.type_name not in told, name
        said, code = await socket.ends()
        assert (said[-1]["data"]["reason"], code) == ("logged-out", 4401)
        assert ThingHappened.type_name not in {message["type"] for message in said}, name
        resumed: dict[str, Any] = {"channels": name, "lastEventId": str(start)}
        assert await refused_stream(server, headers, resumed) == REFUSED_WITH["login"], name
        await close_all([stream, socket])


async def test_it_tells_no_more_of_a_product_off_sale(server: Marketplace, market: Market) -> None:
    name = market.name("product")
    for who, user in market.people.items():
        headers = bearer(user) if user else {}
        may_still = WISHES[who]["product-off-sale"] == "yes"
        change(market.shown, is_active=True)
        start = await settled()
        stream = await listen(server, headers=headers, channels=name)
        socket = await talk(server, headers=headers, channels=f"catalogue,{name}")
        change(market.shown, is_active=False)
        await stream.until("product-deleted")
        await socket.until("product-deleted")
        change(market.shown, stock=Product.objects.get(pk=market.shown.pk).stock - 1)
        resumed: dict[str, Any] = {"channels": name, "lastEventId": str(start)}
        await socket.say("subscribe", channel=name)
        while (answer := await socket.message())["type"] not in {"subscribed", "error"}:
            assert may_still or answer["type"] != "availability-updated", who
        if may_still:
            assert answer["type"] == "subscribed"
            async with await listen(server, headers=headers, **resumed) as again:
                await again.until("subscribed")
        else:
            assert answer["code"] == "forbidden"
            assert await refused_stream(server, headers, resumed) == REFUSED_WITH["no"], who
        # Back on sale, it is heard by whoever still listens, and not by who was refused since.
        change(market.shown, is_active=True)
        change(market.shown, stock=Product.objects.get(pk=market.shown.pk).stock - 1)
        publish_thing(END, to="all catalogue")
        publish_thing(END, to=name)
        heard = [frame.event for frame in await next_events(stream, 1)]
        while ThingHappened.type_name not in heard[-1:]:
            heard += [frame.event for frame in await next_events(stream, 1)]
        assert "availability-updated" in heard, who
        said = [await socket.message()]
        while said[-1]["type"] != ThingHappened.type_name:
            said.append(await socket.message())
        assert ("availability-updated" in {told["type"] for told in said}) == may_still, who
        await close_all([stream, socket])
