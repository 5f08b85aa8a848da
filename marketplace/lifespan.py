"""The ASGI lifespan: what a server process runs beside its requests starts and stops with it."""

import asyncio
from uuid import UUID

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, LifespanScope
from django.conf import settings

from products.imports.workers import start_foreman, stop_foreman
from realtime.lifespan import lifespan_application


async def lifespan(
    scope: LifespanScope, receive: ASGIReceiveCallable, send: ASGISendCallable
) -> None:
    """The event path, and the thread that looks after imports."""
    foreman = start_foreman(send_import if settings.CELERY_BROKER_URL else None)
    try:
        await lifespan_application(scope, receive, send)
    finally:
        await asyncio.to_thread(stop_foreman, foreman)


def send_import(task_id: UUID) -> None:
    """Hand an import to Celery's workers. Raises what the broker raises when it is away."""
    # Loaded when there is one to send: it takes a third of a second and 20 MB.
    from marketplace.celery import app

    app.send_task("products.imports.tasks.import_catalogue", [str(task_id)], retry=False)
