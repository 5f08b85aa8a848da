"""Bodies that are larger, wider or deeper than any that a client needs."""

import contextlib
import json
import socket
from urllib.parse import urlsplit

import pytest
from rest_framework.test import APIClient

from marketplace.rest.body_limit import MAX_BODY_BYTES, MAX_UPLOAD_BYTES
from tests.support.servers import Marketplace

pytestmark = pytest.mark.django_db


def exchange(server: Marketplace, head: str, body: bytes = b"") -> bytes:
    """What the server answers to raw bytes, until it closes or nothing more comes."""
    address = urlsplit(server.url)
    with socket.create_connection((str(address.hostname), int(address.port or 0)), 10) as client:
        client.sendall(f"{head}\r\nHost: {address.netloc}\r\n\r\n".encode())
        answer = b""
        # It may have answered and closed before all was sent.
        with contextlib.suppress(OSError):
            client.sendall(body)
        with contextlib.suppress(OSError):
            while chunk := client.recv(65536):
                answer += chunk
        return answer


@pytest.mark.django_db(transaction=True)
def test_it_reads_no_more_than_the_limit_of_a_body(live_server_process: Marketplace) -> None:
    json_head = "POST /api/auth/token HTTP/1.1\r\nContent-Type: application/json"
    announced = exchange(
        live_server_process, f"{json_head}\r\nContent-Length: {MAX_BODY_BYTES + 1}"
    )
    assert announced.startswith(b"HTTP/1.1 413")
    assert json.loads(announced.partition(b"\r\n\r\n")[2])["errors"][0]["code"] == "too_large"
    size = 256 * 1024
    chunk = f"{size:x}\r\n".encode() + b" " * size + b"\r\n"
    chunked = exchange(
        live_server_process, f"{json_head}\r\nTransfer-Encoding: chunked", chunk * 8 + b"0\r\n\r\n"
    )
    assert b"413" in chunked.partition(b"\r\n")[0]
    form = "POST /login HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x"
    upload = exchange(live_server_process, f"{form}\r\nContent-Length: {MAX_UPLOAD_BYTES + 1}")
    assert upload.startswith(b"HTTP/1.1 413")


@pytest.mark.django_db(transaction=True)
def test_it_reads_no_endless_head_of_a_request(live_server_process: Marketplace) -> None:
    fields = b"".join(b"X-%d: %s\r\n" % (number, b"x" * 1000) for number in range(2000))
    address = urlsplit(live_server_process.url)
    with socket.create_connection((str(address.hostname), int(address.port or 0)), 10) as client:
        client.sendall(b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        with pytest.raises(OSError):  # noqa: PT011 whichever the kernel finds
            for _ in range(40):
                client.sendall(fields)
    with socket.create_connection((str(address.hostname), int(address.port or 0)), 10) as client:
        client.sendall(f"GET /health/live HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
        assert client.recv(64).startswith(b"HTTP/1.1 200")


def test_it_tells_of_so_many_unknown_fields_only() -> None:
    body = {f"unknown{number}": 1 for number in range(50_000)}
    answer = APIClient().post("/api/auth/token", body, format="json")
    assert answer.status_code == 400
    codes = [error["code"] for error in answer.json()["errors"]]
    assert codes.count("unknown_field") == 20


@pytest.mark.parametrize("depth", [33, 929, 100_000])
def test_it_refuses_what_is_nested_too_deeply(depth: int) -> None:
    body = '{"username": ' + "[" * depth + "]" * depth + "}"
    answer = APIClient().post("/api/auth/register", body, content_type="application/json")
    assert answer.status_code == 400
    assert [error["code"] for error in answer.json()["errors"]] == ["parse_error"]
