"""Tests of `e2d.tap.steady`."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.internet.testing import EventLoggingObserver
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from e2d.tap.steady import SteadyClock, boottime


class SteadyClockTests(SynchronousTestCase):
    """A16: time that this process did not see counts against nobody."""

    def setUp(self) -> None:
        """A machine, and a reactor that goes by the steady clock."""
        self.machine = Clock()
        self.machine.advance(1000.0)
        self.clock = SteadyClock(self.machine.seconds)
        self.reactor = Clock()
        self.logged = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)
        self.clock.watch(self.reactor)

    def live(self, seconds: int) -> None:
        """Let the process run for so long."""
        for _ in range(seconds):
            self.machine.advance(1.0)
            self.clock.seconds()
            self.reactor.advance(1.0)

    def test_runs_with_the_machine(self) -> None:
        """While the process runs, it is the machine's own time."""
        self.live(100)
        self.assertEqual(self.clock.seconds(), 1100.0)

    def test_says_what_it_left_out(self) -> None:
        """All pauses together, for who has to make up for them."""
        for pause in (61.0, 11.0):
            self.machine.advance(pause)
            self.clock.seconds()
        self.assertEqual(self.clock.unseen, 70.0)

    def test_a_busy_machine(self) -> None:
        """A beat that is two seconds late is no pause."""
        self.machine.advance(3.0)
        self.assertEqual(self.clock.seconds(), 1003.0)

    def test_a_pause_is_not_seen(self) -> None:
        """After a minute's SIGSTOP, time goes on where it stood still."""
        self.live(10)
        self.machine.advance(60.0)
        self.assertEqual(self.clock.seconds(), 1011.0)
        self.live(10)
        self.assertEqual(self.clock.seconds(), 1021.0)

    def test_pauses_add_up(self) -> None:
        """Each pause is left out."""
        for _ in range(3):
            self.machine.advance(61.0)
            self.clock.seconds()
        self.assertEqual(self.clock.seconds(), 1003.0)

    def test_a_pause_is_told_once(self) -> None:
        """An operator reads for how long e2d stood still."""
        self.machine.advance(61.0)
        self.clock.seconds()
        self.reactor.advance(1.0)
        self.live(5)
        (event,) = self.logged
        self.assertEqual(event["seconds"], 60.0)

    def test_at_rest_nothing_is_noticed(self) -> None:
        """A reactor that nobody wakes is not one that stood still."""
        self.clock.rest()
        self.machine.advance(60.0)
        self.assertEqual(self.clock.seconds(), 1060.0)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_time_is_since_boot(self) -> None:
        """What is measured is the machine's uptime, whatever the date says."""
        with open("/proc/uptime") as stream:
            uptime = float(stream.read().split()[0])
        self.assertLess(abs(boottime() - uptime), 5.0)
