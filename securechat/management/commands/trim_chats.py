"""`manage.py trim_chats`: delete ciphertext that was delivered long ago, everywhere."""

from typing import Any

from django.core.management.base import BaseCommand

from securechat.retention import forget_delivered


class Command(BaseCommand):
    """For a timer. A conversation in use trims itself with each new message."""

    help = "Delete chat messages and files that were delivered longer ago than CHAT_RETENTION."

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete, and say how many."""
        self.stdout.write(f"{forget_delivered()} messages deleted.")
