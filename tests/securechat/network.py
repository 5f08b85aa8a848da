"""A network that passes envelopes on late, twice, changed or not at all, and keeps the account."""

import random

from tests.securechat.conversations import Ledger, Party, flipped, refusal
from tests.securechat.peer import Opened

ACTIONS = ["buyer", "seller", "deliver", "deliver", "deliver", "drop", "again", "tamper"]
Passing = tuple[Party, bytes, bytes]  # to whom, the plaintext, its envelope


class Network:
    """Passes envelopes on as it is told, and checks each against the reader's ledger."""

    def __init__(self, buyer: Party, seller: Party) -> None:
        """Stand between two who have agreed on keys."""
        self.buyer, self.seller = buyer, seller
        self.ledgers = {id(buyer): Ledger(), id(seller): Ledger()}
        self.waiting: list[Passing] = []
        self.passed: list[Passing] = []
        self.sent = self.opened = self.refused = 0

    def __str__(self) -> str:
        """What it has seen."""
        counts = {
            "sent": self.sent,
            "delivered": len(self.passed),
            "opened": self.opened,
            "others refused": self.refused,
        }
        return ", ".join(f"{count} {what}" for what, count in counts.items())

    def run(self, *, messages: int, seed: int) -> None:
        """Let so many be written, and everything happen to them; at the end none is waiting."""
        chance = random.Random(seed)
        while self.sent < messages or self.waiting:
            actions = ACTIONS if self.sent < messages else ["deliver", "again", "tamper"]
            self.act(chance.choice(actions), chance.randrange(5000))

    def act(self, action: str, place: int) -> None:
        """Do one thing, with the envelope at that place where it is about one."""
        if action == "buyer":
            self._send(self.buyer, self.seller)
        elif action == "seller":
            self._send(self.seller, self.buyer)
        elif action == "again":
            if self.passed:
                self._deliver(*self.passed[place % len(self.passed)])
        elif self.waiting:
            self._handle(action, place, place % len(self.waiting))

    def _handle(self, action: str, place: int, index: int) -> None:
        to, plaintext, envelope = self.waiting[index]
        if action == "tamper":
            assert refusal(to, flipped(envelope, place * 7919 % len(envelope))) is not None
            self.refused += 1
            return
        del self.waiting[index]
        if action == "deliver":
            self.passed.append((to, plaintext, envelope))
            self._deliver(to, plaintext, envelope)

    def _send(self, writer: Party, to: Party) -> None:
        plaintext = b"%d" % self.sent
        self.sent += 1
        self.waiting.append((to, plaintext, writer.seal(plaintext)))

    def _deliver(self, to: Party, plaintext: bytes, envelope: bytes) -> None:
        expected = self.ledgers[id(to)].receive(envelope, plaintext)
        if isinstance(expected, Opened):
            assert to.open(envelope) == expected
            self.opened += 1
        else:
            assert refusal(to, envelope) == expected
            self.refused += 1
