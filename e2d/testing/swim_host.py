"""A machine of a simulation, and the peer on it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from random import Random

from attrs import define, field

from e2d.swim.effects import Effect
from e2d.swim.identity import Identity, Vetoes
from e2d.swim.messages import Message, PeerAddress, Rank
from e2d.swim.protocol import Swim
from e2d.swim.settings import Settings

__all__ = ["MakeSwim", "SimulatedHost"]

MakeSwim = Callable[[Settings, Identity, Random, Vetoes], Swim]

IN_A_ROUND = 16
"""As `e2d.gossip.meeting` bounds a round of joins."""

_HERE = frozenset({Rank.ALIVE, Rank.SUSPECT})

BUFFERED = 256
"""Packets that a system keeps for a process that does not read them."""


@define(eq=False, kw_only=True)
class SimulatedHost:
    """
    A machine, and what is on its disk.

    :ivar number: of the machine: its place in the network.
    :ivar name: of the node that runs on it.
    :ivar address: where its peer listens.
    :ivar meta: what the node says of itself.
    :ivar known: addresses at which there ever was a peer; they are on its disk.
    :ivar asked: when each was last asked.
    :ivar rate: how fast its clock is, to the real one.
    :ivar swim: the peer, None while it does not run.
    :ivar life: counts the starts; what is meant for an earlier one is void.
    :ivar paused: it does nothing now, and then goes on as if nothing had been.
    :ivar waiting: what arrived meanwhile.
    :ivar left: it said that it leaves.
    :ivar highest: the highest incarnation that its peers ever had.
    :ivar due: what its timer is set to, in its own time.
    """

    number: int
    name: bytes
    address: PeerAddress
    meta: bytes = b"v1"
    known: set[PeerAddress] = field(factory=set)
    asked: dict[PeerAddress, float] = field(factory=dict)
    rate: float = 1.0
    swim: Swim | None = None
    life: int = 0
    paused: bool = False
    left: bool = False
    waiting: deque[tuple[Sequence[Message], PeerAddress]] = field(
        factory=lambda: deque(maxlen=BUFFERED)
    )
    highest: int = 0
    due: float | None = None

    @property
    def runs(self) -> bool:
        """Whether there is a peer, and it is not paused."""
        return self.swim is not None and not self.paused

    def local(self, now: float) -> float:
        """The host's own time. It starts at a number of its own."""
        return 1000.0 * self.number + now * self.rate

    def real(self, local: float) -> float:
        """When its clock will show that time."""
        return (local - 1000.0 * self.number) / self.rate

    def lost(self, now: float) -> list[PeerAddress]:
        """
        Where to ask for peers that are not alive as far as is seen here.

        All that ever were are remembered, and asked in turns: so many at once.
        """
        assert self.swim is not None
        peers = self.swim.peers()
        self.known |= {peer.address for peer in peers}
        present = {peer.address for peer in peers if peer.rank in _HERE}
        present.add(self.address)
        turns = sorted(
            self.known - present,
            key=lambda each: (self.asked.get(each, -1.0), each.host),
        )
        for address in turns[:IN_A_ROUND]:
            self.asked[address] = now
        return turns[:IN_A_ROUND]

    def tell(
        self, call: Callable[[Swim, float], list[Effect]], now: float
    ) -> list[Effect]:
        """Give the peer something to do."""
        assert self.swim is not None
        effects = call(self.swim, self.local(now))
        self.highest = max(self.highest, self.swim.incarnation)
        return effects
