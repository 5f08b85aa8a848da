"""What the server says to one connection about the connection itself. Never stored."""

from typing import Any, Literal

from realtime.events import Message

ClosingReason = Literal["restart", "expired", "logged-out", "forbidden", "too-slow"]
ResetReason = Literal["cursor-too-old", "cursor-unknown"]


class Connected(Message, frozen=True):
    """The first frame of a stream. Its id is the position after which the stream's events follow:
    the cursor that the client came with when it resumes, else the head of the log."""

    client_id: str
    message: str
    channels: list[str]
    heartbeat: int


class Subscribed(Message, frozen=True):
    """A channel that was asked for is listened to. position was read before state, and every later
    event of the channel follows."""

    channel: str
    position: int
    state: Any


class Unsubscribed(Message, frozen=True):
    """A channel is no longer listened to. WebSocket only."""

    channel: str


class Reset(Message, frozen=True):
    """The log does not hold what was asked for: load the page's data again. Right after connected;
    its id is the head, the only one that may be lower than those before."""

    reason: ResetReason


class Heartbeat(Message, frozen=True):
    """Every 20 seconds. Its id moves the cursor of a quiet client on."""


class Closing(Message, frozen=True):
    """The last frame. retryAfter: milliseconds to wait before coming back, null for never."""

    reason: ClosingReason
    retry_after: int | None


class TokenExpiring(Message, frozen=True):
    """Sixty seconds before the login behind the stream expires."""

    expires_at: str
