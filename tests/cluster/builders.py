"""Input for decisions, as short as a test can read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from attrs import evolve

from e2d.cluster.observation import Observation
from e2d.cluster.policy import Policy
from e2d.model import (
    Absent,
    ChildFailed,
    ChildProblem,
    ClusterID,
    EtcdMember,
    EtcdRole,
    EtcdStatus,
    Founding,
    Holds,
    MemberID,
    Missing,
    NodeName,
    Pause,
    ProblemKind,
    Revision,
    Serving,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
NAME = NodeName("n1")
URL = "http://10.0.0.1:2380"

ALONE = Policy(required_size=1, peer_url=URL)

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
