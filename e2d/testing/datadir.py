"""A data directory in memory."""

from __future__ import annotations

from attrs import define, evolve, field

from zope.interface import implementer

from e2d.interfaces import DataDirectoryError, IEtcdDataDirectory
from e2d.model import (
    DataState,
    Empty,
    Founding,
    Holds,
    Lost,
    Missing,
    NodeID,
    NodeName,
    Pause,
    Unborn,
)

__all__ = ["FakeEtcdDataDirectory"]


@implementer(IEtcdDataDirectory)
@define(eq=False)
class FakeEtcdDataDirectory:
    """
    What is on its disk is what its attributes say: a test may set any of them.

    :param data: what `examine` finds; kept up by the calls that change it.
    :param failure: the disk's refusal, raised by every call while it is set.
    :param full: the disk's refusal of whatever writes, while it is set.
    :param aside: what was set aside, oldest first.
    """

    path: str = "/var/lib/etcd"
    data: DataState = field(factory=Empty)
    failure: DataDirectoryError | None = None
    full: DataDirectoryError | None = None
    maximum_aside: int = 8
    identity: NodeID = NodeID("0123456789abcdef")
    name: NodeName | None = None
    recorded_founding: Founding | None = None
    recorded_pause: Pause | None = None
    lived: bool = False
    aside: list[tuple[str, DataState]] = field(factory=list)
    _missing_since: float | None = None

    def etcd_wrote(self, holds: Holds) -> None:
        """An etcd that was started here has written to its log."""
        self.data = holds

    def lose_member(self) -> None:
        """Whatever was in ``member/`` is gone."""
        founding = self.recorded_founding
        if founding is not None and not founding.started:
            founding = None
        lived = founding is not None or self.lived
        self.data = Lost(founding=founding) if lived else Empty()

    def _check(self) -> None:
        if self.failure is not None:
            raise self.failure

    def _check_writing(self) -> None:
        self._check()
        if self.full is not None:
            raise self.full

    async def examine(self, now: float) -> DataState:
        """`IEtcdDataDirectory.examine`."""
        self._check()
        if not isinstance(self.data, Missing):
            self._missing_since = None
            return self.data
        if self._missing_since is None:
            self._missing_since = now
        return evolve(self.data, since=self._missing_since)

    async def in_place(self) -> bool:
        """`IEtcdDataDirectory.in_place`."""
        self._check()
        return isinstance(self.data, Holds)

    async def node_id(self) -> NodeID:
        """`IEtcdDataDirectory.node_id`."""
        self._check()
        return self.identity

    async def node_name(self) -> NodeName | None:
        """`IEtcdDataDirectory.node_name`."""
        self._check()
        return self.name

    async def record_name(self, name: NodeName) -> None:
        """`IEtcdDataDirectory.record_name`."""
        self._check_writing()
        self.name = name

    async def founding(self) -> Founding | None:
        """`IEtcdDataDirectory.founding`."""
        self._check()
        return self.recorded_founding

    async def record_founding(self, founding: Founding) -> None:
        """`IEtcdDataDirectory.record_founding`."""
        self._check_writing()
        current = self.recorded_founding
        if current is not None and current.started:
            same = current.founding_id == founding.founding_id
            if not (same and founding.started):
                raise DataDirectoryError(f"{self.path}: another founding was started")
        if founding.started:
            if not isinstance(self.data, Empty | Unborn):
                raise DataDirectoryError(f"{self.path}: not Empty")
            self.data = Unborn(founding=founding)
        self.recorded_founding = founding

    async def record_member(self, holds: DataState) -> None:
        """`IEtcdDataDirectory.record_member`."""
        self._check_writing()
        assert isinstance(holds, Holds)
        self.lived = True
        if isinstance(self.data, Unborn):
            self.lose_member()

    async def set_aside(self, reason: str) -> str:
        """`IEtcdDataDirectory.set_aside`."""
        self._check_writing()
        if isinstance(self.data, Empty | Lost | Missing):
            raise DataDirectoryError(f"{self.path}: no member/ to set aside")
        if len(self.aside) >= self.maximum_aside:
            raise DataDirectoryError(f"{self.path}: too many lie aside already")
        where = f"{self.path}/e2d/aside/{reason}-{len(self.aside) + 1}/member"
        self.aside.append((where, self.data))
        self.lose_member()
        return where

    async def finish_swap(self) -> None:
        """`IEtcdDataDirectory.finish_swap`: a swap in memory is never cut short."""
        self._check()

    async def pause(self) -> Pause | None:
        """`IEtcdDataDirectory.pause`."""
        self._check()
        return self.recorded_pause

    async def record_pause(self, pause: Pause) -> None:
        """`IEtcdDataDirectory.record_pause`."""
        self._check_writing()
        self.recorded_pause = pause
