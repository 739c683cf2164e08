"""Sources are asked for as long as e2d runs."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from twisted.internet.task import Clock
from twisted.logger import LogLevel, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from e2d.discovery.lookup import Lookups
from e2d.interfaces.membership import DiscoveryFailed
from e2d.model import Address
from e2d.testing.discovery import MemoryDiscovery

N1 = Address("10.0.0.1", 7980)
N2 = Address("10.0.0.2", 7980)


class Latest(Random):
    """No jitter at all."""

    def random(self) -> float:
        """The longest delay."""
        return 0.0


class LookupsTests(SynchronousTestCase):
    """`Lookups` asks, keeps what it was told, and says what is wrong."""

    def setUp(self) -> None:
        """Given two sources, and somebody who listens."""
        self.clock = Clock()
        self.file = MemoryDiscovery([N1], label="the file")
        self.cloud = MemoryDiscovery([N2], label="the cloud")
        self.changes = 0
        self.lookups = self.start([self.file, self.cloud])
        self.lines: list[str] = []
        globalLogPublisher.addObserver(self._note)
        self.addCleanup(globalLogPublisher.removeObserver, self._note)

    def _note(self, event: dict[str, object]) -> None:
        if event.get("log_level") is LogLevel.warn:
            self.lines.append(str(event.get("problem")))

    def start(self, sources: Sequence[MemoryDiscovery]) -> Lookups:
        """Some that run, with 30 seconds between two questions."""
        lookups = Lookups(self.clock, sources, 30.0, Latest(), self._changed)
        lookups.startService()
        self.addCleanup(self._stop, lookups)
        return lookups

    def _changed(self) -> None:
        self.changes += 1

    def _stop(self, lookups: Lookups) -> None:
        self.successResultOf(lookups.stopService())
        self.assertEqual([], self.clock.getDelayedCalls())

    def pass_seconds(self, seconds: float) -> None:
        """Time passes."""
        self.clock.advance(seconds)

    def test_nothing_known_before_the_first_answer(self) -> None:
        """What was not found yet is not known, and not "none"."""
        expected = (("the file", None), ("the cloud", None))
        self.assertEqual(expected, self.lookups.found())

    def test_at_once(self) -> None:
        """All are asked at the start, and who listens is told."""
        self.pass_seconds(0)
        expected = (("the file", (N1,)), ("the cloud", (N2,)))
        self.assertEqual(expected, self.lookups.found())
        self.assertEqual(2, self.changes)

    def test_again(self) -> None:
        """They are asked again after each interval, and not before."""
        self.pass_seconds(0)
        self.pass_seconds(29.9)
        self.assertEqual((1, 1), (self.file.asked, self.cloud.asked))
        self.pass_seconds(0.1)
        self.assertEqual((2, 2), (self.file.asked, self.cloud.asked))

    def test_jitter(self) -> None:
        """The interval varies, and only to be shorter."""
        source = MemoryDiscovery([N1])
        lookups = Lookups(self.clock, [source], 30.0, Random(1), self._changed)
        lookups.startService()
        self.addCleanup(self._stop, lookups)
        self.successResultOf(self.lookups.stopService())
        self.pass_seconds(0)
        due = {call.getTime() for call in self.clock.getDelayedCalls()}
        (jittered,) = due
        self.assertTrue(24.0 <= jittered < 30.0, jittered)

    def test_only_changes_are_told(self) -> None:
        """The same answer in another order is no change; another one is."""
        self.file.answer = [N1, N2]
        self.pass_seconds(0)
        self.file.answer = [N2, N1, N2]
        self.pass_seconds(30)
        self.assertEqual(2, self.changes)
        self.file.answer = []
        self.pass_seconds(30)
        self.assertEqual(3, self.changes)
        self.assertEqual(("the file", ()), self.lookups.found()[0])

    def test_last_answer_stands(self) -> None:
        """A source that could not tell takes nothing back, and is a problem."""
        self.pass_seconds(0)
        self.file.answer = DiscoveryFailed("there is no such file")
        self.pass_seconds(30)
        self.assertEqual(("the file", (N1,)), self.lookups.found()[0])
        problem = "the file: there is no such file"
        self.assertEqual((problem,), self.lookups.problems())

    def test_solved(self) -> None:
        """The problem ends with the next answer."""
        self.file.answer = DiscoveryFailed("there is no such file")
        self.pass_seconds(0)
        self.file.answer = [N1]
        self.pass_seconds(1)
        self.assertEqual((), self.lookups.problems())
        self.assertEqual(("the file", (N1,)), self.lookups.found()[0])

    def test_backs_off(self) -> None:
        """After failures it is asked in 1, 2, 4 seconds, at last in each interval."""
        self.file.answer = DiscoveryFailed("no")
        self.pass_seconds(0)
        for seconds, asked in ((1, 2), (2, 3), (4, 4), (8, 5), (16, 6), (30, 7)):
            self.pass_seconds(seconds - 0.1)
            self.assertEqual(asked - 1, self.file.asked)
            self.pass_seconds(0.1)
            self.assertEqual(asked, self.file.asked)

    def test_backs_off_anew(self) -> None:
        """After an answer the next failure is tried again in a second."""
        self.file.answer = DiscoveryFailed("no")
        self.pass_seconds(0)
        self.pass_seconds(1)
        self.file.answer = [N1]
        self.pass_seconds(2)
        self.file.answer = DiscoveryFailed("no")
        self.pass_seconds(30)
        self.assertEqual(4, self.file.asked)
        self.pass_seconds(1)
        self.assertEqual(5, self.file.asked)

    def test_logged_once(self) -> None:
        """What is wrong is logged when it begins, and when it is something else."""
        self.file.answer = DiscoveryFailed("no")
        self.pass_seconds(0)
        self.pass_seconds(1)
        self.pass_seconds(2)
        self.assertEqual(["the file: no"], self.lines)
        self.file.answer = DiscoveryFailed("never")
        self.pass_seconds(4)
        self.assertEqual(["the file: no", "the file: never"], self.lines)

    def test_hangs(self) -> None:
        """One that hangs is cut off after 30 seconds, and holds up no other."""
        self.file.hanging = True
        self.pass_seconds(0)
        self.assertEqual(("the cloud", (N2,)), self.lookups.found()[1])
        self.pass_seconds(29.9)
        self.assertEqual((0, ()), (self.file.cut_off, self.lookups.problems()))
        self.pass_seconds(0.1)
        self.assertEqual(1, self.file.cut_off)
        problem = "the file: no answer in 30 seconds"
        self.assertEqual((problem,), self.lookups.problems())
        self.pass_seconds(1)
        self.assertEqual(2, self.file.asked)

    def test_stopped_while_it_hangs(self) -> None:
        """Who stops does not wait for an answer, and that is no problem."""
        self.file.hanging = True
        self.pass_seconds(0)
        self.successResultOf(self.lookups.stopService())
        self.assertEqual(1, self.file.cut_off)
        self.assertEqual((), self.lookups.problems())

    def test_started_again(self) -> None:
        """It can be started again, and asks at once."""
        self.pass_seconds(0)
        self.successResultOf(self.lookups.stopService())
        self.lookups.startService()
        self.pass_seconds(0)
        self.assertEqual(2, self.file.asked)

    def test_defect(self) -> None:
        """A source with a defect is asked again after the interval, and is said."""
        self.file.answer = ZeroDivisionError()
        self.pass_seconds(0)
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))
        (problem,) = self.lookups.problems()
        self.assertIn("the file: a defect", problem)
        self.file.answer = [N1]
        self.pass_seconds(29.9)
        self.assertEqual(1, self.file.asked)
        self.pass_seconds(0.1)
        self.assertEqual(("the file", (N1,)), self.lookups.found()[0])

    def test_too_many(self) -> None:
        """Of more than 1024 addresses so many are kept, and it is said."""
        self.file.answer = [Address("10.0.0.1", port) for port in range(1, 1026)]
        self.pass_seconds(0)
        found = self.lookups.found()[0][1]
        assert found is not None
        self.assertEqual(1024, len(found))
        self.assertIn("names 1025 addresses", self.lookups.problems()[0])
