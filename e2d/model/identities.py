"""What things are known by: names, ids, addresses."""

from __future__ import annotations

from typing import NewType

from attrs import frozen

__all__ = [
    "Address",
    "ClusterID",
    "LeaseID",
    "MemberID",
    "NodeID",
    "NodeName",
    "Revision",
    "format_id",
]

NodeName = NewType("NodeName", str)
"""What etcd calls a member and gossip a node: for people, never an identity."""

NodeID = NewType("NodeID", str)
"""16 lower-case hex digits, random, born and lost with the disk."""

MemberID = NewType("MemberID", int)
"""etcd's 64-bit member id. Never zero: etcd's "none" is ``None`` here."""

ClusterID = NewType("ClusterID", int)
"""etcd's 64-bit cluster id."""

LeaseID = NewType("LeaseID", int)
"""etcd's 64-bit lease id."""

Revision = NewType("Revision", int)
"""etcd's KV revision, counted from 1."""


def format_id(number: int) -> str:
    """
    The hexadecimal form in which etcd's own tools print ids.

    :param number: a member, cluster or lease id.
    """
    return f"{number:x}"


@frozen
class Address:
    """
    A host and a port that something listens on or can be reached at.

    :param host: an IP literal or a DNS name, IPv6 without brackets.
    :param port: 0 to 65535.
    """

    host: str
    port: int

    def __str__(self) -> str:
        """``host:port``, with brackets around an IPv6 literal."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"
