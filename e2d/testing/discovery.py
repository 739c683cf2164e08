"""Discovery in memory: it finds what the test says."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field

from twisted.internet.defer import Deferred
from zope.interface import implementer

from e2d.interfaces.membership import IDiscovery
from e2d.model import Address

__all__ = ["MemoryDiscovery"]


@implementer(IDiscovery)
@define(eq=False)
class MemoryDiscovery:
    """
    Finds what it is told to.

    :ivar answer: what it finds, or the error that it ends with.
    :ivar asked: how often it was.
    :ivar hanging: it does not answer before `resume`.
    :ivar cut_off: how often who asked did not wait for that.
    """

    answer: Sequence[Address] | Exception
    label: str = "the test"
    asked: int = 0
    hanging: bool = False
    cut_off: int = 0
    _waiting: list[Deferred[None]] = field(factory=list, init=False)

    async def discover(self) -> Sequence[Address]:
        """Answer as told."""
        self.asked += 1
        if self.hanging:
            await self._wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def resume(self) -> None:
        """Answer who waits."""
        self.hanging = False
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            waiter.callback(None)

    def _wait(self) -> Deferred[None]:
        waiting: Deferred[None] = Deferred(self._cut_off)
        self._waiting.append(waiting)
        return waiting

    def _cut_off(self, waiting: Deferred[None]) -> None:
        self.cut_off += 1
        self._waiting.remove(waiting)
