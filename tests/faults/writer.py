"""One writer: publishes until it is ended, and notes what was committed.

    python -m tests.faults.writer NUMBER RATE SEED FILE AUDIENCES…

RATE is in transactions a second. FILE gets the number of each event whose commit was told of. A
commit that ended in an error may have happened or not: such a number is not noted, and not used
again.
"""

import random
import sys
import time

import django

NUMBERS_EACH = 1_000_000


def main(writer: int, rate: float, seed: int, path: str, audiences: list[str]) -> None:
    """Publish for ever."""
    django.setup()
    from django.db import DatabaseError, connection

    from tests.realtime.things import publish_thing

    chance = random.Random(seed + writer)
    number = writer * NUMBERS_EACH
    with open(path, "a", buffering=1) as committed:
        while True:
            number += 1
            size = chance.choice([0, 0, 0, 0, 200, 3000, 20_000])
            try:
                publish_thing(number, to=chance.choice(audiences), text="x" * size)
            except DatabaseError:
                connection.close()
                time.sleep(0.1)
            else:
                committed.write(f"{number}\n")
            time.sleep(chance.expovariate(rate))


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5:])
