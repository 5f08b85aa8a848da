"""The secure chat's modules, in a real browser, agree with published vectors and the Python peer.

With the browser's ML-KEM where it has one, and with the vendored one.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import pytest
from playwright.sync_api import Page

from tests.conftest import database_url
from tests.journeys.securechat_modules import Answer, Modules, Refused
from tests.securechat.conversations import (
    CONTEXT,
    Party,
    flipped,
    plaintexts,
    refusal,
    turn_of_both,
    with_bytes,
)
from tests.securechat.network import Network
from tests.securechat.peer import Opened, Peer
from tests.securechat.peer_messages import HEADER, ROLES, SALT, Role
from tests.securechat.peer_primitives import ChatError
from tests.securechat.test_peer_refusals import LOW_ORDER, NOT_CANONICAL
from tests.securechat.test_vectors import BAD_EXCHANGE_KEYS, tell
from tests.securechat.vectors import (
    LIBSIGNAL_ALICE,
    LIBSIGNAL_BOB,
    LIBSIGNAL_NUMBER,
    RFC_4231,
    RFC_5869,
    RFC_7748_5_2,
    RFC_7748_6_1,
    Vector,
    wycheproof,
)
from tests.support.servers import Marketplace, marketplace

# The database is made for tests that ask for it; the server looks into it when it starts.
pytestmark = pytest.mark.django_db

NATIVE, VENDORED = "the browser's ML-KEM", "the vendored ML-KEM"
EACH_KEM = pytest.mark.parametrize("modules", [NATIVE, VENDORED], indirect=True)


@pytest.fixture(scope="module")
def live_server_process(
    django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Marketplace]:
    """One server for the module: it serves files alone, and no test writes to the database."""
    folder = tmp_path_factory.mktemp("server")
    with marketplace(folder, database_url=database_url(), settings={}) as server:
        yield server


@pytest.fixture
def modules(page: Page, request: pytest.FixtureRequest) -> Modules:
    """The modules in a page; the vendored ML-KEM is used where the browser has none, too."""
    wanted = getattr(request, "param", NATIVE)
    modules = Modules(page, native_kem=wanted == NATIVE)
    print(f"\nThe page has an ML-KEM of the browser's: {modules.is_native}")
    assert not (wanted == VENDORED and modules.is_native)
    return modules


def with_answers(
    modules: Modules, name: str, vectors: Sequence[Vector]
) -> list[tuple[Vector, Answer]]:
    """Each vector with what the page makes of it."""
    return list(zip(vectors, modules.compute(name, vectors), strict=True))


# --- RFCs and libsignal ---------------------------------------------------------------------


def test_it_agrees_with_the_rfcs_and_libsignal(modules: Modules) -> None:
    exchanges = [asdict(each) for each in RFC_7748_5_2[:1] + RFC_7748_6_1]
    assert modules.compute("exchange", exchanges) == [each["shared"] for each in exchanges]
    # The protocol's keys are canonical, so that the one with its top bit set is refused.
    assert modules.compute("exchange", [asdict(RFC_7748_5_2[1])]) == [Refused("invalid-key")]

    derivations = [{**asdict(each), "size": len(each.okm) // 2} for each in RFC_5869]
    assert modules.compute("hkdf", derivations) == [each.okm for each in RFC_5869]

    tags = modules.compute("hmac", [asdict(each) for each in RFC_4231])
    for vector, tag in zip(RFC_4231, tags, strict=True):
        assert tag[: len(vector.tag)] == vector.tag

    people = [
        {"userId": each.user_id, "identity": each.identity}
        for each in (LIBSIGNAL_ALICE, LIBSIGNAL_BOB)
    ]
    assert modules.safety_number(*people) == LIBSIGNAL_NUMBER
    assert modules.safety_number(*reversed(people)) == LIBSIGNAL_NUMBER


# --- Wycheproof -----------------------------------------------------------------------------


def test_it_agrees_with_wycheproof_on_x25519(modules: Modules) -> None:
    counts: Counter[str] = Counter()
    for vector, answer in with_answers(modules, "exchange", wycheproof("x25519_test")):
        if BAD_EXCHANGE_KEYS.intersection(vector["flags"]):
            assert answer == Refused("invalid-key"), vector
            counts["bad keys refused"] += 1
        else:
            assert answer == vector["shared"], vector
            counts["exchanged"] += 1
    tell("x25519_test", counts)
    assert sum(counts.values()) == 518


def test_it_agrees_with_wycheproof_on_hkdf(modules: Modules) -> None:
    counts: Counter[str] = Counter()
    for vector, answer in with_answers(modules, "hkdf", wycheproof("hkdf_sha256_test")):
        if vector["result"] == "valid":
            assert answer == vector["okm"], vector
        else:
            assert isinstance(answer, Refused), vector
        counts[vector["result"]] += 1
    tell("hkdf_sha256_test", counts)
    assert sum(counts.values()) == 86


def test_it_agrees_with_wycheproof_on_aes_gcm(modules: Modules) -> None:
    """With keys of 192 bits, which WebCrypto need not have and this browser has not, aside."""
    vectors = [each for each in wycheproof("aes_gcm_test") if each["keySize"] != 192]
    sealed = modules.compute("seal", vectors)
    counts: Counter[str] = Counter()
    for (vector, opened), own in zip(with_answers(modules, "open", vectors), sealed, strict=True):
        if vector["result"] == "valid":
            assert opened == vector["msg"], vector
            assert own == vector["ct"] + vector["tag"], vector
        else:
            assert opened == Refused("unverified"), vector
        counts[vector["result"]] += 1
    tell("aes_gcm_test", counts)
    assert len(vectors) > 200


@EACH_KEM
def test_it_agrees_with_wycheproof_on_ml_kem(modules: Modules) -> None:
    counts: Counter[str] = Counter()
    for vector, answer in with_answers(modules, "decapsulate", wycheproof("mlkem_768_test")):
        if vector["result"] == "valid":
            assert answer == vector["K"], vector
        else:
            assert isinstance(answer, Refused), vector
        counts[vector["result"]] += 1
    tell("mlkem_768_test", counts)
    assert sum(counts.values()) == 201

    counts.clear()
    encapsulations = wycheproof("mlkem_768_encaps_test")
    for vector, answer in with_answers(modules, "encapsulate", encapsulations):
        assert answer == (1088 if vector["result"] == "valid" else Refused("invalid-key")), vector
        counts[vector["result"]] += 1
    tell("mlkem_768_encaps_test", counts)
    assert sum(counts.values()) == 265

    keys = wycheproof("mlkem_768_keygen_seed_test")
    assert modules.compute("thereAndBack", keys) == [True] * 100


def test_it_vendors_an_ml_kem_that_agrees_with_wycheproof_byte_for_byte(modules: Modules) -> None:
    keys = wycheproof("mlkem_768_keygen_seed_test")
    assert modules.compute("nobleKeys", keys) == [[each["ek"], each["dk"]] for each in keys]

    counts: Counter[str] = Counter()
    encapsulations = wycheproof("mlkem_768_encaps_test")
    for vector, answer in with_answers(modules, "nobleEncapsulate", encapsulations):
        if vector["result"] == "valid":
            assert answer == [vector["c"], vector["K"]], vector
        else:
            assert isinstance(answer, Refused), vector
        counts[vector["result"]] += 1
    tell("mlkem_768_encaps_test, with its randomness", counts)
    assert sum(counts.values()) == 265


# --- The Python peer ------------------------------------------------------------------------


def agreed(modules: Modules, role: Role) -> tuple[Party, Party]:
    """Buyer and seller who have agreed on keys; the browser is who is asked for."""
    peer = Peer("seller" if role == "buyer" else "buyer")
    browser_bundle, peer_bundle = modules.make_bundle(role), peer.make_bundle()
    peer.begin(CONTEXT, peer_bundle, browser_bundle)
    confirmations = modules.begin(CONTEXT, peer_bundle)
    assert confirmations == [peer.expected_confirmation, peer.confirmation]
    return (modules, peer) if role == "buyer" else (peer, modules)


@EACH_KEM
@pytest.mark.parametrize("role", ["buyer", "seller"])
def test_it_talks_with_the_python_peer(modules: Modules, role: Role) -> None:
    buyer, seller = agreed(modules, role)
    crossing = buyer.seal("Grüße 🥣".encode()), seller.seal(bytes(30_000))
    assert seller.open(crossing[0]) == Opened("Grüße 🥣".encode(), 0, is_late=False)
    assert buyer.open(crossing[1]) == Opened(bytes(30_000), 0, is_late=False)

    writer, reader = buyer, seller
    for turn in range(10):
        # Four in each turn; the last two come before the first two.
        texts = [b"%d.%d" % (turn, each) for each in range(4)]
        envelopes = [writer.seal(text) for text in texts]
        opened = [reader.open(envelopes[each]) for each in (2, 3, 1, 0)]
        assert opened == [
            Opened(texts[2], 2, is_late=False),
            Opened(texts[3], 0, is_late=False),
            Opened(texts[1], 0, is_late=True),
            Opened(texts[0], 0, is_late=True),
        ]
        writer, reader = reader, writer


@EACH_KEM
@pytest.mark.parametrize("role", ["buyer", "seller"])
def test_it_agrees_with_the_python_peer_whatever_the_network_does(
    modules: Modules, role: Role
) -> None:
    for seed in range(3):
        network = Network(*agreed(modules, role))
        network.run(messages=60, seed=seed)
        print(f"\nBrowser as {role}, seed {seed}: {network}")
        assert network.opened > 30


@pytest.mark.parametrize("role", ["buyer", "seller"])
def test_it_opens_first_messages_after_the_turn_as_the_python_peer_does(
    modules: Modules, role: Role
) -> None:
    buyer, seller = agreed(modules, role)
    late = [seller.seal(b"%d" % each) for each in range(4)]
    seller.open(buyer.seal(b"turn"))
    assert buyer.open(seller.seal(b"turn")) == Opened(b"turn", 4, is_late=False)

    for number in (1, 0, 2):
        assert buyer.open(late[number]) == Opened(b"%d" % number, 0, is_late=True)
    assert refusal(buyer, late[2]) == "replayed"
    seller.open(buyer.seal(b"second turn"))
    buyer.open(seller.seal(b"second turn"))
    assert refusal(buyer, late[3]) == "retired"


@pytest.mark.parametrize("role", ["buyer", "seller"])
def test_it_skips_as_many_as_the_python_peer_does(modules: Modules, role: Role) -> None:
    for turned in (False, True):
        for from_buyer in (True, False):
            buyer, seller = agreed(modules, role)
            if turned:
                turn_of_both(buyer, seller)
            writer, reader = (buyer, seller) if from_buyer else (seller, buyer)
            envelopes = [writer.seal(b"%d" % each) for each in range(258)]
            assert refusal(reader, envelopes[257]) == "too-far"
            assert reader.open(envelopes[256]) == Opened(b"256", 256, is_late=False)
            assert plaintexts(reader, [envelopes[0], envelopes[255]]) == [b"0", b"255"]


@pytest.mark.parametrize("role", ["buyer", "seller"])
def test_it_refuses_what_the_python_peer_refuses(modules: Modules, role: Role) -> None:
    buyer, seller = agreed(modules, role)
    reader, writer = modules, seller if role == "buyer" else buyer
    true = writer.seal(b"true")
    changes = {
        "malformed": [
            true[:-1],
            true + b"\x00",
            b"",
            flipped(true, 0),
            with_bytes(true, 2, b"\x02"),
        ],
        "reflected": [reader.seal(b"mine"), with_bytes(true, 1, ROLES[role])],
        "unverified": [
            flipped(true, len(true) - 1),
            flipped(true, HEADER),
            flipped(true, HEADER - 1),
        ],
        "too-far": [with_bytes(true, HEADER - SALT - 4, b"\xff\xff\xff\xff")],
    }
    for reason, envelopes in changes.items():
        assert [refusal(reader, each) for each in envelopes] == [reason] * len(envelopes)
    if role == "seller":
        for key in LOW_ORDER + NOT_CANONICAL:
            assert refusal(reader, with_bytes(true, 3, key)) == "invalid-key"
    assert plaintexts(reader, [true]) == [b"true"]


@pytest.mark.parametrize("role", ["buyer", "seller"])
def test_it_refuses_bundles_with_bad_keys(modules: Modules, role: Role) -> None:
    peer = Peer("seller" if role == "buyer" else "buyer")
    modules.make_bundle(role)
    bundle = peer.make_bundle()
    for offset in (2, 34):
        for key in LOW_ORDER + NOT_CANONICAL:
            with pytest.raises(ChatError, match="invalid-key"):
                modules.begin(CONTEXT, with_bytes(bundle, offset, key))
    with pytest.raises(ChatError, match="invalid-key"):
        modules.begin(CONTEXT, with_bytes(bundle, 66, b"\xff\xff\xff"))
    for malformed in (bundle[:-1], bundle + b"\x00", flipped(bundle, 0), flipped(bundle, 1)):
        with pytest.raises(ChatError, match="malformed"):
            modules.begin(CONTEXT, malformed)
