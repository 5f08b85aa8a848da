"""A server that is being measured, of ours or another, as the load generator sees it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import Load, Protocol, Report, load

# A pair of addresses has some 28,000 ports, and those of connections that ended rest for a minute.
CLIENTS_PER_ADDRESS = 2000


@dataclass(frozen=True)
class Target:
    """Where it is, and how one subscribes and publishes there."""

    protocol: Protocol
    ports: Sequence[int]
    pids: Sequence[int]
    path: str = "/"
    ready: str | None = None
    users: Sequence[int] = ()  # whose logins the tokens are
    tokens: Sequence[str] = ()

    def load(
        self,
        *,
        clients: int,
        stages: Sequence[str],
        audiences: Sequence[tuple[str, str]] = (),
        settle: float = 0.3,
        patience: float = 5.0,
    ) -> Report:
        """Put so many clients on it."""
        plan = Load(
            ports=self.ports,
            clients=clients,
            protocol=self.protocol,
            path=self.path,
            ready=self.ready,
            tokens=self.tokens,
            audiences=audiences,
            pids=self.pids,
            sources=1 + clients // CLIENTS_PER_ADDRESS,
            settle=settle,
            patience=patience,
            stages=stages,
        )
        return load(plan)


def family(pid: int) -> list[int]:
    """The process and all that it has started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in family(int(child)))]
