"""Streams that etcd sends, at the reader's pace: a watch and a snapshot."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from attrs import define, field

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool
from zope.interface import implementer

from e2d.etcd.methods import Reply
from e2d.etcd.refusals import StreamBroke, error_of, split_status
from e2d.etcd.translation import event_of
from e2d.interfaces import (
    EtcdError,
    EtcdRefused,
    EtcdUnavailable,
    Event,
    IByteSource,
    IDaemonReactor,
    IWatch,
)

if TYPE_CHECKING:
    from e2d.etcd.channel import GrpcStream

__all__ = ["PacedStream", "Snapshot", "Watch", "gather_blobs"]

_PIECE = 1024 * 1024
_ENOUGH = _PIECE // 2
"""A piece is complete with this many bytes: a chunk of etcd's is 32 KiB."""


@define(eq=False)
class PacedStream:
    """
    One message at a time, read in the pool when it is asked for.

    A wait that is cancelled loses nothing: the next one gets what arrived.
    """

    _reactor: IDaemonReactor
    _pool: ThreadPool
    _endpoint: str
    _stream: GrpcStream
    _take: Callable[[], Reply]
    _reading: bool = field(default=False, init=False)
    _arrived: deque[Reply] = field(factory=deque, init=False)
    _error: EtcdError | None = field(default=None, init=False)
    _waiter: Deferred[None] | None = field(default=None, init=False)

    async def receive(self, seconds: float | None = None) -> Reply:
        """
        The next message.

        :param seconds: how long it may take; the stream is over if it takes longer.
        :raises EtcdUnavailable: it broke, was stopped, or took too long.
        """
        if not self._arrived and self._error is None:
            await self._wait(seconds)
        if self._arrived:
            return self._arrived.popleft()
        assert self._error is not None
        raise self._error

    def stop(self) -> None:
        """End it. Idempotent."""
        self._end(EtcdUnavailable(self._endpoint, "it was stopped"))

    def fail(self, error: EtcdError) -> None:
        """End it, and say so with this error ever after."""
        self._end(error)

    async def _wait(self, seconds: float | None) -> None:
        assert self._waiter is None, "one reader at a time"
        waiter: Deferred[None] = Deferred()
        self._waiter = waiter
        slow = None
        if seconds is not None:
            slow = self._reactor.callLater(seconds, self._stalled, seconds)
        self._read()
        try:
            await waiter
        finally:
            self._waiter = None
            if slow is not None and slow.active():
                slow.cancel()

    def _read(self) -> None:
        if self._reading:
            return
        self._reading = True
        reading = deferToThreadPool(self._reactor, self._pool, self._take)
        reading.addCallbacks(self._came, self._broke)  # type: ignore[unused-awaitable]

    def _came(self, message: Reply) -> None:
        self._reading = False
        if self._error is None:
            self._arrived.append(message)
            self._wake()

    def _broke(self, failure: Failure) -> None:
        self._reading = False
        failure.trap(StreamBroke)
        broke = failure.value
        assert isinstance(broke, StreamBroke)
        self._end(error_of(self._endpoint, broke.code, broke.details))

    def _stalled(self, seconds: float) -> None:
        self._end(EtcdUnavailable(self._endpoint, f"silent for {seconds:g} s"))

    def _end(self, error: EtcdError) -> None:
        if self._error is None:
            self._error = error
            self._stream.cancel()
            self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.called:
            waiter.callback(None)


@implementer(IWatch)
@define(eq=False)
class Watch:
    """A watch; `accepted` must have returned first."""

    _endpoint: str
    _stream: PacedStream

    async def accepted(self, seconds: float) -> None:
        """
        Wait until etcd has taken the watch on.

        :raises EtcdRefused: it has not: no such right.
        """
        answer = await self._stream.receive(seconds)
        if answer is None or answer.canceled or not answer.created:
            raise self._cancelled(answer)

    async def next(self) -> Sequence[Event]:
        """A cancelled wait loses no event."""
        while True:
            answer = await self._stream.receive()
            if answer is None or answer.canceled:
                raise self._cancelled(answer)
            if answer.events:
                return tuple(event_of(event) for event in answer.events)

    async def stop(self) -> None:
        """Does not wait for etcd."""
        self._stream.stop()

    def _cancelled(self, answer: Reply) -> EtcdError:
        error: EtcdError
        if answer is None:
            error = EtcdUnavailable(self._endpoint, "the watch ended")
        elif answer.compact_revision:
            error = EtcdRefused(
                "OUT_OF_RANGE",
                "etcdserver: mvcc: required revision has been compacted"
                f" (the oldest is {answer.compact_revision})",
            )
        else:
            error = error_of(self._endpoint, *split_status(answer.cancel_reason))
        self._stream.fail(error)
        return error


@implementer(IByteSource)
@define(eq=False)
class Snapshot:
    """
    A database as it comes.

    :param stall: seconds between two pieces, after which it is over.
    """

    _stream: PacedStream
    _stall: float
    _rest: bytes = field(default=b"", init=False)
    _ended: bool = field(default=False, init=False)

    async def read(self) -> bytes:
        """Half a mebibyte or so."""
        if not self._rest and not self._ended:
            self._rest = await self._stream.receive(self._stall)
            self._ended = not self._rest
        piece, self._rest = self._rest[:_PIECE], self._rest[_PIECE:]
        return piece

    async def close(self) -> None:
        """Does not wait for etcd."""
        self._stream.stop()


def gather_blobs(stream: GrpcStream) -> bytes:
    """
    Block for a piece of a snapshot worth the change of threads; empty at the end.

    :raises StreamBroke: it ended with an error.
    """
    blobs: list[bytes] = []
    size = 0
    while size < _ENOUGH:
        message = stream.take()
        if message is None:
            break
        blobs.append(message.blob)
        size += len(message.blob)
    return b"".join(blobs)
