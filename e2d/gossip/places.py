"""
Where peers are: in the protocol's form, which is bytes, and in ours, which is text.

Note [IPv4 on a port of IPv6]
    A port that listens on ``::`` hears IPv4, too, from addresses that look like
    ``::ffff:10.0.0.1``, and wants to be given such for what it sends there. To the
    protocol the two forms of one address are two addresses, so ours are always short.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

from e2d.model import Address
from e2d.swim.messages import PeerAddress

__all__ = ["address_of", "host_for", "peer_address"]


def peer_address(host: str, port: int) -> PeerAddress:
    """
    An address, as the protocol has it.

    :raises ValueError: the host is no literal of IPv4 or IPv6.
    """
    return PeerAddress(_short(host).packed, port)


def address_of(peer: PeerAddress) -> Address:
    """An address of the protocol's, for people and for connections."""
    return Address(str(_short(str(ip_address(peer.host)))), peer.port)


def host_for(peer: PeerAddress, *, over_ipv6: bool) -> str:
    """
    The host to give to a port.

    :param over_ipv6: it is a port of IPv6.
    """
    short = _short(str(ip_address(peer.host)))
    mapped = over_ipv6 and isinstance(short, IPv4Address)
    return f"::ffff:{short}" if mapped else str(short)


def _short(host: str) -> IPv4Address | IPv6Address:
    address = ip_address(host)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
