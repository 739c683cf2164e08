"""What the originals in a ring say that they are: from two sources, in no order."""

from __future__ import annotations

from attrs import define, evolve, field, frozen

from e2d.gossip.originals import OriginalStatus
from e2d.model import NodeName

__all__ = ["OriginalStatuses"]


@frozen(kw_only=True)
class _Heard:
    incarnation: int
    status: OriginalStatus


@define(eq=False)
class OriginalStatuses:
    """
    Puts an order on what the original sends without one (W-15, W-46).

    An original says what it is in its metadata, which others see only when its
    incarnation rises for some other reason, and in messages that may be late or lost.
    Its status only rises while it runs, so a message counts if it says more than what
    is known; metadata of a newer incarnation counts in any case, for it may be of a new
    start. That it falls back to "unknown" right before it exits is not believed: a
    moment later the ring finds it dead.
    """

    _heard: dict[NodeName, _Heard] = field(factory=dict, init=False)

    def met(self, name: NodeName, incarnation: int, status: OriginalStatus) -> None:
        """
        Its metadata was received.

        :param incarnation: of the claim that it came with.
        """
        held = self._heard.get(name)
        if held is None or incarnation > held.incarnation:
            self._heard[name] = _Heard(incarnation=incarnation, status=status)

    def told(self, name: NodeName, status: OriginalStatus) -> None:
        """A message of its was received; of a stranger it means nothing."""
        held = self._heard.get(name)
        if held is not None and status > held.status:
            self._heard[name] = evolve(held, status=status)

    def left(self, name: NodeName) -> None:
        """It is gone: who comes back under its name starts from nothing."""
        self._heard.pop(name, None)

    def status(self, name: NodeName) -> OriginalStatus:
        """What it is, as far as it is known."""
        held = self._heard.get(name)
        return OriginalStatus.UNKNOWN if held is None else held.status
