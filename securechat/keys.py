"""Public keys as participants submit them (docs/securechat-protocol.md, "Bundle"). No I/O.

The server cannot tell whose keys they are. It refuses those with which no secret could come about:
a peer that is lazy, or was fooled, is spared what it should have checked itself.
"""

from collections.abc import Iterator
from typing import Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from securechat.wire import NotBase64url, from_base64url

Role = Literal["buyer", "seller"]

ROLES: tuple[Role, Role] = ("buyer", "seller")
BUNDLE_BYTES = 1250
VERSION = 1
ROLE_BYTES: dict[Role, int] = {"buyer": 0x42, "seller": 0x53}
IDENTITY = slice(2, 34)
EXCHANGE = slice(34, 66)
ENCAPSULATION = slice(66, BUNDLE_BYTES)

# The prime of Curve25519. A number at or above it, or with the top bit, is a second name for a key.
_P = 2**255 - 19


class BadBundle(ValueError):
    """The text is no bundle of this role whose keys are sound. Its message says why."""


def check_bundle(text: str, *, role: Role) -> None:
    """Raise BadBundle unless the text is a bundle of that role, in base64url, with sound keys."""
    for problem in _problems(text, role):
        raise BadBundle(problem)


def _problems(text: str, role: Role) -> Iterator[str]:
    """What is wrong; the first one found is enough."""
    try:
        bundle = from_base64url(text)
    except NotBase64url:
        yield "It is not base64url without padding."
        return
    if len(bundle) != BUNDLE_BYTES:
        yield f"A bundle has {BUNDLE_BYTES} bytes."
    elif bundle[0] != VERSION:
        yield "Its version is unknown."
    elif bundle[1] != ROLE_BYTES[role]:
        yield "It is of the other role."
    elif not all(is_sound_exchange_key(bundle[part]) for part in (IDENTITY, EXCHANGE)):
        yield "An X25519 key is not canonical or of low order."
    elif not is_sound_encapsulation_key(bundle[ENCAPSULATION]):
        yield "The ML-KEM-768 key is invalid."


def is_sound_exchange_key(key: bytes) -> bool:
    """Whether an exchange with this X25519 public key gives a secret, and the key is canonical."""
    if len(key) != 32 or int.from_bytes(key, "little") >= _P:
        return False
    try:
        X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(key))
    except ValueError:  # an all-zero result: RFC 7748 §6.1
        return False
    return True


def is_sound_encapsulation_key(key: bytes) -> bool:
    """Whether the key passes the modulus check of FIPS 203 §7.2."""
    try:
        MLKEM768PublicKey.from_public_bytes(key)
    except (ValueError, UnsupportedAlgorithm):
        return False
    return True
