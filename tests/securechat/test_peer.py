"""The Python peer of the secure chat with itself: what opens, and in which order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.securechat.conversations import agreed, plaintexts, refusal, turn_of_both
from tests.securechat.peer import Opened, Peer
from tests.securechat.peer_messages import HEADER, PADDED, Bundle, Header, Role, pad, unpad
from tests.securechat.peer_primitives import TAG

# --- What opens -----------------------------------------------------------------------------


def test_it_lets_both_write_first_at_the_same_moment() -> None:
    buyer, seller = agreed()
    crossing = buyer.seal(b"from the buyer"), seller.seal(b"from the seller")

    assert seller.open(crossing[0]) == Opened(b"from the buyer", 0, is_late=False)
    assert buyer.open(crossing[1]) == Opened(b"from the seller", 0, is_late=False)
    assert plaintexts(buyer, [seller.seal(b"turned")]) == [b"turned"]
    assert plaintexts(seller, [buyer.seal(b"turned too")]) == [b"turned too"]


@pytest.mark.parametrize("first", ["buyer", "seller"])
def test_it_lets_either_write_first(first: Role) -> None:
    buyer, seller = agreed()
    writer, reader = (buyer, seller) if first == "buyer" else (seller, buyer)
    for turn in range(12):
        for message in range(turn % 3 + 1):
            text = f"{turn}.{message}".encode()
            assert reader.open(writer.seal(text)) == Opened(text, 0, is_late=False)
        writer, reader = reader, writer


def test_it_turns_with_new_keys_at_each_change_of_direction() -> None:
    buyer, seller = agreed()
    chains = set()
    for _ in range(5):
        for writer, reader in ((buyer, seller), (seller, buyer)):
            envelopes = [writer.seal(b"one"), writer.seal(b"two")]
            headers = [Header.parse(envelope) for envelope in envelopes]
            assert headers[0].chain_id == headers[1].chain_id
            chains.add((headers[0].pub, headers[0].ek, headers[0].ct))
            plaintexts(reader, envelopes)
    assert [len(set(parts)) for parts in zip(*chains, strict=True)] == [10, 10, 10]


def test_it_agrees_on_the_confirmations() -> None:
    buyer, seller = agreed()

    assert buyer.confirmation == seller.expected_confirmation
    assert seller.confirmation == buyer.expected_confirmation
    assert buyer.confirmation != seller.confirmation


def test_it_opens_what_comes_out_of_order_and_says_what_is_missing() -> None:
    buyer, seller = agreed()
    envelopes = [buyer.seal(bytes([n])) for n in range(5)]

    opened = [seller.open(envelopes[n]) for n in (3, 0, 4, 2, 1)]
    assert [each.plaintext[0] for each in opened] == [3, 0, 4, 2, 1]
    assert [each.missed for each in opened] == [3, 0, 0, 0, 0]
    assert [each.is_late for each in opened] == [False, True, False, True, True]


def test_it_opens_what_comes_after_the_turn() -> None:
    buyer, seller = agreed()
    old = [buyer.seal(b"old %d" % n) for n in range(3)]
    seller.open(old[0])
    buyer.open(seller.seal(b"turn"))
    new = [buyer.seal(b"new %d" % n) for n in range(3)]

    assert seller.open(new[2]).missed == 2 + 2
    assert plaintexts(seller, [old[2], new[0], old[1], new[1]]) == [
        b"old 2",
        b"new 0",
        b"old 1",
        b"new 1",
    ]


def test_it_goes_on_when_messages_are_lost() -> None:
    buyer, seller = agreed()
    for turn in range(6):
        writer, reader = (buyer, seller) if turn % 2 == 0 else (seller, buyer)
        envelopes = [writer.seal(b"%d" % n) for n in range(4)]
        assert plaintexts(reader, envelopes[1:3]) == [b"1", b"2"]


@pytest.mark.parametrize("size", [0, 1, 255, 256, 511, 512, 4096, 30_000, 32_767])
def test_it_hides_the_exact_length(size: int) -> None:
    buyer, seller = agreed()
    envelope = buyer.seal(bytes(size))

    padded = len(envelope) - HEADER - TAG
    assert padded in PADDED
    assert padded == 256 or padded // 2 <= size < padded
    assert seller.open(envelope).plaintext == bytes(size)


@given(st.binary(max_size=1100))
def test_it_takes_the_padding_away_again(plaintext: bytes) -> None:
    assert unpad(pad(plaintext)) == plaintext


# --- The seller's first chain ---------------------------------------------------------------


def test_it_opens_first_messages_of_the_seller_that_come_after_the_turn() -> None:
    buyer, seller = agreed()
    late = [seller.seal(b"%d" % n) for n in range(4)]
    seller.open(buyer.seal(b"turn"))
    assert buyer.open(seller.seal(b"turn")) == Opened(b"turn", 4, is_late=False)

    for number in (1, 0, 2):
        assert buyer.open(late[number]) == Opened(b"%d" % number, 0, is_late=True)
    assert refusal(buyer, late[2]) == "replayed"
    turn_of_both(buyer, seller)
    assert refusal(buyer, late[3]) == "retired"


def test_it_keeps_the_keys_of_first_messages_that_the_turn_passed_over() -> None:
    buyer, seller = agreed()
    late = [seller.seal(b"%d" % n) for n in range(4)]
    buyer.open(late[1])
    seller.open(buyer.seal(b"turn"))
    assert buyer.open(seller.seal(b"turn")).missed == 2
    turn_of_both(buyer, seller)

    assert plaintexts(buyer, [late[3], late[0], late[2]]) == [b"3", b"0", b"2"]
    assert refusal(buyer, late[3]) == "retired"


def test_it_retires_the_first_chain_at_the_second_turn() -> None:
    buyer, seller = agreed()
    late = seller.seal(b"late")
    turn_of_both(buyer, seller)
    turn_of_both(buyer, seller)

    assert refusal(buyer, late) == "retired"


def test_it_has_one_first_chain_only() -> None:
    buyer, seller = agreed()
    first = seller.seal(b"first")
    session = seller.session
    seller.state = seller._initial_state(session.root, Bundle.parse(bundle_of(buyer)).ek)
    second = seller.seal(b"of another chain")
    buyer.open(first)

    assert refusal(buyer, second) == "retired"


def bundle_of(peer: Peer) -> bytes:
    """The bundle that the peer began with."""
    pair = peer.session.own
    return Bundle(peer.role, peer.identity, pair.pub, pair.ek).encode()


def test_it_refuses_first_messages_beyond_those_that_the_turn_told_of() -> None:
    buyer, seller = agreed()
    ahead = seller.state.copy()
    turn_of_both(buyer, seller)
    seller.state = ahead

    assert refusal(buyer, seller.seal(b"more than there were")) == "retired"


# --- Limits ---------------------------------------------------------------------------------


def test_it_skips_so_many_in_a_chain_and_no_more() -> None:
    buyer, seller = agreed()
    envelopes = [buyer.seal(b"%d" % n) for n in range(258)]

    assert refusal(seller, envelopes[257]) == "too-far"
    assert seller.open(envelopes[256]).missed == 256
    assert plaintexts(seller, [envelopes[0], envelopes[255], envelopes[257]]) == [
        b"0",
        b"255",
        b"257",
    ]


@pytest.mark.parametrize(("lost", "refused"), [(256, None), (257, "too-far")])
def test_it_skips_so_many_in_the_chain_before(lost: int, refused: str | None) -> None:
    buyer, seller = agreed()
    seller.open(buyer.seal(b"first"))
    for _ in range(lost):
        buyer.seal(b"lost")
    buyer.open(seller.seal(b"turn"))

    assert refusal(seller, buyer.seal(b"after them")) == refused


def test_it_forgets_the_oldest_of_too_many_missing_ones() -> None:
    buyer, seller = agreed()
    lost = []
    for _ in range(3):
        lost += [buyer.seal(b"lost") for _ in range(200)]
        turn_of_both(buyer, seller)

    assert len(seller.state.skipped) == 512
    assert refusal(seller, lost[87]) == "unverified"
    assert plaintexts(seller, [lost[88], lost[599]]) == [b"lost", b"lost"]
