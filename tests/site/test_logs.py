"""LOG_FORMAT=json."""

import json
import logging
import sys

from marketplace.logs import JsonFormatter


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
