"""Run one scenario: print its table and write it as JSON beside."""

import argparse
import sys
from collections.abc import Callable

from benchmarks import bridge, faults, latency, soak, stalled
from benchmarks.report import Table, write

SCENARIOS: dict[str, Callable[[], Table]] = {
    "bridge": bridge.run,
    "faults": faults.run,
    "latency": latency.run,
    "soak": soak.run,
    "stalled": stalled.run,
}


def main() -> None:
    """Read the command line and run what it names."""
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__)
    parser.add_argument("scenario", nargs="?", default="latency", choices=sorted(SCENARIOS))
    options = parser.parse_args()
    table = SCENARIOS[options.scenario]()
    print(table.text())
    print(f"Written to {write(options.scenario, table)}.", file=sys.stderr)


if __name__ == "__main__":
    main()
