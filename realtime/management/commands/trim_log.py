"""Delete old events from the log now: manage.py trim_log [--days N] [--keep N]"""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from realtime.log import read_head, trim


class Command(BaseCommand):
    """Trim the log by the settings, or further."""

    help = (
        "Delete events that are old or too many. Each server process does so by itself once a"
        " minute, by the settings; this is for a log that must be shorter now."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What is not given is as the settings have it."""
        parser.add_argument(
            "--days", type=int, metavar="N", help="Delete what was published N days ago or before."
        )
        parser.add_argument("--keep", type=int, metavar="N", help="Keep at most N events.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Trim, and say how much went and what can no longer be replayed."""
        days, keep = options["days"], options["keep"]
        if min(days or 0, keep or 0) < 0:
            raise CommandError("Neither days nor events are fewer than 0.")
        try:
            age = settings.REALTIME_RETENTION if days is None else timedelta(days=days)
            before = timezone.now() - age
        except OverflowError as error:
            raise CommandError("There is no date so many days ago.") from error
        kept = settings.REALTIME_RETENTION_EVENTS if keep is None else keep
        deleted = trim(before=before, keep=kept)
        _, floor = read_head()
        self.stdout.write(
            f"Events deleted: {deleted}. The floor is {floor}: nothing at or below it is replayed."
        )
