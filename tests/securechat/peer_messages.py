"""Bundles and envelopes of `mkt-chat/1` as bytes, apart from what the ratchet makes of them."""

from dataclasses import dataclass
from typing import Literal, Self

from tests.securechat.peer_primitives import (
    CIPHERTEXT,
    ENCAPSULATION_KEY,
    KEY,
    TAG,
    ChatError,
    check_encapsulation_key,
    check_exchange_key,
    lp,
    number,
    sha256,
)

Role = Literal["buyer", "seller"]
ROLES: dict[Role, bytes] = {"buyer": b"\x42", "seller": b"\x53"}
VERSION = b"\x01"
BUNDLE = 1250
SALT = 16
HEADER = 3 + KEY + ENCAPSULATION_KEY + CIPHERTEXT + 4 + 4 + SALT
SMALLEST, LARGEST = 256, 32_768  # of padded plaintexts
PADDED = {SMALLEST << power for power in range(8)}


class Reader:
    """Takes fields from bytes, one after the other."""

    def __init__(self, content: bytes) -> None:
        """Start at the first byte."""
        self._content = content

    def take(self, size: int) -> bytes:
        """The next bytes."""
        taken, self._content = self._content[:size], self._content[size:]
        return taken

    def number(self) -> int:
        """The next whole number."""
        return int.from_bytes(self.take(4), "big")


def role_of(code: bytes) -> Role:
    """The role of this byte."""
    for role, its_code in ROLES.items():
        if code == its_code:
            return role
    raise ChatError("malformed")


@dataclass(frozen=True)
class Bundle:
    """What one side publishes for an epoch."""

    role: Role
    identity: bytes
    pub: bytes
    ek: bytes

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """The bundle of these bytes, its keys checked."""
        reader = Reader(content)
        if len(content) != BUNDLE or reader.take(1) != VERSION:
            raise ChatError("malformed")
        role = role_of(reader.take(1))
        bundle = cls(role, reader.take(KEY), reader.take(KEY), reader.take(ENCAPSULATION_KEY))
        check_exchange_key(bundle.identity)
        check_exchange_key(bundle.pub)
        check_encapsulation_key(bundle.ek)
        return bundle

    def encode(self) -> bytes:
        """Its bytes."""
        return VERSION + ROLES[self.role] + self.identity + self.pub + self.ek


@dataclass(frozen=True)
class Context:
    """What keys are bound to beside the bundles: where, about what, who, and which epoch."""

    host: str
    session_id: str
    product_id: int
    buyer_id: int
    seller_id: int
    epoch: int

    def encode(self) -> bytes:
        """`ctx` of the specification."""
        texts = self.host, self.session_id, self.product_id, self.buyer_id, self.seller_id
        return b"".join(lp(str(text).encode()) for text in texts) + number(self.epoch)


def transcript_hash(context: Context, buyer: bytes, seller: bytes) -> bytes:
    """`TH`: what both sides must have seen alike."""
    return sha256(b"mkt-chat/1 transcript" + lp(context.encode()) + lp(buyer) + lp(seller))


@dataclass(frozen=True)
class Header:
    """What stands in front of a message in clear, and is authenticated with it."""

    role: Role
    is_initial: bool
    pub: bytes
    ek: bytes
    ct: bytes
    previous: int
    number: int
    salt: bytes

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """The header of an envelope whose form is right."""
        if len(content) - HEADER - TAG not in PADDED:
            raise ChatError("malformed")
        reader = Reader(content)
        if reader.take(1) != VERSION:
            raise ChatError("malformed")
        role = role_of(reader.take(1))
        flag = reader.take(1)
        if flag not in (b"\x00", b"\x01"):
            raise ChatError("malformed")
        keys = reader.take(KEY), reader.take(ENCAPSULATION_KEY), reader.take(CIPHERTEXT)
        return cls(
            role, flag == b"\x01", *keys, reader.number(), reader.number(), reader.take(SALT)
        )

    @property
    def chain_id(self) -> bytes:
        """Which chain the message is of."""
        return sha256(self.pub + self.ek + self.ct)

    def encode(self) -> bytes:
        """Its bytes."""
        flag = b"\x01" if self.is_initial else b"\x00"
        keys = self.pub + self.ek + self.ct
        counts = number(self.previous) + number(self.number)
        return VERSION + ROLES[self.role] + flag + keys + counts + self.salt


def padded_size(size: int) -> int:
    """The length of a plaintext of that size once it is padded."""
    for padded in sorted(PADDED):
        if size < padded:
            return padded
    raise ChatError("malformed")


def pad(plaintext: bytes) -> bytes:
    """Hide the exact length."""
    return (plaintext + b"\x80").ljust(padded_size(len(plaintext)), b"\x00")


def unpad(padded: bytes) -> bytes:
    """What `pad` was given; `unverified` for what it never gives."""
    plaintext, mark, rest = padded.rpartition(b"\x80")
    if not mark or rest.strip(b"\x00") or pad(plaintext) != padded:
        raise ChatError("unverified")
    return plaintext
