"""The form of the API's answers."""

from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import BaseRenderer

from marketplace.rest.encoding import encode_json


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
