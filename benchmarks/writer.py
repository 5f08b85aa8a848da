"""python -m benchmarks.writer: commits as its input tells.

Each line of the input is an Order as JSON; each is answered by how many commits that were.
"""

import sys

import django
import msgspec

from benchmarks.writers import Order


def main() -> None:
    """Say that it is ready, and obey until the input ends."""
    django.setup()
    from benchmarks.changes import Writer

    writer = Writer()
    print("ready", flush=True)
    for line in sys.stdin:
        print(writer.obey(msgspec.json.decode(line, type=Order)), flush=True)


if __name__ == "__main__":
    main()
