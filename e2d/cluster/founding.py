"""
Whether a new cluster may be founded here.

Note [What may be new]

An empty directory founds a cluster of one only when nobody else can know better: one
member is wanted, no store is configured that may hold its snapshots, and the others who
may hold this cluster were listened to and know nothing of it. "Could not tell" is never
"none": a seed that does not answer, or a node that says what cannot be read, keeps a
node from founding, and a person may take it out of the configuration (A10).
"""

from __future__ import annotations

from e2d.cluster.observation import Observation
from e2d.cluster.policy import Policy
from e2d.cluster.reasons import Code
from e2d.cluster.steps import Halt, Wait
from e2d.model import Address, GossipMember, NodeDigest

__all__ = ["may_not_found"]

_TOLD = 8
"""Of seeds, or of nodes, in one message."""


def may_not_found(observation: Observation, policy: Policy) -> Halt | Wait | None:
    """See Note [What may be new]; None: it may."""
    forbidden: Halt | Wait | None = _not_with_this_configuration(policy)
    if forbidden is None:
        forbidden = _name_taken(observation)
    if forbidden is None:
        forbidden = _others(observation, policy)
    if forbidden is None and policy.listens_for:
        forbidden = _not_heard(observation, policy)
    return forbidden


def _not_with_this_configuration(policy: Policy) -> Halt | None:
    if policy.required_size > 1:
        return Halt(
            code=Code.SIZE_NOT_SUPPORTED,
            reason=f"requiredClusterSize is {policy.required_size} and this version"
            " founds clusters of one node only",
            remedy="set requiredClusterSize to 1, or put a member's data in place",
        )
    if policy.require_snapshot:
        return Halt(
            code=Code.SNAPSHOT_REQUIRED,
            reason="recovery.requireSnapshot is set: no empty cluster is founded",
            remedy="put a member's data in place, or unset recovery.requireSnapshot",
        )
    if policy.store is not None:
        return Halt(
            code=Code.STORE_NOT_ASKED,
            reason=f"{policy.store} may hold snapshots of this cluster and this"
            " version cannot ask it, so nothing new is founded",
            remedy="restore the data directory by hand, or remove snapshot.file",
        )
    if policy.cannot_ask:
        keys = ", ".join(policy.cannot_ask)
        return Halt(
            code=Code.MUST_LISTEN_FIRST,
            reason=f"{keys} may name others who hold this cluster and this version"
            " cannot ask it, so nothing new is founded",
            remedy="name the others in discovery.initialPeers instead; or name none to"
            " found a cluster of this node alone",
        )
    return None


def _name_taken(observation: Observation) -> Wait | None:
    for clash in observation.clashes:
        if clash.ours:
            other = clash.claimed if _is_ours(observation, clash.held) else clash.held
            return Wait(
                code=Code.NAME_TAKEN,
                reason=f"the node at {other} has the name {clash.name} in the ring too",
                remedy="set overrideName on one of them; if a disk was copied, each"
                " copy needs a data directory of its own",
            )
    return None


def _is_ours(observation: Observation, held: Address) -> bool:
    return any(
        each.name == observation.local and each.address == held
        for each in observation.gossip or ()
    )


def _others(observation: Observation, policy: Policy) -> Wait | None:
    others = [
        each
        for each in observation.gossip or ()
        if each.name != observation.local and _may_be_of(each, policy)
    ]
    if not others:
        return None
    named = ", ".join(f"{each.name} ({each.rank.value})" for each in others[:_TOLD])
    return Wait(
        code=Code.OTHERS,
        reason=f"others of this cluster are in the ring, so nothing new is founded:"
        f" {named}",
        remedy="this version adds no members; for a cluster of this node alone give it"
        " a cluster.name of its own and no seeds",
    )


def _may_be_of(member: GossipMember, policy: Policy) -> bool:
    """
    Whether a node may know of our cluster: all but those that say which is theirs.

    Originals don't, and have a reason of their own: `e2d.cluster.originals`.
    """
    if isinstance(member.digest, NodeDigest):
        return member.digest.cluster.name == policy.cluster
    return not policy.compat


def _not_heard(observation: Observation, policy: Policy) -> Wait | None:
    keys = ", ".join(policy.listens_for)
    if observation.gossip is None or observation.listening_since is None:
        why = observation.ring_problem or "this node does not gossip yet"
        return Wait(
            code=Code.LISTENING,
            reason=f"{keys} may name others who hold this cluster, and {why}",
        )
    if observation.untold:
        return Wait(
            code=Code.LISTENING,
            reason=f"{keys} may name others who hold this cluster, and cannot be asked:"
            f" {observation.untold[0]}",
            remedy="do what the message says; it is asked again",
        )
    if observation.unheard:
        unheard = ", ".join(map(str, observation.unheard[:_TOLD]))
        return Wait(
            code=Code.LISTENING,
            reason=f"{keys} may name others who hold this cluster, and not all of them"
            f" answer: {unheard}",
            remedy="start them, or take them out of the configuration if they are gone"
            " for good",
        )
    if observation.now - observation.listening_since < policy.listen_patience:
        return Wait(
            code=Code.LISTENING,
            reason=f"listening in the ring for {policy.listen_patience:.0f} s before a"
            " new cluster is founded",
        )
    return None
