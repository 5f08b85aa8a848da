"""Bytes that no WebSocket library sends: each is answered or ended, and none is a burden."""

import struct
from collections.abc import Iterator

import pytest

from tests.realtime.things import publish_thing
from tests.streams.things import in_thread, listen, settled
from tests.support.raw_websocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    RawSocket,
    frame,
    handshake,
)
from tests.support.servers import Marketplace


@pytest.fixture(autouse=True)
def nothing_went_wrong(server: Marketplace) -> Iterator[None]:
    """No test here leaves a trace of an exception in the server's log."""
    yield
    said = server.log.read_text()
    assert "Traceback" not in said
    assert " ERROR " not in said


def status_of(server: Marketplace, request: bytes) -> bytes:
    """The status with which a request is answered whose connection the server then ends."""
    with RawSocket(server.port) as raw:
        raw.socket.sendall(request)
        return raw.read_to_end()[len(b"HTTP/1.1 ") :][:3]


HANDSHAKES: list[tuple[bytes, bytes]] = [
    (b"400", handshake(0, Sec_WebSocket_Version=b"12")),
    (b"400", handshake(0, Sec_WebSocket_Version=b"")),
    (b"400", handshake(0, Sec_WebSocket_Key=b"x")),
    (b"400", handshake(0, Sec_WebSocket_Key=b"")),
    (b"400", handshake(0, Connection=b"Upgrade, (x")),
    (b"400", handshake(0, Sec_WebSocket_Protocol=b",,(")),
    (b"400", handshake(0, X=b"a\x01b")),
    (b"400", handshake(0, X=b"a\r\n folded")),
    (b"400", handshake(0, Content_Length=b"5") + b"hello"),
    (b"400", handshake(0, Transfer_Encoding=b"chunked") + b"5\r\nhello\r\n0\r\n\r\n"),
    (b"400", handshake(0, X=b"a" * 300_000)),
    (b"400", handshake(0, b"/ws/events?channels=\xff\xfe")),
    (b"400", handshake(0, b"/ws/\xc3\xa9vents")),
    (b"403", handshake(0, b"*")),
    (b"403", handshake(0, b"http://127.0.0.1/ws/events?channels=catalogue")),
    (b"405", handshake(0).replace(b"GET", b"POST", 1)),
    (b"414", handshake(0, b"/ws/events?channels=" + b"a" * 9000)),
    (b"414", handshake(0, b"/ws/events?channels=" + b"product.1," * 5_000)),
    (b"431", handshake(0, X=b"a" * 9000)),
    (b"431", handshake(0, **{f"X-{number}": b"a" for number in range(200)})),
    (b"400", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 100),
    (b"400", b"\0" * 1000),
    (b"400", b"GET / HTTP/1.1 nonsense\r\n\r\n"),
]


def test_it_answers_every_handshake_and_ends_it(server: Marketplace) -> None:
    for expected, request in HANDSHAKES:
        assert status_of(server, request) == expected, request[:80]


def test_it_carries_no_endless_list_of_channels(server: Marketplace) -> None:
    head = b"GET /api/events?channels=%s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    for expected, names in (
        (b"403", b"product.1," * 5_000 + b"nonsense"),
        (b"403", b",".join(b"product.%d" % number for number in range(1, 4_000))),
        (b"403", b"x" * 60_000),
        (b"401", b"," * 60_000),
        (b"400", b",".join(b"product.%d" % number for number in range(10_000)) * 4),
    ):
        assert status_of(server, head % names) == expected, names[:40]


MIB = 1024 * 1024
FRAMES: list[tuple[int | None, bytes]] = [
    (1002, frame(TEXT, b"{}", masked=False)),
    (1002, frame(TEXT, b"{}", reserved=0x40)),  # compressed, as it was never agreed
    (1002, frame(3)),
    (1002, frame(11)),
    (1002, frame(CONTINUATION, b"x")),
    (1002, frame(TEXT, b"x", final=False) + frame(TEXT, b"y")),
    (1002, frame(PING, b"a" * 126)),
    (1002, frame(PING, b"a", final=False)),
    (1002, frame(CLOSE, b"a")),
    (1002, frame(CLOSE, struct.pack("!H", 1005))),
    (1002, b"GET / HTTP/1.1\r\n\r\n"),
    (1007, frame(TEXT, b'{"type":"ping"}\xff')),
    (1007, frame(TEXT, b"\xed\xa0\x80")),  # a lone surrogate
    (1007, frame(TEXT, b"\xe2\x82", final=False) + frame(CONTINUATION)),
    (1007, frame(CLOSE, struct.pack("!H", 1000) + b"\xff")),
    (1009, frame(TEXT, b"x" * 1000, announced=100_000_000)),
    (1009, frame(BINARY, announced=2**62)),
    (1009, frame(TEXT, announced=2**63)),
    (1009, frame(TEXT, b"x" * MIB, final=False) + frame(CONTINUATION, announced=1)),
    (1000, frame(CLOSE, struct.pack("!H", 1000))),
    (None, frame(CLOSE) + frame(TEXT, b'{"type":"ping"}')),
]


def test_it_ends_what_is_no_websocket(server: Marketplace) -> None:
    for code, sent in FRAMES:
        with RawSocket.opened(server.port) as raw:
            raw.socket.sendall(sent)
            assert raw.close_code() == code, sent[:40]


def test_it_puts_messages_together(server: Marketplace) -> None:
    parts = [frame(CONTINUATION, b"%c" % byte, final=False) for byte in b'ype":"ping"']
    for sent in (
        frame(TEXT, b'{"type":"ping"}'),
        frame(TEXT, b'{"t', final=False) + b"".join(parts) + frame(CONTINUATION, b"}"),
        frame(TEXT, b'{"type":', final=False) + frame(PING, b"?") + frame(CONTINUATION, b'"ping"}'),
        frame(PONG, b"unasked") + frame(TEXT, b'{"type":"p\\u0069ng"}' + b" " * 16_000),
    ):
        with RawSocket.opened(server.port) as raw:
            raw.socket.sendall(sent)
            assert b'"type": "pong"' in raw.read_until(b"pong"), sent


def test_it_says_what_a_large_message_is(server: Marketplace) -> None:
    """Bytes count, not characters, up to what the server reads at all."""
    ping = b'{"type":"ping"}'
    for size, expected in (
        (16 * 1024, b"pong"),
        (16 * 1024 + 1, b"too-large"),
        (MIB, b"too-large"),
    ):
        with RawSocket.opened(server.port) as raw:
            raw.socket.sendall(frame(TEXT, ping + b" " * (size - len(ping))))
            raw.read_until(expected)
    with RawSocket.opened(server.port) as raw:
        raw.socket.sendall(frame(TEXT, b'{"type":"ping","x":"%s"}' % ("\u20ac" * 6_000).encode()))
        raw.read_until(b"too-large")


FLOODS = {
    "pings": frame(PING),
    "pongs": frame(PONG),
    "fragments": frame(CONTINUATION, final=False),
    "messages": frame(TEXT),
}


@pytest.mark.parametrize("kind", FLOODS)
async def test_it_lets_nobody_flood_it(server: Marketplace, kind: str) -> None:
    """Hundreds of thousands of tiny frames a second left no time for anybody else."""

    def flood() -> int | None:
        with RawSocket.opened(server.port) as raw:
            raw.socket.sendall(frame(TEXT, final=False) if kind == "fragments" else b"")
            try:
                raw.socket.sendall(FLOODS[kind] * 20_000)
            except ConnectionError:
                return None  # ended before all was sent
            return raw.close_code()

    async with await listen(server, channels="catalogue") as stream:
        # Where the end overtakes the code, the client has only the end.
        assert await in_thread(flood) in {4400, None}
        publish_thing(1, to="catalogue")
        await stream.until("thing-happened")


async def test_it_says_nothing_to_whom_it_ended(server: Marketplace) -> None:
    """Much waits for a client that breaks the protocol before it reads on."""
    with RawSocket.opened(server.port, receive_buffer=4096) as raw:
        for number in range(100):
            publish_thing(number, to="catalogue", text="x" * 100_000)
        await settled()
        raw.socket.sendall(frame(3))
        publish_thing(0, to="catalogue")
        await settled()
        await in_thread(raw.read_to_end)
