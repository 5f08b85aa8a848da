"""What script/server does between the installation of packages and the start of the server."""

import socket
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import BaseCommand, CommandError, call_command

from marketplace.demo import people
from marketplace.hosts import is_loopback


def refuse_taken_port(host: str, port: int) -> None:
    """Raise CommandError where the server could not listen on the address.

    The server finds it out too, but only after people have read that it runs there.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as candidate:
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            candidate.bind((host, port))
    except OSError as error:
        raise CommandError(f"Cannot listen on {host} port {port}: {error.strerror}.") from error


class Command(BaseCommand):
    """Migrate, load the demo the first time, and refuse to show it to strangers."""

    help = "Prepares the database for script/server and prints where to look."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the arguments of script/server."""
        parser.add_argument("--host", required=True)
        parser.add_argument("--port", required=True, type=int)
        parser.add_argument("--insecure-demo", action="store_true")

    def handle(self, *, host: str, port: int, insecure_demo: bool, **options: Any) -> None:
        """Raise CommandError where the server must not or could not start."""
        may_show_demo = insecure_demo or is_loopback(host)
        refuse_taken_port(host, port)
        if not may_show_demo and settings.SECRET_KEY == settings.BUILT_IN_SECRET_KEY:
            raise CommandError(
                f"Others reach {host}, and the secret key is the built-in one: "
                "set SECRET_KEY, or add --insecure-demo to show the demo all the same."
            )
        call_command("migrate", interactive=False, verbosity=0)
        if may_show_demo and settings.DEBUG and not get_user_model().objects.exists():
            call_command("demo", stdout=self.stdout)
        logins = people.demo_logins()
        if logins and not may_show_demo:
            raise CommandError(
                f"Others reach {host}, and the database has the demo's public logins "
                f"({', '.join(logins)}): use another DATABASE_URL, or add --insecure-demo."
            )
        self.describe(host=host, port=port, logins=logins)

    def describe(self, *, host: str, port: int, logins: list[str]) -> None:
        """Print the address, and the demo logins where the database has them."""
        shown = f"[{host}]" if ":" in host else host
        self.stdout.write(f"\nMarketplace: http://{shown}:{port}   (Ctrl-C stops it)\n")
        if logins:
            self.stdout.write(f"\nDemo logins, all with the password {people.PASSWORD}:\n")
            for person in people.EVERYBODY:
                if person.username in logins:
                    self.stdout.write(f"  {person.username:<12} {person.introduction}\n")
        self.stdout.write("\n")
