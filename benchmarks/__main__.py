"""Run one scenario: print its table and write it as JSON beside."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import (
    bridge,
    connect,
    fanout,
    faults,
    idle,
    imports,
    latency,
    memory,
    polling,
    publish,
    skim,
    soak,
    stalled,
    storm,
    targeted,
)
from benchmarks.compiled import NoCompiler
from benchmarks.cores import TooSmall
from benchmarks.report import Table, compare, write

SCENARIOS: dict[str, Callable[..., Table]] = {
    "bridge": bridge.run,
    "connect": connect.run,
    "fanout": fanout.run,
    "faults": faults.run,
    "idle": idle.run,
    "import": imports.run,
    "latency": latency.run,
    "memory": memory.run,
    "polling": polling.run,
    "publish": publish.run,
    "skim": skim.run,
    "soak": soak.run,
    "stalled": stalled.run,
    "storm": storm.run,
    "targeted": targeted.run,
}
# Which of them take these options.
WITH_PEERS = {"fanout", "memory"}
WITH_REPS = {"connect", "fanout"}
WITH_CLIENTS = {"fanout", "memory", "storm", "targeted"}


def main() -> None:
    """Read the command line and do what it names."""
    options = vars(_parser().parse_args())
    pair = options.pop("compare")
    if pair:
        print(compare(*pair).text())
        return
    scenario = options.pop("scenario") or "latency"
    try:
        table = SCENARIOS[scenario](**options)
    except (NoCompiler, TooSmall) as reason:
        sys.exit(f"script/bench {scenario}: {reason}")
    print(table.text())
    print(f"Written to {write(scenario, table)}.", file=sys.stderr)
    sys.exit(1 if table.failures else 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__)
    parser.add_argument(
        "--compare",
        nargs=2,
        type=Path,
        metavar=("A.json", "B.json"),
        help="print each figure of run B divided by that of run A",
    )
    scenarios = parser.add_subparsers(dest="scenario", title="scenarios (default: latency)")
    for name, run in sorted(SCENARIOS.items()):
        scenario = scenarios.add_parser(name, help=_first_sentence(run))
        if name in WITH_PEERS:
            scenario.add_argument(
                "--peers", action="store_true", help="beside other servers, which it installs"
            )
        if name in WITH_REPS:
            scenario.add_argument("--reps", type=_positive, default=3, help="rounds (3)")
        if name in WITH_CLIENTS:
            scenario.add_argument(
                "--clients",
                type=_positive,
                nargs="+",
                default=argparse.SUPPRESS,
                help="numbers of clients to measure with",
            )
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number above zero")
    return int(text)


def _first_sentence(run: Callable[..., Table]) -> str:
    text = sys.modules[run.__module__].__doc__ or ""
    return " ".join(text.partition("\n\n")[0].split())


if __name__ == "__main__":
    main()
