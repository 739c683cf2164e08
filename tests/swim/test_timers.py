"""What is due when, and what the time is."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from e2d.swim.timers import GossipDue, ProbeDue, SuspicionEnds, Ticks, Timers


def _timers() -> Timers:
    return Timers(late_after=2.0, settle=0.5)


class TimersTests(SynchronousTestCase):
    """Deadlines, each at most once."""

    def test_earliest_first(self) -> None:
        """They are due in the order of their times, and once."""
        timers = _timers()
        timers.set(ProbeDue(), 2.0)
        timers.set(GossipDue(), 1.0)
        taken = [timers.take_due(2.0) for _ in range(3)]
        self.assertEqual(taken, [GossipDue(), ProbeDue(), None])

    def test_not_before(self) -> None:
        """Nothing is due before its time."""
        timers = _timers()
        timers.set(ProbeDue(), 2.0)
        self.assertIsNone(timers.take_due(1.999))

    def test_set_again(self) -> None:
        """A deadline that is set again is due at its new time alone."""
        timers = _timers()
        timers.set(ProbeDue(), 1.0)
        timers.set(ProbeDue(), 3.0)
        self.assertEqual(timers.next(), 3.0)
        self.assertIsNone(timers.take_due(2.0))

    def test_cancelled(self) -> None:
        """A deadline that was cancelled is not due; the like of it stay."""
        timers = _timers()
        timers.set(SuspicionEnds(b"b"), 1.0)
        timers.set(SuspicionEnds(b"c"), 2.0)
        timers.cancel(SuspicionEnds(b"b"))
        self.assertEqual(timers.next(), 2.0)

    def test_keeps_nothing_of_what_was_set_often(self) -> None:
        """A deadline that is put off again and again takes no more room."""
        timers = _timers()
        timers.set(GossipDue(), 0.0)
        for number in range(1000):
            timers.set(ProbeDue(), 1.0 + number)
        self.assertLess(len(timers._heap), 100)
        self.assertEqual(timers.take_due(5000.0), GossipDue())
        self.assertEqual(timers.take_due(5000.0), ProbeDue())


class PauseTests(SynchronousTestCase):
    """Note [Two clocks]."""

    def test_a_little_late(self) -> None:
        """Two seconds late is late, and nothing is put off."""
        timers = _timers()
        timers.set(ProbeDue(), 1.0)
        self.assertEqual(timers.enter(3.0), (3.0, 0.0))

    def test_paused(self) -> None:
        """After a pause there is time to settle, however soon a deadline was due."""
        timers = _timers()
        timers.enter(0.75)
        timers.set(ProbeDue(), 1.0)
        timers.set(SuspicionEnds(b"b"), 4.0)
        self.assertEqual(timers.enter(61.0), (0.75, 60.5))
        self.assertEqual(timers.next(), 61.5)
        self.assertEqual(timers.outside(4.0), 64.5)

    def test_stands_while_it_settles(self) -> None:
        """The clock does not go back to make time: it stands, and then goes on."""
        timers = _timers()
        timers.enter(0.75)
        timers.set(ProbeDue(), 1.0)
        timers.enter(61.0)
        times = [timers.enter(at)[0] for at in (61.125, 61.25, 61.375, 61.5)]
        self.assertEqual(times, [0.75, 0.75, 0.875, 1.0])

    def test_paused_long_after_being_awake(self) -> None:
        """Time that was waited for counts, but for what it takes to settle."""
        timers = _timers()
        timers.enter(0.0)
        timers.set(ProbeDue(), 100.0)
        self.assertEqual(timers.enter(160.0), (99.5, 60.5))

    def test_told_of_a_pause(self) -> None:
        """After one that the driver's clock left out there is time to settle, too."""
        timers = _timers()
        timers.enter(0.75)
        timers.set(ProbeDue(), 1.0)
        self.assertEqual(timers.resume(1.75), (0.75, 1.25))
        self.assertEqual(timers.next(), 2.25)

    def test_told_of_a_pause_long_before_a_deadline(self) -> None:
        """Where there is time enough to settle, nothing is put off."""
        timers = _timers()
        timers.set(ProbeDue(), 10.0)
        self.assertEqual(timers.resume(1.75), (1.75, 0.0))
        self.assertEqual(timers.next(), 10.0)

    def test_goes_on(self) -> None:
        """After a pause the clock goes on as before."""
        timers = _timers()
        timers.enter(0.0)
        timers.set(ProbeDue(), 1.0)
        timers.enter(60.0)
        self.assertEqual(timers.enter(60.25), (0.75, 0.0))

    def test_never_goes_back(self) -> None:
        """Where the driver's clock goes back, ours waits for it."""
        timers = _timers()
        timers.enter(5.0)
        self.assertEqual(timers.enter(4.0), (5.0, 0.0))

    def test_due_to_the_last_digit(self) -> None:
        """What is asked for at the time of `next` is due, however times are rounded."""
        timers = _timers()
        timers.enter(0.1)
        timers.set(ProbeDue(), 0.2)
        timers.enter(1e6 + 0.3)
        for number in range(1000):
            due = timers.next()
            assert due is not None
            now, _ = timers.enter(due)
            self.assertEqual(timers.take_due(now), ProbeDue())
            timers.set(ProbeDue(), now + 0.1 + number / 7)


class TicksTests(SynchronousTestCase):
    """Points in time at a steady distance."""

    def test_steady(self) -> None:
        """They do not move with when they are asked for."""
        ticks = Ticks(10.0, 1.0)
        self.assertEqual([ticks.after(at) for at in (10.0, 11.25, 12.0)], [11, 12, 13])

    def test_missed(self) -> None:
        """Those that were missed are left out."""
        self.assertEqual(Ticks(10.0, 1.0).after(14.5), 15.0)

    def test_asked_again(self) -> None:
        """Asking before it came gives the same."""
        ticks = Ticks(10.0, 1.0)
        ticks.after(10.0)
        self.assertEqual(ticks.after(10.5), 11.0)
