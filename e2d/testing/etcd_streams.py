"""What a fake member streams: a watch and a snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import define, field

from twisted.internet.defer import Deferred
from zope.interface import implementer

from e2d.interfaces import (
    EtcdError,
    EtcdRefused,
    EtcdUnavailable,
    Event,
    IByteSource,
    IWatch,
)
from e2d.model import Revision

if TYPE_CHECKING:
    from e2d.testing.etcd import FakeEtcd, FakeEtcdCluster

__all__ = ["FakeByteSource", "FakeWatch"]

_PIECE = 32 * 1024


@implementer(IWatch)
@define(eq=False)
class FakeWatch:
    """The changes of one member's replica, from a revision on."""

    _cluster: FakeEtcdCluster
    _node: FakeEtcd
    _key: bytes
    _range_end: bytes | None
    _start: Revision
    _events: list[Event] = field(factory=list, init=False)
    _end: EtcdError | None = field(default=None, init=False)
    _waiter: Deferred[None] | None = field(default=None, init=False)

    async def next(self) -> Sequence[Event]:
        """A cancelled wait loses no event."""
        if not self._events and self._end is None:
            assert self._waiter is None, "one reader at a time"
            self._waiter = Deferred()
            try:
                await self._waiter
            finally:
                self._waiter = None
        if self._events:
            events, self._events = tuple(self._events), []
            return events
        assert self._end is not None
        raise self._end

    async def stop(self) -> None:
        """At once."""
        self._finish(EtcdUnavailable(self._node.name, "it was stopped"))

    def look(self) -> None:
        """See what is new."""
        store = self._node.replica.store
        if not self._node.running:
            self._finish(EtcdUnavailable(self._node.name, "connection lost"))
        elif self._node.answers and self._cluster.leader_seen_by(self._node) is None:
            self._finish(EtcdUnavailable(self._node.name, "etcdserver: no leader"))
        elif self._end is None and self._node.answers:
            try:
                events = store.events(self._key, self._range_end, self._start)
            except EtcdRefused as refusal:
                self._finish(refusal)
            else:
                self._events.extend(events)
                self._start = max(self._start, Revision(store.revision + 1))
                if events:
                    self._wake()

    def _finish(self, error: EtcdError) -> None:
        if self._end is None:
            self._end = error
            if self.look in self._node.listeners:
                self._node.listeners.remove(self.look)
            self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.called:
            waiter.callback(None)


@implementer(IByteSource)
@define(eq=False)
class FakeByteSource:
    """A snapshot in pieces; it breaks off when its member stops."""

    _node: FakeEtcd
    _rest: bytes

    async def read(self) -> bytes:
        """32 KiB."""
        if self._rest and not self._node.running:
            raise EtcdUnavailable(self._node.name, "connection lost")
        piece, self._rest = self._rest[:_PIECE], self._rest[_PIECE:]
        return piece

    async def close(self) -> None:
        """Drop the rest."""
        self._rest = b""
