"""The whole application: streams ahead of Django, WebSockets beside it.

Server-Sent Events do not pass Django's handler: a request there keeps a thread and its machinery
for as long as its stream lives.
"""

import os
from collections.abc import Awaitable
from typing import cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, HTTPScope
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

# Sets Django up; what follows imports models. Its own types are narrower than ASGI's.
serve_django = cast(ASGI3Application, get_asgi_application())

from marketplace.lifespan import lifespan, look_after_imports  # noqa: E402
from marketplace.rest.body_limit import BodyLimit  # noqa: E402
from products.imports.files import MAX_REQUEST_BYTES  # noqa: E402
from realtime.routing import websocket_urlpatterns  # noqa: E402
from realtime.sse import PATHS, sse_application  # noqa: E402

bounded_django = BodyLimit(serve_django, larger={"/api/imports": MAX_REQUEST_BYTES})


def http_application(
    scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable
) -> Awaitable[None]:
    """A stream where one is asked for, Django for everything else.

    No coroutine of its own, which would stay with each stream.
    """
    if scope["path"] in PATHS and scope["method"] == "GET":
        return sse_application(scope, receive, send)
    look_after_imports()
    return bounded_django(scope, receive, send)


application = ProtocolTypeRouter(
    {
        "http": http_application,
        "websocket": URLRouter(websocket_urlpatterns),
        "lifespan": lifespan,
    }
)
