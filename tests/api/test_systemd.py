"""Tests of `e2d.api.systemd`."""

from __future__ import annotations

from attrs import evolve

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from e2d.api.systemd import SystemdNotifier
from e2d.testing.daemon import FakeDaemon, serving_report, starting_report


class SystemdNotifierTests(SynchronousTestCase):
    """What systemd is told, and when."""

    def setUp(self) -> None:
        """A daemon that still starts, and a watchdog of ten seconds."""
        self.clock = Clock()
        self.view = FakeDaemon(starting_report())
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
        self.view.current = serving_report()
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
        self.view.is_alive = False
        self.clock.advance(1)
        self.assertEqual(len(self.sent), 1)

    def test_failing_turns_feed_the_watchdog(self) -> None:
        """B1: what a restart of e2d would not mend does not kill it."""
        report = starting_report()
        loop = evolve(report.loop, problem="every turn of the loop has failed for 60 s")
        self.view.current = evolve(report, loop=loop)
        self.clock.advance(1)
        self.assertEqual(self.sent[1:], ["WATCHDOG=1"])

    def test_status_is_one_short_line(self) -> None:
        """Systemd drops a datagram that is too long, and WATCHDOG=1 with it."""
        report = starting_report()
        plan = evolve(report.plan, reason="a\nWATCHDOG=trigger " + "\xe4" * 5000)
        self.view.current = evolve(report, plan=plan)
        self.clock.advance(1)
        status, watchdog = self.sent[1].split("\n")
        self.assertIn("STATUS=E2D-W01: a WATCHDOG=trigger \xe4\xe4", status)
        self.assertLess(len(status.encode()), 2048)
        self.assertEqual(watchdog, "WATCHDOG=1")

    def test_stopping_is_said(self) -> None:
        """Systemd is told that the end is on purpose, and nothing is left running."""
        self.successResultOf(self.notifier.stopService())
        self.assertEqual(self.sent[-1], "STOPPING=1")
        self.assertEqual(self.clock.getDelayedCalls(), [])
