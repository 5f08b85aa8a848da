"""Readers of the environment: each raises ImproperlyConfigured for what makes no sense."""

import ipaddress
import re
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from marketplace.hosts import is_host

_DATABASES = {"postgres", "postgresql", "sqlite"}
# The framework's own reader looks at the first letter of the period alone.
_RATE = re.compile(r"[1-9][0-9]{0,8}/(s|sec|second|m|min|minute|h|hour|d|day)")

env = environ.Env()


def _read_list(name: str, *, default: list[str]) -> list[str]:
    """Read a comma-separated list; blanks around the items are dropped."""
    if name not in env.ENVIRON:
        return default
    return [item.strip() for item in env.str(name).split(",") if item.strip()]


def read_text(name: str, *, default: str) -> str:
    """Read a variable as it is."""
    text: str = env.str(name, default=default)
    return text


def read_bool(name: str, *, default: bool) -> bool:
    """Read a yes-or-no variable; raises ImproperlyConfigured for anything else."""
    text = read_text(name, default=str(default)).strip().lower()
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} must be true or false, not {text!r}.")


def read_positive_int(name: str, *, default: int) -> int:
    """Read a whole number above zero; raises ImproperlyConfigured for anything else."""
    text = read_text(name, default=str(default)).strip()
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ImproperlyConfigured(f"{name} must be a whole number above zero, not {text!r}.")
    return int(text)


def read_networks(name: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Read a comma-separated list of addresses or networks (CIDR)."""
    try:
        return [ipaddress.ip_network(item, strict=False) for item in _read_list(name, default=[])]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be addresses or networks: {error}.") from error


def read_origins(name: str) -> list[str]:
    """Read a comma-separated list of origins as browsers send them: scheme://host[:port]."""
    origins = _read_list(name, default=[])
    for origin in origins:
        scheme, _separator, rest = origin.partition("://")
        if scheme not in {"http", "https"} or not is_host(rest):
            raise ImproperlyConfigured(
                f"{name}: {origin!r} is no origin (https://host[:port] in small letters)."
            )
    return origins


def read_hosts(name: str, *, default: list[str]) -> list[str]:
    """Read a comma-separated list of hosts without ports; ".host" has subdomains, "*" is any."""
    hosts = _read_list(name, default=default)
    for host in hosts:
        if host != "*" and not is_host(host.lower().removeprefix("."), with_port=False):
            raise ImproperlyConfigured(f"{name}: {host!r} is no host (a name or address alone).")
    return hosts


def read_public_host(name: str, *, allowed: list[str], needed: bool) -> str:
    """Read host[:port]; without it the first of the allowed hosts that is one and no pattern.

    Where there is none, ImproperlyConfigured if it is needed, else "localhost".
    """
    named = [host for host in allowed if is_host(host.lower())]
    text = read_text(name, default=named[0] if named else "").strip().lower()
    if not text and not needed:
        return "localhost"
    if not is_host(text):
        raise ImproperlyConfigured(f"{name} must be host[:port], not {text!r}.")
    return text


def read_rate(name: str, *, default: str) -> str:
    """Read how much in how long a time: "300/min"."""
    text = read_text(name, default=default).strip()
    if not _RATE.fullmatch(text):
        raise ImproperlyConfigured(
            f"{name} must be a number over s, min, hour or day (300/min), not {text!r}."
        )
    return text


def read_database(name: str, *, default: str) -> dict[str, Any]:
    """Read the URL of a database, as Django's DATABASES has it; no message shows the password."""
    url = read_text(name, default=default).strip()
    scheme = url.partition("://")[0]
    try:
        database: dict[str, Any] = env.db_url_config(url) if scheme in _DATABASES else {}
    except ValueError:  # of the port
        database = {}
    # Of a database in memory each thread would have its own.
    if database.get("NAME", "") in {"", ":memory:"}:
        raise ImproperlyConfigured(
            f"{name} must be postgres://user:password@host:5432/name or sqlite:///path."
        )
    return database


def read_url(name: str, *, schemes: set[str]) -> str | None:
    """Read a URL of one of the schemes, or None when the variable is absent or empty.

    Several, separated by semicolons, are taken one after the other. No message shows the password.
    """
    url = read_text(name, default="").strip()
    for one in url.split(";") if url else ():
        if one.partition("://")[0] not in schemes:
            raise ImproperlyConfigured(
                f"{name} must start with one of {sorted(schemes)} and '://'."
            )
        try:
            urlsplit(one).port  # noqa: B018 read to be checked
        except ValueError:
            raise ImproperlyConfigured(f"{name} has a port or a host that is none.") from None
    return url or None


def read_choice(name: str, *, choices: set[str], default: str) -> str:
    """Read a variable that has a fixed set of values."""
    value = read_text(name, default=default).strip()
    if value not in choices:
        raise ImproperlyConfigured(f"{name} must be one of {sorted(choices)}, not {value!r}.")
    return value
