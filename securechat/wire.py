"""Bytes in JSON: base64url without padding, in its one canonical form (RFC 4648 §5)."""

import base64
import binascii


class NotBase64url(ValueError):
    """The text is not base64url, or not in the one form of its bytes."""


def to_base64url(content: bytes) -> str:
    """The bytes as text, without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """The bytes that the text stands for. Raises NotBase64url.

    Each content has one text only: what was sent twice is recognised by it.
    """
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotBase64url(text[:20]) from error
    if to_base64url(content) != text:
        raise NotBase64url(text[:20])
    return content
