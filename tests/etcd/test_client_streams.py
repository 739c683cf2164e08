"""Streams at the reader's pace, on messages from a list."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from e2d.etcd.refusals import StreamBroke
from e2d.etcd.streams import PacedStream, Snapshot, Watch, gather_blobs
from e2d.interfaces import EtcdRefused, EtcdUnavailable


class ThreadlessReactor(Clock):
    """Time that stands still, and calls from threads that there are not."""

    def callFromThread(self, call: Callable[..., object], *args: object) -> None:
        """At once."""
        call(*args)


class LaterPool:
    """A pool whose work is done when a test says so."""

    def __init__(self) -> None:
        self.work: list[Callable[[], None]] = []

    def callInThreadWithCallback(
        self, done: Callable[[bool, object], None], call: Callable[..., object]
    ) -> None:
        """Keep it."""
        self.work.append(lambda: _do(done, call))

    def run(self) -> None:
        """Do what is there."""
        work, self.work = self.work, []
        for job in work:
            job()


def _do(done: Callable[[bool, object], None], call: Callable[..., object]) -> None:
    try:
        result = call()
    except StreamBroke:
        done(False, Failure())
    else:
        done(True, result)


class ListedMessages:
    """What a stream of gRPC's looks like."""

    def __init__(self, *messages: object) -> None:
        self.messages = list(messages)
        self.cancelled = False

    def take(self) -> object:
        """The next, or an error."""
        message = self.messages.pop(0) if self.messages else None
        if isinstance(message, StreamBroke):
            raise message
        return message

    def cancel(self) -> None:
        """Note it."""
        self.cancelled = True


class StreamCase(SynchronousTestCase):
    """A stream of listed messages."""

    def setUp(self) -> None:
        """Nothing is read yet."""
        self.clock = ThreadlessReactor()
        self.pool = LaterPool()

    def stream(
        self, source: ListedMessages, take: Callable[[], object] | None = None
    ) -> PacedStream:
        """Of these messages."""
        take = take or source.take
        return PacedStream(self.clock, self.pool, "there:1", source, take)


class PacedStreamTests(StreamCase):
    """Nothing is read before it is asked for, and nothing is lost."""

    def test_reads_when_asked(self) -> None:
        """The pool gets one piece of work for each question."""
        stream = self.stream(ListedMessages("one", "two"))
        self.assertEqual(self.pool.work, [])
        first = Deferred.fromCoroutine(stream.receive())
        self.assertEqual(len(self.pool.work), 1)
        self.pool.run()
        self.assertEqual(self.successResultOf(first), "one")
        self.assertEqual(self.pool.work, [])

    def test_cancelled_wait(self) -> None:
        """What arrives after a wait was given up is for the next."""
        stream = self.stream(ListedMessages("one"))
        given_up = Deferred.fromCoroutine(stream.receive())
        given_up.cancel()
        self.failureResultOf(given_up)
        self.pool.run()
        after = Deferred.fromCoroutine(stream.receive())
        self.assertEqual(self.successResultOf(after), "one")

    def test_stall(self) -> None:
        """A stream that is silent for too long is over, and its call cancelled."""
        source = ListedMessages()
        stream = self.stream(source)
        waiting = Deferred.fromCoroutine(stream.receive(60.0))
        self.clock.advance(59)
        self.assertNoResult(waiting)
        self.clock.advance(1)
        failure = self.failureResultOf(waiting, EtcdUnavailable)
        self.assertEqual(failure.value.reason, "silent for 60 s")
        self.assertTrue(source.cancelled)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_break(self) -> None:
        """A broken stream says so, again and again."""
        stream = self.stream(ListedMessages(StreamBroke("UNAVAILABLE", "gone")))
        for _ in range(2):
            waiting = Deferred.fromCoroutine(stream.receive())
            self.pool.run()
            self.failureResultOf(waiting, EtcdUnavailable)


class SnapshotTests(StreamCase):
    """Pieces are worth a change of threads, and never above a mebibyte."""

    def read(self, snapshot: Snapshot) -> bytes:
        """One piece."""
        reading = Deferred.fromCoroutine(snapshot.read())
        self.pool.run()
        return self.successResultOf(reading)

    def test_pieces(self) -> None:
        """Small chunks are put together, a huge one is cut."""
        small = [SimpleNamespace(blob=bytes(32 * 1024)) for _ in range(17)]
        huge = SimpleNamespace(blob=bytes(1_500_000))
        source = ListedMessages(*small, huge)
        stream = self.stream(source, lambda: gather_blobs(source))
        snapshot = Snapshot(stream, 60.0)
        sizes = [len(self.read(snapshot)) for _ in range(5)]
        self.assertEqual(sizes, [524288, 1048576, 484192, 0, 0])


class WatchTests(StreamCase):
    """What etcd says of a watch."""

    def answer(self, **fields: object) -> SimpleNamespace:
        """A WatchResponse."""
        unset = {"created": False, "canceled": False, "compact_revision": 0}
        return SimpleNamespace(**{**unset, "events": [], "cancel_reason": "", **fields})

    def test_denied(self) -> None:
        """A watch without the right for it is refused when it is made."""
        reason = "rpc error: code = PermissionDenied desc = etcdserver: no"
        denied = self.answer(created=True, canceled=True, cancel_reason=reason)
        watch = Watch("there:1", self.stream(ListedMessages(denied)))
        waiting = Deferred.fromCoroutine(watch.accepted(5.0))
        self.pool.run()
        failure = self.failureResultOf(waiting, EtcdRefused)
        self.assertEqual(failure.value.code, "PERMISSION_DENIED")

    def test_end(self) -> None:
        """A watch that just ends has not told everything."""
        source = ListedMessages(self.answer(created=True))
        watch = Watch("there:1", self.stream(source))
        accepted = Deferred.fromCoroutine(watch.accepted(5.0))
        self.pool.run()
        self.successResultOf(accepted)
        waiting = Deferred.fromCoroutine(watch.next())
        self.pool.run()
        self.failureResultOf(waiting, EtcdUnavailable)
