"""
An etcd and what came with it: the process group that a start of etcd makes.

Note [Wrappers]: ``etcd.binary`` may name a script that runs etcd as its child instead
of becoming etcd. The process that e2d started and watches is the script then, and a
signal to it leaves etcd running. But it leads a session, so the group that has its pid
for a name is everything that it started: a signal goes to all of them, and the end of
the first is the end of etcd only when none of them is left.
"""

from __future__ import annotations

import signal
from collections.abc import Callable

from attrs import define, field

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from e2d.etcd.processes import Processes

__all__ = ["ProcessGroup"]

_LOOK_SECONDS = 0.2

# 10 s, as long as etcd is given to end. Counted in looks, so that the time in which
# e2d itself stood still does not count.
_LOOKS_BEFORE_KILL = 50


@define(eq=False)
class ProcessGroup:
    """
    A process group, known to be one that a start of etcd made.

    :param group: its id.
    """

    _clock: IReactorTime
    _processes: Processes
    _group: int
    _told: bool = field(default=False, init=False)
    _looks: int = field(default=0, init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)
    _log: Logger = field(factory=Logger, init=False)

    def send(self, number: signal.Signals) -> bool:
        """
        Send all of it a signal.

        :return: False if there is no such group, or not yet.
        :raises OSError: we may not.
        """
        reached = self._processes.signal_group(self._group, number)
        self._told = self._told or reached
        return reached

    def end(self, over: Callable[[], None]) -> None:
        """
        Its first process has ended: end the others, those that were not told to yet.

        :param over: called once nothing of it is left; at once if nothing is.
        """
        if not self._processes.in_group(self._group):
            over()
            return
        try:
            self._insist()
        except OSError as error:
            self._log.warn("What etcd left can't be ended: {reason}", reason=str(error))
        self._timer = self._clock.callLater(_LOOK_SECONDS, self.end, over)

    def _insist(self) -> None:
        self._looks += 1
        if self._looks > _LOOKS_BEFORE_KILL:
            self.send(signal.SIGKILL)
        elif not self._told:
            self._log.warn(
                "What was started as etcd has ended, and left processes that run on"
                " (group {group}): they are ended",
                group=self._group,
            )
            self.send(signal.SIGTERM)

    def abandon(self) -> None:
        """Wait for its end no longer. Idempotent."""
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()
