"""Celery understands the URLs that the other settings take, and checks who is at the other end."""

import ssl

import pytest
from kombu import Connection

from marketplace.broker import broker_timeouts, broker_tls, broker_url


@pytest.mark.parametrize(
    "url",
    [
        "redis://h:6379/0",
        "rediss://h:6379/0",
        "unix:///run/redis.sock",
        "amqp://h//",
        "amqps://h//",
    ],
)
def test_it_knows_how_to_speak_to_each_kind_of_broker(url: str) -> None:
    known = broker_url(url)
    connection = Connection(known, ssl=broker_tls(known), transport_options=broker_timeouts(known))
    assert connection.get_transport_cls() is not None


def test_it_checks_certificates() -> None:
    assert broker_tls("rediss://h:6379/0") == {"ssl_cert_reqs": ssl.CERT_REQUIRED}
    assert broker_tls("amqps://h//") == {"server_hostname": None}
    assert broker_tls("redis://h:6379/0") is None
    assert (broker_url(None), broker_tls(None)) == (None, None)
