"""The real server with a faster clock, so that a test need not wait for the second or the minute.

What happens in this process is found by the servers' look, which comes once a second: too slow for
hundreds of tests. Where times are measured, the server is started as it is.
"""

from tests.support.servers import Program

_SERVER = """
import django
django.setup()
from realtime import clock, sequencer, wheel
sequencer.LOOK_SECONDS = {look}
wheel.HEARTBEAT_SECONDS = {heartbeat}
clock.STALL_SECONDS = {stall}
from marketplace.server import main
main()
"""


def hurried(*, look: float = 0.03, heartbeat: int = 20, stall: int = 15) -> Program:
    """A server that looks into the log every `look` seconds, and whose heartbeats are so far
    apart, and which gives up readers that take nothing after so many seconds."""
    code = _SERVER.format(look=look, heartbeat=heartbeat, stall=stall)
    return Program(("-c", code, "--host", "127.0.0.1", "--port"), ready="Serving on http://")
