"""Pure encoders: how a message looks on the two wires. No I/O, no state."""

import re

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_FORBIDDEN = re.compile(r"[\r\n\0]")


def numbered(payload: str, position: int) -> str:
    """The JSON object of an encoded message with its id in front.

    payload is a JSON object with at least one member, as Message.encode() makes it.
    """
    return f'{{"id":{position},{payload[1:]}'


def sse_frame(*, event: str, data: str, position: int | None = None) -> bytes:
    """One frame of a text/event-stream (WHATWG HTML, server-sent events).

    Without a position there is no id line, so that the client keeps the cursor it has. Raises
    ValueError for an event name with a line break or NUL: it could forge a frame.
    """
    if _FORBIDDEN.search(event):
        raise ValueError(f"{event!r} cannot be the name of an event.")
    lines = [] if position is None else [f"id: {position}"]
    lines.append(f"event: {event}")
    lines.extend(f"data: {line}" for line in _LINE_BREAK.split(data))
    return ("\n".join(lines) + "\n\n").encode()


def chunk(body: bytes) -> bytes:
    """The bytes as one chunk of a chunked HTTP body (RFC 9112, 7.1); they must not be empty."""
    return b"%x\r\n%b\r\n" % (len(body), body)


def websocket_text(text: str) -> bytes:
    """The text as a WebSocket message in one frame, as a server sends it (RFC 6455, 5.2)."""
    payload = text.encode()
    size = len(payload)
    if size < 126:
        return b"\x81%c%b" % (size, payload)
    if size < 1 << 16:
        return b"\x81\x7e%b%b" % (size.to_bytes(2, "big"), payload)
    return b"\x81\x7f%b%b" % (size.to_bytes(8, "big"), payload)


def ping_text(timestamp: str, position: int) -> str:
    """The heartbeat of a WebSocket (contract §8)."""
    return f'{{"id":{position},"type":"ping","timestamp":"{timestamp}"}}'


def sse_preamble(retry_milliseconds: int) -> bytes:
    """The first line of a stream, in its first frame: how long EventSource waits before it comes
    back."""
    return f"retry: {retry_milliseconds}\n".encode()
