"""What services are built from: order, a loop that outlives failures, backoff."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from random import Random

from attrs import define, field, frozen

from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from e2d.interfaces import IEtcdServer
from e2d.model import Absent

__all__ = ["AfterTheFirstMove", "Backoff", "Held", "OrderedServices", "Repeater"]

FIRST_MOVE_SECONDS = 0.5
START_AGAIN_SECONDS = 5.0


class OrderedServices(Service):
    """
    Services that start in order and stop in reverse order, each awaited.

    ``MultiService`` stops all its children at once and in no promised order; here
    the API goes silent before the loop ends, and the loop before etcd is stopped.

    :param services: first to start first, last to stop last.
    """

    _log = Logger()

    def __init__(self, services: Iterable[IService]) -> None:
        self._services = tuple(services)

    def startService(self) -> None:
        """Start each in order; one that raises stops those already started."""
        started: list[IService] = []
        try:
            for service in self._services:
                service.startService()
                started.append(service)
        except BaseException:
            for service in reversed(started):
                service.stopService()
            raise
        super().startService()

    def stopService(self) -> Deferred[None]:
        """Fires when the last has stopped; a failure is logged and passed over."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop_each())

    async def _stop_each(self) -> None:
        for service in reversed(self._services):
            stopped = service.stopService()
            if stopped is None:
                continue
            try:
                await stopped
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException:  # noqa: BLE001 - the next must be stopped all the same
                self._log.failure(
                    "{service} did not stop cleanly", service=type(service).__name__
                )


@frozen(kw_only=True)
class Backoff:
    """
    Exponential delays with jitter, so that many who failed together retry apart.

    :param initial: the first delay, in seconds.
    :param maximum: no delay is longer, in seconds.
    :param factor: each delay is this many times the one before.
    :param jitter: the part of a delay that is random, 0 to 1.
    """

    initial: float = 0.5
    maximum: float = 30.0
    factor: float = 2.0
    jitter: float = 0.2

    def delay(self, failures: int, random: Random) -> float:
        """
        How long to wait after this many failures in a row.

        :param failures: at least 1.
        :return: seconds.
        """
        assert failures >= 1
        # Beyond 64 doublings every delay is the maximum; the bound keeps floats finite.
        exponent = min(failures - 1, 64)
        whole = min(self.initial * self.factor**exponent, self.maximum)
        return whole * (1 - self.jitter * random.random())


@define(eq=False)
class Repeater:
    """
    A turn, again and again: at its own pace, at once when woken, and after any failure.

    ``LoopingCall`` stops for ever at the first failure; this one runs one turn at a
    time, lets any amount of news wake it once, and treats an exception of a turn as a
    defect to be survived, and logged when it begins.

    :param turn: does the work, and says in how many seconds to call it again.
    :param after_failure: seconds until the next turn after one that raised.
    """

    _clock: IReactorTime
    _turn: Callable[[], Awaitable[float]]
    _after_failure: float = 1.0
    _log: Logger = field(factory=Logger)
    _running: bool = field(default=False, init=False)
    _in_turn: bool = field(default=False, init=False)
    _woken: bool = field(default=False, init=False)
    _said: str | None = field(default=None, init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)
    _idle: list[Deferred[None]] = field(factory=list, init=False)

    def start(self) -> None:
        """Begin with a turn at once."""
        assert not self._running
        self._running = True
        self.wake()

    def stop(self) -> Deferred[None]:
        """Fires when no turn is under way and none will be."""
        self._running = False
        self._disarm()
        idle: Deferred[None] = Deferred()
        if self._in_turn:
            self._idle.append(idle)
        else:
            idle.callback(None)
        return idle

    def wake(self) -> None:
        """There is news: take a turn now, or right after the one under way."""
        if not self._running:
            return
        self._woken = True
        if not self._in_turn:
            self._arm(0.0)

    def _arm(self, delay: float) -> None:
        self._disarm()
        self._timer = self._clock.callLater(max(0.0, delay), self._begin)

    def _disarm(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    def _begin(self) -> None:
        self._timer = None
        self._in_turn = True
        self._woken = False
        turn = Deferred.fromCoroutine(self._guarded_turn())
        turn.addCallbacks(self._went_well, self._broke)  # type: ignore[unused-awaitable]

    async def _guarded_turn(self) -> float:
        return await self._turn()

    def _went_well(self, delay: float) -> None:
        self._said = None
        self._ended(delay)

    def _broke(self, failure: Failure) -> None:
        # Once, not with every turn: what fails in each one does so all night.
        said, self._said = self._said, repr(failure.value)
        if said != self._said:
            self._log.failure("A turn was abandoned", failure=failure)
        self._ended(self._after_failure)

    def _ended(self, delay: float) -> None:
        self._in_turn = False
        waiting, self._idle = self._idle, []
        for idle in waiting:
            idle.callback(None)
        if self._running:
            self._arm(0.0 if self._woken else delay)


@define(eq=False)
class Held(Service):
    """
    Something that is held while its neighbours run: taken at start, let go at stop.

    :param take: may raise what the whole start then fails with.
    :param release: what it returns is awaited, if it is awaitable.
    """

    _take: Callable[[], object]
    _release: Callable[[], Awaitable[object] | None]

    def startService(self) -> None:
        """Take it."""
        self._take()
        super().startService()

    def stopService(self) -> Deferred[None]:
        """Fires when it is let go."""
        super().stopService()
        return Deferred.fromCoroutine(self._let_go())

    async def _let_go(self) -> None:
        released = self._release()
        if released is not None:
            await released


@define(eq=False, kw_only=True)
class AfterTheFirstMove(Service):
    """
    A service that starts once etcd was started, or half a second has shown it won't be.

    What it needs takes long to load, and would delay etcd if it were loaded before.
    A failure of either is a defect: it is logged, and both are tried again.

    :param make: loads what it needs, and makes it; not called again once it has.
    """

    _clock: IReactorTime
    _server: IEtcdServer
    _make: Callable[[], IService]
    _log: Logger = field(factory=Logger)
    _service: IService | None = field(default=None, init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)
    _said: str | None = field(default=None, init=False)

    def startService(self) -> None:
        """Wait for etcd's process, or the time."""
        super().startService()
        self._server.subscribe(self._moved)
        self._timer = self._clock.callLater(FIRST_MOVE_SECONDS, self._begin)

    def stopService(self) -> Deferred[None]:
        """Fires when the service has stopped."""
        super().stopService()
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        service, self._service = self._service, None
        if service is not None:
            stopped = service.stopService()
            if stopped is not None:
                await stopped

    def _moved(self) -> None:
        waiting = self._timer is not None and self._timer.active()
        if waiting and not isinstance(self._server.state(), Absent):
            assert self._timer is not None
            self._timer.reset(0)

    def _begin(self) -> None:
        try:
            if self._service is None:
                self._service = self._make()
            self._service.startService()
        except Exception as error:  # noqa: BLE001 - awaits nothing; must be tried again
            if repr(error) != self._said:
                self._log.failure(
                    "A service did not start; trying again every {seconds} s",
                    seconds=START_AGAIN_SECONDS,
                )
            self._said = repr(error)
            self._timer = self._clock.callLater(START_AGAIN_SECONDS, self._begin)
