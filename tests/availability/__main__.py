"""A storm on the database of DATABASE_URL, which is migrated and empty:

    python -m tests.availability MESSAGES BROKER_KILLS BRIDGE_KILLS

Prints what came of it; fails if anything was lost, applied twice or out of order.
"""

import json
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import django

from tests.support.servers import rabbitmq


def main(messages: int, broker_kills: int, bridge_kills: int) -> None:
    """Run one storm."""
    django.setup()
    # What follows needs models.
    from tests.availability.conftest import numbering_events
    from tests.availability.other import BridgeProcess, other_system
    from tests.availability.storm import Plan, weather_the_storm

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = stack.enter_context(rabbitmq())
        other = stack.enter_context(other_system(broker.url))
        stack.enter_context(numbering_events())

        def start_bridge() -> BridgeProcess:
            bridge = BridgeProcess(
                folder, amqp_url=broker.url, database_url=os.environ["DATABASE_URL"]
            )
            stack.callback(bridge.kill)
            return bridge

        summary = weather_the_storm(
            Plan(messages, broker_kills, bridge_kills),
            broker=broker,
            other=other,
            start_bridge=start_bridge,
        )
    print(json.dumps(summary.as_dict()))
    if not summary.faultless:
        sys.exit("Something was lost, applied twice or out of order.")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
