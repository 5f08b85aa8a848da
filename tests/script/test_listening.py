"""What the kernel is told about the connections of the production server."""

import socket

from marketplace.server import STALLED_MILLISECONDS, UNSENT_BYTES, listen


def test_its_connections_end_when_they_take_nothing_and_hold_little() -> None:
    with listen("127.0.0.1", 0) as listener, socket.socket() as client:
        listener.listen()
        listener.setblocking(True)
        client.connect(listener.getsockname())
        accepted, _ = listener.accept()
        with accepted:
            timeout = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
            unsent = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT)
    assert timeout == STALLED_MILLISECONDS
    assert unsent == UNSENT_BYTES
