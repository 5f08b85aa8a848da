"""Servers that are killed and come back where they were."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.machine import ROOT
from tests.support.processes import end, lasting_port, start, wait_for_text
from tests.support.servers import (
    POSTGRES_SETTINGS,
    make_cluster,
    postgres_command,
    redis_command,
)

# A commit that was told of must be there after a crash of the server (of the machine it need not).
DURABLE = {**POSTGRES_SETTINGS, "synchronous_commit": "on"}
DAMAGE = {"drop": 0.5, "double": 0.1, "delay": 0.1, "reorder": 0.1}
_MARKETPLACE = """
import sys
import django
from django.conf import settings
sound = settings.CHANNEL_LAYERS["default"]
config = {{"backend": sound["BACKEND"], "config": sound["CONFIG"], **{damage}}}
backend = "realtime.testing.FaultyChannelLayer"
settings.CHANNEL_LAYERS = {{"default": {{"BACKEND": backend, "CONFIG": config}}}}
from marketplace.server import main
main()
"""


@dataclass
class Service:
    """A program at a port of its own, which can be killed and started again."""

    name: str
    command: Sequence[str | Path]
    port: int
    ready: str
    folder: Path
    environment: Mapping[str, str] | None = None
    user: str | None = None
    starts: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Run it; returns when it is ready. Raises DidNotStart."""
        self.begin()
        assert self.process is not None
        wait_for_text(self.ready, process=self.process, log=self.log)

    def begin(self) -> None:
        """Run it, and do not wait until it is ready."""
        self.starts += 1
        self.log.touch()
        self.process = start(
            self.command, log=self.log, environment=self.environment, user=self.user
        )

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End it, without a word unless said otherwise."""
        assert self.process is not None
        end(self.process, how=how)

    @property
    def log(self) -> Path:
        """What it printed since it was started last."""
        return self.folder / f"{self.name}-{self.starts}.log"

    @property
    def runs(self) -> bool:
        """Whether its process is there."""
        return self.process is not None and self.process.poll() is None

    def printed(self) -> str:
        """All that it ever printed."""
        logs = sorted(self.folder.glob(f"{self.name}-*.log"))
        return "".join(path.read_text(errors="replace") for path in logs)


@contextmanager
def folder_for(user: str | None) -> Iterator[Path]:
    """A temporary folder that the user may enter."""
    with tempfile.TemporaryDirectory(prefix="marketplace-") as name:
        if user:
            shutil.chown(name, user, user)
        yield Path(name)


def postgres_in(folder: Path, user: str | None) -> tuple[Service, str]:
    """A PostgreSQL server that was not started yet, and the URL of its database."""
    password = secrets.token_hex(16)
    make_cluster(folder / "data", log=folder / "initdb.log", user=user, password=password)
    port = lasting_port()
    service = Service(
        name="postgres",
        command=postgres_command(folder, port=port, settings=DURABLE),
        port=port,
        ready="database system is ready to accept connections",
        folder=folder,
        user=user,
    )
    return service, f"postgres://postgres:{password}@127.0.0.1:{port}/postgres"


def redis_in(folder: Path) -> tuple[Service, str]:
    """A Redis server that was not started yet, and its URL."""
    port = lasting_port()
    service = Service(
        name="redis",
        command=redis_command(folder, port=port),
        port=port,
        ready="Ready to accept connections",
        folder=folder,
    )
    return service, f"redis://127.0.0.1:{port}/0"


def marketplace_in(folder: Path, *, number: int, settings: Mapping[str, str], seed: int) -> Service:
    """A server of the marketplace whose doorbells are damaged; not started yet."""
    code = _MARKETPLACE.format(damage={**DAMAGE, "seed": seed + number})
    port = lasting_port()
    return Service(
        name=f"server-{number}",
        command=[sys.executable, "-c", code, "--port", str(port)],
        port=port,
        ready="Serving on http://",
        folder=folder,
        environment={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "marketplace.settings",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            **settings,
        },
    )
