"""The states of etcd's process, with a process that is not there."""

from __future__ import annotations

import signal
from random import Random

from attrs import define, field

from twisted.internet.task import Clock
from twisted.logger import Logger
from twisted.trial.unittest import SynchronousTestCase

from e2d.etcd.diagnosis import Exit
from e2d.etcd.health import HealthWatch
from e2d.etcd.lifecycle import build_lifecycle
from e2d.etcd.watched import Core, Patience
from e2d.interfaces import EtcdUnavailable
from e2d.model import Absent, Elsewhere, EtcdStatus, Serving, Starting, Stopping
from e2d.services import Backoff


@define(eq=False)
class _Child:
    """
    A process that notes what it is sent.

    :param error: raised by each signal.
    """

    pid: int = 77
    error: OSError | None = None
    signals: list[int] = field(factory=list)
    abandoned: bool = False

    def send(self, number: signal.Signals) -> None:
        """Note it."""
        if self.error is not None:
            raise self.error
        self.signals.append(number)

    def abandon(self) -> None:
        """Note it."""
        self.abandoned = True


async def _silence() -> EtcdStatus:
    raise EtcdUnavailable("127.0.0.1:2379", "connection refused")


class LifecycleTests(SynchronousTestCase):
    """One process, told of by hand."""

    def setUp(self) -> None:
        """Nothing runs."""
        self.clock = Clock()
        self.clears = 0
        self.core = Core(
            clock=self.clock,
            health=HealthWatch(self.clock, _silence, 60.0),
            patience=Patience(),
            backoff=Backoff(),
            random=Random(1),
            diagnose=lambda _: None,
            clear=self._clear,
            expected_member=lambda: None,
            log=Logger(observer=lambda _: None),
        )
        self.inputs = build_lifecycle(self.core)
        self.child = _Child()

    def _clear(self) -> None:
        self.clears += 1

    def _spawned(self) -> None:
        self.inputs.begin()
        self.inputs.spawned(self.child, False, None)

    def test_stopped_while_it_was_looked_for(self) -> None:
        """An etcd that is found after it was to be stopped is ended, not let go."""
        self.inputs.begin()
        gone = self.core.nothing_left()
        self.inputs.terminate()
        self.inputs.spawned(self.child, True, None)
        self.assertEqual(self.child.signals, [signal.SIGTERM])
        self.assertFalse(self.child.abandoned)
        self.assertEqual(self.core.visible, Stopping(pid=77, since=0.0))
        self.assertNoResult(gone)
        self.inputs.exited(Exit())
        self.inputs.cleared()
        self.successResultOf(gone)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_refused_where_it_is_not(self) -> None:
        """A refusal is a stranger's while ours is known to be elsewhere."""
        moved = Elsewhere(client_url="http://127.0.0.1:4001", peer_url=None)
        self.inputs.begin()
        self.inputs.spawned(self.child, True, moved)
        self.inputs.denied()
        self.assertIsInstance(self.core.visible, Starting)
        self.core.health.stop()

    def test_refused(self) -> None:
        """A refusal is an answer: nobody refuses before being ready."""
        self._spawned()
        self.inputs.denied()
        self.assertIsInstance(self.core.visible, Serving)
        self.core.health.stop()

    def test_absent_when_nothing_is_left(self) -> None:
        """One that has ended is Stopping until its log and record are dealt with."""
        self._spawned()
        gone = self.core.nothing_left()
        self.inputs.terminate()
        self.inputs.exited(Exit())
        self.assertEqual(self.clears, 1)
        self.assertNoResult(gone)
        self.assertEqual(self.core.visible, Stopping(pid=77, since=0.0))
        self.inputs.terminate()
        self.inputs.cleared()
        self.successResultOf(gone)
        self.assertEqual(self.core.visible, Absent())

    def test_stood_still(self) -> None:
        """After a suspension etcd is given its time to end once more (A16)."""
        self._spawned()
        self.inputs.terminate()
        self.clock.advance(60.0)
        self.assertEqual(self.child.signals, [signal.SIGTERM])
        self.clock.advance(10.0)
        self.assertEqual(self.child.signals, [signal.SIGTERM, signal.SIGKILL])

    def test_a_little_late(self) -> None:
        """A timer that is late as a busy machine makes it is not put off."""
        self._spawned()
        self.inputs.terminate()
        self.clock.advance(11.5)
        self.assertEqual(self.child.signals, [signal.SIGTERM, signal.SIGKILL])

    def test_may_not_be_signalled(self) -> None:
        """An etcd that we may not end is said to be one, and waited for."""
        self.child.error = PermissionError(1, "Operation not permitted")
        self._spawned()
        gone = self.core.nothing_left()
        self.inputs.terminate()
        self.assertIn("Operation not permitted", self.core.stuck)
        self.assertIn("kill 77", self.core.stuck)
        self.assertNoResult(gone)
        self.inputs.exited(Exit())
        self.inputs.cleared()
        self.successResultOf(gone)
        self.assertIsNone(self.core.stuck)
