"""What this node says of itself in the ring, as far as it follows from what it sees."""

from __future__ import annotations

from typing import assert_never

from attrs import evolve

from e2d.cluster.observation import Observation
from e2d.model import (
    Absent,
    Announcement,
    ChildFailed,
    ChildState,
    DataSummary,
    EtcdVersion,
    Holds,
    NodeStatus,
    ProblemKind,
    Serving,
    Starting,
    Stopping,
)

__all__ = ["announcement", "farewell"]


def announcement(
    observation: Observation,
    *,
    etcd_version: EtcdVersion | None,
    before: Announcement | None,
) -> Announcement | None:
    """
    What to say now. While etcd serves it stays the same: each change goes to everybody.

    :param etcd_version: of the binary, None before it was asked.
    :param before: what was said last; None for nothing yet.
    :return: None while this node does not know who it is: then it says nothing new.
    """
    if observation.node_id is None:
        return None
    return Announcement(
        name=observation.local,
        node_id=observation.node_id,
        status=_status(observation.child),
        etcd_version=etcd_version,
        data=_data(observation, before),
    )


def farewell(last: Announcement) -> Announcement:
    """What to say when this node is told to stop."""
    return evolve(last, status=NodeStatus.STOPPING)


def _status(child: ChildState) -> NodeStatus:
    match child:
        case Serving(answering=True):
            return NodeStatus.RUNNING
        case Serving() | Starting() | Absent():
            return NodeStatus.PENDING
        case Stopping():
            return NodeStatus.STOPPING
        case ChildFailed():
            removed = child.problem.kind is ProblemKind.MEMBER_REMOVED
            return NodeStatus.FAILED if child.gave_up or removed else NodeStatus.PENDING
        case _:
            assert_never(child)


def _data(observation: Observation, before: Announcement | None) -> DataSummary | None:
    status, data = observation.status, observation.data
    if status is not None:
        return DataSummary(cluster_id=status.cluster_id, member_id=status.member_id)
    if isinstance(data, Holds):
        return DataSummary(cluster_id=data.cluster_id, member_id=data.member_id)
    if data is None and before is not None:
        # etcd runs on it and did not answer: it is still the same.
        return before.data
    return None
