"""How long a ring takes to find that a member was killed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from statistics import median

from attrs import define, field, frozen

from rings.kinds import Ring, bare, go
from rings.pair import crowd_of, here
from rings.processes import Crowd, Process

__all__ = ["detection"]

SIZES = (5, 20, 50)
HOSTS = 9
"""The survivors of a ring of ours are in so many processes at most."""

SETTLE_SECONDS = 2.0
"""From when everybody knows everybody to the kills: no news is under way any more."""


@frozen
class Found:
    """
    How long after the kill the victim was held dead, in seconds.

    :ivar first: by somebody.
    :ivar last: by every survivor.
    """

    first: float
    last: float


@define(eq=False)
class Hunt:
    """
    A ring whose members are killed, one after the other, and replaced.

    :ivar found: for each that was killed.
    """

    ring: Ring
    size: int
    found: list[Found] = field(factory=list, init=False)
    _victim: Process = field(init=False)
    _killed_at: float = field(init=False)

    def begin(self, hosts: int) -> None:
        """
        Have all members.

        :param hosts: the processes of all but the victim.
        """
        for number in range(hosts):
            others = self.size - 1
            self.ring.start(others // hosts + (number < others % hosts))
        self.replace()

    def kill(self) -> None:
        """End one, without a word."""
        self._killed_at = self.ring.kill(self._victim)

    def is_over(self) -> bool:
        """Whether every survivor holds it dead."""
        (name,) = self._victim.names
        return all(name not in known for known in self.ring.alive.values())

    def account(self) -> None:
        """Write down when they found out."""
        (name,) = self._victim.names
        times = [self.ring.left_at[each, name] for each in self.ring.alive]
        self.found.append(
            Found(min(times) - self._killed_at, max(times) - self._killed_at)
        )

    def replace(self) -> None:
        """Have one more member, which is the next to be killed."""
        self._victim = self.ring.start(1)


def detection(line: str, kills: int) -> dict[str, object]:
    """Part (b)."""
    rings: list[Ring] = []
    hunts: dict[int, tuple[Hunt, Hunt]] = {}
    with crowd_of(rings) as crowd:
        for size, letters in zip(SIZES, ("ad", "be", "cf"), strict=True):
            ours = Ring(letters[0], bare, joins=True, crowd=crowd, place=here)
            theirs = Ring(letters[1], go(line), joins=True, crowd=crowd, place=here)
            rings += [ours, theirs]
            hunts[size] = Hunt(ours, size), Hunt(theirs, size)
            hunts[size][0].begin(min(HOSTS, size - 1))
            hunts[size][1].begin(size - 1)
        every = [each for both in hunts.values() for each in both]
        for _ in range(kills):
            _round(every, crowd)
    print(f"detection: of {kills} members killed in each ring, in seconds (median)")
    return {
        "memberlist": line,
        "kills": kills,
        **{
            str(size): _line(size, line, ours.found, theirs.found)
            for size, (ours, theirs) in hunts.items()
        },
    }


def _round(hunts: Sequence[Hunt], crowd: Crowd) -> None:
    """Kill one in each ring, all at random times within a second or so."""
    for hunt in hunts:
        hunt.ring.gather()
    crowd.listen(SETTLE_SECONDS)
    for hunt in random.sample(hunts, len(hunts)):
        crowd.listen(random.uniform(0.0, 2.0 / len(hunts)))
        hunt.kill()
    for hunt in hunts:
        crowd.wait(f"the {hunt.size} members find out", hunt.is_over)
        hunt.account()
    for hunt in hunts:
        hunt.replace()


def _line(
    size: int, line: str, ours: Sequence[Found], theirs: Sequence[Found]
) -> dict[str, float]:
    last, their_last = (median(each.last for each in found) for found in (ours, theirs))
    first, their_first = (
        median(each.first for each in found) for found in (ours, theirs)
    )
    print(
        f"ring of {size:2}: the first knows after {first:5.2f}, all after {last:5.2f};"
        f" memberlist {line}: {their_first:5.2f}, {their_last:5.2f};"
        f" ratios {first / their_first:.2f}, {last / their_last:.2f}"
    )
    return {
        "first_seconds": round(first, 2),
        "all_seconds": round(last, 2),
        "memberlist_first_seconds": round(their_first, 2),
        "memberlist_all_seconds": round(their_last, 2),
        "first_ratio": round(first / their_first, 3),
        "all_ratio": round(last / their_last, 3),
    }
