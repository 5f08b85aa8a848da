"""Which keys the server takes: sound ones of the submitter's own role."""

from collections import Counter

import pytest

from marketplace.accounts.models import User
from securechat.keys import is_sound_exchange_key
from securechat.models import Session
from securechat.wire import from_base64url, to_base64url
from tests.conftest import ClientFor
from tests.products.things import announced_types, make_product
from tests.securechat.test_vectors import BAD_EXCHANGE_KEYS, tell
from tests.securechat.things import code, make_key, make_session, of
from tests.securechat.vectors import of_bytes, wycheproof

P = 2**255 - 19
# Every point of small order, by RFC 7748's curve: the ones that Wycheproof lists as low order.
LOW_ORDER = {
    "zero": (0).to_bytes(32, "little"),
    "one": (1).to_bytes(32, "little"),
    "order-8": bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    "order-8-other": bytes.fromhex(
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"
    ),
    "minus-one": (P - 1).to_bytes(32, "little"),
}
NOT_CANONICAL = {
    "p": P.to_bytes(32, "little"),
    "p-and-one": (P + 1).to_bytes(32, "little"),
    "p-and-nine": (P + 9).to_bytes(32, "little"),
    "top-bit": (2**255 + 9).to_bytes(32, "little"),
    "all-ones": b"\xff" * 32,
}
BAD_POINTS = {**LOW_ORDER, **NOT_CANONICAL}
# Coefficients are below 3329: twelve bits of ones are not.
BAD_KEM_KEYS = {"all-ones": b"\xff" * 1184, "first": b"\x01\x0d\x00" + bytes(1181)}


def bad_bundles() -> dict[str, str]:
    bundles = {
        f"{part}-{name}": make_key("buyer", **{part: point})
        for part in ("identity", "exchange")
        for name, point in BAD_POINTS.items()
    }
    bundles |= {
        f"kem-{name}": make_key("buyer", encapsulation=key) for name, key in BAD_KEM_KEYS.items()
    }
    good = from_base64url(make_key("buyer"))
    return bundles | {
        "short": to_base64url(good[:-1]),
        "long": to_base64url(good + b"\x00"),
        "one-byte": "AQ",
        "version": make_key("buyer", head=b"\x02B"),
        "other-role": make_key("seller"),
        "no-role": make_key("buyer", head=b"\x01\x00"),
        "padded": to_base64url(good) + "==",
        "standard-base64": to_base64url(good)[:-1] + "+",
        "text": "not a key",
        "spaces": " " + to_base64url(good),
    }


@pytest.mark.parametrize(("name", "bundle"), bad_bundles().items())
def test_it_refuses_a_bundle_that_gives_no_secret(
    buyer: User, seller: User, client_for: ClientFor, name: str, bundle: str
) -> None:
    session = make_session(buyer, make_product(seller), active=False)
    body = {"publicKey": bundle, "epoch": 1}
    answer = client_for(buyer).post(of(session, "/key"), body, format="json")
    assert code(answer) == "400 invalid_key"
    assert answer.json()["errors"][0]["attr"] == "publicKey"
    assert Session.objects.get().buyer_key == ""
    assert announced_types() == []


def test_it_knows_sound_points() -> None:
    assert is_sound_exchange_key((9).to_bytes(32, "little"))
    assert not is_sound_exchange_key(b"")
    assert not is_sound_exchange_key(bytes(31))


def test_it_takes_no_key_that_wycheproof_calls_bad(
    buyer: User, seller: User, client_for: ClientFor
) -> None:
    session = make_session(buyer, make_product(seller), active=False)
    client = client_for(buyer)
    refused: Counter[str] = Counter()
    points = [
        of_bytes(vector["public"])
        for vector in wycheproof("x25519_test")
        if BAD_EXCHANGE_KEYS.intersection(vector["flags"])
    ]
    kem_keys = [
        of_bytes(vector["ek"])
        for vector in wycheproof("mlkem_768_encaps_test")
        if vector["result"] == "invalid"
    ]
    parts = [(part, point) for part in ("identity", "exchange") for point in points]
    for part, key in [*parts, *(("encapsulation", key) for key in kem_keys)]:
        body = {"publicKey": make_key("buyer", **{part: key}), "epoch": 1}
        answer = client.post(of(session, "/key"), body, format="json")
        assert code(answer) == "400 invalid_key", (part, key.hex())
        refused[f"{part} keys refused"] += 1
    tell("Wycheproof", refused)
    assert Session.objects.get().buyer_key == ""
