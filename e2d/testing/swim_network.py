"""
A network for simulations: what happens to a packet and to a connection between hosts.

All chance is drawn from one ``Random``, so that the same seed gives the same network.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from attrs import define, field, frozen

__all__ = ["Quality", "SimulatedNetwork"]


@frozen(kw_only=True)
class Quality:
    """
    How well a network carries packets.

    :param loss: the part of packets that is lost, 0 to 1.
    :param duplication: the part that arrives twice.
    :param least_delay: seconds, one way.
    :param most_delay: seconds; packets overtake each other within these two.
    """

    loss: float = 0.0
    duplication: float = 0.0
    least_delay: float = 0.0002
    most_delay: float = 0.002


CALM = Quality()


@define(eq=False)
class SimulatedNetwork:
    """
    Hosts by number, and what is wrong between them.

    :ivar quality: of all links.
    """

    _random: Random
    quality: Quality = CALM
    _cut: set[tuple[int, int]] = field(factory=set, init=False)
    _groups: dict[int, int] = field(factory=dict, init=False)
    _no_udp: set[int] = field(factory=set, init=False)

    def cut(self, source: int, target: int) -> None:
        """Nothing gets from one host to another any more; the way back is as it was."""
        self._cut.add((source, target))

    def partition(self, groups: list[list[int]]) -> None:
        """Hosts in different groups cannot reach each other; the rest is one more."""
        self._groups = {
            host: number for number, group in enumerate(groups, 1) for host in group
        }

    def block_udp(self, host: int) -> None:
        """No packet gets to or from a host; connections do."""
        self._no_udp.add(host)

    def mend(self) -> None:
        """What was cut or blocked is whole again."""
        self._cut.clear()
        self._no_udp.clear()

    def heal(self) -> None:
        """All is well again."""
        self.mend()
        self._groups.clear()
        self.quality = CALM

    def reaches(self, source: int, target: int) -> bool:
        """Whether there is a way from one to the other."""
        if (source, target) in self._cut:
            return False
        return self._groups.get(source, 0) == self._groups.get(target, 0)

    def connects(self, source: int, target: int) -> bool:
        """Whether a connection can be had: it needs both ways."""
        return self.reaches(source, target) and self.reaches(target, source)

    def arrivals(self, source: int, target: int) -> Iterator[float]:
        """After how many seconds a packet arrives: never, once, or twice."""
        quality = self.quality
        if source in self._no_udp or target in self._no_udp:
            return
        if not self.reaches(source, target) or self._chance(quality.loss):
            return
        yield self.delay()
        if self._chance(quality.duplication):
            yield self.delay()

    def delay(self) -> float:
        """One way, in seconds."""
        quality = self.quality
        return self._random.uniform(quality.least_delay, quality.most_delay)

    def _chance(self, probability: float) -> bool:
        return probability > 0.0 and self._random.random() < probability
