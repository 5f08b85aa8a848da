"""Bytes that no HTTP library sends: they cost the server little, and pass for nothing else."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.streams.conftest import start_with
from tests.support.raw_websocket import RawSocket
from tests.support.servers import Marketplace

LIVE = b"/health/live"


@pytest.fixture(scope="module")
def server(
    transactional_db: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Marketplace]:
    """The module's server."""
    with ExitStack() as running:
        start = start_with(running, tmp_path_factory.mktemp("server"))
        yield start()


@pytest.fixture(autouse=True)
def nothing_went_wrong(server: Marketplace) -> Iterator[None]:
    """No test here leaves a trace of an exception in the server's log."""
    yield
    said = server.log.read_text()
    assert "Traceback" not in said
    assert " ERROR " not in said


def head(target: bytes = LIVE, **headers: bytes) -> bytes:
    """The head of a request; headers by name, with _ for -."""
    headers = {"Host": b"127.0.0.1", **headers}
    lines = [b"%s: %s\r\n" % (name.replace("_", "-").encode(), headers[name]) for name in headers]
    return b"GET %s HTTP/1.1\r\n%s\r\n" % (target, b"".join(lines))


def statuses(answer: bytes) -> list[bytes]:
    """The status of each response that the server sent, in their order."""
    return [response[:3] for response in answer.split(b"HTTP/1.1 ")[1:]]


def test_it_takes_a_large_body_for_no_head(server: Marketplace) -> None:
    """The second read brings the end of the head and all of the body."""
    body = b" " * 100_000
    whole = head(Connection=b"close", Content_Length=b"%d" % len(body)) + body
    with RawSocket(server.port) as other, RawSocket(server.port) as raw:
        raw.socket.sendall(whole[:30])
        # When this one is answered, the server has read the other.
        other.socket.sendall(head(Connection=b"close"))
        other.read_to_end()
        raw.socket.sendall(whole[30:])
        assert statuses(raw.read_to_end()) == [b"200"]
