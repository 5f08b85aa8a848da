"""What only a real server shows: bodies that come in chunks."""

import json
from collections.abc import Iterator

import httpx

from marketplace.accounts.models import User
from tests.support.people import PASSWORD
from tests.support.servers import Marketplace

JSON = {"Content-Type": "application/json"}


def in_chunks(body: bytes) -> Iterator[bytes]:
    """The body in pieces, so that nobody knows its length beforehand."""
    for start in range(0, len(body), 64 * 1024):
        yield body[start : start + 64 * 1024]


def code_of(answer: httpx.Response) -> tuple[int, str]:
    """The status and the code of a refusal."""
    return answer.status_code, answer.json()["errors"][0]["code"]


def test_it_reads_bodies_that_come_in_chunks(buyer: User, live_server_process: Marketplace) -> None:
    body = json.dumps({"username": "buyer", "password": PASSWORD}).encode()
    url = f"{live_server_process.url}/api/auth/token"
    answer = httpx.post(url, content=in_chunks(body), headers=JSON)
    assert answer.status_code == 200
    assert set(answer.json()) == {"access", "refresh"}


def test_it_refuses_large_bodies_that_come_in_chunks(live_server_process: Marketplace) -> None:
    body = json.dumps({"username": "x" * 1024 * 1024}).encode()
    url = f"{live_server_process.url}/api/auth/token"
    answer = httpx.post(url, content=in_chunks(body), headers=JSON)
    assert code_of(answer) == (413, "too_large")
