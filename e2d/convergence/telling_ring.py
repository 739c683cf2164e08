"""Turns a view of the gossip ring into a `RingReport`. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import assert_never

from attrs import evolve

from e2d.cluster.ring_report import RingClash, RingMemberReport, RingReport
from e2d.model import (
    ClusterMark,
    GossipMember,
    NameClash,
    NodeDigest,
    NodeName,
    NodeStatus,
    OriginalDigest,
    Rank,
    RingView,
    UnreadableDigest,
    format_id,
)

__all__ = ["MEMBERS_REPORTED", "ring_report", "ring_warnings", "same_cluster"]

MEMBERS_REPORTED = 512
"""More nodes than a cluster has; who floods the ring does not flood each status."""

_ORDER = (Rank.ALIVE, Rank.SUSPECT, Rank.DEAD, Rank.DEPARTED, Rank.LEFT)


def ring_report(view: RingView, now: float, local: NodeName | None) -> RingReport:
    """
    The ring, as of now.

    :param now: seconds of the reactor's clock.
    :param local: the name of this node; None: not known yet.
    """
    members = None if view.members is None else _sorted(view.members, local)
    return RingReport(
        problem=view.problem,
        for_seconds=None if view.since is None else max(0.0, now - view.since),
        ranks=None if members is None else _count(members),
        members=None if members is None else _members(members, now, local),
        left_out=max(0, len(members or ()) - MEMBERS_REPORTED),
        clashes=tuple(_clash(clash, now) for clash in view.clashes),
        unmet=tuple(str(address) for address in view.unmet),
        encrypted=view.encrypted,
        health_score=view.health_score,
        queue_length=view.queue_length,
        traffic=view.traffic,
    )


def ring_warnings(report: RingReport | None) -> Sequence[str]:
    """What an operator should know of it, a line each."""
    if report is None:
        return ()
    warnings = [] if report.problem is None else [report.problem]
    warnings.extend(
        f"another node, at {clash.claimed}, claims the name {clash.name} of this one:"
        " names in a ring are unique. Give one of them another overrideName, or end the"
        " copy of this machine"
        for clash in report.clashes
        if clash.ours
    )
    return tuple(warnings)


def same_cluster(mine: ClusterMark, theirs: ClusterMark) -> bool:
    """
    Whether two nodes are of one cluster (A20).

    A node that never took part in one is of the cluster that its configuration names.
    """
    if mine.name != theirs.name:
        return False
    lineages = {mine.lineage, theirs.lineage} - {None}
    return len(lineages) <= 1


def _sorted(
    members: Sequence[GossipMember], local: NodeName | None
) -> Sequence[GossipMember]:
    """By rank and name; this node first, so that it is never left out."""
    return sorted(
        members,
        key=lambda each: (each.name != local, _ORDER.index(each.rank), each.name),
    )


def _count(members: Sequence[GossipMember]) -> dict[Rank, int]:
    counts = Counter(member.rank for member in members)
    return {rank: counts[rank] for rank in _ORDER}


def _members(
    members: Sequence[GossipMember], now: float, local: NodeName | None
) -> tuple[RingMemberReport, ...]:
    mine = _mark(members[0]) if members and members[0].name == local else None
    return tuple(
        _told(
            member,
            mine,
            RingMemberReport(
                name=member.name,
                local=member.name == local,
                address=str(member.address),
                rank=member.rank,
                for_seconds=max(0.0, now - member.since),
                incarnation=member.incarnation,
                kind="silent",
            ),
        )
        for member in members[:MEMBERS_REPORTED]
    )


def _mark(member: GossipMember) -> ClusterMark | None:
    digest = member.digest
    return digest.cluster if isinstance(digest, NodeDigest) else None


def _told(
    member: GossipMember, mine: ClusterMark | None, report: RingMemberReport
) -> RingMemberReport:
    """The report, with what the node says of itself."""
    digest = member.digest
    match digest:
        case None:
            return report
        case NodeDigest():
            return _digest(digest, mine, report)
        case OriginalDigest():
            return evolve(
                report,
                kind="original",
                status=_word(digest.status),
                client_url=digest.client_url,
                peer_url=digest.peer_url,
            )
        case UnreadableDigest():
            return evolve(report, kind="unreadable", unreadable=digest.reason)
        case _:
            assert_never(digest)


def _digest(
    digest: NodeDigest, mine: ClusterMark | None, report: RingMemberReport
) -> RingMemberReport:
    data, version = digest.data, digest.etcd_version
    return evolve(
        report,
        kind="e2d",
        own_cluster=None if mine is None else same_cluster(mine, digest.cluster),
        status=_word(digest.status),
        node_id=digest.node_id,
        client_url=digest.client_url,
        peer_url=digest.peer_url,
        e2d_version=digest.e2d_version,
        etcd_version=None if version is None else str(version),
        cluster_id=None if data is None else format_id(data.cluster_id),
        member_id=None if data is None else format_id(data.member_id),
    )


def _word(status: NodeStatus | None) -> str | None:
    return None if status is None else status.value


def _clash(clash: NameClash, now: float) -> RingClash:
    return RingClash(
        name=clash.name,
        held=str(clash.held),
        claimed=str(clash.claimed),
        ours=clash.ours,
        seconds_ago=max(0.0, now - clash.last),
    )
