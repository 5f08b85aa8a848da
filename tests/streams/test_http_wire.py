"""Bytes that no HTTP library sends: they cost the server little, and pass for nothing else."""

import contextlib
import select
import time
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from tests.streams.conftest import start_with
from tests.streams.things import assert_no_trace
from tests.support.raw_websocket import TEXT, RawSocket, frame, handshake
from tests.support.servers import Marketplace, Program

LIVE = b"/health/live"
# What is asked of a body within a minute is asked of it within three seconds here.
IMPATIENT = Program(
    (
        "-c",
        "import django; django.setup()\n"
        "from marketplace import protocols, server\n"
        "protocols.HEADER_SECONDS = protocols.BODY_SECONDS = 3\n"
        "server.main()",
        *("--host", "127.0.0.1", "--port"),
    ),
    ready="Serving on http://",
)
LISTED = b"X-Forwarded-For: 10.0.0.1\r\n"


@pytest.fixture(scope="module")
def server(
    transactional_db: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Marketplace]:
    """The module's server, behind a proxy; from one address it shows its metrics to anybody."""
    with ExitStack() as running:
        start = start_with(running, tmp_path_factory.mktemp("server"))
        yield start(program=IMPATIENT, TRUSTED_PROXIES="127.0.0.1", METRICS_ADDRESSES="10.0.0.1")


@pytest.fixture(autouse=True)
def nothing_went_wrong(server: Marketplace) -> Iterator[None]:
    """No test here leaves a trace of an exception in the server's log."""
    yield
    assert_no_trace(server)


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


def chunked(*chunks: bytes, trailers: bytes = b"") -> bytes:
    """A body in chunks, and what follows the last."""
    framed = (b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return b"".join(framed) + b"0\r\n" + trailers + b"\r\n"


def test_it_believes_no_trailers(server: Marketplace) -> None:
    """A proxy says who asks in the head; what the client says behind its body passes it by."""
    forwarded = head(b"/metrics", X_Forwarded_For=b"10.0.0.1", Connection=b"close")
    from_client = {"X_Forwarded_For": b"192.0.2.7", "Transfer_Encoding": b"chunked"}
    for request, expected in (
        (forwarded, [b"200"]),
        (
            head(b"/metrics", **from_client) + chunked(b"x", trailers=LISTED)
            # Nor those of the request before, and a head is read again.
            + head(b"/metrics", **from_client) + chunked(trailers=LISTED) + forwarded,
            [b"401", b"401", b"200"],
        ),
        (head(b"/api/events", **from_client) + chunked(trailers=LISTED), [b"400"]),
        (handshake(0, Transfer_Encoding=b"chunked") + chunked(trailers=LISTED), [b"400"]),
    ):  # fmt: skip
        with RawSocket(server.port) as raw:
            raw.socket.sendall(request)
            assert statuses(raw.read_to_end()) == expected, request


@pytest.mark.parametrize(
    ("begin", "more"),
    [
        (b"", b"\r\n" * 500),
        (b"GET / HTTP/1.1\r\n", b"X: %s\r\n" % (b"x" * 1000)),
        (b"GET / HTTP/1.1\r\nX:", b"x" * 1000),
        (head(Transfer_Encoding=b"chunked") + b"0\r\n", b"X: %s\r\n" % (b"x" * 1000)),
        (head(Transfer_Encoding=b"chunked") + b"1\r\nx\r\n0\r\nX:", b"x" * 1000),
        (head(Transfer_Encoding=b"chunked") + b"1;", b"x" * 1000),
    ],
    ids=["blank lines", "headers", "a header", "trailers", "a trailer", "an extension"],
)
def test_it_reads_nothing_endless_beside_bodies(
    server: Marketplace, begin: bytes, more: bytes
) -> None:
    with RawSocket(server.port) as raw:
        raw.socket.sendall(begin)
        with pytest.raises(ConnectionError):
            for _ in range(200):
                raw.socket.sendall(more * 100)


def test_it_bounds_what_is_beside_each_body_alone(server: Marketplace) -> None:
    """A connection may live long, and a body may have many pieces."""
    trailers = b"X: %s\r\n" % (b"x" * 30_000)
    request = head(Transfer_Encoding=b"chunked", X=b"x" * 30_000)
    pieces = chunked(*[b"x"] * 30_000, trailers=trailers)
    with RawSocket(server.port) as raw:
        for _ in range(5):
            raw.socket.sendall(request + pieces)
            assert statuses(raw.read_until(b"}")) == [b"200"]


def test_it_waits_for_whoever_sends_on_alone(server: Marketplace) -> None:
    """More trailers are no more of a body. A WebSocket has no body that could be late."""
    announced = head(Content_Length=b"1000", Connection=b"close")
    in_chunks = head(Transfer_Encoding=b"chunked")
    with ExitStack() as opened:
        websocket = opened.enter_context(RawSocket.opened(server.port))
        alive, trailing, *silent = (opened.enter_context(RawSocket(server.port)) for _ in range(6))
        alive.socket.sendall(announced)
        trailing.socket.sendall(in_chunks + b"0\r\n")
        for raw, begin in zip(
            silent, (b"", in_chunks[:20], announced, announced + b"x"), strict=True
        ):
            raw.socket.sendall(begin)
        sent = 0
        late = {raw.socket: raw for raw in (trailing, *silent)}
        while late:
            ended, _, _ = select.select(list(late), [], [], 0.1)
            for one in ended:
                assert late.pop(one).read_to_end() == b""
            if trailing.socket in late:
                trailing.socket.sendall(b"X: y\r\n")
            alive.socket.sendall(b"x")
            sent += 1
        alive.socket.sendall(b"x" * (1000 - sent))
        assert statuses(alive.read_to_end()) == [b"200"]
        websocket.socket.sendall(frame(TEXT, b'{"type":"ping"}'))
        websocket.read_until(b"pong")


def test_it_takes_no_body_for_a_request(server: Marketplace) -> None:
    """A parser that was asked to switch protocols reads what follows as something new."""
    hidden = head(b"/metrics", X_Forwarded_For=b"10.0.0.1", Connection=b"close")
    for framing, body in (
        ({"Content_Length": b"%d" % len(hidden)}, hidden),
        ({"Transfer_Encoding": b"chunked"}, chunked(hidden)),
    ):
        with RawSocket(server.port) as raw:
            raw.socket.sendall(head(Connection=b"Upgrade", Upgrade=b"h2c", **framing))
            answer = raw.read_until(b"\r\n\r\n")
            with contextlib.suppress(ConnectionError):  # it is closed already
                raw.socket.sendall(body)
            assert statuses(answer + raw.read_to_end()) == [b"400"]
    # Without a body nothing can be mistaken; what it asks for is left out, as RFC 9110 says.
    for length in ({}, {"Content_Length": b"0"}):
        with RawSocket(server.port) as raw:
            raw.socket.sendall(head(Connection=b"Upgrade", Upgrade=b"h2c", **length))
            assert statuses(raw.read_until(b"}")) == [b"200"]
            raw.socket.sendall(head(Connection=b"close"))
            assert statuses(raw.read_to_end()) == [b"200"]


def test_it_lets_no_thousand_requests_wait(server: Marketplace) -> None:
    last = head(Connection=b"close")
    with RawSocket(server.port) as raw:
        raw.socket.sendall(head() * 100 + last)
        assert statuses(raw.read_to_end()) == [b"200"] * 101
    with RawSocket(server.port) as raw:
        raw.socket.sendall(head() * 1000 + last)
        assert len(statuses(raw.read_to_end())) < 1000


STREAM = b"/api/events?channels=catalogue"


def wait_until_nobody_listens(server: Marketplace) -> None:
    """Wait until the server has noticed that its clients are gone."""
    deadline = time.monotonic() + 10  # sooner than two heartbeats, which find it out as well
    while httpx.get(f"{server.url}/health").json()["connectedClients"]:
        assert time.monotonic() < deadline, "It takes a client for present that is gone."
        time.sleep(0.05)


@pytest.mark.parametrize(
    "more",
    [handshake(0), head(), b"nonsense\r\n\r\n", b"\r\n" * 50_000],
    ids=["WebSocket", "request", "nonsense", "blank lines"],
)
def test_it_lets_nothing_follow_a_stream(server: Marketplace, more: bytes) -> None:
    """Nothing could be answered before the stream's end, nor said in its midst."""
    with RawSocket(server.port) as raw:
        raw.socket.sendall(head(STREAM))
        raw.read_until(b"event: subscribed")
        raw.socket.sendall(more)
        assert b"HTTP/1.1" not in raw.read_to_end()
        wait_until_nobody_listens(server)


def test_it_ends_a_stream_before_which_more_was_sent_ahead(server: Marketplace) -> None:
    last = head(Connection=b"close")
    for before in ([], [head()]):
        with RawSocket(server.port) as raw:
            raw.socket.sendall(b"".join([*before, head(STREAM), last]))
            assert statuses(raw.read_to_end()) == [b"200"] * (len(before) + 2)


def test_it_notices_who_leaves_a_stream_with_more_sent_ahead(server: Marketplace) -> None:
    with RawSocket(server.port) as raw:
        raw.socket.sendall(head(STREAM) + head())
        raw.read_until(b"text/event-stream")
    wait_until_nobody_listens(server)


def test_it_answers_nobody_out_of_turn(server: Marketplace) -> None:
    """What is refused comes after a request that waits for its answer."""
    for refused in (handshake(0), b"nonsense\r\n\r\n"):
        with RawSocket(server.port) as raw:
            raw.socket.sendall(head(b"/metrics") + refused)
            assert statuses(raw.read_to_end()) in ([], [b"401"])
