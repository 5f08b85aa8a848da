"""Two peers of the secure chat who have agreed on keys, and a record of what must open."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Protocol

from tests.securechat.peer import Opened, Peer
from tests.securechat.peer_messages import Context, Header
from tests.securechat.peer_primitives import ChatError, Reason

CONTEXT = Context("market.example", "0b0a1c2d-0000-4000-8000-00000000c4a7", 12, 34, 56, 1)


def agreed(context: Context = CONTEXT) -> tuple[Peer, Peer]:
    """A buyer and a seller who have seen each other's bundle."""
    buyer, seller = Peer("buyer"), Peer("seller")
    bundles = buyer.make_bundle(), seller.make_bundle()
    buyer.begin(context, *bundles)
    seller.begin(context, *reversed(bundles))
    return buyer, seller


class Party(Protocol):
    """A side of a conversation, in whatever language."""

    def seal(self, plaintext: bytes, /) -> bytes:
        """The envelope of its next message."""

    def open(self, envelope: bytes, /) -> Opened:
        """What the other side wrote, or ChatError."""

    def snapshot(self) -> object:
        """What must be equal before and after an envelope that is refused."""


def refusal(peer: Party, envelope: bytes) -> Reason | None:
    """Why the peer does not open the envelope, if so; a refused one must leave no trace."""
    before = peer.snapshot()
    try:
        peer.open(envelope)
    except ChatError as error:
        assert peer.snapshot() == before
        return error.reason
    return None


@dataclass
class Ledger:
    """What one side has received, counted without any key: what must open, and as what."""

    turns: int = 0
    present: bytes = b""
    initial: bytes = b""
    next: dict[bytes, int] = field(default_factory=dict)
    missing: set[tuple[bytes, int]] = field(default_factory=set)

    def receive(self, envelope: bytes, plaintext: bytes) -> Opened | Reason:
        """What opening the other side's own, unchanged envelope must give."""
        header = Header.parse(envelope)
        chain, place = header.chain_id, (header.chain_id, header.number)
        if place in self.missing:
            self.missing.remove(place)
            return Opened(plaintext, 0, is_late=True)
        if header.is_initial and self.turns > 1:
            return "retired"
        if header.number < self.next.get(chain, 0):
            return "replayed" if header.is_initial or chain == self.present else "unverified"
        if header.is_initial:
            self.initial = chain
            is_late = self.turns > 0
            skipped = self._miss(chain, header.number)
            self.next[chain] = header.number + 1
            return Opened(plaintext, 0 if is_late else skipped, is_late)
        missed = 0
        if chain != self.present:
            before = self.present or self.initial
            # Of the seller's first messages the turn alone may tell; the buyer turns with none.
            missed = self._miss(before, header.previous) if before else header.previous
            self.present, self.turns = chain, self.turns + 1
        missed += self._miss(chain, header.number)
        self.next[chain] = header.number + 1
        return Opened(plaintext, missed, is_late=False)

    def _miss(self, chain: bytes, until: int) -> int:
        numbers = range(self.next.get(chain, 0), until)
        self.missing |= {(chain, number) for number in numbers}
        self.next[chain] = max(until, self.next.get(chain, 0))
        return len(numbers)


def other_context(**changes: str | int) -> Context:
    """The usual context, but for these fields."""
    return replace(CONTEXT, **changes)  # type: ignore[arg-type] # fields by name


def with_bytes(content: bytes, offset: int, new: bytes) -> bytes:
    """The content, but for these bytes."""
    return content[:offset] + new + content[offset + len(new) :]


def flipped(content: bytes, offset: int) -> bytes:
    """The content, but for one bit."""
    return with_bytes(content, offset, bytes([content[offset] ^ 1]))


def plaintexts(peer: Party, envelopes: Iterable[bytes]) -> list[bytes]:
    """What the peer reads, in this order."""
    return [peer.open(envelope).plaintext for envelope in envelopes]


def turn_of_both(buyer: Party, seller: Party) -> None:
    """The buyer hears of a new key of the seller's."""
    seller.open(buyer.seal(b"turn"))
    buyer.open(seller.seal(b"turn"))
