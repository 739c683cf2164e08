"""
The words of the domain: identities, etcd's own values, the child process, the disk,
what the gossip ring tells of nodes.

Everything here is a frozen value without behaviour beyond its own text form.
"Not known" is ``None`` or a variant of its own, never ``0``, ``""`` or ``()``.
"""

from __future__ import annotations

from e2d.model.child import (
    Absent,
    ChildFailed,
    ChildProblem,
    ChildState,
    Elsewhere,
    ProblemKind,
    Serving,
    Starting,
    Stopping,
)
from e2d.model.disk import (
    DataState,
    Empty,
    Founding,
    Holds,
    Lost,
    Missing,
    Pause,
    Swapping,
    Unborn,
    Unreadable,
)
from e2d.model.etcd import (
    Alarm,
    EtcdMember,
    EtcdRole,
    EtcdStart,
    EtcdStatus,
    EtcdVersion,
    InitialState,
)
from e2d.model.gossip import (
    ClusterMark,
    DataSummary,
    GossipMember,
    NodeDigest,
    NodeStatus,
    OriginalDigest,
    PeerReport,
    Rank,
    UnreadableDigest,
    mark_cluster,
)
from e2d.model.identities import (
    Address,
    ClusterID,
    LeaseID,
    MemberID,
    NodeID,
    NodeName,
    Revision,
    format_id,
)
from e2d.model.ring import Announcement, NameClash, RingTraffic, RingView
from e2d.model.ring_keys import (
    KeyChange,
    KeyName,
    KeySurvey,
    NodeKeys,
    name_key,
)

__all__ = [
    "Absent",
    "Address",
    "Alarm",
    "Announcement",
    "ChildFailed",
    "ChildProblem",
    "ChildState",
    "ClusterID",
    "ClusterMark",
    "DataState",
    "DataSummary",
    "Elsewhere",
    "Empty",
    "EtcdMember",
    "EtcdRole",
    "EtcdStart",
    "EtcdStatus",
    "EtcdVersion",
    "Founding",
    "GossipMember",
    "Holds",
    "InitialState",
    "KeyChange",
    "KeyName",
    "KeySurvey",
    "LeaseID",
    "Lost",
    "MemberID",
    "Missing",
    "NameClash",
    "NodeDigest",
    "NodeID",
    "NodeKeys",
    "NodeName",
    "NodeStatus",
    "OriginalDigest",
    "Pause",
    "PeerReport",
    "ProblemKind",
    "Rank",
    "Revision",
    "RingTraffic",
    "RingView",
    "Serving",
    "Starting",
    "Stopping",
    "Swapping",
    "Unborn",
    "Unreadable",
    "UnreadableDigest",
    "format_id",
    "mark_cluster",
    "name_key",
]
