"""A seller without a browser: the Python peer, behind the server's own services."""

import json
from typing import Any
from uuid import uuid4

from marketplace.accounts.models import User
from securechat.models import Message, Session
from securechat.services import send_message, submit_key
from securechat.wire import from_base64url, to_base64url
from tests.securechat.peer import Peer
from tests.securechat.peer_messages import Context


class ScriptedSeller:
    """Takes part in a session, epoch after epoch, and writes whatever a test wants."""

    def __init__(self, user: User, session: Session) -> None:
        self.user = user
        self.session = session
        self.peer = Peer("seller")
        self._bundle = b""

    def submit(self, peer: Peer | None = None) -> None:
        """Submit a key for the present epoch; `peer`: another identity from now on."""
        self.peer = peer or self.peer
        self.session.refresh_from_db()
        self._bundle = self.peer.make_bundle()
        submit_key(
            session_id=self.session.pk,
            by=self.user,
            public_key=to_base64url(self._bundle),
            epoch=self.session.epoch,
        )

    def begin(self) -> None:
        """Agree on keys with what the buyer's browser has submitted."""
        self.session.refresh_from_db()
        session = self.session
        context = Context(
            host=session.context,
            session_id=str(session.pk),
            product_id=session.product_id,
            buyer_id=session.buyer_id,
            seller_id=session.seller_id,
            epoch=session.epoch,
        )
        self.peer.begin(context, self._bundle, from_base64url(session.buyer_key))

    def seal(self, content: dict[str, Any] | bytes) -> str:
        """An envelope with that content."""
        plaintext = content if isinstance(content, bytes) else json.dumps(content).encode()
        return to_base64url(self.peer.seal(plaintext))

    def write(self, text: str, *, name: str = "", **content: Any) -> Message:
        """Send a text, or another content under the id that its envelope names."""
        name = name or str(uuid4())
        said = {"kind": "text", "id": name, "text": text, **content}
        return self.send(name, self.seal(said))

    def send(self, name: str, envelope: str) -> Message:
        """Send an envelope in the present epoch."""
        self.session.refresh_from_db()
        sent = send_message(
            session_id=self.session.pk,
            by=self.user,
            client_message_id=name,  # type: ignore[arg-type] # the database takes its text
            epoch=self.session.epoch,
            envelope=envelope,
        )
        return sent.message
