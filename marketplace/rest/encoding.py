"""JSON out, encoded by msgspec as events are."""

from typing import Any

import msgspec
from django.utils.functional import Promise


def _as_text(value: Any) -> str:
    if isinstance(value, Promise):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form.")


_encoder = msgspec.json.Encoder(enc_hook=_as_text)


def encode_json(value: Any) -> bytes:
    """The value as JSON; TypeError for what has no JSON form."""
    return _encoder.encode(value)
