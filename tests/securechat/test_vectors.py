"""The primitives of the secure chat's Python peer agree with published vectors.

hmac_sha256_test of Wycheproof is not in the package that has the others; RFC 4231 stands for it.
"""

from collections import Counter

import pytest

from tests.securechat import peer_primitives as primitives
from tests.securechat.peer_primitives import ChatError
from tests.securechat.vectors import (
    LIBSIGNAL_ALICE,
    LIBSIGNAL_BOB,
    LIBSIGNAL_NUMBER,
    RFC_4231,
    RFC_5869,
    RFC_7748_5_2,
    RFC_7748_6_1,
    RFC_7748_ALICE,
    RFC_7748_BASE,
    RFC_7748_BOB,
    RFC_7748_ITERATED,
    Authentication,
    Derivation,
    Exchange,
    of_bytes,
    wycheproof,
)

BAD_EXCHANGE_KEYS = {"LowOrderPublic", "NonCanonicalPublic", "ZeroSharedSecret"}
IV_BYTES = range(8, 129)  # that `cryptography` takes; the protocol's are 12


def tell(name: str, counts: Counter[str]) -> None:
    """Print what was compared: a set that was not there must not look like a success."""
    assert counts
    assert all(counts.values())
    print(f"\n{name}: {', '.join(f'{count} {what}' for what, count in counts.items())}")


# --- RFCs and libsignal ---------------------------------------------------------------------


@pytest.mark.parametrize("vector", RFC_7748_5_2 + RFC_7748_6_1)
def test_it_exchanges_keys_as_rfc_7748_does(vector: Exchange) -> None:
    private, public = of_bytes(vector.private), of_bytes(vector.public)
    assert primitives.x25519(private, public).hex() == vector.shared


@pytest.mark.parametrize(("private", "public"), [RFC_7748_ALICE, RFC_7748_BOB])
def test_it_has_the_public_keys_of_rfc_7748(private: str, public: str) -> None:
    assert primitives.x25519_public(of_bytes(private)).hex() == public


def test_it_exchanges_keys_a_thousand_times_as_rfc_7748_does() -> None:
    private = public = of_bytes(RFC_7748_BASE)
    seen = {}
    for count in range(1, 1001):
        private, public = primitives.x25519(private, public), private
        seen[count] = private.hex()
    assert {count: seen[count] for count in RFC_7748_ITERATED} == RFC_7748_ITERATED


@pytest.mark.parametrize("vector", RFC_5869)
def test_it_derives_keys_as_rfc_5869_does(vector: Derivation) -> None:
    salt, ikm, info = (of_bytes(each) for each in (vector.salt, vector.ikm, vector.info))
    assert primitives.hkdf(salt, ikm, info, len(vector.okm) // 2).hex() == vector.okm


@pytest.mark.parametrize("vector", RFC_4231)
def test_it_authenticates_as_rfc_4231_does(vector: Authentication) -> None:
    tag = primitives.hmac(of_bytes(vector.key), of_bytes(vector.content)).hex()
    assert tag[: len(vector.tag)] == vector.tag


def test_it_has_the_safety_number_of_libsignal() -> None:
    alice = LIBSIGNAL_ALICE.user_id, of_bytes(LIBSIGNAL_ALICE.identity)
    bob = LIBSIGNAL_BOB.user_id, of_bytes(LIBSIGNAL_BOB.identity)

    assert primitives.safety_number(*alice, *bob) == LIBSIGNAL_NUMBER
    assert primitives.safety_number(*bob, *alice) == LIBSIGNAL_NUMBER


# --- Wycheproof -----------------------------------------------------------------------------


def test_it_agrees_with_wycheproof_on_x25519() -> None:
    counts: Counter[str] = Counter()
    for vector in wycheproof("x25519_test"):
        private, public = of_bytes(vector["private"]), of_bytes(vector["public"])
        if "ZeroSharedSecret" in vector["flags"]:
            with pytest.raises(ChatError, match="invalid-key"):
                primitives.x25519(private, public)
            counts["with a secret of zeroes refused"] += 1
        else:
            assert primitives.x25519(private, public).hex() == vector["shared"], vector
            counts["exchanged"] += 1
    tell("x25519_test", counts)
    assert sum(counts.values()) == 518


def test_it_refuses_the_bad_public_keys_of_wycheproof() -> None:
    counts: Counter[str] = Counter()
    for vector in wycheproof("x25519_test"):
        public = of_bytes(vector["public"])
        if BAD_EXCHANGE_KEYS.intersection(vector["flags"]):
            with pytest.raises(ChatError, match="invalid-key"):
                primitives.check_exchange_key(public)
            counts["bad keys refused"] += 1
        else:
            primitives.check_exchange_key(public)
            counts["good keys taken"] += 1
    tell("x25519_test", counts)
    assert sum(counts.values()) == 518


def test_it_agrees_with_wycheproof_on_hkdf() -> None:
    counts: Counter[str] = Counter()
    for vector in wycheproof("hkdf_sha256_test"):
        salt, ikm, info = (of_bytes(vector[each]) for each in ("salt", "ikm", "info"))
        if vector["result"] == "valid":
            assert primitives.hkdf(salt, ikm, info, vector["size"]).hex() == vector["okm"], vector
        else:
            with pytest.raises(ValueError, match="derive keys larger"):
                primitives.hkdf(salt, ikm, info, vector["size"])
        counts[vector["result"]] += 1
    tell("hkdf_sha256_test", counts)
    assert sum(counts.values()) == 86


def test_it_agrees_with_wycheproof_on_aes_gcm() -> None:
    counts: Counter[str] = Counter()
    for vector in wycheproof("aes_gcm_test"):
        fields = ("key", "iv", "msg", "ct", "tag", "aad")
        key, iv, plaintext, ciphertext, tag, associated = (of_bytes(vector[f]) for f in fields)
        if len(iv) not in IV_BYTES:
            with pytest.raises(ValueError, match="Nonce"):
                primitives.gcm_open(key, iv, ciphertext + tag, associated)
            counts["with an IV of another length refused"] += 1
        elif vector["result"] == "valid":
            assert primitives.gcm_open(key, iv, ciphertext + tag, associated) == plaintext, vector
            sealed = primitives.gcm_seal(key, iv, plaintext, associated)
            assert sealed == ciphertext + tag, vector
            counts["sealed and opened"] += 1
        else:
            with pytest.raises(ChatError, match="unverified"):
                primitives.gcm_open(key, iv, ciphertext + tag, associated)
            counts["refused"] += 1
    tell("aes_gcm_test", counts)
    assert sum(counts.values()) == 316


def test_it_agrees_with_wycheproof_on_decapsulation() -> None:
    counts: Counter[str] = Counter()
    for vector in wycheproof("mlkem_768_test"):
        seed, ciphertext = of_bytes(vector["seed"]), of_bytes(vector["c"])
        if vector["result"] == "valid":
            assert primitives.kem_public(seed).hex() == vector["ek"], vector
            assert primitives.decapsulate(seed, ciphertext).hex() == vector["K"], vector
        else:
            with pytest.raises(ValueError, match=r"ML-KEM-768 (seed|ciphertext)"):
                primitives.decapsulate(seed, ciphertext)
        counts[vector["result"]] += 1
    tell("mlkem_768_test", counts)
    assert sum(counts.values()) == 201


def test_it_agrees_with_wycheproof_on_keys_for_encapsulation() -> None:
    """The ciphertexts themselves cannot be compared: `cryptography` takes no given randomness."""
    counts: Counter[str] = Counter()
    for vector in wycheproof("mlkem_768_encaps_test"):
        key = of_bytes(vector["ek"])
        if vector["result"] == "valid":
            ciphertext, secret = primitives.encapsulate(key)
            assert (len(ciphertext), len(secret)) == (1088, 32)
        else:
            with pytest.raises(ChatError, match="invalid-key"):
                primitives.encapsulate(key)
        counts[vector["result"]] += 1
    tell("mlkem_768_encaps_test", counts)
    assert sum(counts.values()) == 265


def test_it_agrees_with_wycheproof_on_keys_from_seeds() -> None:
    counts: Counter[str] = Counter()
    for vector in wycheproof("mlkem_768_keygen_seed_test"):
        seed = of_bytes(vector["seed"])
        assert primitives.kem_public(seed).hex() == vector["ek"], vector
        ciphertext, secret = primitives.encapsulate(of_bytes(vector["ek"]))
        assert primitives.decapsulate(seed, ciphertext) == secret
        counts[vector["result"]] += 1
    tell("mlkem_768_keygen_seed_test", counts)
    assert sum(counts.values()) == 100
