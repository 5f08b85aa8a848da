"""A WebSocket by hand, byte for byte: for frames that no library sends."""

import base64
import secrets
import socket
import struct
from types import TracebackType

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
CONTINUATION = 0


PATH = b"/ws/events?channels=catalogue"


def handshake(port: int, target: bytes = PATH, **changes: bytes) -> bytes:
    """The request that opens a WebSocket.

    changes: other headers by name, with _ for -; one that is empty is left out.
    """
    headers = {
        b"Host": b"127.0.0.1:%d" % port,
        b"Connection": b"Upgrade",
        b"Upgrade": b"websocket",
        b"Sec-WebSocket-Key": base64.b64encode(secrets.token_bytes(16)),
        b"Sec-WebSocket-Version": b"13",
    }
    headers |= {name.replace("_", "-").encode(): value for name, value in changes.items()}
    lines = [b"%s: %s\r\n" % (name, value) for name, value in headers.items() if value]
    return b"GET %s HTTP/1.1\r\n%s\r\n" % (target, b"".join(lines))


def frame(
    opcode: int,
    data: bytes = b"",
    *,
    final: bool = True,
    masked: bool = True,
    reserved: int = 0,
    announced: int | None = None,
) -> bytes:
    """One frame, right or wrong. announced: the length that it claims to have."""
    size = len(data) if announced is None else announced
    first = (0x80 if final else 0) | reserved | opcode
    mask = 0x80 if masked else 0
    if size < 126:
        head = struct.pack("!BB", first, mask | size)
    elif size < 2**16:
        head = struct.pack("!BBH", first, mask | 126, size)
    else:
        head = struct.pack("!BBQ", first, mask | 127, size)
    return head + (b"\0\0\0\0" if masked else b"") + data


class RawSocket:
    """A TCP connection to the server."""

    def __init__(self, port: int, *, receive_buffer: int | None = None) -> None:
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(10)
        self.socket.connect(("127.0.0.1", port))

    @classmethod
    def opened(cls, port: int, *, receive_buffer: int | None = None) -> "RawSocket":
        """One whose WebSocket is open, and its channel subscribed."""
        raw = cls(port, receive_buffer=receive_buffer)
        raw.socket.sendall(handshake(port))
        raw.read_until(b'"type":"subscribed"')
        return raw

    def read_until(self, mark: bytes) -> bytes:
        """What comes up to that mark, and a little more; ConnectionError at the end."""
        data = b""
        while mark not in data:
            if not (more := self.socket.recv(65536)):
                raise ConnectionError(f"The server ended the connection: {data!r}")
            data += more
        return data

    def read_to_end(self) -> bytes:
        """All that still comes; TimeoutError where the server does not end the connection."""
        data = b""
        try:
            while more := self.socket.recv(65536):
                data += more
        except ConnectionError:
            pass  # reset: it had not read all that was sent
        return data

    def close_code(self) -> int | None:
        """The code with which the server ends the connection; None where it says none."""
        _, found, rest = self.read_to_end().rpartition(b"\x88")
        return struct.unpack("!H", rest[1:3])[0] if found and len(rest) >= 3 else None

    def reset(self) -> None:
        """Break the connection as a machine does that has lost it."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def __enter__(self) -> "RawSocket":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.socket.close()
