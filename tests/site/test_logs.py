"""What the log says, and how: LOG_FORMAT=json, and one line for a refusal."""

import json
import logging
import sys

import httpx
import pytest

from marketplace.logs import JsonFormatter
from tests.conftest import StartServer


def record(message: str, *arguments: object, **extra: object) -> logging.LogRecord:
    """A record as a logger makes it."""
    made = logging.getLogger("shop").makeRecord(
        "shop", logging.WARNING, __file__, 1, message, arguments, None, extra=extra
    )
    made.created = 1795256130.1234
    return made


def test_it_writes_one_object_a_line() -> None:
    line = JsonFormatter().format(record("two\nlines, %s", "ü"))
    assert "\n" not in line
    assert json.loads(line) == {
        "time": "2026-11-21T10:15:30.123Z",
        "level": "WARNING",
        "logger": "shop",
        "message": "two\nlines, ü",
    }


def test_it_writes_what_was_given_beside_the_message() -> None:
    line = JsonFormatter().format(record("sold", order_id=7, of={"a"}))
    assert json.loads(line)["order_id"] == 7
    assert json.loads(line)["of"] == "{'a'}"


def test_it_writes_tracebacks() -> None:
    made = record("broken")
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        made.exc_info = sys.exc_info()
    assert "ZeroDivisionError" in json.loads(JsonFormatter().format(made))["exception"]


FIELDS = "&a" * 1500


@pytest.mark.parametrize(
    "debug",
    [
        {"DEBUG": "true"},
        {"DEBUG": "false", "SECRET_KEY": "a key of this installation's own, long enough"},
    ],
    ids=["debug", "production"],
)
def test_it_writes_one_line_at_most_for_a_refused_request(
    start_server: StartServer, debug: dict[str, str]
) -> None:
    server = start_server(ALLOWED_HOSTS="127.0.0.1", **debug)
    # With this cookie the form is read, for the token in it.
    form = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": f"csrftoken={'x' * 32}",
    }
    requests = [
        httpx.Request("GET", f"{server.url}/", headers={"Host": "evil"}),
        httpx.Request("GET", f"{server.url}/api/products", headers={"Host": "evil"}),
        httpx.Request("GET", f"{server.url}/media/..%2f..%2f%0asettings.py"),
        httpx.Request("GET", f"{server.url}/?{FIELDS}"),
        httpx.Request("GET", f"{server.url}/api/products?{FIELDS}"),
        httpx.Request("POST", f"{server.url}/login", content=FIELDS, headers=form),
    ]
    with httpx.Client() as client:
        for request in requests:
            before = server.log.read_text().count("\n")
            answer = client.send(request)
            assert answer.status_code in {400, 404}, request.url.path
            written = server.log.read_text().count("\n") - before
            assert written <= 1, server.log.read_text()
