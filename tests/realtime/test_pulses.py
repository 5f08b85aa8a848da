"""What listeners are told again and again: only while there are any, and whatever fails."""

import asyncio
from collections.abc import Iterator

import pytest

from realtime import channels
from realtime.api import ChannelKind, Pulse, register_channel_kind
from realtime.connection import Connection
from realtime.database import DatabaseThreads
from realtime.hub import Hub
from realtime.listeners import NOBODY
from realtime.pulses import Pulses
from realtime.tallies import Tallies
from tests.realtime.things import ThingHappened

pytestmark = pytest.mark.django_db(transaction=True)


def kind(pulse: Pulse, **fields: str) -> ChannelKind:
    return ChannelKind(
        **{"name": "beating", "id_form": "none", **fields},  # type: ignore[arg-type]
        public=True,
        may_listen=lambda listener, channel_id: True,
        state=lambda listener, channel_id: None,
        pulse=pulse,
    )


@pytest.fixture
def own_kinds() -> Iterator[None]:
    """Forget afterwards what a test has registered."""
    before = channels.channel_kinds()
    yield
    channels._kinds.clear()
    channels._kinds.update(before)


@pytest.mark.usefixtures("own_kinds")
async def test_it_reads_only_while_somebody_listens_and_goes_on_after_a_failure(
    threads: DatabaseThreads, caplog: pytest.LogCaptureFixture
) -> None:
    reads = 0

    def read() -> ThingHappened:
        nonlocal reads
        reads += 1
        if reads == 1:
            raise RuntimeError("not today")
        return ThingHappened(number=reads)

    register_channel_kind(kind(Pulse(seconds=1, read=read)))
    hub = Hub(control=lambda row, concerned: None, tallies=Tallies())
    connection = Connection(listener=NOBODY, transport="websocket", address="", opened_at=0)
    connection.behind = False
    hub.add(connection)
    pulses = asyncio.create_task(Pulses(hub, threads).run())
    try:
        await asyncio.sleep(1.1)
        assert reads == 0
        hub.listen(connection, ["beating"])
        async with asyncio.timeout(20):
            (frame,) = await connection.take()
    finally:
        pulses.cancel()
    assert '"number":2' in str(frame)
    assert '"id"' not in str(frame)
    assert "not today" in caplog.text


@pytest.mark.usefixtures("own_kinds")
def test_it_refuses_a_pulse_of_a_kind_with_ids() -> None:
    with pytest.raises(ValueError, match="cannot have a pulse"):
        register_channel_kind(
            kind(Pulse(seconds=1, read=lambda: ThingHappened(number=1)), id_form="integer")
        )
