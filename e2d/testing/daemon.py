"""A daemon that does nothing: what the API and the commands talk to in tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from attrs import define, evolve, field

from zope.interface import implementer

from e2d.cluster.report import (
    ChildReport,
    ClusterReport,
    Decision,
    LoopReport,
    NodeReport,
    PlanReport,
    Report,
)
from e2d.cluster.ring_report import RingMemberReport, RingReport
from e2d.interfaces import DataDirectoryError, IDaemonControl, IDaemonView
from e2d.model import (
    ClusterID,
    EtcdMember,
    EtcdRole,
    EtcdStatus,
    MemberID,
    Pause,
    Rank,
    Revision,
    RingTraffic,
)

__all__ = [
    "FakeDaemon",
    "failed_report",
    "gossiping_report",
    "ring_member",
    "serving_report",
    "starting_report",
]

MEMBER = EtcdMember(
    member_id=MemberID(0x8E9E05C52164694D),
    name="n1",
    role=EtcdRole.VOTER,
    peer_urls=("http://127.0.0.1:2380",),
    client_urls=("http://127.0.0.1:2379",),
)


def serving_report() -> Report:
    """A single node that serves since two minutes and ten seconds."""
    return Report(
        at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        node=NodeReport(
            name="n1",
            node_id="00000000000000a1",
            cluster_name="e2d",
            e2d_version="0.1.0",
            pid=4242,
            started_at=datetime(2026, 1, 2, 3, 1, 54, tzinfo=UTC),
            data_dir="/var/lib/e2d",
            config="/etc/e2d/config.yaml",
            socket="/run/e2d/e2d.sock",
        ),
        child=ChildReport(
            state="serving",
            pid=4243,
            version="3.5.16",
            binary="/usr/bin/etcd",
            adopted=False,
            for_seconds=130.0,
            starts=1,
            failures_in_a_row=0,
            client_url="http://127.0.0.1:2379",
            peer_url="http://127.0.0.1:2380",
        ),
        cluster=ClusterReport(
            status=EtcdStatus(
                cluster_id=ClusterID(0xCDF818194E3A8C32),
                member_id=MEMBER.member_id,
                leader=MEMBER.member_id,
                role=EtcdRole.VOTER,
                revision=Revision(12),
                raft_term=2,
                raft_index=15,
                raft_applied_index=15,
                version="3.5.16",
                db_size_bytes=20480,
                db_size_in_use_bytes=16384,
            ),
            members=(MEMBER,),
            alarms=(),
        ),
        data="holds member 8e9e05c52164694d",
        plan=PlanReport(
            kind="content",
            code=None,
            reason="etcd serves with quorum",
            remedy=None,
            steps=(),
            look_again_seconds=5.0,
        ),
        loop=LoopReport(
            turns=27,
            failures=0,
            last_success_at=datetime(2026, 1, 2, 3, 4, 4, tzinfo=UTC),
            last_success_age_seconds=1.0,
            problem=None,
        ),
        pause=None,
        safe_to_stop=False,
    )


def starting_report() -> Report:
    """The same node three seconds after etcd's first start."""
    report = serving_report()
    return evolve(
        report,
        child=evolve(report.child, state="starting", for_seconds=3.0, version=None),
        cluster=ClusterReport(status=None, members=None, alarms=None),
        data="not read while etcd runs",
        plan=PlanReport(
            kind="wait",
            code="E2D-W01",
            reason="etcd has been starting for 3 s and does not serve yet",
            remedy=None,
            steps=(),
            look_again_seconds=1.0,
        ),
    )


def failed_report() -> Report:
    """The same node after etcd ended twice, four seconds before the third start."""
    problem = "127.0.0.1:2379 is in use by another process"
    remedy = "stop that process or change clientAddr"
    report = starting_report()
    return evolve(
        report,
        child=evolve(
            report.child,
            state="failed",
            pid=None,
            version="3.5.16",
            for_seconds=None,
            starts=2,
            failures_in_a_row=2,
            problem=problem,
            remedy=remedy,
            retry_in_seconds=4.0,
        ),
        data="empty",
        plan=PlanReport(
            kind="wait",
            code="E2D-W03",
            reason=problem,
            remedy=remedy,
            steps=(),
            look_again_seconds=4.0,
        ),
    )


def ring_member(
    name: str, rank: Rank = Rank.ALIVE, for_seconds: float = 7800.0
) -> RingMemberReport:
    """A node of e2d in the ring, as another sees it: no member of etcd so far."""
    return RingMemberReport(
        name=name,
        local=False,
        address=f"10.0.0.{name[1:]}:7980",
        rank=rank,
        for_seconds=for_seconds,
        incarnation=2,
        kind="e2d",
        own_cluster=True,
        status="pending",
        node_id=f"00000000000000{name}",
        client_url=f"http://10.0.0.{name[1:]}:2379",
        peer_url=f"http://10.0.0.{name[1:]}:2380",
        e2d_version="0.1.0",
    )


def gossiping_report(*others: RingMemberReport) -> Report:
    """
    The node that serves, in a ring that is well.

    :param others: who is in the ring beside it, in the order of a report.
    """
    local = evolve(
        ring_member("n1", for_seconds=130.0),
        local=True,
        status="running",
        etcd_version="3.5.16",
        cluster_id="cdf818194e3a8c32",
        member_id="8e9e05c52164694d",
    )
    members = (local, *others)
    ring = RingReport(
        problem=None,
        for_seconds=131.0,
        ranks={rank: sum(each.rank is rank for each in members) for rank in Rank},
        members=members,
        left_out=0,
        clashes=(),
        unmet=(),
        encrypted=True,
        health_score=0,
        queue_length=0,
        traffic=RingTraffic(
            packets_in=120,
            packets_out=130,
            bytes_in=12000,
            bytes_out=13000,
            packets_dropped={"label": 3, "early": 1},
            streams_in=4,
            streams_out=5,
            streams_failed={"timeout": 2},
            suspicions=1,
            refutations=0,
        ),
    )
    return evolve(serving_report(), ring=ring)


@implementer(IDaemonView, IDaemonControl)
@define(eq=False)
class FakeDaemon:
    """
    Says what it was given, and remembers what it was told.

    :param current: the report.
    :param is_alive: what `alive` says.
    :param refusal: raised by each command, if it is not None.
    :param told: every command, in order, with who gave it.
    """

    current: Report = field(factory=serving_report)
    past: tuple[Decision, ...] = ()
    is_alive: bool = True
    refusal: DataDirectoryError | None = None
    told: list[tuple[str, str]] = field(factory=list)

    def report(self) -> Report:
        """The one given."""
        return self.current

    def decisions(self) -> Sequence[Decision]:
        """Those given."""
        return self.past

    def alive(self) -> bool:
        """As given."""
        return self.is_alive

    async def pause(self, pause: Pause) -> None:
        """The report shows it from now on."""
        self._obey("pause", pause.by)
        self.current = evolve(self.current, pause=pause)

    async def resume(self, by: str) -> Pause | None:
        """The report shows no pause any more."""
        self._obey("resume", by)
        ended = self.current.pause
        self.current = evolve(self.current, pause=None)
        return ended

    async def restart_etcd(self, by: str) -> None:
        """The report shows one start more, which serves already."""
        self._obey("restart", by)
        child = self.current.child
        self.current = evolve(
            self.current,
            child=evolve(child, state="serving", starts=child.starts + 1, problem=None),
        )

    def _obey(self, command: str, by: str) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.told.append((command, by))
