"""Loads the demo into a database that has none of it."""

from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from marketplace.accounts.models import User
from marketplace.demo import people
from marketplace.demo.loading import load_demo


class Command(BaseCommand):
    """Three sellers, three buyers, one of the staff, their products and a fortnight of orders."""

    help = "Loads the demo: people with a public password, products and orders. DEBUG only."

    def handle(self, **options: Any) -> None:
        """Raise CommandError where the demo is not allowed, or there already."""
        if not settings.DEBUG:
            raise CommandError("The demo's password is public: it is loaded with DEBUG=true only.")
        usernames = [person.username for person in people.EVERYBODY]
        if taken := sorted(
            User.objects.filter(username__in=usernames).values_list("username", flat=True)
        ):
            raise CommandError(
                f"The demo is there already, or its names are taken: {', '.join(taken)}. "
                "To start again, delete the database (var/marketplace.sqlite3)."
            )
        demo = load_demo(now=timezone.now())
        self.stdout.write(
            f"Loaded the demo: {len(demo.users)} people, {len(demo.products)} products, "
            f"{len(demo.orders)} orders."
        )
