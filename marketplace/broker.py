"""What Celery is told of the broker, whose URL is written as everything else here wants it."""

import ssl
from typing import Any

SECONDS = 5


def broker_url(url: str | None) -> str | None:
    """The URL as Celery knows it: it calls Redis behind a Unix socket by a name of its own."""
    if url is None or not url.startswith("unix://"):
        return url
    return url.replace("unix://", "redis+socket://", 1)


def broker_tls(url: str | None) -> dict[str, Any] | None:
    """Who is at the other end of a connection with TLS is checked, which is not the default."""
    if url is not None and url.startswith("rediss://"):
        return {"ssl_cert_reqs": ssl.CERT_REQUIRED}
    if url is not None and url.startswith("amqps://"):
        return {"server_hostname": None}  # that of the URL, and the system's authorities
    return None


def broker_timeouts(url: str | None) -> dict[str, Any]:
    """How long, in seconds, the broker may say nothing when it is spoken to."""
    if url is not None and url.startswith("amqp"):
        return {"connect_timeout": SECONDS, "read_timeout": SECONDS, "write_timeout": SECONDS}
    return {"socket_timeout": SECONDS, "socket_connect_timeout": SECONDS}
