"""Values that the tests of what the ring carries share."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from attrs import evolve
from hypothesis import strategies as st

from e2d.model import (
    Address,
    ClusterID,
    ClusterMark,
    DataSummary,
    EtcdVersion,
    GossipMember,
    MemberID,
    NodeDigest,
    NodeID,
    NodeName,
    NodeStatus,
    PeerReport,
    Rank,
    mark_cluster,
)

FIXTURES = Path(__file__).parents[1] / "fixtures" / "original"

GOSSIP = Address("10.0.0.1", 7980)

DIGEST = NodeDigest(
    name=NodeName("n1"),
    client_url="https://10.0.0.1:2379",
    peer_url="https://10.0.0.1:2380",
    status=NodeStatus.RUNNING,
    node_id=NodeID("00112233445566ff"),
    e2d_version="1.0.0",
    etcd_version=EtcdVersion(3, 5, 16),
    cluster=mark_cluster("blue", "l1"),
    data=DataSummary(
        cluster_id=ClusterID(0xEF5D7F3A0F6D4CBE), member_id=MemberID(0x502D1C5A97D7BA5F)
    ),
)

NEWBORN = evolve(
    DIGEST,
    status=NodeStatus.PENDING,
    etcd_version=None,
    cluster=mark_cluster("blue", None),
    data=None,
)
"""A node that knows nothing yet but itself."""

REPORT = PeerReport(
    node_id=NodeID("00112233445566ff"),
    name=NodeName("n1"),
    incarnation=3,
    sequence=1,
    cluster_name="blue",
)


def gossip_member(**changes: object) -> GossipMember:
    """A live node that has told nothing of itself, but for what is given."""
    member = GossipMember(
        name=NodeName("n1"),
        rank=Rank.ALIVE,
        address=GOSSIP,
        incarnation=1,
        since=0.0,
        digest=None,
    )
    return evolve(member, **changes)


@cache
def seen(kind: str) -> list[dict[str, object]]:
    """Payloads of the original as another peer received them, with their meaning."""
    content = json.loads((FIXTURES / "gob.json").read_text("utf-8"))
    found = content[kind]
    assert isinstance(found, list)
    return found


# -- what may be anything ---------------------------------------------------------


def texts(maximum: int = 20) -> st.SearchStrategy[str]:
    """Text in one line, not empty."""
    letters = st.characters(categories=["L", "N", "P", "S"])
    return st.text(letters, min_size=1, max_size=maximum)


def digests() -> st.SearchStrategy[NodeDigest]:
    """Any digest."""
    numbers = st.integers(0, (1 << 64) - 1)
    identifiers = st.integers(1, (1 << 64) - 1)
    marks = st.binary(min_size=8, max_size=8)
    urls = st.builds(
        "{}://{}:{}".format,
        st.sampled_from(["http", "https"]),
        st.from_regex(r"[a-z0-9.\[\]:-]{1,40}", fullmatch=True),
        st.integers(0, 65535),
    )
    return st.builds(
        NodeDigest,
        name=texts(),
        client_url=urls,
        peer_url=urls,
        status=st.none() | st.sampled_from(NodeStatus),
        node_id=marks.map(bytes.hex),
        e2d_version=texts(),
        etcd_version=st.none() | st.builds(EtcdVersion, numbers, numbers, numbers),
        cluster=st.builds(ClusterMark, name=marks, lineage=st.none() | marks),
        data=st.none()
        | st.builds(DataSummary, cluster_id=identifiers, member_id=identifiers),
    )


def reports() -> st.SearchStrategy[PeerReport]:
    """Any report."""
    numbers = st.integers(0, (1 << 64) - 1)
    return st.builds(
        PeerReport,
        node_id=st.binary(min_size=8, max_size=8).map(bytes.hex),
        name=texts(),
        incarnation=numbers,
        sequence=numbers,
        cluster_name=texts(),
    )
