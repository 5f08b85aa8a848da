"""JSON out: encoded by msgspec, as events are."""

from collections.abc import Mapping
from typing import Any

import msgspec
from django.utils.functional import Promise
from rest_framework.renderers import BaseRenderer


def _as_text(value: Any) -> str:
    if isinstance(value, Promise):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form.")


_encoder = msgspec.json.Encoder(enc_hook=_as_text)


def encode_json(value: Any) -> bytes:
    """The value as JSON; TypeError for what has no JSON form."""
    return _encoder.encode(value)


class JSONRenderer(BaseRenderer):
    """Answers of the API. JSON is UTF-8 and has no charset parameter (RFC 8259)."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return b"" if data is None else encode_json(data)
