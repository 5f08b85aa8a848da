"""The Python peer of the secure chat with itself: what is refused, and why."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.securechat.conversations import (
    CONTEXT,
    agreed,
    flipped,
    other_context,
    plaintexts,
    refusal,
    turn_of_both,
    with_bytes,
)
from tests.securechat.peer import Opened, Peer
from tests.securechat.peer_messages import HEADER, Bundle, Context, Role, unpad
from tests.securechat.peer_primitives import TAG, ChatError, Reason

# Where a header's fields begin.
VERSION, ROLE, FLAG, PUB, EK, CT, PN, N, SALT = 0, 1, 2, 3, 35, 1219, 2307, 2311, 2315
LOW_ORDER = [
    bytes(32),
    b"\x01" + bytes(31),
    (2**255 - 20).to_bytes(32, "little"),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
]
NOT_CANONICAL = [
    (2**255 - 19).to_bytes(32, "little"),
    (2**255 - 1).to_bytes(32, "little"),
    b"\x09" + bytes(30) + b"\x80",
]


# --- What is refused ------------------------------------------------------------------------


@pytest.mark.parametrize("writer", ["buyer", "seller"])
def test_it_refuses_a_replay(writer: Role) -> None:
    buyer, seller = agreed()
    peer, reader = (buyer, seller) if writer == "buyer" else (seller, buyer)
    envelopes = [peer.seal(b"%d" % n) for n in range(3)]
    plaintexts(reader, [envelopes[2], envelopes[0]])

    assert refusal(reader, envelopes[2]) == "replayed"
    assert refusal(reader, envelopes[0]) == "replayed"
    assert plaintexts(reader, [envelopes[1]]) == [b"1"]
    assert refusal(reader, envelopes[1]) == "replayed"


def test_it_refuses_a_replay_of_an_old_chain() -> None:
    buyer, seller = agreed()
    old = buyer.seal(b"old")
    seller.open(old)
    turn_of_both(buyer, seller)
    seller.open(buyer.seal(b"new"))

    assert refusal(seller, old) == "unverified"


def test_it_refuses_what_it_wrote_itself() -> None:
    for peer in agreed():
        envelope = peer.seal(b"mine")
        assert refusal(peer, envelope) == "reflected"
        other = b"\x53" if peer.role == "buyer" else b"\x42"
        # An initial message of a buyer is none at all; as the seller's it is of another chain.
        assert refusal(peer, with_bytes(envelope, ROLE, other)) in {"unverified", "malformed"}


def test_it_refuses_a_bundle_of_its_own_role() -> None:
    buyer, other = Peer("buyer"), Peer("buyer")
    with pytest.raises(ChatError, match="reflected"):
        buyer.begin(CONTEXT, buyer.make_bundle(), other.make_bundle())


CHANGES = [
    (VERSION, {"malformed"}),
    (ROLE, {"malformed"}),
    (FLAG, {"malformed", "unverified"}),
    (PUB, {"unverified", "malformed", "invalid-key"}),
    (PUB + 31, {"unverified", "malformed", "invalid-key"}),
    (EK, {"unverified", "malformed", "invalid-key"}),
    (EK + 1183, {"unverified", "malformed", "invalid-key"}),
    (CT, {"unverified", "retired"}),
    (CT + 1087, {"unverified", "retired"}),
    (PN + 3, {"unverified"}),
    (PN, {"unverified", "too-far"}),
    (N + 3, {"unverified", "replayed"}),
    (N, {"too-far"}),
    (SALT, {"unverified"}),
    (SALT + 15, {"unverified"}),
    (HEADER, {"unverified"}),
    (HEADER + 255, {"unverified"}),
    (HEADER + 256, {"unverified"}),
    (HEADER + 256 + TAG - 1, {"unverified"}),
]


@pytest.mark.parametrize(("offset", "reasons"), CHANGES)
@pytest.mark.parametrize("stage", ["first", "second", "turned"])
def test_it_refuses_every_change_of_an_envelope(
    offset: int, reasons: set[Reason], stage: str
) -> None:
    buyer, seller = agreed()
    if stage == "turned":
        turn_of_both(buyer, seller)
    for writer, reader in ((buyer, seller), (seller, buyer)):
        if stage == "second":
            reader.open(writer.seal(b"before"))
        envelope = writer.seal(b"the true one")
        assert refusal(reader, flipped(envelope, offset)) in reasons
        assert plaintexts(reader, [envelope]) == [b"the true one"]


@pytest.mark.parametrize("stage", ["skipped", "passed over"])
def test_it_refuses_every_change_of_a_late_envelope(stage: str) -> None:
    buyer, seller = agreed()
    for writer, reader in ((buyer, seller), (seller, buyer)):
        late = writer.seal(b"late")
        reader.open(writer.seal(b"before"))
        if stage == "passed over":
            turn_of_both(buyer, seller)
        for offset, _ in CHANGES:
            assert refusal(reader, flipped(late, offset)) is not None
        assert reader.open(late) == Opened(b"late", 0, is_late=True)


@pytest.mark.parametrize(
    "size",
    [0, 1, HEADER, HEADER + TAG, HEADER + TAG + 255, HEADER + TAG + 768, HEADER + TAG + 65536],
)
def test_it_refuses_other_lengths(size: int) -> None:
    buyer, seller = agreed()
    envelope = buyer.seal(bytes(300))

    assert refusal(seller, envelope[:size].ljust(size, b"\x00")) == "malformed"
    assert refusal(seller, envelope + b"\x00") == "malformed"
    assert refusal(seller, envelope[:-1]) == "malformed"


def test_it_seals_no_more_than_a_message_holds() -> None:
    buyer, _ = agreed()
    before = buyer.state.copy()
    with pytest.raises(ChatError, match="malformed"):
        buyer.seal(bytes(32_768))
    assert buyer.state == before


@pytest.mark.parametrize(
    "padded",
    [bytes(256), b"\x80" + bytes(511), b"\x01" * 256, b"\x80" + bytes(254) + b"\x01"],
    ids=["no mark", "more than needed", "nothing but text", "text behind the mark"],
)
def test_it_refuses_another_padding(padded: bytes) -> None:
    with pytest.raises(ChatError, match="unverified"):
        unpad(padded)


@pytest.mark.parametrize("key", LOW_ORDER + NOT_CANONICAL, ids=bytes.hex)
def test_it_refuses_bad_exchange_keys(key: bytes) -> None:
    buyer, seller = Peer("buyer"), Peer("seller")
    own, bundle = buyer.make_bundle(), seller.make_bundle()
    for offset in (2, 34):
        with pytest.raises(ChatError, match="invalid-key"):
            buyer.begin(CONTEXT, own, with_bytes(bundle, offset, key))
    buyer, seller = agreed()
    assert refusal(seller, with_bytes(buyer.seal(b"text"), PUB, key)) == "invalid-key"


def test_it_refuses_a_bad_encapsulation_key() -> None:
    buyer, seller = Peer("buyer"), Peer("seller")
    own, bundle = buyer.make_bundle(), seller.make_bundle()
    with pytest.raises(ChatError, match="invalid-key"):
        buyer.begin(CONTEXT, own, with_bytes(bundle, 66, b"\xff\xff\xff"))
    buyer, seller = agreed()
    envelope = with_bytes(buyer.seal(b"text"), EK, b"\xff\xff\xff")
    assert refusal(seller, envelope) == "invalid-key"


@pytest.mark.parametrize(
    "change",
    [
        lambda bundle: bundle[:-1],
        lambda bundle: bundle + b"\x00",
        lambda bundle: flipped(bundle, 0),
        lambda bundle: flipped(bundle, 1),
    ],
    ids=["short", "long", "version", "role"],
)
def test_it_refuses_bundles_of_another_form(change: Callable[[bytes], bytes]) -> None:
    buyer, seller = Peer("buyer"), Peer("seller")
    with pytest.raises(ChatError, match="malformed"):
        buyer.begin(CONTEXT, buyer.make_bundle(), change(seller.make_bundle()))


# --- Other conversations --------------------------------------------------------------------

OTHERS = [
    other_context(host="evil.example"),
    other_context(session_id="0b0a1c2d-0000-4000-8000-00000000c4a8"),
    other_context(product_id=13),
    other_context(buyer_id=35),
    other_context(seller_id=57),
    other_context(epoch=2),
    # The same characters, cut elsewhere.
    other_context(product_id=1, buyer_id=234),
]


@pytest.mark.parametrize("context", OTHERS)
def test_it_reads_nothing_of_another_context(context: Context) -> None:
    buyer, seller = Peer("buyer"), Peer("seller")
    bundles = buyer.make_bundle(), seller.make_bundle()
    buyer.begin(CONTEXT, *bundles)
    seller.begin(context, *reversed(bundles))

    assert refusal(seller, buyer.seal(b"text")) == "unverified"
    assert refusal(buyer, seller.seal(b"text")) == "unverified"
    assert buyer.confirmation != seller.expected_confirmation


def test_it_reads_nothing_of_another_epoch() -> None:
    buyer, seller = agreed()
    old = buyer.seal(b"old"), seller.seal(b"old")
    bundles = buyer.make_bundle(), seller.make_bundle()
    buyer.begin(other_context(epoch=2), *bundles)
    seller.begin(other_context(epoch=2), *reversed(bundles))

    assert refusal(seller, old[0]) == "unverified"
    assert refusal(buyer, old[1]) == "malformed"
    assert plaintexts(seller, [buyer.seal(b"new")]) == [b"new"]


@pytest.mark.parametrize("swapped", ["identity", "pub", "ek"])
def test_it_notices_that_a_bundle_was_swapped(swapped: str) -> None:
    buyer, seller, server = Peer("buyer"), Peer("seller"), Peer("seller")
    bundles = buyer.make_bundle(), seller.make_bundle()
    false = replace(
        Bundle.parse(bundles[1]),
        **{swapped: getattr(Bundle.parse(server.make_bundle()), swapped)},
    )
    buyer.begin(CONTEXT, bundles[0], false.encode())
    seller.begin(CONTEXT, *reversed(bundles))

    assert refusal(seller, buyer.seal(b"text")) == "unverified"
    assert refusal(buyer, seller.seal(b"text")) in {"unverified", "malformed"}
    assert buyer.confirmation != seller.expected_confirmation
