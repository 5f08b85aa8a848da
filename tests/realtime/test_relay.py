"""Between processes, over a real Redis: whatever becomes of a layer, it is heard again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from channels_redis.pubsub import RedisPubSubLoopLayer
from django.test import override_settings

from realtime import relay as relays
from realtime.ephemeral import Ephemeral
from realtime.log import LogEntry
from realtime.relay import MAX_MESSAGE_BYTES, Relay
from realtime.tallies import Tallies
from tests.realtime.things import entry


class Process:
    """What a relay tells of."""

    def __init__(self) -> None:
        self.fed: list[int] = []
        self.batches: list[list[int]] = []
        self.heard: list[int] = []
        self.moments: list[str] = []
        self.wakes = 0
        self.tallies = Tallies()
        self.relay = Relay(
            feed=self.feed,
            heard=self.heard.append,
            tell=lambda ephemeral: self.moments.append(ephemeral.text),
            wake=self.wake,
            tallies=self.tallies,
        )

    def feed(self, entries: list[LogEntry]) -> None:
        self.batches.append([entry.position for entry in entries])
        self.fed += self.batches[-1]

    def wake(self) -> None:
        self.wakes += 1


@pytest.fixture
async def pair(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Process, Process]]:
    """Two processes' relays, which take themselves for deaf at once."""
    monkeypatch.setattr(relays, "DEAF_SECONDS", 0.0)
    layers = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [redis_url]},
        }
    }
    with override_settings(CHANNEL_LAYERS=layers):
        both = Process(), Process()
        for process in both:
            process.relay.start()
        await until_heard(both, 1)
        yield both
        for process in both:
            await process.relay.stop()


async def until_heard(pair: tuple[Process, Process], position: int) -> None:
    """Pass an event on until it arrives: a relay that has just started may not have joined yet."""
    speaker, listener = pair
    async with asyncio.timeout(20):
        while position not in listener.fed:
            speaker.relay.pass_on([entry(position)])
            await asyncio.sleep(0.05)
    assert not speaker.fed  # nobody hears himself


def layer_of(process: Process) -> RedisPubSubLoopLayer:
    """What receives in this event loop."""
    layer: Any = process.relay._layer
    (of_this_loop,) = layer._layers.values()
    return of_this_loop


async def cancel_receiving(process: Process) -> None:
    layer_of(process)._shards[0]._receive_task.cancel()


async def hear_nothing_more(process: Process) -> None:
    """As over a connection that broke in a way which the client takes for silence."""

    async def stay_silent(**_: Any) -> None:
        await asyncio.sleep(0.1)

    layer_of(process)._shards[0]._pubsub.get_message = stay_silent
    await asyncio.sleep(0.2)


async def forget_the_group(process: Process) -> None:
    await layer_of(process)._shards[0]._pubsub.unsubscribe()


@pytest.mark.parametrize("damage", [cancel_receiving, hear_nothing_more, forget_the_group])
async def test_it_hears_again_when_it_became_deaf_without_a_word(
    pair: tuple[Process, Process], damage: Callable[[Process], Awaitable[None]]
) -> None:
    speaker, listener = pair
    for position in (2, 3):
        await damage(listener)
        speaker.relay.pass_on([entry(position * 100)])
        await asyncio.sleep(0.3)
        assert position * 100 not in listener.fed
        listener.relay.missed_news()
        await until_heard(pair, position)
    assert listener.tallies.rejoined == 2


async def test_it_does_not_take_itself_for_deaf_while_it_hears(
    pair: tuple[Process, Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relays, "DEAF_SECONDS", 5.0)
    await until_heard(pair, 2)
    pair[1].relay.missed_news()
    assert pair[1].tallies.rejoined == 0


async def test_it_tells_of_a_large_batch_by_its_last_position_alone(
    pair: tuple[Process, Process],
) -> None:
    speaker, listener = pair
    large = "é" * (MAX_MESSAGE_BYTES // 5)  # two bytes each
    speaker.relay.pass_on([entry(position, text=large) for position in (2, 3, 4)])
    speaker.relay.pass_on([entry(5)])
    async with asyncio.timeout(20):
        while 5 not in listener.fed:
            await asyncio.sleep(0.01)
    assert listener.heard == [4]
    assert set(listener.fed) == {1, 5}


async def test_it_joins_the_batches_that_wait(pair: tuple[Process, Process]) -> None:
    speaker, listener = pair
    large = "x" * (MAX_MESSAGE_BYTES * 2 // 5)
    handed_over = [
        [entry(2), entry(3)],
        [entry(4)],
        [entry(6)],  # what is between was numbered by another process
        [entry(7, text=large)],
        [entry(8, text=large)],
        [entry(9, text=large)],  # too much for the same message
    ]
    batches = [list(batch) for batch in handed_over]
    listener.batches.clear()
    for batch in handed_over:
        speaker.relay.pass_on(batch)
    async with asyncio.timeout(20):
        while 9 not in listener.fed:
            await asyncio.sleep(0.01)
    told = [batch for batch in listener.batches if batch != [1]]  # until_heard() may say it twice
    assert told == [[2, 3, 4], [6, 7, 8], [9]]
    assert handed_over == batches  # the hub has the same lists


async def test_it_joins_no_more_tiny_events_than_go_in_a_message(
    pair: tuple[Process, Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is told beside the text of such an event is as long as the text."""
    speaker, listener = pair
    layer: Any = speaker.relay._layer
    sizes: list[int] = []
    send = layer.group_send

    async def weigh_and_send(group: str, message: dict[str, Any]) -> None:
        sizes.append(len(layer.serialize(message)))
        await send(group, message)

    monkeypatch.setattr(layer, "group_send", weigh_and_send)
    everybody = " ".join(f"user.{number}" for number in range(10, 20))
    for position in range(2, 4002):
        speaker.relay.pass_on([entry(position, everybody)])
    async with asyncio.timeout(20):
        while 4001 not in listener.fed:
            await asyncio.sleep(0.01)
    assert [position for position in listener.fed if position > 1] == list(range(2, 4002))
    assert max(sizes) < MAX_MESSAGE_BYTES + 1024
    assert len(sizes) <= 2 * sum(sizes) / MAX_MESSAGE_BYTES


async def test_it_passes_on_the_newest_of_what_is_true_for_a_moment(
    pair: tuple[Process, Process],
) -> None:
    speaker, listener = pair
    for number in range(5):
        for key in ("a", "b"):
            moment = Ephemeral("thing-happened", "all", key, f"{key}{number}")
            speaker.relay.pass_on_moment(moment)
    await until_heard(pair, 2)
    async with asyncio.timeout(20):
        while len(listener.moments) < 2:
            await asyncio.sleep(0.01)
    assert listener.moments == ["a4", "b4"]
    assert speaker.moments == []


async def test_it_outlives_what_it_does_not_understand(pair: tuple[Process, Process]) -> None:
    speaker, listener = pair
    for message in ({"type": "log.novelty"}, {"type": "log.batch", "from": "x", "events": [[]]}):
        await speaker.relay._layer.group_send("events", message)
    await until_heard(pair, 2)
    assert listener.tallies.relay_errors == 2
