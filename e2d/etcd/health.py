"""Asking etcd how it is: quickly until it is ready, then at its own pace."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from attrs import define, field

from twisted.internet import defer
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from e2d.interfaces import EtcdDenied, EtcdError
from e2d.model import EtcdStatus

__all__ = ["HealthWatch", "Probe"]

Probe = Callable[[], Awaitable[EtcdStatus]]
"""Asks etcd for its status; raises `EtcdError` when there is no answer."""

_TIMEOUT_SECONDS = 5.0
_AFTER_MISS_SECONDS = 5.0

# Until when (seconds after the start) it is asked how often. A start takes 0.4 s as a
# rule, and its length is felt; a large database or a missing quorum can take hours.
_PACE = ((5.0, 0.02), (30.0, 0.2))
_SLOW_SECONDS = 1.0


@define(eq=False)
class HealthWatch:
    """
    Probes one etcd from `start` to `stop`.

    :param interval: seconds between two checks once it is ready.
    """

    _clock: IReactorTime
    _probe: Probe
    _interval: float
    _log: Logger = field(factory=Logger, init=False)
    _started: float = field(default=0.0, init=False)
    _ready: bool = field(default=False, init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)
    _asking: Deferred[None] | None = field(default=None, init=False)
    _on_answer: Callable[[EtcdStatus], None] | None = field(default=None, init=False)
    _on_miss: Callable[[], None] | None = field(default=None, init=False)
    _on_denial: Callable[[], None] | None = field(default=None, init=False)

    def start(
        self,
        on_answer: Callable[[EtcdStatus], None],
        on_miss: Callable[[], None],
        on_denial: Callable[[], None],
    ) -> None:
        """
        Begin, with a probe at once.

        :param on_answer: called with each answer.
        :param on_miss: called when there is none in time.
        :param on_denial: called when the answer is that we may not ask.
        """
        assert self._timer is None
        assert self._asking is None
        self._on_answer, self._on_miss = on_answer, on_miss
        self._on_denial = on_denial
        self._started, self._ready = self._clock.seconds(), False
        self._timer = self._clock.callLater(0, self._ask)

    def ready(self) -> None:
        """It serves: check it at its own pace from now on."""
        self._ready = True

    def stop(self) -> None:
        """End. Idempotent; nothing is called any more."""
        self._on_answer = self._on_miss = self._on_denial = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        asking, self._asking = self._asking, None
        if asking is not None:
            asking.cancel()

    def _ask(self) -> None:
        self._timer = None
        answer = Deferred.fromCoroutine(self._status())
        in_time = answer.addTimeout(_TIMEOUT_SECONDS, self._clock)
        asking = in_time.addCallbacks(self._answered, self._missed)
        # A probe that answers at once has armed the timer already.
        self._asking = None if self._timer is not None else asking

    async def _status(self) -> EtcdStatus:
        return await self._probe()

    def _answered(self, status: EtcdStatus) -> None:
        on_answer = self._on_answer
        if on_answer is not None:
            self._heard(lambda: on_answer(status))

    def _heard(self, tell: Callable[[], None]) -> None:
        self._asking = None
        # Armed first: what is called may stop us.
        self._arm(self._pace)
        tell()
        if self._ready and self._timer is not None:
            self._timer.reset(self._interval)

    def _missed(self, failure: Failure) -> None:
        if self._on_miss is None or self._on_denial is None:
            return
        if failure.check(EtcdDenied):
            self._heard(self._on_denial)
            return
        if not failure.check(EtcdError, defer.TimeoutError, CancelledError):
            self._log.failure("etcd could not be probed", failure=failure)
        self._asking = None
        again = min(self._interval, _AFTER_MISS_SECONDS)
        self._arm(again if self._ready else self._pace)
        self._on_miss()

    @property
    def _pace(self) -> float:
        passed = self._clock.seconds() - self._started
        for until, pace in _PACE:
            if passed < until:
                return pace
        return _SLOW_SECONDS

    def _arm(self, delay: float) -> None:
        self._timer = self._clock.callLater(delay, self._ask)
