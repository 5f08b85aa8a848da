"""The secure chat's modules in a real browser, as a test in Python sees them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from playwright.sync_api import Page

from tests.securechat.peer import Opened
from tests.securechat.peer_messages import Context, Role
from tests.securechat.peer_primitives import ChatError
from tests.securechat.vectors import Vector

MODULES = (Path(__file__).parent / "securechat.js").read_text()
WITHOUT_NATIVE_KEM = """
delete SubtleCrypto.prototype.encapsulateBits;
delete SubtleCrypto.prototype.decapsulateBits;
"""
BATCH = 50

Answer = Any  # of a computation in the page: text, a list, or Refused


class Refused(str):
    """Why the page refused to compute something."""

    __slots__ = ()


class Modules:
    """A page with the modules of the secure chat."""

    def __init__(self, page: Page, *, native_kem: bool) -> None:
        """Load them, with the browser's own ML-KEM or without."""
        self.page = page
        if not native_kem:
            page.add_init_script(WITHOUT_NATIVE_KEM)
        page.goto("/login")
        page.evaluate(MODULES)
        self.is_native = self._call("isNative", None)

    def _call(self, name: str, argument: object) -> Any:
        return self.page.evaluate("([name, argument]) => chat[name](argument)", [name, argument])

    def compute(self, name: str, vectors: Sequence[Vector]) -> list[Answer]:
        """What the page makes of each of the vectors."""
        answers: list[Answer] = []
        for start in range(0, len(vectors), BATCH):
            answers += self._call("computeAll", [name, vectors[start : start + BATCH]])
        assert len(answers) == len(vectors)
        return [Refused(each["refused"]) if isinstance(each, dict) else each for each in answers]

    def safety_number(self, *people: Mapping[str, str]) -> str:
        """The 60 digits of these two."""
        return cast(str, self._call("safetyNumber", list(people)))

    def make_bundle(self, role: Role) -> bytes:
        """Be that party, with a new identity."""
        return bytes.fromhex(self._call("makeBundle", role))

    def begin(self, context: Context, peer_bundle: bytes) -> list[bytes]:
        """Agree on keys; returns the own confirmation, and that which must come."""
        given = {
            "context": context.host,
            "sessionId": context.session_id,
            "productId": str(context.product_id),
            "buyerId": str(context.buyer_id),
            "sellerId": str(context.seller_id),
            "epoch": context.epoch,
        }
        assert len(given) == len(asdict(context))
        answer = self._call("begin", [peer_bundle.hex(), given])
        if isinstance(answer, dict):
            raise ChatError(answer["refused"])
        return [bytes.fromhex(each) for each in answer]

    def seal(self, plaintext: bytes) -> bytes:
        """The envelope of the next message."""
        return bytes.fromhex(self._call("seal", plaintext.hex()))

    def open(self, envelope: bytes) -> Opened:
        """What the other side wrote, or ChatError."""
        answer = self._call("open", envelope.hex())
        if "refused" in answer:
            raise ChatError(answer["refused"])
        return Opened(bytes.fromhex(answer["plaintext"]), answer["missed"], answer["isLate"])

    def snapshot(self) -> object:
        """What must be equal before and after an envelope that is refused."""
        return self._call("snapshot", None)
