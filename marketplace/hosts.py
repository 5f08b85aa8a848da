"""What is a host, and which of them only this machine reaches."""

import ipaddress
import re

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_PORT = re.compile(r"[1-9][0-9]{0,4}")


def is_loopback(host: str) -> bool:
    """Whether only programs on this machine reach the host, an address or "localhost"."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def is_host(text: str, *, with_port: bool = True) -> bool:
    """Whether it is a name or address (IPv6 in brackets) in small letters, and maybe a port."""
    match = re.fullmatch(r"(\[[^\]]*\]|[^:]*)(?::(.*))?", text, re.DOTALL)
    if match is None:
        return False
    host, port = match.groups()
    if port is not None and not (with_port and _PORT.fullmatch(port) and int(port) < 2**16):
        return False
    return _is_ipv6(host[1:-1]) if host.startswith("[") else _NAME.fullmatch(host) is not None


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True
