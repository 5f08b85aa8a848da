"""Five of six clients drop at once and come back at once, a hundred events behind.

Once where the hub's memory holds what they missed, once where so much was published for others
meanwhile that the log must be read.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.cores import OTHERS, allow_files, on_core
from benchmarks.load import Report, Storm
from benchmarks.product import Databases, databases, product
from benchmarks.queries import SETTINGS, Queries, counting
from benchmarks.report import Row, Table

CLIENTS = (6_000,)
# A commit each, which others' events share: they are posted one after the other, and each waits for
# a step of the busy server.
HEARD_PER_SECOND = 10
MISSED = 100
CALM_SECONDS = 2
AWAY_SECONDS = MISSED // HEARD_PER_SECOND
# It goes on for so long: the others' latencies are measured until all have caught up.
AFTERWARDS_SECONDS = 12
# Who waits for a handshake longer than the load generator does has not come back.
PATIENCE_SECONDS = 35.0
# Nobody of the clients hears what is for these.
OTHERS_AUDIENCE = ("staff", "-")


@dataclass(frozen=True)
class Plan:
    """Where those who come back find what they missed."""

    found_in: str
    in_a_commit: int  # events, of which one is for the clients

    @property
    def rate(self) -> int:
        """Events a second."""
        return HEARD_PER_SECOND * self.in_a_commit

    @property
    def audiences(self) -> list[tuple[str, str]]:
        """Of the events, in turn."""
        return [("all", "*"), *[OTHERS_AUDIENCE] * (self.in_a_commit - 1)]

    def stage(self, clients: int) -> str:
        """As the load generator takes it."""
        settings = {
            "rate": self.rate,
            "batch": self.in_a_commit,
            "seconds": CALM_SECONDS + AWAY_SECONDS + AFTERWARDS_SECONDS,
            "after": CALM_SECONDS,
            "drop": clients * 5 // 6,
            "away": self.rate * AWAY_SECONDS,
        }
        return ",".join(["storm", *(f"{name}={value}" for name, value in settings.items())])


# The hub keeps its last 4,096 events: of the 5,000 of the second one it has lost the first.
PLANS = (Plan("memory", in_a_commit=10), Plan("log", in_a_commit=50))


def run(*, clients: Sequence[int] = CLIENTS) -> Table:
    """One row for each number of clients and place where they find what they missed."""
    allow_files(max(clients))
    table = Table(
        f"A storm over SSE: five of six clients come back at once, {MISSED} events behind;"
        f" {HEARD_PER_SECOND} events/s for all, others for nobody here"
    )
    with on_core(OTHERS), databases(SETTINGS) as postgres:
        for count in clients:
            for plan in PLANS:
                table.rows.append(_measure(postgres, plan, count, table))
    return table


def _measure(postgres: Databases, plan: Plan, clients: int, table: Table) -> Row:
    name = f"{clients} clients, from the {plan.found_in}"
    print(name, file=sys.stderr, flush=True)
    with product(postgres, "sse", clients) as target, counting(postgres.url) as queries:
        report = target.load(
            clients=clients,
            stages=[plan.stage(clients)],
            audiences=plan.audiences,
            patience=PATIENCE_SECONDS,
        )
    stage = report.stage("storm")
    storm = stage.storm
    assert storm is not None
    if faults := {**report.faults(), **_not_back(report, storm)}:
        table.failures.append(f"{name}: {faults} {report.sample}")
    return {
        "missed is in": plan.found_in,
        "clients": clients,
        "came back": storm.caught_up_ms.count,
        "events/s": stage.published / stage.seconds,
        "seconds": storm.caught_up_ms.max / 1000,
        "half of them s": storm.caught_up_ms.p50 / 1000,
        "others before p99 ms": storm.others_before_ms.p99,
        "others meanwhile p50 ms": storm.others_meanwhile_ms.p50,
        "others meanwhile p99 ms": storm.others_meanwhile_ms.p99,
        "queries": _queries_of(storm, queries),
        "CPU s": stage.server_cpu_seconds,
        "MB in all": stage.server_rss_mb,
        "generator busy": stage.generator_busy,
    }


def _not_back(report: Report, storm: Storm) -> dict[str, int]:
    counts = {
        "unreachable": report.unreachable,
        "refused": sum(report.refused.values()),
        "not caught up": storm.not_caught_up,
    }
    return {name: count for name, count in counts.items() if count}


def _queries_of(storm: Storm, queries: Queries) -> int:
    """From when they came back until all had caught up."""
    return queries.between(storm.back_at, storm.back_at + storm.caught_up_ms.max / 1000)
