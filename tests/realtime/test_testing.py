"""The tools that other tests trust."""

import asyncio
from typing import Any

import pytest

from realtime import log
from realtime.control import end_login
from realtime.testing import FaultyChannelLayer, Witness, assert_state_law
from tests.realtime.things import publish_thing

# --- The layer ------------------------------------------------------------------------------


async def heard_through(**faults: Any) -> list[int]:
    """The numbers that arrive when 400 are sent one after the other."""
    layer = FaultyChannelLayer(
        backend="channels.layers.InMemoryChannelLayer", config={"capacity": 10_000}, **faults
    )
    channel = await layer.new_channel()
    await layer.group_add("events", channel)
    for number in range(400):
        await layer.group_send("events", {"number": number})
        await asyncio.sleep(0)
    await asyncio.sleep(0.05)
    await layer.send(channel, {"number": -1})
    heard: list[int] = []
    while (message := await layer.receive(channel))["number"] >= 0:
        heard.append(message["number"])
    return heard


async def test_a_layer_without_faults_is_a_layer() -> None:
    assert await heard_through() == list(range(400))


async def test_a_layer_drops_the_share_that_it_is_told() -> None:
    heard = await heard_through(drop=0.5)
    assert heard == sorted(set(heard))
    assert 120 < len(heard) < 280


async def test_a_layer_doubles() -> None:
    heard = await heard_through(double=0.2)
    assert sorted(set(heard)) == list(range(400))
    assert 420 < len(heard) < 560


async def test_a_layer_reorders_and_loses_nothing_by_it() -> None:
    heard = await heard_through(reorder=0.3)
    assert heard != sorted(heard)
    # The last ones may still wait for a next one.
    assert set(range(390)) <= set(heard)
    assert len(heard) == len(set(heard))


async def test_a_layer_delays() -> None:
    heard = await heard_through(delay=0.3, delay_seconds=0.01)
    assert heard != sorted(heard)
    assert sorted(heard) == list(range(400))


async def test_a_layer_does_the_same_for_the_same_seed() -> None:
    faults: dict[str, Any] = {"drop": 0.3, "double": 0.2, "reorder": 0.2}
    assert await heard_through(**faults, seed=4) == await heard_through(**faults, seed=4)
    assert await heard_through(**faults, seed=4) != await heard_through(**faults, seed=5)


# --- The witness ----------------------------------------------------------------------------


@pytest.fixture
def log_of_six(db: None) -> None:
    """Three for all (1, 3, 5), two for others (2, 4), one for hubs only (6)."""
    log.ensure_head()
    for number, to in enumerate(["all", "user.1", "all staff", "sellers", "all user.1"], 1):
        publish_thing(number, to=to)
    end_login("abc")
    assert len(log.number_committed()) == 6


def told(witness: Witness, *positions: int, type_name: str = "thing-happened") -> Witness:
    """The witness, who has heard these."""
    for position in positions:
        witness.hear({"id": position, "type": type_name, "data": {}})
    return witness


@pytest.fixture
def witness() -> Witness:
    """Hears what all hear, and staff."""
    return Witness("all", "staff", "login.abc")


@pytest.mark.usefixtures("log_of_six")
def test_a_witness_is_content_when_everything_came_once_and_in_order(witness: Witness) -> None:
    told(witness, 0, type_name="connected")
    told(witness, 1, 3)
    told(witness, 4, type_name="heartbeat")
    told(witness, 5)
    witness.hear({"type": "subscribed", "data": {}})
    witness.assert_faultless(6)


@pytest.mark.usefixtures("log_of_six")
@pytest.mark.parametrize(
    ("positions", "fault"),
    [
        ((1, 5), "lost': [3]"),
        ((1, 3), "lost': [5]"),
        ((1, 3, 3, 5), "doubled': [3]"),
        ((3, 1, 5), "out of order': [1]"),
        ((1, 2, 3, 5), "not theirs': [2]"),
    ],
)
def test_a_witness_tells_what_is_wrong(
    witness: Witness, positions: tuple[int, ...], fault: str
) -> None:
    told(witness, *positions)
    with pytest.raises(AssertionError, match=fault.replace("[", r"\[")):
        witness.assert_faultless(6)


@pytest.mark.usefixtures("log_of_six")
def test_a_witness_notices_a_sign_that_is_ahead_or_goes_back(witness: Witness) -> None:
    told(witness, 1)
    told(witness, 4, type_name="heartbeat")
    told(witness, 3, 5)  # the heartbeat said that all up to 4 had come
    told(witness, 2, type_name="ping")
    assert witness.out_of_order == [3, 2]
    assert witness.cursor == 5


@pytest.mark.usefixtures("log_of_six")
def test_a_witness_asks_only_for_what_came_after_its_beginning() -> None:
    witness = told(Witness("all", after=3), 5)
    witness.assert_faultless(6)
    witness.assert_faultless(4)


# --- The law --------------------------------------------------------------------------------


def test_the_state_law_compares_state_and_events_with_what_is_afresh() -> None:
    def apply(state: dict[str, int], event: dict[str, Any]) -> dict[str, int]:
        return {**state, event["name"]: event["stock"]}

    events = [{"name": "pot", "stock": 2}, {"name": "cup", "stock": 1}]
    assert_state_law({"pot": 3}, events, apply=apply, afresh={"pot": 2, "cup": 1})
    with pytest.raises(AssertionError, match="afresh"):
        assert_state_law({"pot": 3}, events, apply=apply, afresh={"pot": 1, "cup": 1})
