"""The gossip ring in ``/status``; `e2d.api.documents` says what names promise."""

from __future__ import annotations

from typing import Any

from attrs import asdict

from e2d.cluster.ring_report import RingMemberReport, RingReport

__all__ = ["ring_document"]


def ring_document(ring: RingReport | None) -> dict[str, Any] | None:
    """
    The ring as plain mappings.

    :return: None for a node that takes part in none.
    """
    if ring is None:
        return None
    members, ranks = ring.members, ring.ranks
    return {
        "problem": ring.problem,
        "for_seconds": ring.for_seconds,
        "encrypted": ring.encrypted,
        "ranks": (
            None
            if ranks is None
            else {rank.value: number for rank, number in ranks.items()}
        ),
        "members": None if members is None else [_member(each) for each in members],
        "left_out": ring.left_out,
        "unmet": list(ring.unmet),
        "clashes": [asdict(clash) for clash in ring.clashes],
        "health_score": ring.health_score,
        "queue_length": ring.queue_length,
        "traffic": asdict(ring.traffic),
    }


def _member(member: RingMemberReport) -> dict[str, Any]:
    return {**asdict(member), "rank": member.rank.value}
