"""What the server sees of a message (docs/securechat-protocol.md, "Message"): its form. No I/O."""

from securechat.keys import ROLE_BYTES, VERSION, Role
from securechat.wire import NotBase64url, from_base64url

MAX_ENVELOPE_BYTES = 64 * 1024
HEADER_BYTES = 2331
TAG_BYTES = 16
LEAST_PADDED_BYTES = 256
MIN_ENVELOPE_BYTES = HEADER_BYTES + LEAST_PADDED_BYTES + TAG_BYTES


class BadEnvelope(ValueError):
    """The text is no envelope of this role. Its message says why."""


def check_envelope(text: str, *, role: Role) -> None:
    """Raise BadEnvelope unless the text is an envelope as a sender of that role makes it."""
    try:
        envelope = from_base64url(text)
    except NotBase64url as error:
        raise BadEnvelope("It is not base64url without padding.") from error
    if not MIN_ENVELOPE_BYTES <= len(envelope) <= MAX_ENVELOPE_BYTES:
        raise BadEnvelope(f"It has {MIN_ENVELOPE_BYTES} to {MAX_ENVELOPE_BYTES} bytes.")
    if envelope[0] != VERSION:
        raise BadEnvelope("Its version is unknown.")
    if envelope[1] != ROLE_BYTES[role]:
        raise BadEnvelope("Its header names the other role.")
