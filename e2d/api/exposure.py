"""Whether the address of the API deserves a warning; light enough for every start."""

from __future__ import annotations

from ipaddress import ip_address

from e2d.model import Address

__all__ = ["exposure"]


def exposure(address: Address) -> str | None:
    """
    The warning that an address deserves.

    :return: None for loopback.
    """
    try:
        loopback = ip_address(address.host).is_loopback
    except ValueError:
        loopback = address.host == "localhost"
    if loopback:
        return None
    return (
        f"api.addr {address} can be read from other hosts, without TLS and by anybody:"
        " use 127.0.0.1 or a firewall"
    )
