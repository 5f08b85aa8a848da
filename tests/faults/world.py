"""What there is to kill, how often it is killed, and what is counted meanwhile."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.services import Service, folder_for, marketplace_in, postgres_in, redis_in
from tests.support.machine import ROOT
from tests.support.processes import dying_with_parent, end

SERVERS = 3
WRITERS = 4


@dataclass(frozen=True)
class Plan:
    """What dies how often. rate: transactions a second of each writer."""

    kills: int
    redis_restarts: int
    database_restarts: int
    clients: int
    rate: float


FULL = Plan(kills=20, redis_restarts=20, database_restarts=5, clients=200, rate=10)
SHORT = Plan(kills=4, redis_restarts=4, database_restarts=2, clients=200, rate=10)


@dataclass
class Summary:
    """What happened, and what should not have."""

    clients: int = 0
    events: int = 0
    deliveries: int = 0
    reconnects: int = 0
    kills: int = 0
    redis_restarts: int = 0
    database_restarts: int = 0
    seconds: float = 0.0
    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    foreign: int = 0
    resets: int = 0
    commits_without_event: int = 0
    events_doubled: int = 0
    events_out_of_commit_order: int = 0
    tallies: dict[str, int] = field(default_factory=dict)

    @property
    def faultless(self) -> bool:
        """Whether everything came, once, in order, to those who may see it."""
        return not any(
            (
                self.lost,
                self.doubled,
                self.out_of_order,
                self.foreign,
                self.resets,
                self.commits_without_event,
                self.events_doubled,
                self.events_out_of_commit_order,
            )
        )

    def as_dict(self) -> dict[str, Any]:
        """For a table and for JSON."""
        return asdict(self)


@contextmanager
def world(plan: Plan, *, seed: int) -> Iterator["World"]:
    """The services, started; everything ends with the block."""
    user = "postgres" if os.geteuid() == 0 else None
    with ExitStack() as stack:
        folder = stack.enter_context(folder_for(user))
        own = stack.enter_context(folder_for(None))
        postgres, database_url = postgres_in(folder, user)
        redis, redis_url = redis_in(own)
        settings = {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "STREAMS_PER_USER": str(plan.clients),
        }
        servers = [
            marketplace_in(own, number=number, settings=settings, seed=seed)
            for number in range(SERVERS)
        ]
        for service in (*servers, redis, postgres):
            stack.callback(lambda it=service: it.kill() if it.process else None)  # type: ignore[misc]
        os.environ.update(settings, DJANGO_SETTINGS_MODULE="marketplace.settings")
        postgres.start()
        redis.start()
        migrate = [sys.executable, "manage.py", "migrate", "-v0"]
        subprocess.run(migrate, cwd=ROOT, env=os.environ, check=True)
        for server in servers:
            server.begin()
        yield World(
            plan=plan, seed=seed, postgres=postgres, redis=redis, servers=servers, folder=own
        )


@dataclass
class World:
    """What there is to kill."""

    plan: Plan
    seed: int
    postgres: Service
    redis: Service
    servers: list[Service]
    folder: Path

    async def supervise(self) -> None:
        """Start a server again that has ended, as systemd would."""
        while True:
            for server in self.servers:
                if not server.runs:
                    server.begin()
            await asyncio.sleep(0.3)

    async def die_again_and_again(self, summary: Summary) -> None:
        """Kill what the plan says, in an order that the seed says."""
        chance = random.Random(self.seed)
        faults: list[Callable[[], None]] = [
            *[lambda: self._kill_server(chance, summary)] * self.plan.kills,
            *[lambda: self._restart_redis(chance, summary)] * self.plan.redis_restarts,
            *[lambda: self._restart_postgres(chance, summary)] * self.plan.database_restarts,
        ]
        chance.shuffle(faults)
        for fault in faults:
            await asyncio.to_thread(fault)
            await asyncio.sleep(chance.uniform(0.5, 3))

    def _kill_server(self, chance: random.Random, summary: Summary) -> None:
        chance.choice([server for server in self.servers if server.runs]).kill()
        summary.kills += 1

    def _restart_redis(self, chance: random.Random, summary: Summary) -> None:
        self.redis.kill(chance.choice([signal.SIGKILL, signal.SIGTERM]))
        time.sleep(chance.uniform(0, 2))
        self.redis.start()
        summary.redis_restarts += 1

    def _restart_postgres(self, chance: random.Random, summary: Summary) -> None:
        # Its crash, or its fast shutdown.
        self.postgres.kill(chance.choice([signal.SIGQUIT, signal.SIGINT]))
        time.sleep(chance.uniform(0, 1.5))
        self.postgres.start()
        summary.database_restarts += 1

    @contextmanager
    def writers(self, audiences: Sequence[str]) -> Iterator[list[Path]]:
        """Let four processes write while the block lasts; the files name what they committed."""
        files = [self.folder / f"committed-{number}" for number in range(WRITERS)]
        plan = self.plan
        with ExitStack() as stack:
            for number, file in enumerate(files):
                file.touch()
                arguments = [str(number), str(plan.rate), str(self.seed), str(file), *audiences]
                command = [sys.executable, "-m", "tests.faults.writer", *arguments]
                process = subprocess.Popen(dying_with_parent(command), cwd=ROOT)
                stack.callback(end, process)
            yield files
