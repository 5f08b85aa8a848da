"""Print the reference of all events as Markdown: manage.py event_reference > docs/events.md"""

from typing import Any

from django.core.management.base import BaseCommand

from realtime.reference import markdown_reference


class Command(BaseCommand):
    """Print docs/events.md as the declarations have it."""

    help = "Print the reference of all events as Markdown."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Write to standard output."""
        self.stdout.write(markdown_reference(), ending="")
