"""Tests of `e2d.api.systemd`."""

from __future__ import annotations

from datetime import UTC, datetime

from attrs import define, evolve, field

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from e2d.api.systemd import SystemdNotifier
from e2d.cluster.report import (
    ChildReport,
    ClusterReport,
    Decision,
    LoopReport,
    NodeReport,
    PlanReport,
    Report,
)
from e2d.interfaces import IDaemonView
from tests.cluster.builders import MEMBER, NOON, STATUS

WAITING = PlanReport(
    kind="wait",
    code="E2D-W01",
    reason="etcd has been starting for 3 s and does not serve yet",
    remedy=None,
    steps=(),
    look_again_seconds=5.0,
)
CONTENT = PlanReport(
    kind="content",
    code=None,
    reason="etcd serves with quorum",
    remedy=None,
    steps=(),
    look_again_seconds=5.0,
)
SERVES = Report(
    at=NOON,
    node=NodeReport(
        name="n1",
        node_id="00112233445566ff",
        cluster_name="e2d",
        e2d_version="0",
        pid=1,
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        data_dir="/d",
        config="/c",
        socket="/s",
    ),
    child=ChildReport(
        state="serving",
        pid=2,
        version="3.5.16",
        binary="etcd",
        adopted=False,
        for_seconds=1.0,
        starts=1,
        failures_in_a_row=0,
        client_url="http://127.0.0.1:2379",
        peer_url="http://127.0.0.1:2380",
    ),
    cluster=ClusterReport(status=STATUS, members=(MEMBER,), alarms=()),
    data="in use by etcd",
    plan=CONTENT,
    loop=LoopReport(
        turns=1, failures=0, last_success_at=NOON, last_success_age_seconds=0.0
    ),
    pause=None,
    safe_to_stop=False,
)
STARTS = evolve(
    SERVES,
    child=evolve(SERVES.child, state="starting"),
    cluster=ClusterReport(status=None, members=None, alarms=None),
    plan=WAITING,
)


@implementer(IDaemonView)
@define
class ScriptedView:
    """Tells what it is told to tell."""

    told: Report
    lives: bool = True
    asked: list[str] = field(factory=list)

    def report(self) -> Report:
        """See `IDaemonView.report`."""
        return self.told

    def decisions(self) -> tuple[Decision, ...]:
        """See `IDaemonView.decisions`."""
        return ()

    def alive(self) -> bool:
        """See `IDaemonView.alive`."""
        return self.lives


class SystemdNotifierTests(SynchronousTestCase):
    """What systemd is told, and when."""

    def setUp(self) -> None:
        """A daemon that still starts, and a watchdog of ten seconds."""
        self.clock = Clock()
        self.view = ScriptedView(STARTS)
        self.sent: list[str] = []
        self.notifier = SystemdNotifier(
            clock=self.clock,
            view=self.view,
            notify=self.sent.append,
            watchdog=10.0,
        )
        self.notifier.startService()
        self.clock.advance(0)

    def test_says_for_what_it_waits(self) -> None:
        """B2: not ready, and STATUS says why, with the code."""
        self.assertEqual(
            self.sent,
            [
                "STATUS=E2D-W01: etcd has been starting for 3 s"
                " and does not serve yet\nWATCHDOG=1"
            ],
        )

    def test_ready_once_etcd_serves(self) -> None:
        """READY is said when etcd serves with quorum, and only once."""
        self.view.told = SERVES
        self.clock.advance(1)
        self.clock.advance(1)
        self.assertEqual(
            self.sent[1:],
            [
                "READY=1\nSTATUS=etcd 3.5.16 serves with quorum\nWATCHDOG=1",
                "WATCHDOG=1",
            ],
        )

    def test_a_stuck_loop_starves_the_watchdog(self) -> None:
        """A loop whose turns do not end is not alive, however the reactor turns."""
        self.view.lives = False
        self.clock.advance(1)
        self.assertEqual(len(self.sent), 1)

    def test_stopping_is_said(self) -> None:
        """Systemd is told that the end is on purpose, and nothing is left running."""
        self.successResultOf(self.notifier.stopService())
        self.assertEqual(self.sent[-1], "STOPPING=1")
        self.assertEqual(self.clock.getDelayedCalls(), [])
