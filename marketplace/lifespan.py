"""What a server process runs beside its requests, from the first to the last of them."""

import asyncio
from uuid import UUID

from asgiref.typing import ASGIReceiveCallable, ASGIReceiveEvent, ASGISendCallable, LifespanScope
from django.conf import settings

from products.imports.workers import SENT_AGAIN_SECONDS, start_foreman, stop_foreman
from realtime.lifespan import lifespan_application


async def lifespan(
    scope: LifespanScope, receive: ASGIReceiveCallable, send: ASGISendCallable
) -> None:
    """The ASGI lifespan: the event path, and the thread that looks after imports.

    The thread stops first: what it announced is on its way, and the server waits for what comes
    before the last message.
    """

    async def receive_when_stopped() -> ASGIReceiveEvent:
        message = await receive()
        if message["type"] == "lifespan.shutdown":
            await asyncio.to_thread(stop_foreman)
        return message

    look_after_imports()
    await lifespan_application(scope, receive_when_stopped, send)


def look_after_imports() -> None:
    """Start the thread, unless it runs. A server without a lifespan (daphne) begins with the first
    request, as the event path does."""
    start_foreman(send_import if settings.CELERY_BROKER_URL else None)


def send_import(task_id: UUID) -> None:
    """Hand an import to Celery's workers. Raises what the broker raises when it is away."""
    # Loaded when there is one to send: it takes a third of a second and 20 MB.
    from marketplace.celery import app

    app.send_task(
        "products.imports.tasks.import_catalogue",
        [str(task_id)],
        retry=False,
        # By then it is sent again: while all workers are busy, messages must not pile up.
        expires=SENT_AGAIN_SECONDS,
    )
