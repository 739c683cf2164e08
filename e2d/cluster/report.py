"""
What the daemon tells of itself: the values behind status, metrics and decisions.

Note [Ready in alarm]

An alarm holds for the whole cluster. With NOSPACE etcd refuses what would make the
database larger, and reads and deletes as before. Were its members not ready, a load
balancer would have none left: nobody could read, or reach etcd to make room. With
CORRUPT nobody knows whose data is right, and what is read may be wrong. etcd's own
``/readyz`` (3.5.11 and later) draws the line at the same place.
"""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from e2d.cluster.ring_report import RingReport
from e2d.model import Alarm, EtcdMember, EtcdStatus, Pause

__all__ = [
    "ChildReport",
    "ClusterReport",
    "Decision",
    "LoopReport",
    "NodeReport",
    "PlanReport",
    "Report",
]


@frozen(kw_only=True)
class NodeReport:
    """
    The daemon and its node.

    :param name: None until it is known.
    :param node_id: None until the data directory was read.
    :param socket: path of the control socket, where it really is.
    """

    name: str | None
    node_id: str | None
    cluster_name: str
    e2d_version: str
    pid: int
    started_at: datetime
    data_dir: str
    config: str
    socket: str


@frozen(kw_only=True)
class ChildReport:
    """
    The etcd process.

    :param state: ``absent``, ``starting``, ``serving``, ``not-answering``,
        ``stopping`` or ``failed``.
    :param version: of the etcd that runs, else of the installed one; None before that
        was asked.
    :param for_seconds: how long it has been in this state, None if it is not timed.
    :param starts: how often it was executed or adopted by this daemon.
    :param problem: why it is not running, one line; None if it is.
    :param remedy: what a person can do about it.
    :param retry_in_seconds: when the next start comes, None if none is due.
    """

    state: str
    pid: int | None
    version: str | None
    binary: str
    adopted: bool
    for_seconds: float | None
    starts: int
    failures_in_a_row: int
    client_url: str
    peer_url: str
    problem: str | None = None
    remedy: str | None = None
    retry_in_seconds: float | None = None


@frozen(kw_only=True)
class ClusterReport:
    """
    What etcd answered in the last turn.

    :param status: None: this node's member did not answer.
    :param members: None: no quorum proved the list.
    :param alarms: member id in hexadecimal and the alarm; None: not known.
    :param denied: etcd's own words where it did not let e2d ask; None: it did.
    :param list_denied: e2d may not ask for the members; a majority says so.
    """

    status: EtcdStatus | None
    members: tuple[EtcdMember, ...] | None
    alarms: tuple[tuple[str, str], ...] | None
    denied: str | None = None
    list_denied: bool = False

    @property
    def quorum(self) -> bool:
        """Whether a majority answered, if only with a refusal."""
        return self.members is not None or self.list_denied

    def raised(self, alarm: Alarm) -> bool:
        """Whether it is known that a member has raised it."""
        return any(each == alarm for _who, each in self.alarms or ())


@frozen(kw_only=True)
class PlanReport:
    """
    What the loop wants next, and why.

    :param code: the stable code of a Wait or Halt, ``E2D-H03``; None when it acts or
        is content.
    :param kind: ``content``, ``acting``, ``wait`` or ``halt``.
    :param steps: one line each.
    :param look_again_seconds: when it looks again without news.
    """

    kind: str
    code: str | None
    reason: str
    remedy: str | None
    steps: tuple[str, ...]
    look_again_seconds: float


@frozen(kw_only=True)
class LoopReport:
    """
    Whether the loop itself is well.

    :param last_success_at: when a turn last ended without an exception; None: never.
    :param last_success_age_seconds: how long ago that was.
    :param problem: why it is not well, one line; None while its turns end in time, and
        have not failed for long.
    """

    turns: int
    failures: int
    last_success_at: datetime | None
    last_success_age_seconds: float | None
    problem: str | None


@frozen(kw_only=True)
class Report:
    """
    All of it, at one moment.

    :param data: the state of the data directory in a line.
    :param safe_to_stop: stopping this node leaves a serving majority (B9).
    :param warnings: what an operator should know, a line each.
    :param ring: the gossip ring; None: this node does not take part in any.
    """

    at: datetime
    node: NodeReport
    child: ChildReport
    cluster: ClusterReport
    data: str
    plan: PlanReport
    loop: LoopReport
    pause: Pause | None
    safe_to_stop: bool
    warnings: tuple[str, ...] = ()
    ring: RingReport | None = None

    @property
    def ready(self) -> bool:
        """
        Whether etcd serves here, with quorum; not, if nobody has looked lately.

        See Note [Ready in alarm].
        """
        return (
            self.loop.problem is None
            and self.child.state == "serving"
            and self.cluster.quorum
            and not self.cluster.raised(Alarm.CORRUPT)
        )

    @property
    def writable(self) -> bool | None:
        """Whether writes are taken here; None: etcd did not say."""
        if not self.ready:
            return False
        if self.cluster.alarms is None:
            return None
        return not self.cluster.raised(Alarm.NO_SPACE)


@frozen(kw_only=True)
class Decision:
    """
    One plan that differed from the one before, with what it was derived from.

    :param observation: the facts it was made from, a line each, no secrets.
    :param outcome: what came of its steps: ``done``, ``nothing to do`` or the error.
    """

    at: datetime
    plan: PlanReport
    observation: tuple[str, ...]
    outcome: str
