"""This host's own addresses."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import ip_address

import ifaddr

__all__ = ["choose_address", "host_address", "interface_addresses"]


def interface_addresses() -> list[str]:
    """Every address of every interface, in the system's order, without zones."""
    return [
        ip.ip if isinstance(ip.ip, str) else ip.ip[0]
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
    ]


def choose_address(addresses: Iterable[str]) -> str | None:
    """
    The address under which others most likely reach this host.

    :param addresses: all it has.
    :return: the first IPv4 address that is not loopback, as the original chooses; else
        the first such IPv6 address that is not link-local, which would need a zone;
        None for neither.
    """
    usable = [
        address
        for address in map(ip_address, addresses)
        if not (address.is_loopback or address.is_unspecified or address.is_multicast)
    ]
    for address in usable:
        if address.version == 4:  # noqa: PLR2004 - the version of the protocol
            return str(address)
    for address in usable:
        if not address.is_link_local:
            return str(address)
    return None


def host_address(
    addresses: Callable[[], Iterable[str]] = interface_addresses,
) -> str | None:
    """
    Ask the system, then choose.

    :param addresses: lists what the interfaces have.
    :return: None also where the system does not tell.
    """
    try:
        return choose_address(addresses())
    except OSError:
        return None
