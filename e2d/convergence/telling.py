"""Turns what was observed and decided into a `Report`. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from attrs import frozen

from e2d.cluster.observation import Observation
from e2d.cluster.reasons import Code
from e2d.cluster.report import ChildReport, ClusterReport, PlanReport
from e2d.cluster.steps import Halt, Plan, Step, Wait, describe
from e2d.model import (
    Absent,
    ChildFailed,
    ChildState,
    DataState,
    Empty,
    GossipMember,
    Holds,
    Lost,
    Missing,
    ProblemKind,
    Serving,
    Starting,
    Stopping,
    Swapping,
    Unborn,
    Unreadable,
    format_id,
)

__all__ = [
    "EtcdIdentity",
    "abandoned_report",
    "child_report",
    "cluster_report",
    "describe_data",
    "facts",
    "failed_report",
    "plan_report",
]

RING_TOLD = 16
"""Members of the ring: more than a cluster has."""


@frozen(kw_only=True)
class EtcdIdentity:
    """What stays the same of the etcd we run: for the report."""

    binary: str
    version: str | None
    client_url: str
    peer_url: str
    starts: int


def plan_report(plan: Plan) -> PlanReport:
    """What the loop wants, for people."""
    last = plan.steps[-1] if plan.steps else None
    match last:
        case None:
            kind, code, remedy = "content", None, None
        case Wait():
            kind, code, remedy = "wait", last.code.value, last.remedy
        case Halt():
            kind, code, remedy = "halt", last.code.value, last.remedy
        case _:
            kind, code, remedy = "acting", None, None
    return PlanReport(
        kind=kind,
        code=code,
        reason=plan.reason,
        remedy=remedy,
        steps=tuple(describe(step) for step in plan.steps),
        look_again_seconds=plan.look_again,
    )


def failed_report(step: Step, reason: str, look_again: float) -> PlanReport:
    """
    A step that could not be done, as the reason to wait that it is.

    :param reason: which step and why, one line.
    """
    return PlanReport(
        kind="wait",
        code=Code.STEP_FAILED.value,
        reason=reason,
        remedy="do what the message says; it is tried again",
        steps=(describe(step),),
        look_again_seconds=look_again,
    )


def abandoned_report(error: str) -> PlanReport:
    """
    A turn that broke on a defect of ours.

    :param error: one line.
    """
    return PlanReport(
        kind="wait",
        code=Code.TURN_ABANDONED.value,
        reason=f"a turn of the loop was abandoned: {error}",
        remedy="this is a defect of e2d: report it with the traceback in its log",
        steps=(),
        look_again_seconds=1.0,
    )


def child_report(child: ChildState, now: float, etcd: EtcdIdentity) -> ChildReport:
    """
    The process, as of now.

    :param now: seconds of the reactor's clock.
    """
    failed = child if isinstance(child, ChildFailed) else None
    moved = child.elsewhere if isinstance(child, Starting | Serving) else None
    return ChildReport(
        state=_word(child),
        pid=child.pid if isinstance(child, Starting | Serving | Stopping) else None,
        version=etcd.version,
        binary=etcd.binary,
        adopted=isinstance(child, Starting | Serving) and child.adopted,
        for_seconds=max(0.0, now - child.since)
        if isinstance(child, Starting | Serving | Stopping)
        else None,
        starts=etcd.starts,
        failures_in_a_row=failed.times if failed else 0,
        client_url=(moved and moved.client_url) or etcd.client_url,
        peer_url=(moved and moved.peer_url) or etcd.peer_url,
        problem=failed.problem.message if failed else None,
        remedy=failed.problem.remedy if failed else None,
        retry_in_seconds=_retry_in(failed, now),
    )


def _retry_in(failed: ChildFailed | None, now: float) -> float | None:
    if failed is None or failed.problem.kind is ProblemKind.MEMBER_REMOVED:
        return None
    return max(0.0, failed.retry_at - now)


def _word(child: ChildState) -> str:
    match child:
        case Absent():
            word = "absent"
        case Starting():
            word = "starting"
        case Serving(answering=True):
            word = "serving"
        case Serving():
            word = "not-answering"
        case Stopping():
            word = "stopping"
        case ChildFailed():
            word = "failed"
        case _:
            assert_never(child)
    return word


def cluster_report(observation: Observation) -> ClusterReport:
    """What etcd answered."""
    return ClusterReport(
        status=observation.status,
        members=observation.members,
        alarms=observation.alarms,
        denied=observation.denied,
        list_denied=observation.list_denied,
    )


def describe_data(data: DataState | None) -> str:
    """The data directory's state in a line; None: etcd runs on it."""
    return "in use by etcd" if data is None else _describe(data)


def _describe(data: DataState) -> str:
    match data:
        case Empty():
            line = "empty"
        case Unborn():
            line = "founding started, nothing was ever written"
        case Lost():
            line = "lost: etcd ran here and its data is gone"
        case Missing():
            line = f"missing: {data.breadcrumb} says that this host held a member"
        case Holds():
            line = (
                f"holds member {format_id(data.member_id)}"
                f" of cluster {format_id(data.cluster_id)}"
            )
        case Unreadable():
            line = f"unreadable: {data.reason}"
        case Swapping():
            line = f"a swap was cut short: {data.intent}"
        case _:
            assert_never(data)
    return line


def _ring(members: Sequence[GossipMember]) -> str:
    """Who is in it; a large one is not told whole."""
    told = [f"{each.name} {each.rank.value}" for each in members[:RING_TOLD]]
    if len(members) > RING_TOLD:
        told.append(f"and {len(members) - RING_TOLD} more")
    return ", ".join(told)


def facts(observation: Observation) -> Sequence[str]:
    """An observation, a line each, as decisions keep it."""
    status = observation.status
    members = observation.members
    lines = [
        f"etcd's process: {_word(observation.child)}",
        f"data directory: {describe_data(observation.data)}",
        f"member name: {observation.local}",
        "this member: no answer"
        if status is None
        else f"this member: {format_id(status.member_id)}, revision {status.revision}",
        "members: no quorum proved a list"
        if members is None
        else f"members: {', '.join(format_id(each.member_id) for each in members)}",
    ]
    if observation.denied is not None:
        lines.append(f"etcd refused: {observation.denied}")
    if observation.gossip is not None:
        lines.append(f"ring: {_ring(observation.gossip)}")
    if observation.pause is not None:
        lines.append(f"pause until {observation.pause.until_at.isoformat()}")
    return tuple(lines)
