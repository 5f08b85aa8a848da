"""Uploads that are too large, too many, or all at once."""

import json
import socket
from collections import Counter
from collections.abc import Iterator
from functools import partial

import httpx
import pytest

from marketplace.accounts.models import User
from products.imports.files import MAX_REQUEST_BYTES
from products.imports.models import Import
from products.imports.services import MAX_UNFINISHED
from products.models import Product
from tests.imports.things import URL, csv_file, hand_in, row, wait_until
from tests.streams.things import bearer, rest
from tests.support.races import at_once
from tests.support.servers import Marketplace

pytestmark = pytest.mark.django_db(transaction=True)

PIECE = b"x" * 256 * 1024
# What is under way between the two when the answer comes.
BUFFERS_BYTES = 16 * 1024 * 1024


def head(server: Marketplace, user: User, length: str) -> bytes:
    """The head of an upload whose body does not follow by itself."""
    lines = [
        f"POST {URL} HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        "Content-Type: multipart/form-data; boundary=x",
        length,
        *(f"{name}: {value}" for name, value in bearer(user).items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def answer_on(client: socket.socket) -> tuple[int, str]:
    """The status of what the server answers, and the code of its first error."""
    client.settimeout(30)
    received = b""
    while piece := client.recv(65536):
        received += piece
    start, _, body = received.partition(b"\r\n\r\n")
    return int(start.split()[1]), json.loads(body)["errors"][0]["code"]


def pieces() -> Iterator[bytes]:
    """A body in chunks, without end."""
    chunk = b"%x\r\n%s\r\n" % (len(PIECE), PIECE)
    while True:
        yield chunk


def test_a_body_that_is_too_large_is_refused_before_it_is_read(
    seller: User, live_server_process: Marketplace
) -> None:
    server = live_server_process
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(head(server, seller, f"Content-Length: {MAX_REQUEST_BYTES + 1}"))
        assert answer_on(client) == (413, "too_large")  # and not a byte of it was sent

    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.settimeout(30)
        client.sendall(head(server, seller, "Transfer-Encoding: chunked"))
        sent = 0
        try:
            for piece in pieces():
                client.sendall(piece)
                sent += len(PIECE)
                assert sent < MAX_REQUEST_BYTES + BUFFERS_BYTES
        except (BrokenPipeError, ConnectionResetError):
            assert answer_on(client) == (413, "too_large")
        assert sent > MAX_REQUEST_BYTES - len(PIECE)
    assert not Import.objects.exists()
    assert httpx.get(f"{server.url}/health").status_code == 200
    assert "Traceback" not in server.log.read_text()


def test_uploads_at_once_are_done_one_after_the_other(
    seller: User, other_seller: User, live_server_process: Marketplace
) -> None:
    server = live_server_process
    content = csv_file(row(number) for number in range(100))

    def send(user: User) -> int:
        with rest(server, user) as api:
            return api.post(URL, files={"file": ("catalogue.csv", content)}).status_code

    sellers = [seller] * 20 + [other_seller] * 2
    assert at_once([partial(send, user) for user in sellers]) == Counter({202: 22})
    wait_until(lambda: not Import.objects.unfinished().exists(), "They come to no end.")
    jobs = Import.objects.order_by("seller", "finished_at")
    assert Counter((job.seller_id, job.status, job.created, job.updated) for job in jobs) == {
        (seller.pk, "done", 100, 0): 1,
        (seller.pk, "done", 0, 100): 19,
        (other_seller.pk, "done", 100, 0): 1,
        (other_seller.pk, "done", 0, 100): 1,
    }
    assert Counter(Product.objects.values_list("seller", "version")) == {
        (seller.pk, 1): 100,
        (other_seller.pk, 1): 100,
    }


def test_no_more_wait_than_may_when_they_come_at_once(seller: User) -> None:
    content = csv_file([row(1)])
    for _ in range(MAX_UNFINISHED - 2):
        hand_in(seller, content)
    outcome = at_once([lambda: bool(hand_in(seller, content))] * 8)
    assert outcome == Counter({True: 2, "too_many_imports": 6})
    assert Import.objects.count() == MAX_UNFINISHED
