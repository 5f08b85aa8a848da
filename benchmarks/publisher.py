"""python -m benchmarks.publisher RATE SIZE: commits so many events a second, at an even pace."""

import sys
import time

import django


def main(rate: float, size: int) -> None:
    """Publish until the process is ended."""
    django.setup()
    from tests.realtime.things import publish_thing

    began = time.monotonic()
    number = 0
    while True:
        ahead = began + number / rate - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)
        publish_thing(number, text="x" * size)
        number += 1


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]))
