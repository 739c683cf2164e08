"""
The JSON that others script against: report and decisions as plain mappings.

Names here are promises. Ids are strings as etcd's tools print them, times RFC 3339 in
UTC, durations seconds; what is not known is ``None`` (``null``), never left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from attrs import asdict

from e2d.api.ring_document import ring_document
from e2d.cluster.report import ClusterReport, Decision, PlanReport, Report
from e2d.model import EtcdMember, EtcdStatus, MemberID, Pause, format_id

__all__ = [
    "Document",
    "decisions_document",
    "format_time",
    "pause_document",
    "pause_in_force",
    "readiness_document",
    "status_document",
]

Document = dict[str, Any]
"""What ``json.dumps`` makes an object of."""


def format_time(moment: datetime) -> str:
    """
    RFC 3339 in UTC, in whole seconds: ``2026-01-02T03:04:05Z``.

    :param moment: an aware datetime.
    """
    whole = moment.astimezone(UTC).replace(microsecond=0, tzinfo=None)
    return f"{whole.isoformat()}Z"


def pause_in_force(report: Report) -> Pause | None:
    """The pause that holds at the time of the report; an expired one does not."""
    pause = report.pause
    if pause is None or pause.until_at <= report.at:
        return None
    return pause


def pause_document(pause: Pause | None) -> Document | None:
    """
    A pause, for `status_document` and as the answer to the one who asked for it.

    :return: None for no pause.
    """
    if pause is None:
        return None
    return {
        "until": format_time(pause.until_at),
        "by": pause.by,
        "reason": pause.reason,
    }


def readiness_document(report: Report) -> Document:
    """Whether clients are served here, and whether this node may be stopped."""
    return {
        "ready": report.ready,
        "writable": report.writable,
        "alarms": _alarms(report.cluster),
        "safe_to_stop": report.safe_to_stop,
        "reason": report.loop.problem or report.plan.reason,
        "code": report.plan.code,
    }


def status_document(report: Report) -> Document:
    """All that is known of this node."""
    return {
        "at": format_time(report.at),
        "ready": report.ready,
        "writable": report.writable,
        "safe_to_stop": report.safe_to_stop,
        "node": {
            **asdict(report.node),
            "started_at": format_time(report.node.started_at),
        },
        "etcd": asdict(report.child),
        "cluster": _cluster(report.cluster),
        "gossip": ring_document(report.ring),
        "data": report.data,
        "plan": _plan(report.plan),
        "loop": {
            "turns": report.loop.turns,
            "failures": report.loop.failures,
            "last_success_at": (
                None
                if report.loop.last_success_at is None
                else format_time(report.loop.last_success_at)
            ),
            "last_success_age_seconds": report.loop.last_success_age_seconds,
            "problem": report.loop.problem,
        },
        "pause": pause_document(pause_in_force(report)),
        "warnings": list(report.warnings),
    }


def decisions_document(decisions: Sequence[Decision]) -> Document:
    """The last decisions, oldest first."""
    return {
        "decisions": [
            {
                "at": format_time(decision.at),
                "plan": _plan(decision.plan),
                "observation": list(decision.observation),
                "outcome": decision.outcome,
            }
            for decision in decisions
        ]
    }


def _plan(plan: PlanReport) -> Document:
    return {**asdict(plan), "steps": list(plan.steps)}


def _cluster(cluster: ClusterReport) -> Document:
    return {
        "member": None if cluster.status is None else _status(cluster.status),
        "members": (
            None
            if cluster.members is None
            else [_member(member) for member in cluster.members]
        ),
        "quorum": cluster.quorum,
        "alarms": _alarms(cluster),
        "denied": cluster.denied,
    }


def _alarms(cluster: ClusterReport) -> list[Document] | None:
    if cluster.alarms is None:
        return None
    return [
        {"member_id": member_id, "alarm": alarm} for member_id, alarm in cluster.alarms
    ]


def _member(member: EtcdMember) -> Document:
    return {
        "member_id": format_id(member.member_id),
        "name": member.name,
        "role": member.role.value,
        "started": member.started,
        "peer_urls": list(member.peer_urls),
        "client_urls": list(member.client_urls),
    }


def _status(status: EtcdStatus) -> Document:
    return {
        "member_id": format_id(status.member_id),
        "cluster_id": format_id(status.cluster_id),
        "leader": _optional_id(status.leader),
        "role": status.role.value,
        "revision": status.revision,
        "raft_term": status.raft_term,
        "raft_index": status.raft_index,
        "raft_applied_index": status.raft_applied_index,
        "version": status.version,
        "db_size_bytes": status.db_size_bytes,
        "db_size_in_use_bytes": status.db_size_in_use_bytes,
        "errors": list(status.errors),
    }


def _optional_id(number: MemberID | None) -> str | None:
    return None if number is None else format_id(number)
