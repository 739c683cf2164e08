"""
Whether the loop is well: whether its turns come, end, and end well.

Note [Stuck and failing]
------------------------
A loop is *stuck* when a turn does not end or the next one does not come. Nothing remote
can bring that about, since every source of a turn has a shorter limit of its own; a
restart of e2d may mend it, so the watchdog goes by it. A loop is *failing* when all its
turns end in an exception. That is a defect or a disk, and a restart would meet it
again: people are told, and the daemon is left to try.
"""

from __future__ import annotations

from datetime import datetime

from attrs import define, field

from e2d.cluster.report import LoopReport

__all__ = ["FAILING_LIMIT", "LATE_LIMIT", "TURN_LIMIT", "Pulse", "describe_error"]

TURN_LIMIT = 60.0
"""Seconds a turn may last: every source in it has a shorter limit of its own."""

LATE_LIMIT = 30.0
"""Seconds by which the next turn may be late before the loop counts as stuck."""

FAILING_LIMIT = 60.0
"""Seconds for which all turns may fail: some sixty of them, and a disk may recover."""

LONGEST_ERROR = 240
"""Characters: it is shown in one line."""


@define(eq=False)
class Pulse:
    """
    Counts and times turns. See Note [Stuck and failing].

    :param due: when the first turn is due; this and every ``now`` in seconds of the
        reactor's clock.
    """

    _due: float
    _began: float | None = field(default=None, init=False)
    _turns: int = field(default=0, init=False)
    _failures: int = field(default=0, init=False)
    _succeeded: tuple[float, datetime] | None = field(default=None, init=False)
    _failing: tuple[float, str] | None = field(default=None, init=False)

    def began(self, now: float) -> None:
        """A turn is under way."""
        self._began = now
        self._turns += 1

    def ended(self, now: float, now_at: datetime, look_again: float) -> None:
        """
        It ended well.

        :param look_again: seconds until the next is due.
        """
        self._began = self._failing = None
        self._succeeded = (now, now_at)
        self._due = now + look_again

    def broke(self, now: float, error: BaseException) -> None:
        """It ended in an exception; the next is due at once."""
        self._began = None
        self._failures += 1
        since = now if self._failing is None else self._failing[0]
        self._failing = (since, describe_error(error))
        self._due = now

    def stuck(self, now: float) -> str | None:
        """Which turn does not end or come, in one line; None: each does in time."""
        if self._began is not None:
            lasted = now - self._began
            if lasted < TURN_LIMIT:
                return None
            return (
                f"a turn of the loop has lasted {lasted:.0f} s and may last"
                f" {TURN_LIMIT:.0f} s"
            )
        late = now - self._due
        if late < LATE_LIMIT:
            return None
        return (
            f"the next turn of the loop is {late:.0f} s late and may be"
            f" {LATE_LIMIT:.0f} s late"
        )

    def problem(self, now: float) -> str | None:
        """Why the loop is not well, in one line; None: it is."""
        stuck = self.stuck(now)
        if stuck is not None or self._failing is None:
            return stuck
        since, error = self._failing
        failing = now - since
        if failing < FAILING_LIMIT:
            return None
        return f"every turn of the loop has failed for {failing:.0f} s: {error}"

    def report(self, now: float) -> LoopReport:
        """For the status."""
        ended, ended_at = self._succeeded or (None, None)
        return LoopReport(
            turns=self._turns,
            failures=self._failures,
            last_success_at=ended_at,
            last_success_age_seconds=None if ended is None else now - ended,
            problem=self.problem(now),
        )


def describe_error(error: BaseException) -> str:
    """Its type and message, in one line that has an end."""
    line = f"{type(error).__name__}: {' '.join(str(error).split())}"
    return line if len(line) <= LONGEST_ERROR else line[: LONGEST_ERROR - 1] + "…"
