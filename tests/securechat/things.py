"""Conversations for the tests of the server: sound keys, and envelopes that only look like some."""

import os
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from marketplace.accounts.models import User
from products.models import Product
from securechat.envelopes import MIN_ENVELOPE_BYTES
from securechat.keys import ROLE_BYTES, Role
from securechat.models import Session
from securechat.services import open_session, submit_key
from securechat.wire import to_base64url
from tests.products.things import forget_announcements

SESSIONS = "/api/dh/sessions"


def make_key(role: Role, **parts: bytes) -> str:
    """A bundle of fresh keys as it is submitted; `parts` replace some of it."""
    fresh = {
        "head": bytes([1, ROLE_BYTES[role]]),
        "identity": X25519PrivateKey.generate().public_key().public_bytes_raw(),
        "exchange": X25519PrivateKey.generate().public_key().public_bytes_raw(),
        "encapsulation": MLKEM768PrivateKey.generate().public_key().public_bytes_raw(),
    }
    return to_base64url(b"".join({**fresh, **parts}.values()))


def make_envelope(role: Role, *, size: int = MIN_ENVELOPE_BYTES) -> str:
    """What a message looks like to the server: a header's first bytes, then noise."""
    return to_base64url(bytes([1, ROLE_BYTES[role], 0]) + os.urandom(size - 3))


def make_session(buyer: User, product: Product, *, active: bool = True) -> Session:
    """A conversation about the product. What all of that announced is dropped."""
    session = open_session(product_id=product.pk, by=buyer).session
    if active:
        for role, user in sides(session):
            key = make_key(role)
            session = submit_key(session_id=session.pk, by=user, public_key=key, epoch=1)
    forget_announcements()
    return session


def sides(session: Session) -> list[tuple[Role, User]]:
    """The two, each with their role."""
    return [("buyer", session.buyer), ("seller", session.seller)]


def of(session: Session, path: str = "") -> str:
    """The address of something of a session."""
    return f"{SESSIONS}/{session.pk}{path}"


def send(client: Any, session: Session, role: Role, **more: Any) -> Any:
    """Send a message; `more` replaces some of it."""
    body = {
        "clientMessageId": str(uuid4()),
        "epoch": session.epoch,
        "envelope": make_envelope(role),
        **more,
    }
    return client.post(of(session, "/messages"), body, format="json")


def code(answer: Any) -> str:
    """The status and code of a refusal: "409 stale_epoch"."""
    return f"{answer.status_code} {answer.json()['errors'][0]['code']}"
