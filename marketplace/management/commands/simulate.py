"""Lets the demo's people act, so that there is something to watch."""

import time
from argparse import ArgumentParser
from itertools import count
from typing import Any

from django.core.management import BaseCommand, CommandError

from marketplace.demo.life import Life, NobodyThere
from marketplace.demo.tours import TourSeason

# Actions a second, where --rate does not say otherwise.
RATE = 1.0
TOUR_RATE = 0.2


class Command(BaseCommand):
    """Orders come in and move on, stock and prices change, until Ctrl-C; or tours alone."""

    help = "Plays the demo's life on the database that the server uses, until Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what is played, the rate, and what makes a run the same again."""
        parser.add_argument(
            "--availability",
            action="store_true",
            help="three tours are booked, and now and then have places again",
        )
        parser.add_argument(
            "--rate",
            type=float,
            help=f"actions a second ({RATE:g}; of tours {TOUR_RATE:g}: one every five seconds)",
        )
        parser.add_argument("--seed", type=int, help="choose the same way as last time")
        parser.add_argument("--actions", type=int, help="stop after so many")

    def handle(
        self,
        *,
        availability: bool,
        rate: float | None,
        seed: int | None,
        actions: int | None,
        **options: Any,
    ) -> None:
        """Raise CommandError without the demo's people, or for a rate that is none."""
        if rate is None:
            rate = TOUR_RATE if availability else RATE
        if not 0 < rate <= 1000:
            raise CommandError("--rate must be above 0 and at most 1000 actions a second.")
        try:
            life = TourSeason(seed=seed) if availability else Life(seed=seed)
        except NobodyThere as error:
            raise CommandError("There is no demo here: run manage.py demo first.") from error
        try:
            self.play(life, rate=rate, actions=actions)
        except KeyboardInterrupt:
            self.stdout.write("")
        done = ", ".join(f"{name} {number}" for name, number in life.done.most_common())
        self.stdout.write(f"Done: {done or 'nothing'}.")

    def play(self, life: Life | TourSeason, *, rate: float, actions: int | None) -> None:
        """Act at the rate; what a slow database delays is not made up for."""
        due = time.monotonic()
        for number in count(1):
            self.stdout.write(life.act())
            if number == actions:
                return
            due = max(due + 1 / rate, time.monotonic())
            time.sleep(max(0.0, due - time.monotonic()))
