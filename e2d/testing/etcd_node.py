"""One fake etcd process: what it made of the cluster's log so far."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field

from e2d.interfaces import EtcdRefused
from e2d.model import EtcdMember, MemberID
from e2d.testing.etcd_roster import Roster
from e2d.testing.etcd_store import Store

__all__ = ["Entry", "FakeEtcd", "Replica"]


@define(eq=False)
class Replica:
    """What one member made of the log so far."""

    roster: Roster
    store: Store = field(factory=Store)
    alarms: set[tuple[MemberID, str]] = field(factory=set)

    def must_have_space(self) -> None:
        """Writes are refused while any member is full."""
        self.must_be_sound()
        if any(alarm == "NOSPACE" for _, alarm in self.alarms):
            words = "etcdserver: mvcc: database space exceeded"
            raise EtcdRefused("RESOURCE_EXHAUSTED", words)

    def must_be_sound(self) -> None:
        """Everything is refused while any member is corrupt."""
        if any(alarm == "CORRUPT" for _, alarm in self.alarms):
            raise EtcdRefused("DATA_LOSS", "etcdserver: corrupt cluster")


Entry = Callable[[Replica], object]


@define(eq=False)
class FakeEtcd:
    """
    One etcd process, and its disk.

    :ivar caught_up_at: not before this moment is a learner in sync with the leader.
    """

    member_id: MemberID
    name: str
    replica: Replica
    running: bool = True
    paused_since: float | None = None
    applied: int = 0
    caught_up_at: float = 0.0
    listeners: list[Callable[[], None]] = field(factory=list)

    @property
    def answers(self) -> bool:
        """Whether the process runs and is not frozen."""
        return self.running and self.paused_since is None

    @property
    def entry(self) -> EtcdMember | None:
        """Itself in the membership as it knows it."""
        return self.replica.roster.find(self.member_id)

    def tell(self) -> None:
        """Something changed for those that listen here."""
        for listener in tuple(self.listeners):
            listener()
