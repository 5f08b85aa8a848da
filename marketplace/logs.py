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

_SECRET = re.compile(r"\b(token|ticket)=[^&\s\"']+")


class RedactSecrets(logging.Filter):
    """Blanks tokens and tickets in URLs: some servers log whole request lines (daphne does)."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record's message where it holds one; every record passes."""
        message = record.getMessage()
        if "token=" in message or "ticket=" in message:
            record.msg, record.args = _SECRET.sub(r"\1=…", message), None
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object a line, for machines."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON: time, level, logger, message, and the traceback if there is one."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
