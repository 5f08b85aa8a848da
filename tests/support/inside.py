"""What a running server holds, told by itself: for tests of what must not be left behind."""

import json
import signal
import time
from dataclasses import asdict, dataclass

from tests.support.servers import Marketplace, Program

# A signal, so that nothing of the product need be there for it.
_SERVER = """
import asyncio, contextlib, gc, json, os, signal, sys, threading
import django
django.setup()
from realtime import sequencer
from realtime.connection import Connection
from realtime.station import running_stations
sequencer.LOOK_SECONDS = 0.03
# Not by gc.get_objects(): its list holds tuples that other threads are still making, which
# fails there with a SystemError (bpo-15108).
alive = set()
prepare = Connection.__init__

def be_born(self, **given):
    alive.add(id(self))
    prepare(self, **given)

Connection.__init__ = be_born
Connection.__del__ = lambda self: alive.discard(id(self))

def client_sockets():
    port = f":{int(sys.argv[-1]):04X}"
    with open("/proc/net/tcp") as table:
        lines = [line.split() for line in table]
    inodes = {f"socket:[{line[9]}]" for line in lines if line[1].endswith(port)}
    count = 0
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            count += os.readlink(f"/proc/self/fd/{number}") in inodes
    return count

def tell(number, frame):
    gc.collect()
    (station,) = running_stations()
    streams = station.streams
    with open("/proc/self/status") as status:
        memory = next(line for line in status if line.startswith("VmRSS"))
    inside = {
        "streams": len(streams.hub.connections),
        "counted": streams.counts.total + len(streams._checking),
        "audiences": len(streams.hub._listeners),
        "heartbeats": sum(len(slot) for slot in streams._wheel._slots),
        "expiries": sum(len(due) for due in streams._wheel._due.values()),
        "present": len(streams._presence._told),
        "chores": len(streams._chores),
        "connections": len(alive),
        "tasks": len(asyncio.all_tasks(station._loop)),
        "sockets": client_sockets(),
        "threads": threading.active_count(),
        "memory": int(memory.split()[1]),
    }
    print("INSIDE " + json.dumps(inside), flush=True)

signal.signal(signal.SIGUSR1, tell)
from marketplace.server import main
main()
"""

PROGRAM = Program(("-c", _SERVER, "--host", "127.0.0.1", "--port"), ready="Serving on http://")


@dataclass(frozen=True)
class Inside:
    """Counts of one moment; memory in KiB."""

    streams: int
    counted: int
    audiences: int
    heartbeats: int
    expiries: int
    present: int
    chores: int
    connections: int
    tasks: int
    sockets: int
    threads: int
    memory: int

    @property
    def left(self) -> dict[str, int]:
        """What each client adds to, and must take with it. Threads are kept for the next one."""
        counts = asdict(self)
        del counts["memory"], counts["threads"]
        return counts


def look_inside(server: Marketplace) -> Inside:
    """What the server, which runs PROGRAM, holds now."""
    told = server.log.read_text().count("INSIDE ")
    server.process.send_signal(signal.SIGUSR1)
    deadline = time.monotonic() + 30
    while len(lines := server.log.read_text().split("INSIDE ")[1:]) <= told:
        assert time.monotonic() < deadline, "The server does not tell."
        time.sleep(0.02)
    line, whole, _ = lines[-1].partition("\n")
    if not whole:
        return look_inside(server)
    return Inside(**json.loads(line))


def wait_until_left(server: Marketplace, before: Inside, seconds: float = 30) -> Inside:
    """Wait until the server holds no more than before; AssertionError with what is left."""
    deadline = time.monotonic() + seconds
    while True:
        now = look_inside(server)
        left = {
            name: (count, before.left[name])
            for name, count in now.left.items()
            if count > before.left[name]
        }
        if not left:
            return now
        assert time.monotonic() < deadline, f"Now and before: {left}"
        time.sleep(0.1)
