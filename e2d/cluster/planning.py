"""
The decision: one observation in, one plan out. Pure.

Note [Local data wins]

Whatever is in the data directory is started at once, whatever the configuration says
of sizes and stores, paused or not: a member that holds data is needed by its cluster,
and nothing that starts empty may take its place. Only `Empty`, which means that nothing
is there *and* nothing remembers that anything was, may found. `Missing`, `Lost` and
`Unreadable` look alike to a careless eye and never found.

Note [A new peer address]

etcd reads its own peer URL from the configuration when a member is born, and from its
data ever after: when ``peerAddr`` changed, the member list has to be told. That is done
once etcd listens there, and only while this member is alone: in a larger cluster a
mistaken address would cut it off from its peers.
"""

from __future__ import annotations

from typing import assert_never

from e2d.cluster.founding import may_not_found
from e2d.cluster.observation import Observation
from e2d.cluster.originals import beside_originals
from e2d.cluster.pausing import pause_in_force
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
    describe,
)
from e2d.model import (
    Absent,
    Alarm,
    ChildFailed,
    Empty,
    EtcdRole,
    EtcdStatus,
    Founding,
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

__all__ = ["plan", "safe_to_stop"]


def plan(observation: Observation, policy: Policy) -> Plan:
    """
    What to do about what is seen.

    :return: at least one step, or none when all is well.
    """
    return beside_originals(_plan(observation, policy), observation, policy)


def _plan(observation: Observation, policy: Policy) -> Plan:
    match observation.child:
        case Serving():
            return _while_serving(observation, observation.child, policy)
        case Starting():
            return _one(
                _while_starting(observation, observation.child, policy),
                policy.turn_interval,
            )
        case Stopping():
            return _one(
                Wait(code=Code.STOPPING, reason="etcd was told to stop"),
                policy.turn_interval,
            )
        case ChildFailed():
            return _after_failure(observation, observation.child, policy)
        case Absent():
            return _one(_start(observation, policy), policy.turn_interval)
        case _:
            assert_never(observation.child)


def safe_to_stop(observation: Observation) -> bool:
    """
    Whether a serving majority remains when this node stops (B9).

    Shown only where this member has no vote: of the other voters the list is known
    here and not whether they serve, and what cannot be shown is taken for "no". In
    alarm, what remains would not serve either.
    """
    status = observation.status
    return (
        observation.members is not None
        and observation.alarms == ()
        and status is not None
        and _learns(status)
    )


def _one(step: Step, look_again: float) -> Plan:
    reason = step.reason if isinstance(step, Wait | Halt) else describe(step)
    return Plan(steps=(step,), reason=reason, look_again=look_again)


def _while_starting(observation: Observation, child: Starting, policy: Policy) -> Step:
    if child.elsewhere is not None and child.elsewhere.client_url is not None:
        return Halt(
            code=Code.ELSEWHERE,
            reason="etcd was started by an earlier e2d to serve clients at"
            f" {child.elsewhere.client_url}, which is not where they are configured"
            " now",
            remedy="e2d restart applies the configuration; or set clientAddr back and"
            " restart e2d",
        )
    seconds = max(0.0, observation.now - child.since)
    if child.adopted and seconds >= policy.answer_patience:
        return Wait(
            code=Code.NOT_ANSWERING,
            reason="etcd was found running and does not answer",
            remedy="look at the disk and at etcd's log",
        )
    return Wait(
        code=Code.STARTING,
        reason=f"etcd has been starting for {seconds:.0f} s and does not serve yet",
    )


# -- etcd runs --------------------------------------------------------------------


def _while_serving(observation: Observation, child: Serving, policy: Policy) -> Plan:
    status = observation.status
    if not observation.in_place:
        return _one(
            Halt(
                code=Code.VANISHED,
                reason="etcd runs and its data directory is gone: what it is told now"
                " is lost when it ends",
                remedy="save what it holds first (etcdctl snapshot save FILE), then"
                " restore the directory or mount it again",
            ),
            policy.turn_interval,
        )
    if not child.answering or (status is None and observation.denied is None):
        waiting: Step = Wait(
            code=Code.NOT_ANSWERING,
            reason="etcd runs and does not answer its health checks",
            remedy="look at the disk and at etcd's log",
        )
        return _one(waiting, policy.turn_interval)
    if status is not None and not observation.recorded:
        return Plan(
            steps=(RecordMember(member_id=status.member_id),),
            reason="etcd serves for the first time since it was started here",
            look_again=policy.turn_interval,
        )
    trouble: Step | None = _trouble(observation)
    if trouble is None:
        trouble = _new_peer_url(observation, child, policy)
    if trouble is not None:
        return _one(trouble, policy.turn_interval)
    return Plan(
        steps=(), reason="etcd serves with quorum", look_again=policy.turn_interval
    )


def _trouble(observation: Observation) -> Step | None:
    """Why etcd does not serve everybody; None: it does, as far as is known."""
    status = observation.status
    if not observation.quorum and status is not None and _learns(status):
        return Wait(
            code=Code.LEARNER,
            reason="this member is a learner: etcd answers hardly any request here"
            " before it is promoted",
            remedy="once it has caught up, etcdctl member promote"
            f" {format_id(status.member_id)} at another member",
        )
    if not observation.quorum:
        return Wait(
            code=Code.NO_QUORUM,
            reason="this member answers, a majority of the voters does not",
            remedy="start the other members",
        )
    alarmed = _alarmed(observation)
    if alarmed is not None:
        return alarmed
    if observation.denied is not None:
        return Wait(
            code=Code.DENIED,
            reason=f"etcd serves and refuses what e2d asks: {observation.denied}",
            remedy="set etcd.auth to a user with the role root, or give e2d a client"
            " certificate of one",
        )
    return None


def _learns(status: EtcdStatus) -> bool:
    return status.role is EtcdRole.LEARNER


def _alarmed(observation: Observation) -> Step | None:
    """What etcd itself calls for a person for: it refuses writes meanwhile."""
    corrupt = _raised(observation, Alarm.CORRUPT)
    if corrupt:
        return Halt(
            code=Code.CORRUPT,
            reason="etcd takes no writes, the data of its members differs"
            f" (alarm CORRUPT of {corrupt})",
            remedy="find out whose data is right (etcdctl endpoint hashkv) before"
            " anything is disarmed or removed",
        )
    full = _raised(observation, Alarm.NO_SPACE)
    if full:
        return Wait(
            code=Code.NO_SPACE,
            reason="etcd takes no writes, its database has reached its quota"
            f" (alarm NOSPACE of {full})",
            remedy="make room (etcdctl compact, etcdctl defrag) or raise"
            " etcd.quotaBackendBytes and e2d restart; then etcdctl alarm disarm",
        )
    return None


def _raised(observation: Observation, alarm: str) -> str:
    """Who raised it, as ids; empty: nobody, as far as is known."""
    return ", ".join(who for who, what in observation.alarms or () if what == alarm)


def _new_peer_url(
    observation: Observation, child: Serving, policy: Policy
) -> UpdatePeerURL | None:
    """See Note [A new peer address]."""
    if pause_in_force(observation.pause, observation.now_at, policy) is not None:
        return None
    if child.elsewhere is not None:
        return None
    members = observation.members
    if members is None or len(members) != 1 or members[0].role is not EtcdRole.VOTER:
        return None
    (member,) = members
    status = observation.status
    if status is None or status.member_id != member.member_id:
        return None
    if member.peer_urls == (policy.peer_url,):
        return None
    return UpdatePeerURL(member_id=member.member_id, peer_url=policy.peer_url)


# -- etcd does not run ------------------------------------------------------------


def _after_failure(
    observation: Observation, child: ChildFailed, policy: Policy
) -> Plan:
    if child.problem.kind is ProblemKind.MEMBER_REMOVED:
        return _one(
            Halt(
                code=Code.MEMBER_REMOVED,
                reason=child.problem.message,
                remedy=child.problem.remedy,
            ),
            policy.turn_interval,
        )
    remaining = child.retry_at - observation.now
    if remaining <= 0:
        return _one(_start(observation, policy), policy.turn_interval)
    # The message does not count down: a plan that only repeats itself must be equal.
    if child.gave_up:
        again: Step = Halt(
            code=Code.GAVE_UP,
            reason=f"etcd failed {child.times} times in a row: {child.problem.message}",
            remedy=child.problem.remedy,
        )
    else:
        again = Wait(
            code=Code.BACKING_OFF,
            reason=child.problem.message,
            remedy=child.problem.remedy,
        )
    return _one(again, min(remaining, policy.turn_interval))


def _start(observation: Observation, policy: Policy) -> Step:
    """See Note [Local data wins]."""
    data = observation.data
    match data:
        case None:
            step: Step = Wait(
                code=Code.DATA_NOT_READ, reason="the data directory is not read yet"
            )
        case Holds():
            step = RestartMember(name=observation.local, member_id=data.member_id)
        case Swapping():
            step = FinishSwap()
        case Unborn():
            step = _found(observation, policy, data.founding)
        case Empty():
            step = _found(observation, policy, None)
        case Unreadable() | Lost() | Missing():
            step = _never_start(observation, data, policy)
        case _:
            assert_never(data)
    return step


def _never_start(
    observation: Observation, data: Unreadable | Lost | Missing, policy: Policy
) -> Step:
    match data:
        case Unreadable():
            return Halt(
                code=Code.UNREADABLE,
                reason=data.reason,
                remedy="do what the message says; nothing is started or deleted"
                " meanwhile, and e2d goes on by itself",
            )
        case Lost():
            return Halt(
                code=Code.LOST,
                reason="etcd ran in this data directory and its member/ is gone",
                remedy="put member/ back; or, to found a new, empty cluster, stop e2d,"
                " move the whole data directory away, and start e2d",
            )
        case Missing():
            return _missing(observation, data, policy)
        case _:
            assert_never(data)


def _missing(observation: Observation, data: Missing, policy: Policy) -> Step:
    held = "a member" if data.member_id is None else f"member {data.member_id:x}"
    reason = f"the data directory is empty and this host held {held}: not mounted?"
    remedy = f"mount it; if the data is gone for good, remove {data.breadcrumb}"
    if observation.now - data.since < policy.missing_patience:
        return Wait(code=Code.NOT_MOUNTED, reason=reason, remedy=remedy)
    return Halt(code=Code.STILL_NOT_MOUNTED, reason=reason, remedy=remedy)


def _found(observation: Observation, policy: Policy, founding: Founding | None) -> Step:
    forbidden = may_not_found(observation, policy)
    if forbidden is not None:
        return forbidden
    if pause_in_force(observation.pause, observation.now_at, policy) is not None:
        return Wait(
            code=Code.PAUSED,
            reason="paused: nothing is founded",
            remedy="e2d resume",
        )
    return StartCluster(
        name=observation.local, peer_url=policy.peer_url, founding=founding
    )
