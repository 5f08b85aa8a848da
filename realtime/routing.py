"""The WebSocket addresses of the product."""

from typing import Any

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, WebSocketScope
from django.urls import re_path

from realtime.websocket import websocket_application


async def _no_such_address(
    scope: WebSocketScope, receive: ASGIReceiveCallable, send: ASGISendCallable
) -> None:
    # Closed before it is accepted: the client sees HTTP 403.
    await receive()
    await send({"type": "websocket.close", "code": 1000, "reason": ""})


# Channels routes ASGI applications where Django has views.
websocket_urlpatterns: list[Any] = [
    re_path(r"^ws/events$", websocket_application),  # type: ignore[arg-type]
    re_path(r"", _no_such_address),  # type: ignore[arg-type]
]
