"""JSON in: strict, and whatever is sent, never a fault of ours."""

from collections.abc import Mapping
from typing import IO, Any

import msgspec
from django.utils.translation import gettext_lazy as _
from rest_framework import parsers
from rest_framework.exceptions import ParseError

# No body of this API needs more than five levels; what shows or compares values recurses.
MAX_DEPTH = 32


class TooDeep(ParseError):
    """Arrays and objects stand in one another beyond all use."""

    default_detail = _("The body is nested too deeply.")


class JSONParser(parsers.JSONParser):
    """Reads UTF-8 JSON by the letter of RFC 8259.

    ParseError (400 `parse_error`) for anything else: NaN and Infinity, numbers beyond a double,
    lone surrogates, nesting deeper than MAX_DEPTH. The framework has checked the
    body's length before (DATA_UPLOAD_MAX_MEMORY_SIZE), because this is its own parser's subclass.
    """

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            body = msgspec.json.decode(stream.read())
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ParseError(_("The body is not JSON: %(why)s.") % {"why": error}) from error
        except RecursionError as error:
            raise TooDeep from error
        _refuse_depth(body)
        return body


def _refuse_depth(body: Any) -> None:
    """Raise TooDeep where values stand more than MAX_DEPTH levels in one another."""
    level = [body]
    for _depth in range(MAX_DEPTH + 1):
        children: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                children.extend(value.values())
            elif isinstance(value, list):
                children.extend(value)
        if not children:
            return
        level = children
    raise TooDeep
