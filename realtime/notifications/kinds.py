"""Which kinds of notifications exist: each is registered by the app that knows what it tells."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise


def everybody(user: Any) -> bool:
    """Of a kind that may concern anybody."""
    return True


@dataclass(frozen=True, slots=True)
class NotificationKind:
    """One kind of notification, which everybody may switch off for themselves.

    name: as it stands on the wire ("new-order"); label: what the preferences call it, lazily
    translated; concerns(user): whose preferences show it at all.
    """

    name: str
    label: str | Promise
    concerns: Callable[[Any], bool] = everybody


_kinds: dict[str, NotificationKind] = {}


def register_notification_kind(kind: NotificationKind) -> None:
    """Declare a kind; called in an app's ready(). ValueError for a name that is taken."""
    if kind.name in _kinds:
        raise ValueError(f"The kind of notification {kind.name} is registered already.")
    _kinds[kind.name] = kind


def notification_kinds() -> dict[str, NotificationKind]:
    """All registered kinds by name."""
    return dict(_kinds)
