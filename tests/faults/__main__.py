"""python -m tests.faults [--full]: one run; prints what happened, fails if anything was lost."""

import argparse
import json
import sys

import django
from django.conf import settings

from tests.faults.world import FULL, SHORT, world


def main() -> None:
    """Run the plan that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--full", action="store_true", help="all that the promise is made for")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    plan = FULL if options.full else SHORT
    with world(plan, seed=options.seed) as here:
        settings.PASSWORD_HASHERS = ["tests.support.people.QuickHasher"]
        django.setup()
        # Its models need Django, and Django the address of the database.
        from tests.faults.run import run

        summary = run(here)
    print(json.dumps(summary.as_dict(), indent=1))
    if not summary.faultless:
        sys.exit("Something was lost, doubled or out of order.")


if __name__ == "__main__":
    main()
