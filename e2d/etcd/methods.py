"""
Etcd's remote procedures, as data: where they are and what their messages are called.

Nothing here loads gRPC, so a module that only names a procedure costs nothing.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from attrs import field, frozen

__all__ = ["Fields", "Method", "Reply"]

Reply: TypeAlias = Any
"""A protobuf message that etcd sent; its fields are those of etcd's ``rpc.proto``."""

Fields: TypeAlias = dict[str, Any]
"""The fields of a message to be sent, nested messages as mappings of their own."""


@frozen
class Method:
    """
    One procedure of etcd.

    :param service: ``KV``, ``Cluster``, ...
    :param name: ``Range``, ``MemberAdd``, ...
    :param stem: what its messages' names begin with, where that is not ``name``.
    """

    service: str
    name: str
    stem: str = field(default="")

    @property
    def path(self) -> str:
        """Where gRPC finds it."""
        return f"/etcdserverpb.{self.service}/{self.name}"

    @property
    def request(self) -> str:
        """The name of the message that is sent."""
        return f"{self.stem or self.name}Request"

    @property
    def response(self) -> str:
        """The name of the message that comes back."""
        return f"{self.stem or self.name}Response"


RANGE = Method("KV", "Range")
PUT = Method("KV", "Put")
DELETE_RANGE = Method("KV", "DeleteRange")
TXN = Method("KV", "Txn")
COMPACT = Method("KV", "Compact", "Compaction")
WATCH = Method("Watch", "Watch")
LEASE_GRANT = Method("Lease", "LeaseGrant")
LEASE_REVOKE = Method("Lease", "LeaseRevoke")
LEASE_KEEP_ALIVE = Method("Lease", "LeaseKeepAlive")
MEMBER_ADD = Method("Cluster", "MemberAdd")
MEMBER_REMOVE = Method("Cluster", "MemberRemove")
MEMBER_UPDATE = Method("Cluster", "MemberUpdate")
MEMBER_LIST = Method("Cluster", "MemberList")
MEMBER_PROMOTE = Method("Cluster", "MemberPromote")
ALARM = Method("Maintenance", "Alarm")
STATUS = Method("Maintenance", "Status")
DEFRAGMENT = Method("Maintenance", "Defragment")
HASH_KV = Method("Maintenance", "HashKV")
SNAPSHOT = Method("Maintenance", "Snapshot")
MOVE_LEADER = Method("Maintenance", "MoveLeader")
AUTHENTICATE = Method("Auth", "Authenticate")
