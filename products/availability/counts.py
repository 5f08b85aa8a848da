"""Counting what becomes of messages, in the transactions that make it so."""

from typing import Literal

from django.db.models import F

from products.availability.models import MessageCount

Count = Literal["applied", "unchanged", "stale", "own", "duplicate", "rejected", "sent"]


def count_message(name: Count) -> None:
    """Count one more. The transaction's last step: others wait for this row until it ends."""
    rows = MessageCount.objects.filter(name=name)
    if not rows.update(number=F("number") + 1):
        MessageCount.objects.get_or_create(name=name)
        rows.update(number=F("number") + 1)
