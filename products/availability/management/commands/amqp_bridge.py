"""`manage.py amqp_bridge`: tell and hear of the seats of tours by RabbitMQ, until SIGTERM."""

import signal
from threading import Event
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from products.availability.running import run_bridge


class Command(BaseCommand):
    """Runs beside the servers; a second one waits to take over."""

    help = "Exchange the free seats of tours with other systems by RabbitMQ (AMQP_URL), for ever."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until a signal asks for the end, which comes after the message in hand."""
        if not settings.AMQP_URL:
            raise CommandError("AMQP_URL is not set: say where RabbitMQ is (amqp://…).")
        stop = Event()
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, lambda *_: stop.set())
        run_bridge(settings.AMQP_URL, stop)
