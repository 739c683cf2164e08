"""Who is in the ring, as far as we know, and whose turn it is to be probed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from attrs import define, evolve

from e2d.swim.effects import Peer
from e2d.swim.messages import PeerAddress, PeerState, Rank, Versions
from e2d.swim.suspicion import Suspicion

if TYPE_CHECKING:
    from random import Random

__all__ = ["Record", "Ring"]

_GONE = frozenset({Rank.DEAD, Rank.LEFT})

_SCANNED_BELOW = 3
"""
A list is shuffled and searched in order, if it has less than so many times what is
wanted; in a longer one, a few random looks are enough, as in memberlist. Where they
miss somebody, it is searched all the same: in a ring of three, memberlist misses the
only one that could probe for it once in forty times.
"""


@define(eq=False, kw_only=True)
class Record:
    """
    What we know of a peer.

    :ivar state: what we tell others of it. Ours always has versions.
    :ivar versions: those of the state.
    :ivar since: when it came to have this rank, on the core's clock.
    :ivar suspicion: where it is suspected.
    """

    state: PeerState
    versions: Versions
    since: float
    suspicion: Suspicion | None = None

    @property
    def name(self) -> bytes:
        """The peer's."""
        return self.state.node

    @property
    def address(self) -> PeerAddress:
        """Where the peer is."""
        return self.state.address

    @property
    def rank(self) -> Rank:
        """What the peer is held to be."""
        return self.state.rank

    @property
    def gone(self) -> bool:
        """Whether the peer is dead, or left."""
        return self.state.rank in _GONE

    def rise(self, rank: Rank, incarnation: int, now: float) -> None:
        """Have another rank from now on."""
        self.state = evolve(self.state, rank=rank, incarnation=incarnation)
        self.since = now

    def as_peer(self, since: float) -> Peer:
        """
        The same for whom we tell.

        :param since: on the driver's clock.
        """
        state = self.state
        return Peer(
            name=state.node,
            address=state.address,
            meta=state.meta,
            incarnation=state.incarnation,
            rank=state.rank,
            versions=self.versions,
            since=since,
        )


class Ring:
    """
    All peers that are remembered, in the order of their probes.

    :param own_name: ours, who is never probed, chosen or forgotten.
    :param random: for the order and choices.
    """

    def __init__(self, own_name: bytes, random: Random) -> None:
        self._own_name = own_name
        self._random = random
        self._order: list[Record] = []
        self._by_name: dict[bytes, Record] = {}
        self._turn = 0

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._order)

    def get(self, name: bytes) -> Record | None:
        """The record of a peer, or None."""
        return self._by_name.get(name)

    def add(self, record: Record) -> None:
        """Remember a peer that is not, at a random place in the order."""
        assert record.name not in self._by_name
        order = self._order
        order.append(record)
        place = self._random.randrange(max(1, len(order) - 1))
        order[place], order[-1] = order[-1], order[place]
        self._by_name[record.name] = record

    def next_probed(self, forgotten_since: float) -> tuple[Record | None, list[Record]]:
        """
        Whose turn it is, and who was forgotten at the end of a round.

        :param forgotten_since: who is gone since before that is forgotten.
        :return: None where there is nobody, or by chance, in rings of two or three.
        """
        forgotten: list[Record] = []
        checked = 0
        while checked < len(self._order):
            checked += 1
            if self._turn >= len(self._order):
                forgotten += self._forget(forgotten_since)
                self._random.shuffle(self._order)
                self._turn = 0
                continue
            record = self._order[self._turn]
            self._turn += 1
            if not record.gone and record.name != self._own_name:
                return record, forgotten
        return None, forgotten

    def choose(self, count: int, suits: Callable[[Record], bool]) -> list[Record]:
        """So many others at random that suit, or fewer."""
        size = len(self._order)
        if size < _SCANNED_BELOW * count:
            return self._scan(count, suits)
        chosen: list[Record] = []
        for _ in range(_SCANNED_BELOW * size):
            if len(chosen) == count:
                break
            record = self._order[self._random.randrange(size)]
            if self._fits(record, suits) and record not in chosen:
                chosen.append(record)
        missed = count - len(chosen)
        if missed:
            others = (each for each in self._order if each not in chosen)
            fitting = (each for each in others if self._fits(each, suits))
            chosen += islice(fitting, missed)
        return chosen

    def _scan(self, count: int, suits: Callable[[Record], bool]) -> list[Record]:
        shuffled = self._random.sample(self._order, len(self._order))
        fitting = [record for record in shuffled if self._fits(record, suits)]
        return fitting[:count]

    def _fits(self, record: Record, suits: Callable[[Record], bool]) -> bool:
        return record.name != self._own_name and suits(record)

    def _forget(self, since: float) -> list[Record]:
        forgotten = [
            record for record in self._order if self._forgettable(record, since)
        ]
        for record in forgotten:
            del self._by_name[record.name]
        if forgotten:
            self._order = [each for each in self._order if each.name in self._by_name]
        return forgotten

    def _forgettable(self, record: Record, since: float) -> bool:
        own = record.name == self._own_name
        return record.gone and record.since < since and not own
