"""Channels as its tutorial has it: a WebSocket consumer in a group, group_send for each event.

REDIS_URL: the pub/sub layer on that Redis; without it, the layer in memory.
"""

import json
import os
from typing import Any

import django
from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, Scope
from django.conf import settings

GROUP = "everybody"
REDIS_URL = os.environ.get("REDIS_URL")
IN_MEMORY = {"BACKEND": "channels.layers.InMemoryChannelLayer"}
ON_REDIS = {
    "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
    "CONFIG": {"hosts": [REDIS_URL]},
}

settings.configure(
    SECRET_KEY="of-a-benchmark",  # noqa: S106 there is nothing to keep
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["channels"],
    CHANNEL_LAYERS={"default": ON_REDIS if REDIS_URL else IN_MEMORY},
)
django.setup()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402 Django first
from channels.layers import get_channel_layer  # noqa: E402


class Consumer(AsyncWebsocketConsumer):
    """Forwards what comes to the group."""

    async def connect(self) -> None:
        """Join."""
        await self.channel_layer.group_add(GROUP, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        """Leave."""
        await self.channel_layer.group_discard(GROUP, self.channel_name)

    async def event_happened(self, event: dict[str, Any]) -> None:
        """Send it."""
        await self.send(text_data=json.dumps(event["data"]))


_websockets: Any = Consumer.as_asgi()


async def application(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """WebSockets, and a POST whose lines go to all of them."""
    if scope["type"] == "websocket":
        await _websockets(scope, receive, send)
    elif scope["type"] == "http":
        await _publish(receive, send)


async def _publish(receive: Any, send: Any) -> None:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    layer = get_channel_layer()
    assert layer is not None
    for line in body.splitlines():
        await layer.group_send(GROUP, {"type": "event_happened", "data": json.loads(line)})
    headers = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})
