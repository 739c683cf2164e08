"""An etcd process that is not there: `IEtcdServer` on a clock, moved by the test."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import define, evolve, field

from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from e2d.interfaces import IEtcdServer
from e2d.model import (
    Absent,
    ChildFailed,
    ChildProblem,
    ChildState,
    EtcdStart,
    EtcdVersion,
    ProblemKind,
    Serving,
    Starting,
)

__all__ = ["FakeEtcdServer"]

FIRST_PID = 1000
VERSION = EtcdVersion(3, 5, 16)


@implementer(IEtcdServer)
@define(eq=False)
class FakeEtcdServer:
    """
    Starts at once, serves when told to, ends when told to.

    :param on_start: told of each start, before it runs: where a test puts data on disk.
    :param left_behind: the state in which `adopt` finds an etcd, None for nothing.
    """

    _clock: IReactorTime
    on_start: Callable[[EtcdStart], None] = lambda _start: None
    left_behind: Starting | Serving | None = None
    started: list[EtcdStart] = field(factory=list, init=False)
    stops: int = field(default=0, init=False)
    _state: ChildState = field(factory=Absent, init=False)
    _times: int = field(default=0, init=False)
    _listeners: list[Callable[[], None]] = field(factory=list, init=False)

    # -- IEtcdServer ------------------------------------------------------------

    def state(self) -> ChildState:
        """See `IEtcdServer.state`."""
        return self._state

    def version(self) -> EtcdVersion | None:
        """See `IEtcdServer.version`."""
        return VERSION if self.started else None

    def warnings(self) -> Sequence[str]:
        """See `IEtcdServer.warnings`."""
        return ()

    def subscribe(self, listener: Callable[[], None]) -> None:
        """See `IEtcdServer.subscribe`."""
        self._listeners.append(listener)

    async def adopt(self) -> bool:
        """See `IEtcdServer.adopt`."""
        if self.left_behind is None:
            return False
        self._become(evolve(self.left_behind, adopted=True))
        return True

    async def start(self, start: EtcdStart) -> None:
        """See `IEtcdServer.start`."""
        assert isinstance(self._state, Absent | ChildFailed), self._state
        self.started.append(start)
        self.on_start(start)
        pid = FIRST_PID + len(self.started)
        self._become(Starting(pid=pid, since=self._clock.seconds()))

    async def stop(self) -> None:
        """See `IEtcdServer.stop`."""
        if isinstance(self._state, Starting | Serving):
            self.stops += 1
        if not isinstance(self._state, Absent):
            self._become(Absent())

    def forgive(self) -> None:
        """See `IEtcdServer.forgive`."""
        self._times = 0
        if isinstance(self._state, ChildFailed):
            now = self._clock.seconds()
            self._become(evolve(self._state, times=0, retry_at=now, gave_up=False))

    # -- the test's own ---------------------------------------------------------

    def serve(self) -> None:
        """It has answered."""
        assert isinstance(self._state, Starting)
        self._times = 0
        self._become(
            Serving(
                pid=self._state.pid,
                since=self._clock.seconds(),
                adopted=self._state.adopted,
            )
        )

    def fail(
        self,
        kind: ProblemKind = ProblemKind.EXITED,
        *,
        retry_in: float = 1.0,
        gave_up: bool = False,
    ) -> None:
        """It ended by itself."""
        self._times += 1
        self._become(
            ChildFailed(
                times=self._times,
                problem=ChildProblem(
                    kind=kind, message="etcd ended", remedy="look at its log"
                ),
                retry_at=self._clock.seconds() + retry_in,
                gave_up=gave_up,
            )
        )

    def _become(self, state: ChildState) -> None:
        self._state = state
        for listener in self._listeners:
            listener()
