"""What can be done, as values: comparable, printable, without behaviour."""

from __future__ import annotations

from typing import assert_never

from attrs import frozen

from e2d.cluster.reasons import Code
from e2d.model import Founding, MemberID, NodeName, format_id

__all__ = [
    "FinishSwap",
    "Halt",
    "Plan",
    "RecordMember",
    "RestartMember",
    "StartCluster",
    "Step",
    "UpdatePeerURL",
    "Wait",
    "describe",
]


@frozen(kw_only=True)
class StartCluster:
    """
    Found a cluster of this node alone, or continue a founding never born.

    Expects, right before it acts: the directory Empty, or Unborn with that founding.

    :param founding: None for a fresh one.
    """

    name: NodeName
    peer_url: str
    founding: Founding | None


@frozen(kw_only=True)
class RestartMember:
    """
    Start etcd on its own data.

    Expects, right before it acts: the directory Holds this member.
    """

    name: NodeName
    member_id: MemberID


@frozen(kw_only=True)
class FinishSwap:
    """Finish or undo a swap of directories that was cut short."""


@frozen(kw_only=True)
class RecordMember:
    """etcd serves: note which member lives on this disk, inside it and outside."""

    member_id: MemberID


@frozen(kw_only=True)
class UpdatePeerURL:
    """
    Tell the cluster where this member is to be reached by its peers.

    Expects, right before it acts: this member answers, and is a voter. (A learner would
    be promoted by it, etcd#21694.)
    """

    member_id: MemberID
    peer_url: str


@frozen(kw_only=True)
class Wait:
    """Nothing to do until something outside changes; it is said for what."""

    code: Code
    reason: str
    remedy: str | None = None


@frozen(kw_only=True)
class Halt:
    """
    A person must decide. The daemon stays, tells, and looks again (B13).

    :param remedy: what to do about it.
    """

    code: Code
    reason: str
    remedy: str


Step = (
    StartCluster
    | RestartMember
    | FinishSwap
    | RecordMember
    | UpdatePeerURL
    | Wait
    | Halt
)


@frozen(kw_only=True)
class Plan:
    """
    What to do now, why, and when to look again.

    :param steps: in order; the first that fails ends the plan.
    :param reason: one sentence.
    :param look_again: seconds until the next turn, unless there is news.
    """

    steps: tuple[Step, ...]
    reason: str
    look_again: float


def describe(step: Step) -> str:
    """A step in a line, for logs and people."""
    match step:
        case StartCluster(founding=None):
            line = f"found a cluster of one member, {step.name}"
        case StartCluster():
            line = f"start {step.name} for the founding that was never born"
        case RestartMember():
            line = f"start {step.name} on its data (member {format_id(step.member_id)})"
        case FinishSwap():
            line = "finish a swap of directories that was cut short"
        case RecordMember():
            line = f"record that member {format_id(step.member_id)} lives on this disk"
        case UpdatePeerURL():
            line = (
                f"tell etcd that member {format_id(step.member_id)} is reached by its"
                f" peers at {step.peer_url}"
            )
        case Wait() | Halt():
            word = "wait" if isinstance(step, Wait) else "halt"
            line = f"{word} ({step.code.value}): {step.reason}"
        case _:
            assert_never(step)
    return line
