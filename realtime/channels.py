"""Which channel kinds exist, who may listen to them, and what their present state is.

A kind exists only because an app registered it. Whoever registers owns the permission, so that
the audience of an event and the permission to listen are decided in one place.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from realtime.events import Event
from realtime.listeners import Listener

IdForm = Literal["none", "integer", "uuid"]

_ID_PATTERNS: dict[IdForm, re.Pattern[str]] = {
    "integer": re.compile(r"[1-9][0-9]{0,17}"),
    "uuid": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
}


# Somebody in a channel: the id of the channel, and of the user.
Visit = tuple[str, int]


class UnknownChannel(Exception):
    """The kind is not declared, or the id is not of its form."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """What a channel's listeners are told every so many seconds, while there are any.

    read: may use the database; what it returns is never stored, and replaces what waits of it.
    """

    seconds: int
    read: Callable[[], Event]


@dataclass(frozen=True, slots=True)
class ChannelKind:
    """One kind of channel that a client may ask for.

    name: the kind ("product"); id_form: what stands behind the dot; public: whether a stream
    without a login may ask; may_listen(listener, id) and state(listener, id) may use the database;
    state returns what msgspec can encode, or None. id is "" where the form is "none".
    presence: where it is known who is there, the channels whose listeners are told that somebody
    came or went, for each of many at once; of who is not in the answer nobody is told. May use the
    database.
    pulse: what those who listen are told again and again; for a kind without ids.
    """

    name: str
    id_form: IdForm
    public: bool
    may_listen: Callable[[Listener, str], bool]
    state: Callable[[Listener, str], Any]
    presence: Callable[[Collection[Visit]], Mapping[Visit, Collection[str]]] | None = None
    pulse: Pulse | None = None


_kinds: dict[str, ChannelKind] = {}


def register_channel_kind(kind: ChannelKind) -> None:
    """Declare a kind; called in an app's ready().

    ValueError for a name that is taken, and for a pulse of a kind with ids.
    """
    if kind.name in _kinds:
        raise ValueError(f"The channel kind {kind.name} is registered already.")
    if kind.pulse is not None and kind.id_form != "none":
        raise ValueError(f"The channel kind {kind.name} has ids and cannot have a pulse.")
    _kinds[kind.name] = kind


def channel_kinds() -> dict[str, ChannelKind]:
    """All registered kinds by name."""
    return dict(_kinds)


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel that a client asked for, parsed."""

    name: str
    kind: ChannelKind
    id: str

    def may_be_heard_by(self, listener: Listener) -> bool:
        """Whether the listener may listen now. May use the database."""
        if listener.user_id is None and not self.kind.public:
            return False
        return self.kind.may_listen(listener, self.id)

    def state_for(self, listener: Listener) -> Any:
        """The channel's present state. May use the database."""
        return self.kind.state(listener, self.id)


def parse_channel(name: str) -> Channel:
    """The channel of that name; raises UnknownChannel."""
    kind_name, dot, channel_id = name.partition(".")
    kind = _kinds.get(kind_name)
    if kind is None:
        raise UnknownChannel(name)
    pattern = _ID_PATTERNS.get(kind.id_form)
    well_formed = not dot if pattern is None else pattern.fullmatch(channel_id) is not None
    if not well_formed:
        raise UnknownChannel(name)
    return Channel(name=name, kind=kind, id=channel_id)
