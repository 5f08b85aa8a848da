"""The Python peer plays the frozen conversation of known-answers.json, byte for byte.

The browser's modules wrote that file once and are held to it by Node's tests.
"""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.securechat.peer import Opened, Peer
from tests.securechat.peer_chains import Source
from tests.securechat.peer_messages import Context, Header, Role
from tests.securechat.peer_primitives import decapsulate, encapsulate, kem_public

KNOWN: dict[str, Any] = json.loads((Path(__file__).parent / "known-answers.json").read_text())
ROLES: tuple[Role, Role] = ("buyer", "seller")


def decoded(text: str) -> bytes:
    """The bytes of base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def kem_seeds() -> dict[bytes, bytes]:
    """The seed behind each encapsulation key of the conversation."""
    parties = [KNOWN[role] for role in ROLES]
    keys = [*parties, *(turn for party in parties for turn in party["turns"])]
    seeds = [decoded(each["kemSeed"]) for each in keys]
    return {kem_public(seed): seed for seed in seeds}


class KnownSource(Source):
    """Draws what that party drew.

    A ciphertext is taken from the envelopes and its secret from the other side's key, as
    `cryptography` encapsulates with no given randomness.
    """

    def __init__(self, role: Role) -> None:
        """Be at the beginning."""
        turns = KNOWN[role]["turns"]
        own = [each for each in KNOWN["messages"] if each["from"] == role]
        sealed = [step for step in KNOWN["steps"] if (step["do"], step["by"]) == ("seal", role)]
        self._exchange_seeds = [decoded(turn["exchangeSeed"]) for turn in turns]
        self._kem_seeds = [decoded(turn["kemSeed"]) for turn in turns]
        self._salts = [decoded(KNOWN["messages"][step["message"]]["salt"]) for step in sealed]
        self._ciphertexts = {
            each["turn"]: Header.parse(decoded(each["envelope"])).ct for each in own
        }
        self._turn: int | None = 0 if role == "buyer" else None
        self._seeds = kem_seeds()

    def exchange_seed(self) -> bytes:
        """That of the next turn."""
        return self._exchange_seeds.pop(0)

    def kem_seed(self) -> bytes:
        """That of the next turn."""
        return self._kem_seeds.pop(0)

    def encapsulate(self, ek: bytes) -> tuple[bytes, bytes]:
        """What the next chain has; a chain without a message has told nobody its own."""
        ct = self._ciphertexts.get(self._turn)
        self._turn = 0 if self._turn is None else self._turn + 1
        return encapsulate(ek) if ct is None else (ct, decapsulate(self._seeds[ek], ct))

    def salt(self) -> bytes:
        """That of the next message."""
        return self._salts.pop(0)


def known_context() -> Context:
    """What the conversation is bound to."""
    given = KNOWN["context"]
    return Context(
        host=given["context"],
        session_id=given["sessionId"],
        product_id=int(given["productId"]),
        buyer_id=int(given["buyerId"]),
        seller_id=int(given["sellerId"]),
        epoch=given["epoch"],
    )


@pytest.fixture
def peers() -> dict[Role, Peer]:
    """Both parties, when they have just begun."""
    peers: dict[Role, Peer] = {}
    for role in ROLES:
        peer = Peer(role, decoded(KNOWN[role]["identitySeed"]), KnownSource(role))
        seeds = (decoded(KNOWN[role][name]) for name in ("exchangeSeed", "kemSeed"))
        assert peer.make_bundle(*seeds) == decoded(KNOWN[role]["bundle"])
        peers[role] = peer
    bundles = [decoded(KNOWN[role]["bundle"]) for role in ROLES]
    peers["buyer"].begin(known_context(), *bundles)
    peers["seller"].begin(known_context(), *reversed(bundles))
    return peers


@pytest.mark.parametrize("role", ROLES)
def test_it_agrees_on_the_same_keys(peers: dict[Role, Peer], role: Role) -> None:
    session = peers[role].session

    assert session.th == decoded(KNOWN["transcriptHash"])
    assert session.root == decoded(KNOWN["rootKey"])
    assert session.init_seed == decoded(KNOWN["initSeed"])
    assert session.confirmation_key == decoded(KNOWN["confirmKey"])
    assert peers[role].confirmation == decoded(KNOWN[role]["confirm"])


def test_it_seals_and_opens_the_same_envelopes(peers: dict[Role, Peer]) -> None:
    done = {"seal": 0, "open": 0}
    for step in KNOWN["steps"]:
        peer, message = peers[step["by"]], KNOWN["messages"][step["message"]]
        envelope, plaintext = decoded(message["envelope"]), message["text"].encode()
        if step["do"] == "seal":
            header = Header.parse(envelope)
            assert (header.previous, header.number) == (message["previous"], message["number"])
            assert header.is_initial == (message["turn"] is None)
            assert peer.seal(plaintext) == envelope
        else:
            opened = Opened(plaintext, message["missed"], message["isLate"])
            assert peer.open(envelope) == opened
        done[step["do"]] += 1
    print(f"\n{done['seal']} envelopes sealed and {done['open']} opened")
    assert done == {"seal": len(KNOWN["messages"]), "open": len(KNOWN["messages"])}
