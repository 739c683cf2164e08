"""Tests of `e2d.services`."""

from __future__ import annotations

from random import Random

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from e2d.services import AfterTheFirstMove, Backoff, OrderedServices, Repeater
from e2d.testing.server import FakeEtcdServer


class Slow(Service):
    """A service that takes its time to stop, and writes down what happens."""

    def __init__(self, name: str, diary: list[str]) -> None:
        self.label = name
        self.diary = diary
        self.stopped: Deferred[None] = Deferred()

    def startService(self) -> None:
        """Note it."""
        self.diary.append(f"start {self.label}")

    def stopService(self) -> Deferred[None]:
        """Note it, and wait to be released."""
        self.diary.append(f"stop {self.label}")
        return self.stopped


class Unstartable(Service):
    """A service whose start fails."""

    def startService(self) -> None:
        """Fail."""
        raise OSError("no port")


class OrderedServicesTests(SynchronousTestCase):
    """Start in order, stop in reverse, one after the other."""

    def setUp(self) -> None:
        """Two slow services."""
        self.diary: list[str] = []
        self.first = Slow("first", self.diary)
        self.second = Slow("second", self.diary)
        self.both = OrderedServices([self.first, self.second])

    def test_the_first_outlives_the_second(self) -> None:
        """The first is not asked to stop before the second has stopped."""
        self.both.startService()
        stopped = self.both.stopService()
        self.assertEqual(self.diary, ["start first", "start second", "stop second"])
        self.second.stopped.callback(None)
        self.assertEqual(self.diary[3:], ["stop first"])
        self.assertNoResult(stopped)
        self.first.stopped.callback(None)
        self.successResultOf(stopped)

    def test_a_failure_does_not_keep_the_others_running(self) -> None:
        """One that fails to stop is logged, and the next is stopped all the same."""
        self.both.startService()
        stopped = self.both.stopService()
        self.second.stopped.errback(ZeroDivisionError())
        self.first.stopped.callback(None)
        self.successResultOf(stopped)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertIn("stop first", self.diary)

    def test_a_start_that_fails_leaves_nothing_running(self) -> None:
        """What was started before the failure is stopped again."""
        broken = OrderedServices([self.first, Unstartable()])
        self.assertRaises(OSError, broken.startService)
        self.assertEqual(self.diary, ["start first", "stop first"])


class BackoffTests(SynchronousTestCase):
    """Delays that grow, and stop growing."""

    def test_doubles_up_to_the_maximum(self) -> None:
        """Without jitter: 1, 2, 4, then the maximum for ever."""
        backoff = Backoff(initial=1.0, maximum=5.0, factor=2.0, jitter=0.0)
        delays = [backoff.delay(n, Random(0)) for n in (1, 2, 3, 4, 10_000)]
        self.assertEqual(delays, [1.0, 2.0, 4.0, 5.0, 5.0])

    def test_jitter_only_shortens(self) -> None:
        """Jitter spreads retries without exceeding the maximum."""
        backoff = Backoff(initial=10.0, maximum=10.0, jitter=0.2)
        random = Random(1)
        delays = [backoff.delay(1, random) for _ in range(50)]
        self.assertTrue(all(8.0 <= delay <= 10.0 for delay in delays))
        self.assertGreater(len(set(delays)), 40)


class RepeaterTests(SynchronousTestCase):
    """A loop that outlives failures."""

    def setUp(self) -> None:
        """A turn that counts itself and wants to be called again in five seconds."""
        self.clock = Clock()
        self.turns = 0
        self.blocked: Deferred[None] | None = None
        self.failure: Exception | None = None
        self.repeater = Repeater(clock=self.clock, turn=self.turn)

    async def turn(self) -> float:
        """Count; wait if told to."""
        self.turns += 1
        if self.blocked is not None:
            await self.blocked
        if self.failure is not None:
            raise self.failure
        return 5.0

    def test_keeps_its_pace(self) -> None:
        """One turn at the start, the next when the first one asked for it."""
        self.repeater.start()
        self.clock.advance(0)
        self.clock.advance(4.9)
        self.assertEqual(self.turns, 1)
        self.clock.advance(0.1)
        self.assertEqual(self.turns, 2)

    def test_news_comes_at_once(self) -> None:
        """A wake-up does not wait for the pace, and many are one."""
        self.repeater.start()
        self.clock.advance(0)
        self.repeater.wake()
        self.repeater.wake()
        self.clock.advance(0)
        self.assertEqual(self.turns, 2)
        self.clock.advance(4.9)
        self.assertEqual(self.turns, 2)

    def test_news_during_a_turn_is_not_lost(self) -> None:
        """What arrives while a turn is under way causes another right after it."""
        self.blocked = Deferred()
        self.repeater.start()
        self.clock.advance(0)
        self.repeater.wake()
        self.clock.advance(1)
        self.assertEqual(self.turns, 1)
        blocked, self.blocked = self.blocked, None
        blocked.callback(None)
        self.clock.advance(0)
        self.assertEqual(self.turns, 2)

    def test_says_a_failure_once(self) -> None:
        """A turn that fails every second does not fill a disk with its traceback."""
        self.failure = ZeroDivisionError("a")
        self.repeater.start()
        self.clock.pump([0.0, 1.0, 1.0])
        self.failure = ZeroDivisionError("b")
        self.clock.advance(1.0)
        self.failure = None
        self.clock.advance(1.0)
        self.failure = ZeroDivisionError("b")
        self.clock.advance(5.0)
        said = self.flushLoggedErrors(ZeroDivisionError)
        self.assertEqual([each.getErrorMessage() for each in said], ["a", "b", "b"])

    def test_outlives_a_failure(self) -> None:
        """A turn that raises is logged and the next comes a second later."""
        self.blocked = Deferred()
        self.repeater.start()
        self.clock.advance(0)
        self.blocked.errback(ZeroDivisionError())
        self.blocked = None
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.clock.advance(1.0)
        self.assertEqual(self.turns, 2)

    def test_stop_waits_for_the_turn(self) -> None:
        """Stopping fires when the turn under way has ended, and nothing is left."""
        self.blocked = Deferred()
        self.repeater.start()
        self.clock.advance(0)
        stopped = self.repeater.stop()
        self.assertNoResult(stopped)
        self.blocked.callback(None)
        self.successResultOf(stopped)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class Picky(Service):
    """A service that cannot start until it may."""

    may = False

    def startService(self) -> None:
        """Start, or not."""
        if not self.may:
            raise OSError("no")
        super().startService()

    def stopService(self) -> Deferred[None]:
        """Stop, later."""
        super().stopService()
        stopped: Deferred[None] = Deferred()
        stopped.callback(None)
        return stopped


class AfterTheFirstMoveTests(SynchronousTestCase):
    """etcd first, then what tells of it."""

    def setUp(self) -> None:
        """Nothing runs yet."""
        self.clock = Clock()
        self.server = FakeEtcdServer(self.clock)
        self.api = Picky()
        self.api.may = True
        self.made = 0
        self.unmakable = False
        self.late = AfterTheFirstMove(
            clock=self.clock, server=self.server, make=self.make
        )
        self.late.startService()

    def make(self) -> Service:
        """Count it."""
        self.made += 1
        if self.unmakable:
            raise ImportError("no such module")
        return self.api

    def test_waits_for_etcds_process(self) -> None:
        """It starts right after etcd was executed, not before."""
        self.clock.advance(0.1)
        self.assertEqual(self.made, 0)
        self.server.left_behind = None
        self.server.fail()
        self.clock.advance(0)
        self.assertTrue(self.api.running)

    def test_does_not_wait_for_an_etcd_that_does_not_come(self) -> None:
        """A node that halts tells why, too."""
        self.clock.advance(0.5)
        self.assertTrue(self.api.running)

    def test_one_that_does_not_start_is_tried_again(self) -> None:
        """A start that fails is logged, once, and repeated until it does not."""
        self.api.may = False
        self.clock.advance(0.5)
        self.clock.advance(5.0)
        self.assertFalse(self.api.running)
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        self.api.may = True
        self.clock.advance(5.0)
        self.assertTrue(self.api.running)
        self.assertEqual(self.made, 1)

    def test_one_that_cannot_be_made_is_tried_again(self) -> None:
        """It is never missing without a word, nor for ever."""
        self.unmakable = True
        self.clock.advance(0.5)
        self.assertEqual(len(self.flushLoggedErrors(ImportError)), 1)
        self.unmakable = False
        self.clock.advance(5.0)
        self.assertTrue(self.api.running)

    def test_stopping_ends_the_trying(self) -> None:
        """Stopped between two attempts, there is no other."""
        self.api.may = False
        self.clock.advance(0.5)
        self.flushLoggedErrors(OSError)
        self.successResultOf(self.late.stopService())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stopping_leaves_nothing(self) -> None:
        """Stopped before it began, it never begins."""
        self.successResultOf(self.late.stopService())
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.made, 0)
