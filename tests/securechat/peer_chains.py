"""The ratchet of `mkt-chat/1` as data, and the steps that move its chains."""

import os
from dataclasses import dataclass, field, replace

from tests.securechat.peer_messages import SALT, Bundle
from tests.securechat.peer_primitives import (
    KEY,
    ChatError,
    check_exchange_key,
    decapsulate,
    encapsulate,
    hkdf,
    hmac,
    kem_public,
    sha256,
    x25519,
    x25519_public,
)

SKIPPED_AT_ONCE = 256
SKIPPED_IN_ALL = 512


class Source:
    """Where a peer takes what must be fresh; tests of known answers give what they know."""

    def exchange_seed(self) -> bytes:
        """A new X25519 private key."""
        return os.urandom(KEY)

    def kem_seed(self) -> bytes:
        """The seed of a new ML-KEM pair."""
        return os.urandom(2 * KEY)

    def encapsulate(self, ek: bytes) -> tuple[bytes, bytes]:
        """A new ciphertext for that key, and its secret."""
        return encapsulate(ek)

    def salt(self) -> bytes:
        """A message's salt."""
        return os.urandom(SALT)


@dataclass(frozen=True)
class Pair:
    """An X25519 and an ML-KEM key that are used together."""

    exchange_seed: bytes
    kem_seed: bytes
    pub: bytes = field(init=False)
    ek: bytes = field(init=False)

    def __post_init__(self) -> None:
        """Derive the public halves."""
        object.__setattr__(self, "pub", x25519_public(self.exchange_seed))
        object.__setattr__(self, "ek", kem_public(self.kem_seed))

    def secrets(self, pub: bytes, ct: bytes) -> bytes:
        """What both kinds of keys share with who made (pub, ct) for them."""
        check_exchange_key(pub)
        return x25519(self.exchange_seed, pub) + decapsulate(self.kem_seed, ct)


@dataclass(frozen=True)
class SendingChain:
    """The messages that this side sends until it hears of a new key."""

    pub: bytes
    ek: bytes
    ct: bytes
    key: bytes
    previous: int
    is_initial: bool = False
    next: int = 0


@dataclass(frozen=True)
class ReceivingChain:
    """The messages that the other side sends with one key."""

    id: bytes
    key: bytes
    next: int = 0


@dataclass
class State:
    """All that changes with a message."""

    root: bytes
    pair: Pair
    sending: SendingChain
    receiving: ReceivingChain | None = None
    initial: ReceivingChain | None = None
    initial_length: int = 0  # known from the first turn of receiving on
    turns: int = 0  # of receiving
    skipped: dict[tuple[bytes, int], bytes] = field(default_factory=dict)

    def copy(self) -> "State":
        """One that may be thrown away."""
        return replace(self, skipped=dict(self.skipped))


@dataclass(frozen=True)
class Session:
    """All that stays as it was agreed."""

    th: bytes
    root: bytes  # the first one
    init_seed: bytes
    confirmation_key: bytes
    own: Pair
    seller: Bundle


def kdf_root(session: Session, root: bytes, secrets: bytes, chain_id: bytes) -> tuple[bytes, bytes]:
    """The next root key, and the key of that chain."""
    keys = hkdf(root, secrets, b"mkt-chat/1 rk" + session.th + chain_id, 2 * KEY)
    return keys[:KEY], keys[KEY:]


def kdf_chain(key: bytes) -> tuple[bytes, bytes]:
    """A message key, and the chain's next key."""
    return hmac(key, b"\x01"), hmac(key, b"\x02")


def initial_chain_key(session: Session, secret: bytes, ct: bytes) -> bytes:
    """The key of the chain with which the seller begins."""
    info = b"mkt-chat/1 init s->b" + session.th + sha256(ct)
    return hkdf(session.init_seed, secret, info, KEY)


def message_key(session: Session, key: bytes, salt: bytes) -> tuple[bytes, bytes]:
    """Key and IV of AES-GCM."""
    keys = hkdf(salt, key, b"mkt-chat/1 msg" + session.th, KEY + 12)
    return keys[:KEY], keys[KEY:]


def skip(state: State, chain: ReceivingChain, until: int) -> tuple[ReceivingChain, int]:
    """Keep the keys of what has not come yet; returns the chain at `until`, and how many."""
    count = max(until - chain.next, 0)
    if count > SKIPPED_AT_ONCE:
        raise ChatError("too-far")
    for _ in range(count):
        key, following = kdf_chain(chain.key)
        state.skipped[chain.id, chain.next] = key
        chain = replace(chain, key=following, next=chain.next + 1)
    while len(state.skipped) > SKIPPED_IN_ALL:
        del state.skipped[next(iter(state.skipped))]
    return chain, count
