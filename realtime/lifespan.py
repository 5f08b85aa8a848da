"""The ASGI lifespan protocol: the event path starts and stops with the server."""

import logging

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, LifespanScope

from realtime.station import station, stop_station

logger = logging.getLogger(__name__)


async def lifespan_application(
    scope: LifespanScope, receive: ASGIReceiveCallable, send: ASGISendCallable
) -> None:
    """Start the station before the first request and stop it after the last."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            try:
                await station()
            except Exception as error:
                logger.exception("The event path could not be started.")
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            await send({"type": "lifespan.startup.complete"})
        else:
            await stop_station()
            await send({"type": "lifespan.shutdown.complete"})
            return
