"""A party of `mkt-chat/1` in Python, written from docs/securechat-protocol.md alone.

The browser's modules are tested against it, so it shares neither code nor author with them.
"""

from dataclasses import dataclass, replace

from tests.securechat.peer_chains import (
    Pair,
    ReceivingChain,
    SendingChain,
    Session,
    Source,
    State,
    initial_chain_key,
    kdf_chain,
    kdf_root,
    message_key,
    skip,
)
from tests.securechat.peer_messages import (
    HEADER,
    ROLES,
    Bundle,
    Context,
    Header,
    Role,
    pad,
    transcript_hash,
    unpad,
)
from tests.securechat.peer_primitives import (
    KEY,
    ChatError,
    check_exchange_key,
    decapsulate,
    gcm_open,
    gcm_seal,
    hkdf,
    hmac,
    sha256,
    x25519,
    x25519_public,
)


@dataclass(frozen=True)
class Opened:
    """A message that verified.

    missed: how many before it have not come; is_late: it had been counted so itself.
    """

    plaintext: bytes
    missed: int
    is_late: bool


class Peer:
    """The buyer or the seller of one conversation."""

    session: Session
    state: State

    def __init__(
        self, role: Role, identity_seed: bytes | None = None, source: Source | None = None
    ) -> None:
        """Be that party, with a new identity where none is given."""
        self.role = role
        self.source = source or Source()
        self.identity_seed = identity_seed or self.source.exchange_seed()
        self.identity = x25519_public(self.identity_seed)
        self._epochs: dict[bytes, Pair] = {}

    def make_bundle(
        self, exchange_seed: bytes | None = None, kem_seed: bytes | None = None
    ) -> bytes:
        """Keys of a new epoch, as they are published; the private ones stay here."""
        pair = Pair(
            exchange_seed or self.source.exchange_seed(), kem_seed or self.source.kem_seed()
        )
        bundle = Bundle(self.role, self.identity, pair.pub, pair.ek).encode()
        self._epochs[bundle] = pair
        return bundle

    def begin(self, context: Context, own_bundle: bytes, peer_bundle: bytes) -> None:
        """Agree on keys; afterwards both sides may write."""
        own, peer = Bundle.parse(own_bundle), Bundle.parse(peer_bundle)
        if peer.role == self.role:
            raise ChatError("reflected")
        is_buyer = self.role == "buyer"
        bundles = (own_bundle, peer_bundle) if is_buyer else (peer_bundle, own_bundle)
        th = transcript_hash(context, *bundles)
        pair = self._epochs[own_bundle]
        identity_with_epoch = x25519(self.identity_seed, peer.pub)
        epoch_with_identity = x25519(pair.exchange_seed, peer.identity)
        # IK of the buyer with EK of the seller stands first, whoever counts.
        mixed = [identity_with_epoch, epoch_with_identity]
        ordered = mixed if is_buyer else mixed[::-1]
        ikm = b"\xff" * KEY + b"".join(ordered) + x25519(pair.exchange_seed, peer.pub)
        keys = hkdf(th, ikm, b"mkt-chat/1 root" + th, 3 * KEY)
        root, init_seed, confirmation_key = keys[:KEY], keys[KEY : 2 * KEY], keys[2 * KEY :]
        seller = peer if is_buyer else own
        self.session = Session(th, root, init_seed, confirmation_key, pair, seller)
        if is_buyer:
            self.state = self._turned(root, peer.pub, peer.ek, carried=0)
        else:
            self.state = self._initial_state(root, peer.ek)

    def snapshot(self) -> State:
        """What must be equal before and after an envelope that is refused."""
        return self.state.copy()

    @property
    def confirmation(self) -> bytes:
        """What shows the other side that this one has the same keys."""
        return self._confirmation(self.role)

    @property
    def expected_confirmation(self) -> bytes:
        """What the other side must show."""
        return self._confirmation("seller" if self.role == "buyer" else "buyer")

    def _confirmation(self, role: Role) -> bytes:
        return hmac(self.session.confirmation_key, ROLES[role] + self.session.th)

    def _initial_state(self, root: bytes, ek: bytes) -> State:
        """The seller's before it has heard anything: it cannot turn yet."""
        ct, secret = self.source.encapsulate(ek)
        own = self.session.own
        key = initial_chain_key(self.session, secret, ct)
        return State(root, own, SendingChain(own.pub, own.ek, ct, key, 0, is_initial=True))

    def _turned(self, root: bytes, pub: bytes, ek: bytes, *, carried: int) -> State:
        """A state with nothing but a new sending chain towards these keys."""
        pair = Pair(self.source.exchange_seed(), self.source.kem_seed())
        ct, secret = self.source.encapsulate(ek)
        check_exchange_key(pub)
        secrets = x25519(pair.exchange_seed, pub) + secret
        chain_id = sha256(pair.pub + pair.ek + ct)
        root, key = kdf_root(self.session, root, secrets, chain_id)
        return State(root, pair, SendingChain(pair.pub, pair.ek, ct, key, carried))

    def seal(self, plaintext: bytes) -> bytes:
        """The envelope of the next message."""
        chain = self.state.sending
        padded = pad(plaintext)
        header = Header(
            role=self.role,
            is_initial=chain.is_initial,
            pub=chain.pub,
            ek=chain.ek,
            ct=chain.ct,
            previous=chain.previous,
            number=chain.next,
            salt=self.source.salt(),
        )
        key, following = kdf_chain(chain.key)
        encoded = header.encode()
        ciphertext = gcm_seal(
            *message_key(self.session, key, header.salt), padded, self.session.th + encoded
        )
        self.state.sending = replace(chain, key=following, next=chain.next + 1)
        return encoded + ciphertext

    def open(self, envelope: bytes) -> Opened:
        """What the other side wrote; one that is refused changes nothing."""
        header = Header.parse(envelope)
        self._check_sender(header)
        state = self.state.copy()
        kept = state.skipped.pop((header.chain_id, header.number), None)
        if kept is not None:
            opened = Opened(self._decrypt(kept, header, envelope), missed=0, is_late=True)
        else:
            # What the turn told of was counted then, whether its keys could be kept or not.
            is_late = header.is_initial and state.turns > 0
            key, skipped = self._advance(state, header)
            missed = 0 if is_late else skipped
            opened = Opened(self._decrypt(key, header, envelope), missed, is_late)
        self.state = state
        return opened

    def _check_sender(self, header: Header) -> None:
        """Refuse what only this side, or nobody, can have written."""
        if header.role == self.role:
            raise ChatError("reflected")
        keys = self.session.seller.pub, self.session.seller.ek
        if header.is_initial and (header.role != "seller" or (header.pub, header.ek) != keys):
            raise ChatError("malformed")

    def _decrypt(self, key: bytes, header: Header, envelope: bytes) -> bytes:
        associated = self.session.th + envelope[:HEADER]
        keys = message_key(self.session, key, header.salt)
        return unpad(gcm_open(*keys, envelope[HEADER:], associated))

    def _advance(self, state: State, header: Header) -> tuple[bytes, int]:
        """Move the message's chain behind it; returns its key, and how many were skipped."""
        missed = 0
        if header.is_initial:
            chain = self._initial_chain(state, header)
        elif state.receiving and state.receiving.id == header.chain_id:
            chain = state.receiving
        else:
            chain, missed = self._turn(state, header)
        if header.number < chain.next:
            raise ChatError("replayed")
        chain, skipped = skip(state, chain, header.number)
        key, following = kdf_chain(chain.key)
        chain = replace(chain, key=following, next=chain.next + 1)
        if header.is_initial:
            state.initial = chain
        else:
            state.receiving = chain
        return key, missed + skipped

    def _initial_chain(self, state: State, header: Header) -> ReceivingChain:
        """The slot of the seller's initial chain, made where there is none."""
        if state.turns > 1 or (state.turns == 1 and header.number >= state.initial_length):
            raise ChatError("retired")
        if state.initial is None:
            secret = decapsulate(self.session.own.kem_seed, header.ct)
            key = initial_chain_key(self.session, secret, header.ct)
            return ReceivingChain(header.chain_id, key)
        if state.initial.id != header.chain_id:
            raise ChatError("retired")
        return state.initial

    def _turn(self, state: State, header: Header) -> tuple[ReceivingChain, int]:
        """Follow the other side's turn, and turn too."""
        missed = 0
        before = state.receiving or state.initial
        if before:
            before, missed = skip(state, before, header.previous)
        elif self.role == "buyer":
            missed = header.previous
        if state.turns == 0:
            state.initial, state.initial_length = before, header.previous
        else:
            state.initial = None
        secrets = state.pair.secrets(header.pub, header.ct)
        root, key = kdf_root(self.session, state.root, secrets, header.chain_id)
        turned = self._turned(root, header.pub, header.ek, carried=state.sending.next)
        state.root, state.pair, state.sending = turned.root, turned.pair, turned.sending
        state.turns += 1
        return ReceivingChain(header.chain_id, key), missed
