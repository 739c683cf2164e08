"""
What is not done while nodes of the original e2d are in the ring (C5).

Note [Beside originals]

The original found clusters, restores and evicts by gossip alone, acknowledges nothing,
and does not hear what ours agree on. What needs the agreement of all nodes can't be had
while one of it is there. Dead ones count: to be cut off looks the same. One that left
said so itself. A node that says nothing, or what cannot be read, may be one: unknown is
never none. And before this node has listened for a while, it cannot tell.
"""

from __future__ import annotations

from typing import assert_never

from e2d.cluster.observation import Observation
from e2d.cluster.policy import Policy
from e2d.cluster.reasons import Code
from e2d.cluster.steps import (
    FinishSwap,
    Halt,
    Plan,
    RecordMember,
    RestartMember,
    StartCluster,
    Step,
    UpdatePeerURL,
    Wait,
)
from e2d.model import GossipMember, NodeDigest, Rank

__all__ = ["beside_originals", "may_be_original"]

_TOLD = 8


def beside_originals(plan: Plan, observation: Observation, policy: Policy) -> Plan:
    """
    A plan, or the reason why it has to wait.

    :param plan: what would be done if there were no originals.
    """
    if not policy.compat or not any(map(_needs_agreement, plan.steps)):
        return plan
    waits = _waits(observation, policy)
    if waits is None:
        return plan
    return Plan(steps=(waits,), reason=waits.reason, look_again=policy.turn_interval)


def may_be_original(member: GossipMember) -> bool:
    """Whether a node of the ring is one of the original, as far as can be told."""
    return not isinstance(member.digest, NodeDigest)


def _needs_agreement(step: Step) -> bool:
    """See Note [Beside originals]."""
    match step:
        case StartCluster():
            return True
        case RestartMember() | FinishSwap() | RecordMember() | UpdatePeerURL():
            return False
        case Wait() | Halt():
            return False
        case _:
            assert_never(step)


def _waits(observation: Observation, policy: Policy) -> Wait | None:
    ring, patience = observation.gossip, policy.listen_patience
    since = observation.listening_since
    if ring is None or since is None or observation.now - since < patience:
        return Wait(
            code=Code.ORIGINALS,
            reason="gossip.compat is set: whether nodes of the original e2d are in the"
            f" ring is known after {patience:.0f} s of listening",
        )
    found = [
        each
        for each in ring
        if each.name != observation.local
        and each.rank is not Rank.LEFT
        and may_be_original(each)
    ]
    if not found:
        return None
    named = ", ".join(f"{each.name} ({each.rank.value})" for each in found[:_TOLD])
    return Wait(
        code=Code.ORIGINALS,
        reason="nodes of the original e2d are in the ring, so nothing is founded,"
        f" restored or removed: {named}",
        remedy="replace them by this e2d one after the other, then unset gossip.compat",
    )
