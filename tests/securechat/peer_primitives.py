"""What the peer of `mkt-chat/1` builds on: `cryptography`, and how bytes are joined."""

import hashlib
import hmac as standard_hmac
import os
from typing import Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

Reason = Literal[
    "malformed", "reflected", "retired", "replayed", "too-far", "unverified", "invalid-key"
]

KEY = 32  # bytes of an X25519 key, of a secret and of a digest
ENCAPSULATION_KEY = 1184
CIPHERTEXT = 1088
TAG = 16
FIELD = 2**255 - 19
FINGERPRINT_ITERATIONS = 5200


class ChatError(Exception):
    """Bytes that the protocol refuses, and why."""

    def __init__(self, reason: Reason) -> None:
        """Keep the reason for who asks."""
        super().__init__(reason)
        self.reason: Reason = reason


def number(value: int) -> bytes:
    """A whole number as the protocol writes it."""
    return value.to_bytes(4, "big")


def lp(value: bytes) -> bytes:
    """The bytes behind their length."""
    return number(len(value)) + value


def sha256(value: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(value).digest()


def hmac(key: bytes, value: bytes) -> bytes:
    """HMAC with SHA-256."""
    return standard_hmac.digest(key, value, "sha256")


def hkdf(salt: bytes, ikm: bytes, info: bytes, length: int) -> bytes:
    """HKDF with SHA-256."""
    return HKDF(hashes.SHA256(), length=length, salt=salt, info=info).derive(ikm)


def gcm_seal(key: bytes, iv: bytes, plaintext: bytes, associated: bytes) -> bytes:
    """AES-GCM ciphertext with its tag at the end."""
    return AESGCM(key).encrypt(iv, plaintext, associated)


def gcm_open(key: bytes, iv: bytes, ciphertext: bytes, associated: bytes) -> bytes:
    """The plaintext; `unverified` where the tag is not of these bytes and this key."""
    try:
        return AESGCM(key).decrypt(iv, ciphertext, associated)
    except InvalidTag as error:
        raise ChatError("unverified") from error


def x25519(private: bytes, public: bytes) -> bytes:
    """X25519 as RFC 7748 has it, but for an all-zero result, which is refused."""
    try:
        loaded = X25519PublicKey.from_public_bytes(public)
        return X25519PrivateKey.from_private_bytes(private).exchange(loaded)
    except ValueError as error:
        raise ChatError("invalid-key") from error


def x25519_public(private: bytes) -> bytes:
    """The public key of a private one."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def check_exchange_key(public: bytes) -> None:
    """Refuse an X25519 key that is not canonical or of low order."""
    if len(public) != KEY or int.from_bytes(public, "little") >= FIELD:
        raise ChatError("invalid-key")
    x25519(os.urandom(KEY), public)


def check_encapsulation_key(public: bytes) -> None:
    """Refuse an ML-KEM key that FIPS 203 refuses."""
    encapsulate(public)


def kem_public(seed: bytes) -> bytes:
    """The encapsulation key of a 64-byte seed."""
    return MLKEM768PrivateKey.from_seed_bytes(seed).public_key().public_bytes_raw()


def encapsulate(public: bytes) -> tuple[bytes, bytes]:
    """A fresh ciphertext for the key, and the secret in it."""
    try:
        secret, ciphertext = MLKEM768PublicKey.from_public_bytes(public).encapsulate()
    except ValueError as error:
        raise ChatError("invalid-key") from error
    return ciphertext, secret


def decapsulate(seed: bytes, ciphertext: bytes) -> bytes:
    """The secret in the ciphertext; another one, and no error, where it is for another key."""
    return MLKEM768PrivateKey.from_seed_bytes(seed).decapsulate(ciphertext)


def fingerprint(user_id: str, identity: bytes) -> str:
    """One side's 30 digits of the safety number."""
    key = b"\x05" + identity
    digest = b"\x00\x00" + key + user_id.encode()
    for _ in range(FINGERPRINT_ITERATIONS):
        digest = hashlib.sha512(digest + key).digest()
    chunks = (int.from_bytes(digest[start : start + 5], "big") for start in range(0, 30, 5))
    return "".join(f"{chunk % 100_000:05}" for chunk in chunks)


def safety_number(
    user_id: int | str, identity: bytes, other_user_id: int | str, other_identity: bytes
) -> str:
    """The 60 digits that both sides compare: libsignal's numeric fingerprint, version 1."""
    sides = fingerprint(str(user_id), identity), fingerprint(str(other_user_id), other_identity)
    return "".join(sorted(sides))
