"""What the database says of one stream: who listens now, what it may hear, what it missed.

Everything here blocks and is called in a thread of its own (realtime.database).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from realtime import log
from realtime.channels import Channel, UnknownChannel, parse_channel
from realtime.connection import Connection, Transport
from realtime.control import login_audience, user_audience
from realtime.listeners import Credentials, Listener, NotLoggedIn, authenticator
from realtime.messages import Subscribed
from realtime.pages import Missed, Page, read_page, read_pages
from realtime.presence import Presence, present_in

MAX_CHANNELS = 128

RefusalCode = Literal[
    "not-logged-in", "forbidden", "unknown-channel", "too-many", "restart", "unavailable"
]


class Refused(Exception):
    """A stream, or a channel of one, is not to be had: the code says why."""

    def __init__(self, code: RefusalCode) -> None:
        super().__init__(code)
        self.code: RefusalCode = code


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """What a client asks for when it opens a stream. cursor: the last position that it has seen;
    channels: each name once."""

    credentials: Credentials
    transport: Transport
    address: str
    cursor: int | None = None
    channels: tuple[str, ...] = ()


def channels_of(request: StreamRequest, listener: Listener) -> list[Channel]:
    """The channels that the listener asks for, as far as that is to be told without a database;
    raises Refused."""
    if len(request.channels) > MAX_CHANNELS:
        raise Refused("forbidden")
    channels = [channel_named(name) for name in request.channels]
    if listener.user_id is None and not (channels and all(c.kind.public for c in channels)):
        raise Refused("not-logged-in")
    return channels


def may_hear(listener: Listener, channels: Iterable[Channel]) -> bool:
    """Whether the listener may hear all of them now."""
    return all(channel.may_be_heard_by(listener) for channel in channels)


def log_in(credentials: Credentials) -> Listener:
    """The listener for these credentials; raises Refused for one that does not hold."""
    (found,) = authenticator().log_in([credentials])
    return admitted(found)


def admitted(found: Listener | NotLoggedIn) -> Listener:
    """The listener that was found; raises Refused where there is none."""
    if isinstance(found, NotLoggedIn):
        raise Refused("not-logged-in") from found
    return found


def channel_named(name: str) -> Channel:
    """The channel of that name; raises Refused for one that cannot be. No database is asked."""
    try:
        return parse_channel(name)
    except UnknownChannel as error:
        raise Refused("unknown-channel") from error


def login_audience_of(listener: Listener) -> tuple[str, ...]:
    """What tells of the end of the listener's login."""
    return () if listener.login_id is None else (login_audience(listener.login_id),)


def audible_to(listener: Listener, channels: Iterable[str]) -> frozenset[str]:
    """All that the hub delivers to such a connection, internal rows of its login included."""
    names = {*listener.audiences, *channels, *login_audience_of(listener)}
    if listener.user_id is not None:
        names.add(user_audience(listener.user_id))
    return frozenset(names)


@dataclass(frozen=True, slots=True)
class Survey:
    """The state of things for one connection, read after it was registered at the hub."""

    head: int
    listener: Listener | None  # as it is now; None when its login ended
    allowed: bool  # whether it may (still) hear all the channels
    states: dict[str, Any]  # of those whose states were asked for, by name
    present: dict[str, list[Presence]]  # who is in these, where that is known


@dataclass(frozen=True, slots=True)
class Look:
    """The head of the log, and who listens then: None when the login had ended."""

    head: int
    listener: Listener | None


def look(many: Sequence[Listener]) -> list[Look]:
    """How things stand for each of these. The head is read first: what comes after it follows
    what is read then."""
    head = log.head_position()
    return [Look(head, listener) for listener in authenticator().still_valid(many)]


def survey(
    listener: Listener, channels: Sequence[Channel], *, states_of: Sequence[Channel] = ()
) -> Survey:
    """Who listens now, and whether they may."""
    (looked,) = look([listener])
    return survey_from(looked, channels, states_of=states_of)


def survey_from(
    looked: Look, channels: Sequence[Channel], *, states_of: Sequence[Channel] = ()
) -> Survey:
    """The survey that a look begins. Uses the database only where there are channels."""
    head, now = looked.head, looked.listener
    allowed = now is not None and may_hear(now, channels)
    if now is None or not allowed:
        return Survey(head=head, listener=now, allowed=allowed, states={}, present={})
    return Survey(
        head=head,
        listener=now,
        allowed=allowed,
        states={channel.name: channel.state_for(now) for channel in states_of},
        present=present_in(states_of, audible=audible_to(now, (c.name for c in channels))),
    )


def welcome(connection: Connection, name: str, found: Survey, *, position: int) -> None:
    """Tell the client that it hears the channel from now on, how things stand and who is there."""
    connection.say(Subscribed(channel=name, position=position, state=found.states[name]))
    for presence in found.present.get(name, ()):
        connection.say(presence)


@dataclass(frozen=True, slots=True)
class Part:
    """One page of a replay, and the log and the rights as they were then."""

    listener: Listener | None  # as it is now; None when its login ended
    head: int
    lost: bool  # the log does not hold what follows the cursor (any more)
    page: Page
    allowed: bool = True  # whether it may (still) hear all the channels


def keep_rights(connection: Connection, found: Survey | Part) -> bool:
    """Take over who listens now, or end the stream of who may not any more; whether it goes on."""
    if found.listener is None:
        connection.end("logged-out")
    elif not found.allowed:
        connection.end("forbidden")
    else:
        connection.listener = found.listener
    return not connection.ended


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one stream asks of the log: all that it may hear after a position, up to the head or
    to until. names: of its channels."""

    listener: Listener
    names: frozenset[str]
    after: int
    until: int | None

    def missed_by(self, listener: Listener, head: int) -> Missed:
        """What such a listener missed, where the log ends at that head."""
        until = head if self.until is None else self.until
        return Missed(audible_to(listener, self.names), self.after, until)


def read_parts(many: Sequence[Wanted]) -> list[Part]:
    """The next part of a replay for each of these, for the listener as it is now: a long one may
    outlast a login. Of its channels nothing is asked here: see may_hear()."""
    head, _ = log.read_head()
    asked = [wanted.missed_by(wanted.listener, head) for wanted in many]
    pages = read_pages(asked)
    # Asked after the pages were read: a right that was lost before their last event shows.
    listeners = authenticator().still_valid([wanted.listener for wanted in many])
    for number, (wanted, now) in enumerate(zip(many, listeners, strict=True)):
        if now is not None and wanted.missed_by(now, head) != asked[number]:
            listeners[number], pages[number] = _read_anew(wanted, now, head)
    # Read after the pages, so that a trim between the two shows.
    floor = log.read_head()[1]
    return [
        Part(listener=now, head=head, lost=not floor <= wanted.after <= head, page=page)
        for wanted, now, page in zip(many, listeners, pages, strict=True)
    ]


def _read_anew(wanted: Wanted, now: Listener, head: int) -> tuple[Listener | None, Page]:
    """The page of one who hears other audiences than before; again until nothing changed."""
    while True:
        asked = wanted.missed_by(now, head)
        page = read_page(asked)
        (then,) = authenticator().still_valid([now])
        if then is None or wanted.missed_by(then, head) == asked:
            return then, page
        now = then
