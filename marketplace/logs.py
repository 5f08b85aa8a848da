"""How log lines look, and what must never stand in one."""

import json
import logging
import re
from datetime import UTC, datetime

_SECRET = re.compile(r"\b(token|ticket)=[^&\s\"']+")


class RedactSecrets(logging.Filter):
    """Blanks tokens and tickets in URLs: servers log whole request lines (daphne does)."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record's message where it holds one; every record passes."""
        message = record.getMessage()
        if "token=" in message or "ticket=" in message:
            record.msg, record.args = _SECRET.sub(r"\1=…", message), None
        return True


class ShortenRefusals(logging.Filter):
    """Leaves one line of a request that Django refuses as suspicious: a foreign Host, a path that
    climbs, too many fields. Whoever scans the site would fill the log with tracebacks."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Take the traceback, and the client's own line breaks; every record passes."""
        if record.name.startswith("django.security."):
            record.exc_info = record.exc_text = None
            message = record.getMessage()
            record.msg, record.args = message.encode("unicode_escape").decode("ascii"), None
        return True


# What every record has; the rest was given with `extra`.
_ORDINARY = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """One JSON object a line, for machines."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON: time (UTC), level, logger, message, traceback, and its `extra`."""
        moment = datetime.fromtimestamp(record.created, UTC)
        line = {
            "time": moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        extra = {name: value for name, value in vars(record).items() if name not in _ORDINARY}
        return json.dumps({**line, **extra}, ensure_ascii=False, default=str)
