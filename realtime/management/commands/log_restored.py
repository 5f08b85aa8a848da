"""After a backup was restored: manage.py log_restored --beyond POSITION"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from realtime.log import jump_beyond


class Command(BaseCommand):
    """Number on far above a position that clients have seen."""

    help = (
        "Number on far above the highest position that clients may have seen, so that none is given"
        " twice. Running servers notice a restored database by themselves; this is for a restore"
        " with all of them stopped."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The position is in the clients' hands or in a log, no longer in the database."""
        parser.add_argument("--beyond", type=int, required=True, metavar="POSITION")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raise the head, or say that there is nothing to do."""
        beyond: int = options["beyond"]
        if beyond < 0:
            raise CommandError("A position is not below 0.")
        head = jump_beyond(beyond)
        if head is None:
            self.stdout.write(f"The log reaches {beyond} already: nothing was changed.")
        else:
            self.stdout.write(f"The next event has position {head + 1}.")
