"""Input for decisions, as short as a test can read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from attrs import evolve

from e2d.cluster.observation import Observation
from e2d.cluster.policy import Policy
from e2d.model import (
    Absent,
    Address,
    ChildFailed,
    ChildProblem,
    ClusterID,
    EtcdMember,
    EtcdRole,
    EtcdStatus,
    Founding,
    GossipMember,
    Holds,
    MemberID,
    Missing,
    NodeDigest,
    NodeID,
    NodeName,
    NodeStatus,
    OriginalDigest,
    Pause,
    ProblemKind,
    Rank,
    Revision,
    Serving,
    mark_cluster,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
NAME = NodeName("n1")
URL = "http://10.0.0.1:2380"

MARK = mark_cluster("e2d", None).name

ALONE = Policy(required_size=1, peer_url=URL, cluster=MARK)

FOUNDING = Founding(
    founding_id="f00d", cluster_name="e2d", peers=((NAME, URL),), started=True
)

HOLDS = Holds(member_id=MemberID(0xA1), cluster_id=ClusterID(0xC1), name=NAME)

MISSING = Missing(
    breadcrumb="/var/lib/e2d/data.json",
    name=NAME,
    member_id=MemberID(0xA1),
    cluster_id=ClusterID(0xC1),
    since=100.0,
)

STATUS = EtcdStatus(
    cluster_id=ClusterID(0xC1),
    member_id=MemberID(0xA1),
    leader=MemberID(0xA1),
    role=EtcdRole.VOTER,
    revision=Revision(12),
    raft_term=2,
    raft_index=20,
    raft_applied_index=20,
    version="3.5.16",
    db_size_bytes=20480,
    db_size_in_use_bytes=16384,
)

MEMBER = EtcdMember(
    member_id=MemberID(0xA1),
    name="n1",
    peer_urls=(URL,),
    client_urls=("http://10.0.0.1:2379",),
)

SERVING = Serving(pid=77, since=90.0)

LOOK = Observation(now=100.0, now_at=NOON, local=NAME, child=Absent(), data=None)

WELL = evolve(
    LOOK,
    child=SERVING,
    status=STATUS,
    members=(MEMBER,),
    alarms=(),
    recorded=True,
)

PAUSE = Pause(until_at=NOON + timedelta(hours=1), by="uid 0")


def member(
    name: str,
    *,
    rank: Rank = Rank.ALIVE,
    cluster: str = "e2d",
    host: str = "10.0.0.2",
) -> GossipMember:
    """A node of e2d in the ring."""
    return GossipMember(
        name=NodeName(name),
        rank=rank,
        address=Address(host, 7980),
        incarnation=1,
        since=0.0,
        digest=NodeDigest(
            name=NodeName(name),
            client_url=f"http://{host}:2379",
            peer_url=f"http://{host}:2380",
            status=NodeStatus.PENDING,
            node_id=NodeID("00000000000000aa"),
            e2d_version="1.0",
            etcd_version=None,
            cluster=mark_cluster(cluster, None),
            data=None,
        ),
    )


ORIGINAL = evolve(
    member("old"),
    digest=OriginalDigest(
        name=NodeName("old"),
        client_url="http://10.0.0.3:2379",
        peer_url="http://10.0.0.3:2380",
        status=NodeStatus.RUNNING,
    ),
)
"""A node of the original."""

STRANGER = member("n9", cluster="other")
"""A node of another cluster."""


def failed(
    times: int = 1,
    *,
    retry_at: float = 101.0,
    gave_up: bool = False,
    kind: ProblemKind = ProblemKind.PORT_IN_USE,
) -> ChildFailed:
    """Etcd ended by itself."""
    return ChildFailed(
        times=times,
        problem=ChildProblem(
            kind=kind, message="port 2379 is in use", remedy="free it"
        ),
        retry_at=retry_at,
        gave_up=gave_up,
    )
