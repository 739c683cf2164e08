"""Tests of `e2d.convergence.pulse`."""

from __future__ import annotations

from datetime import UTC, datetime

from twisted.trial.unittest import SynchronousTestCase

from e2d.cluster.report import LoopReport
from e2d.convergence.pulse import Pulse

AT = datetime(2026, 1, 1, tzinfo=UTC)
DISK = OSError(5, "Input/output error")


class PulseTests(SynchronousTestCase):
    """`Pulse`."""

    def setUp(self) -> None:
        """Given a loop that begins at 100 s."""
        self.pulse = Pulse(100.0)

    def turn_well(self, now: float) -> None:
        """A short turn, and another one is due five seconds later."""
        self.pulse.began(now)
        self.pulse.ended(now, AT, look_again=5.0)

    def turn_badly(self, now: float) -> None:
        """A short turn that breaks."""
        self.pulse.began(now)
        self.pulse.broke(now, DISK)

    def assert_well(self, now: float) -> None:
        """Neither stuck nor failing."""
        self.assertIsNone(self.pulse.stuck(now))
        self.assertIsNone(self.pulse.problem(now))

    def test_first_turn(self) -> None:
        """The first turn has as long as any other."""
        self.assert_well(129.0)
        self.pulse.began(129.0)
        self.assert_well(188.0)

    def test_long_turn(self) -> None:
        """A turn that does not end is told, with its limit."""
        self.pulse.began(100.0)
        self.assert_well(159.9)
        expected = "a turn of the loop has lasted 60 s and may last 60 s"
        self.assertEqual(self.pulse.stuck(160.0), expected)
        self.assertEqual(self.pulse.problem(160.0), expected)

    def test_late_turn(self) -> None:
        """So is one that does not begin."""
        self.turn_well(100.0)
        self.assert_well(134.9)
        expected = "the next turn of the loop is 30 s late and may be 30 s late"
        self.assertEqual(self.pulse.stuck(135.0), expected)
        self.assertEqual(self.pulse.problem(135.0), expected)

    def test_failing_turns(self) -> None:
        """Turns that all fail are told after a while; stuck they are not."""
        self.turn_well(100.0)
        for now in range(105, 166):
            self.turn_badly(float(now))
        self.assert_well(164.9)
        self.assertIsNone(self.pulse.stuck(165.0))
        self.assertEqual(
            self.pulse.problem(165.0),
            "every turn of the loop has failed for 60 s: OSError: [Errno 5]"
            " Input/output error",
        )

    def test_fails_from_the_start(self) -> None:
        """A loop that never turned well is no better than one that did once."""
        self.turn_badly(100.0)
        self.turn_badly(160.0)
        self.assertIn("failed for 60 s", self.pulse.problem(160.0) or "")

    def test_failing_now_and_then(self) -> None:
        """One turn that ends well is enough to begin again."""
        self.turn_badly(100.0)
        self.turn_badly(159.0)
        self.turn_well(160.0)
        self.turn_badly(161.0)
        self.assert_well(180.0)

    def test_failing_turn_under_way(self) -> None:
        """While the next is tried it is still what it was."""
        self.turn_badly(100.0)
        self.turn_badly(160.0)
        self.pulse.began(161.0)
        self.assertIsNotNone(self.pulse.problem(162.0))

    def test_one_line(self) -> None:
        """The reason is one line with an end, whatever the error says."""
        self.turn_badly(100.0)
        self.pulse.began(160.0)
        self.pulse.broke(160.0, ValueError("a\n b" + "x" * 1000))
        problem = self.pulse.problem(160.0) or ""
        self.assertIn("failed for 60 s: ValueError: a bxxx", problem)
        self.assertEqual(len(problem), 284)

    def test_report(self) -> None:
        """Turns and failures are counted, and the last success is dated."""
        self.turn_well(100.0)
        self.turn_badly(105.0)
        self.assertEqual(
            self.pulse.report(110.0),
            LoopReport(
                turns=2,
                failures=1,
                last_success_at=AT,
                last_success_age_seconds=10.0,
                problem=None,
            ),
        )

    def test_report_without_success(self) -> None:
        """What has not happened has no date."""
        self.assertEqual(
            self.pulse.report(110.0),
            LoopReport(
                turns=0,
                failures=0,
                last_success_at=None,
                last_success_age_seconds=None,
                problem=None,
            ),
        )
