"""
What is due when, and what the time is.

Note [Two clocks]: the driver's clock goes on while we are paused; the core's does not.
The difference is one number here, and all times inside of the core are the core's.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from math import floor

from attrs import frozen

__all__ = [
    "Deadline",
    "ExchangeDue",
    "GossipDue",
    "ProbeDue",
    "ProbeEnds",
    "ProbeUnanswered",
    "RelayEnds",
    "SuspicionEnds",
    "Ticks",
    "Timers",
]


@frozen
class ProbeDue:
    """Probe the next peer."""


@frozen
class GossipDue:
    """Tell some peers what is new."""


@frozen
class ExchangeDue:
    """Exchange states with some peer."""


@frozen
class ProbeUnanswered:
    """Ask others to probe, too."""

    sequence: int


@frozen
class ProbeEnds:
    """Say how a probe ended."""

    sequence: int


@frozen
class RelayEnds:
    """A probe for another had no answer."""

    sequence: int


@frozen
class SuspicionEnds:
    """Hold a suspect dead."""

    node: bytes


Deadline = (
    ProbeDue
    | GossipDue
    | ExchangeDue
    | ProbeUnanswered
    | ProbeEnds
    | RelayEnds
    | SuspicionEnds
)


class Ticks:
    """
    Points in time at a steady distance, whatever happens between them.

    :param start: the first comes one distance later.
    :param seconds: the distance.
    """

    def __init__(self, start: float, seconds: float) -> None:
        self._at = start
        self._seconds = seconds

    def after(self, now: float) -> float:
        """The next; those that were missed are left out."""
        if self._at <= now:
            missed = floor((now - self._at) / self._seconds)
            self._at += (missed + 1) * self._seconds
        return self._at


_Entry = tuple[float, int, Deadline]

_STALE_ENTRIES = 64
"""So many may be in the heap besides as many as are not, before it is cleaned."""


class Timers:
    """
    Deadlines, each at most once, and the clock that they are on.

    :param late_after: overdue by more means a pause, see `e2d.swim.settings`.
    :param settle: how long after a pause before the next deadline counts.
    """

    def __init__(self, *, late_after: float, settle: float) -> None:
        self._late_after = late_after
        self._settle = settle
        self._offset = 0.0
        self._last = float("-inf")
        self._serial = 0
        self._heap: list[_Entry] = []
        self._entries: dict[Deadline, _Entry] = {}

    @property
    def now(self) -> float:
        """The time when we were last entered, on the core's clock."""
        return self._last

    def enter(self, driver_now: float) -> tuple[float, float]:
        """
        The time, on the core's clock, and how long we were paused, mostly 0.

        The core's clock never goes back. After a pause the earliest deadline is due
        when it is settled, so that what arrived in the meantime is read first. Where it
        was due sooner than that when we were last awake, the clock stands until then.
        """
        now = max(driver_now - self._offset, self._last)
        earliest = self._earliest()
        if earliest is not None and driver_now >= self.outside(earliest):
            # Else a difference in the last digit could leave it to be due for ever.
            now = max(now, earliest)
        if earliest is not None and now - earliest > self._late_after:
            return self._settled(now, earliest)
        self._last = now
        return now, 0.0

    def resume(self, driver_now: float) -> tuple[float, float]:
        """
        The same after a pause that the driver's clock left out, however short it seems.

        Where there is time to settle before the earliest deadline, nothing is put off.
        """
        now = max(driver_now - self._offset, self._last)
        earliest = self._earliest()
        if earliest is not None and earliest - now < self._settle:
            return self._settled(now, earliest)
        self._last = now
        return now, 0.0

    def _settled(self, now: float, earliest: float) -> tuple[float, float]:
        """Put off everything."""
        resumed = earliest - self._settle
        pause = now - resumed
        self._offset += pause
        self._last = max(resumed, self._last)
        return self._last, pause

    def outside(self, at: float) -> float:
        """A time of the core on the driver's clock."""
        return at + self._offset

    def set(self, deadline: Deadline, at: float) -> None:
        """Have a deadline, instead of the same at another time."""
        self._serial += 1
        entry = (at, self._serial, deadline)
        self._entries[deadline] = entry
        heappush(self._heap, entry)
        if len(self._heap) > 2 * len(self._entries) + _STALE_ENTRIES:
            self._heap = list(self._entries.values())
            heapify(self._heap)

    def cancel(self, deadline: Deadline) -> None:
        """Have it no more; harmless where there is none."""
        self._entries.pop(deadline, None)

    def next(self) -> float | None:
        """When the earliest is due, on the driver's clock."""
        earliest = self._earliest()
        return None if earliest is None else self.outside(earliest)

    def take_due(self, now: float) -> Deadline | None:
        """The earliest, if it is due; it is over then."""
        earliest = self._earliest()
        if earliest is None or earliest > now:
            return None
        _, _, deadline = heappop(self._heap)
        del self._entries[deadline]
        return deadline

    def _earliest(self) -> float | None:
        heap = self._heap
        while heap and self._entries.get(heap[0][2]) is not heap[0]:
            heappop(heap)
        return heap[0][0] if heap else None
