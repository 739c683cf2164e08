"""Between etcd's messages and ours."""

from __future__ import annotations

from e2d.etcd.methods import Fields, Reply
from e2d.interfaces import (
    Compare,
    CompareResult,
    CompareTarget,
    Delete,
    Event,
    KeyValue,
    Put,
)
from e2d.model import (
    ClusterID,
    EtcdMember,
    EtcdRole,
    EtcdStatus,
    LeaseID,
    MemberID,
    Revision,
)

__all__ = [
    "ALARMS",
    "compare_fields",
    "event_of",
    "key_value_of",
    "member_of",
    "operation_fields",
    "status_of",
]

ALARMS = {1: "NOSPACE", 2: "CORRUPT"}
"""Etcd's numbers of alarms. ``etcd3`` knows only the first by name."""

_DELETION = 1
_RESULTS = {
    CompareResult.EQUAL: "EQUAL",
    CompareResult.GREATER: "GREATER",
    CompareResult.LESS: "LESS",
    CompareResult.NOT_EQUAL: "NOT_EQUAL",
}
_TARGETS = {
    CompareTarget.VERSION: ("VERSION", "version"),
    CompareTarget.CREATE_REVISION: ("CREATE", "create_revision"),
    CompareTarget.MOD_REVISION: ("MOD", "mod_revision"),
    CompareTarget.VALUE: ("VALUE", "value"),
}


def key_value_of(reply: Reply) -> KeyValue:
    """Our form of etcd's ``KeyValue``."""
    return KeyValue(
        key=reply.key,
        value=reply.value,
        create_revision=Revision(reply.create_revision),
        mod_revision=Revision(reply.mod_revision),
        version=reply.version,
        lease=LeaseID(reply.lease) if reply.lease else None,
    )


def event_of(reply: Reply) -> Event:
    """Our form of etcd's ``Event``."""
    return Event(item=key_value_of(reply.kv), deleted=reply.type == _DELETION)


def member_of(reply: Reply) -> EtcdMember:
    """Our form of etcd's ``Member``."""
    return EtcdMember(
        member_id=MemberID(reply.ID),
        name=reply.name,
        role=_role(reply.isLearner),
        peer_urls=tuple(reply.peerURLs),
        client_urls=tuple(reply.clientURLs),
    )


def status_of(reply: Reply) -> EtcdStatus:
    """Our form of etcd's ``StatusResponse``."""
    return EtcdStatus(
        cluster_id=ClusterID(reply.header.cluster_id),
        member_id=MemberID(reply.header.member_id),
        leader=MemberID(reply.leader) if reply.leader else None,
        role=_role(reply.isLearner),
        revision=Revision(reply.header.revision),
        raft_term=reply.raftTerm,
        raft_index=reply.raftIndex,
        raft_applied_index=reply.raftAppliedIndex or None,
        version=reply.version,
        db_size_bytes=reply.dbSize,
        db_size_in_use_bytes=reply.dbSizeInUse or None,
        errors=tuple(reply.errors),
    )


def compare_fields(compare: Compare) -> Fields:
    """The fields of etcd's ``Compare``."""
    target, name = _TARGETS[compare.target]
    return {
        "key": compare.key,
        "target": target,
        "result": _RESULTS[compare.result],
        name: compare.operand,
    }


def operation_fields(operation: Put | Delete) -> Fields:
    """The fields of etcd's ``RequestOp``."""
    match operation:
        case Put(key, value, lease):
            put = {"key": key, "value": value, "lease": lease or 0}
            return {"request_put": put}
        case Delete(key, range_end):
            delete = {"key": key, "range_end": range_end or b""}
            return {"request_delete_range": delete}


def _role(is_learner: bool) -> EtcdRole:
    return EtcdRole.LEARNER if is_learner else EtcdRole.VOTER
