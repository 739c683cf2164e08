"""Tests of `e2d.etcd.connection`: whose time a call is on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from attrs import define, field

from twisted.internet.defer import Deferred
from twisted.python.threadpool import ThreadPool
from twisted.trial.unittest import SynchronousTestCase

from e2d.etcd import methods
from e2d.etcd.channel import GrpcChannel, Settled
from e2d.etcd.connection import Connection, Timeouts
from e2d.interfaces import EtcdUnavailable
from e2d.model import Address
from e2d.testing.reactor import MemoryDaemonReactor


@define(eq=False)
class SilentChannel:
    """Takes calls, and answers when the test says so."""

    calls: list[tuple[float, Settled]] = field(factory=list)
    cancelled: int = 0

    def call(
        self,
        _method: object,
        _fields: object,
        seconds: float,
        _metadata: object,
        settled: Settled,
    ) -> Callable[[], None]:
        """Keep it."""
        self.calls.append((seconds, settled))

        def cancel() -> None:
            self.cancelled += 1
            settled("CANCELLED", "cancelled", None)

        return cancel


class AtOnce:
    """A pool that needs no threads."""

    def callInThreadWithCallback(
        self, done: Callable[[bool, Any], None], function: Callable[[], Any]
    ) -> None:
        """Call it now."""
        done(True, function())


class SilentConnection(Connection):
    """A connection to nobody."""

    channel: SilentChannel

    def _make_channel(self) -> GrpcChannel:
        return cast("GrpcChannel", self.channel)


class CallTests(SynchronousTestCase):
    """`Connection.call`."""

    def setUp(self) -> None:
        """Given a member that does not answer."""
        self.reactor = MemoryDaemonReactor()
        self.connection = SilentConnection(
            self.reactor,
            cast("ThreadPool", AtOnce()),
            Address("127.0.0.1", 2379),
            None,
            None,
            Timeouts(request=5.0),
        )
        self.connection.channel = self.channel = SilentChannel()
        self.call = Deferred.fromCoroutine(
            self.connection.call(methods.STATUS, {}, 5.0)
        )

    def test_no_answer(self) -> None:
        """The call ends at its time, on the reactor's clock, and is cancelled."""
        self.reactor.advance(4.9)
        self.assertNoResult(self.call)
        self.reactor.advance(0.2)
        self.failureResultOf(self.call, EtcdUnavailable)
        self.assertEqual(self.channel.cancelled, 1)

    def test_a_pause(self) -> None:
        """
        While this process stands still the clock of gRPC goes on: a call that is under
        way must not be over by that.
        """
        ((deadline, settled),) = self.channel.calls
        self.assertGreater(deadline, 60.0)
        settled(None, "", "well")
        self.assertEqual(self.successResultOf(self.call), "well")
        self.assertEqual(self.reactor.getDelayedCalls(), [])
