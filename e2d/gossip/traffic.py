"""Counts what goes through the ring's port, for metrics."""

from __future__ import annotations

from collections import Counter

from attrs import define, field

from e2d.model import RingTraffic

__all__ = ["Traffic"]


@define(eq=False)
class Traffic:
    """
    Counters, which only rise.

    Words that things are counted by are ours, never the network's: so there are few.
    """

    packets_in: int = 0
    packets_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    streams_in: int = 0
    streams_out: int = 0
    suspicions: int = 0
    refutations: int = 0
    _dropped: Counter[str] = field(factory=Counter, init=False)
    _failed: Counter[str] = field(factory=Counter, init=False)

    def drop(self, why: str) -> None:
        """A packet, or a message in one, was ignored."""
        self._dropped[why] += 1

    def fail(self, why: str) -> None:
        """A stream came to nothing."""
        self._failed[why] += 1

    def seen(self) -> RingTraffic:
        """All of it, as of now."""
        return RingTraffic(
            packets_in=self.packets_in,
            packets_out=self.packets_out,
            bytes_in=self.bytes_in,
            bytes_out=self.bytes_out,
            packets_dropped=dict(self._dropped),
            streams_in=self.streams_in,
            streams_out=self.streams_out,
            streams_failed=dict(self._failed),
            suspicions=self.suspicions,
            refutations=self.refutations,
        )
