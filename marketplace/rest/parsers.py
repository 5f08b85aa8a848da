"""JSON in: strict, and whatever is sent, never a fault of ours."""

from collections.abc import Mapping
from typing import IO, Any

import msgspec
from django.utils.translation import gettext_lazy as _
from rest_framework import parsers
from rest_framework.exceptions import ParseError


class JSONParser(parsers.JSONParser):
    """Reads UTF-8 JSON by the letter of RFC 8259.

    ParseError (400 `parse_error`) for anything else: NaN and Infinity, numbers beyond a double,
    lone surrogates, nesting deeper than the interpreter follows. The framework has checked the
    body's length before (DATA_UPLOAD_MAX_MEMORY_SIZE), because this is its own parser's subclass.
    """

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            return msgspec.json.decode(stream.read())
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ParseError(_("The body is not JSON: %(why)s.") % {"why": error}) from error
        except RecursionError as error:
            raise ParseError(_("The body is nested too deeply.")) from error
