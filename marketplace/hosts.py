"""Which hosts only this machine reaches."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether only programs on this machine reach the host, an address or "localhost"."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
