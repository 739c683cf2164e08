"""
Time as this process saw it pass.

Note [Time that was not seen]: after a minute's SIGSTOP, or of a paused virtual machine,
every deadline is overdue at once, and whoever was waited for seems to have been silent
for a minute. None of that is evidence against anybody (A16). So the one clock that all
deadlines are on, the reactor's, leaves out what was not seen. It tells by a beat every
second: who is asked for the time more than that and `LATE_SECONDS` after the last time
was not running in between. Every timer and every age moves by the lateness then, and
nothing else has to know.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from attrs import define, field

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

__all__ = ["LATE_SECONDS", "SteadyClock", "boottime"]

BEAT_SECONDS = 1.0

LATE_SECONDS = 2.0
"""Lateness up to here is a busy machine's; time goes on meanwhile."""


def boottime() -> float:
    """Seconds of CLOCK_BOOTTIME: monotonic, and counting while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@define(eq=False)
class SteadyClock:
    """
    Seconds, less those in which this process did not run.

    :param measure: the machine's seconds, which never step.
    """

    _measure: Callable[[], float]
    _unseen: float = field(default=0.0, init=False)
    _told: float = field(default=0.0, init=False)
    _last: float | None = field(default=None, init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)
    _log: Logger = field(factory=Logger, init=False)

    def seconds(self) -> float:
        """The time: for the reactor, and by it for everybody."""
        now = self._measure()
        if self._last is not None:
            late = now - self._last - BEAT_SECONDS
            if late > LATE_SECONDS:
                self._unseen += late
            self._last = now
        return now - self._unseen

    @property
    def unseen(self) -> float:
        """How many seconds were left out so far."""
        return self._unseen

    def watch(self, reactor: IReactorTime) -> None:
        """From now on notice what is not seen. The reactor must go by `seconds`."""
        self._last = self._measure()
        self._timer = reactor.callLater(BEAT_SECONDS, self._beat, reactor)

    def rest(self) -> None:
        """Go on without noticing anything."""
        self._last = None
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    def _beat(self, reactor: IReactorTime) -> None:
        self._timer = reactor.callLater(BEAT_SECONDS, self._beat, reactor)
        if self._unseen != self._told:
            self._log.warn(
                "e2d stood still for {seconds} s (stopped, or a paused machine): this"
                " time counts against nobody",
                seconds=round(self._unseen - self._told, 1),
            )
            self._told = self._unseen
