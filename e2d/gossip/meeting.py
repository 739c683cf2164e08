"""
Whom to try to meet, and when.

Note [A healed partition always merges]
    A ring tries its dead for some seconds and then forgets them. So as long as e2d runs
    it asks, round after round, at every address where a peer may be that the ring does
    not hold alive: seeds, what discovery finds, the ring's dead, and whoever is
    remembered. One of them that answers is enough for two rings to become one.

Note [Who has left]
    A node that said that it leaves may be back at its address, with an empty disk and
    without a memory of us. It has seeds of its own, or it is one of ours, and seeds and
    discovered addresses are asked in each round. Others that left are asked seldom.

Note [Met, and not in the ring]
    Behind a translated address or a balancer, whoever answers has another address in
    the ring than the one it was asked at. That counts as met, and is asked again
    seldom: an exchange of states with nobody new in it helps nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from random import Random

from attrs import define, field, frozen

from e2d.gossip.resolving import NotFound, Resolved
from e2d.model import Address, Rank

__all__ = ["Known", "MeetingSettings", "Meetings", "Round", "SeedChange"]

_REASON_CHARACTERS = 200

_ORDER = (Rank.ALIVE, Rank.SUSPECT, Rank.DEAD, Rank.DEPARTED, Rank.LEFT)
_ALIVE = frozenset({Rank.ALIVE, Rank.SUSPECT})


@frozen(kw_only=True)
class MeetingSettings:
    """
    How often is asked.

    :param interval: from one round to the next when all is well, in seconds.
    :param first: the same, for the first rounds while this node is alone or did not
        meet a seed; the last of them holds for all that follow.
    :param jitter: the part of a delay that is random, 0 to 1; it only shortens.
    :param in_a_round: so many addresses at the most: each costs a connection, and the
        exchange of all that is known.
    :param seldom: for whom Note [Who has left] and Note [Met, and not in the ring] are
        about, in seconds.
    :param patience: an outcome that was not told after so many seconds is lost.
    """

    interval: float = 30.0
    first: tuple[float, ...] = (1.0, 2.0, 5.0, 10.0, 30.0)
    jitter: float = 0.2
    in_a_round: int = 16
    seldom: float = 600.0
    patience: float = 60.0


@frozen(kw_only=True)
class Known:
    """
    Where peers may be.

    :param ring: what the ring remembers, this node included or not.
    :param seeds: as configured, looked up.
    :param discovered: what discovery found, looked up.
    :param remembered: where peers answered once, the newest first.
    """

    ring: tuple[tuple[Address, Rank], ...]
    seeds: tuple[Resolved, ...]
    discovered: tuple[Resolved, ...]
    remembered: tuple[Address, ...]


@frozen
class Round:
    """
    What to do now.

    :param addresses: to be joined; how that ended is to be told.
    :param seconds: until the next round.
    """

    addresses: tuple[Address, ...]
    seconds: float


@frozen
class SeedChange:
    """
    A seed or a discovered address does not answer, or does again.

    :param wanted: as it is written, or was found.
    :param problem: what it does instead, None when it was met.
    """

    wanted: Address
    problem: str | None


@define(eq=False)
class _Trial:
    """
    What came of asking at an address.

    :ivar first_seen: when it was first in question.
    :ivar asked: when it last was, None for never.
    :ivar pending: the outcome is still to come.
    :ivar answered: when it did, None where it did not when last asked.
    :ivar problem: what it did instead.
    """

    first_seen: float
    asked: float | None = None
    pending: bool = False
    answered: float | None = None
    problem: str | None = None

    @property
    def turn(self) -> float:
        """Who has the lowest is next."""
        return float("-inf") if self.asked is None else self.asked

    def since(self, now: float) -> float:
        """Seconds since it was last asked, or since it came to be known."""
        return now - (self.first_seen if self.asked is None else self.asked)


@define(eq=False)
class Meetings:
    """
    Decides round by round, and remembers how each address answered.

    Times are seconds of the reactor's clock.

    :param own: where this node itself gossips.
    """

    _settings: MeetingSettings
    _own: Address
    _random: Random
    _present: frozenset[Address] = field(default=frozenset(), init=False)
    _wanted: dict[Address, Resolved] = field(factory=dict, init=False)
    _remembered: tuple[Address, ...] = field(default=(), init=False)
    _trials: dict[Address, _Trial] = field(factory=dict, init=False)
    _told: dict[Address, bool] = field(factory=dict, init=False)
    _in_trouble: int = field(default=0, init=False)

    def round(self, now: float, known: Known) -> Round:
        """
        Take a turn.

        Those that were not asked for longest come first, so each has its turn however
        many there are.
        """
        ranks = _ranks(known.ring)
        self._present = frozenset(
            {self._own} | {one for one, rank in ranks.items() if rank in _ALIVE}
        )
        self._wanted = {one.wanted: one for one in known.discovered + known.seeds}
        self._remembered = known.remembered
        candidates = self._candidates(known)
        self._trials = {
            address: self._trials.get(address) or _Trial(now) for address in candidates
        }
        due = [one for one in candidates if self._is_due(one, now, ranks, candidates)]
        due.sort(key=lambda one: self._trials[one].turn)
        chosen = tuple(due[: self._settings.in_a_round])
        for address in chosen:
            trial = self._trials[address]
            trial.asked, trial.pending = now, True
        return Round(chosen, self._delay())

    def answered(self, address: Address, now: float) -> None:
        """States were exchanged with who is there."""
        trial = self._trials.get(address)
        if trial is not None:
            trial.pending, trial.answered, trial.problem = False, now, None

    def failed(self, address: Address, reason: str) -> None:
        """
        Nobody answered there, or not in a way that could be understood.

        :param reason: what it did instead, in one short phrase.
        """
        trial = self._trials.get(address)
        if trial is not None:
            problem = reason[:_REASON_CHARACTERS]
            trial.pending, trial.answered, trial.problem = False, None, problem

    def unmet(self) -> tuple[Address, ...]:
        """
        Who did not answer when last asked, and is not in the ring: seeds and discovered
        addresses, as they are written, and remembered ones; in an order that stays.
        """
        wanted = {one for one in self._wanted if self._problem(one) is not None}
        named = {at for one in self._wanted.values() for at in _addresses(one)}
        remembered = {
            one
            for one in self._remembered
            if one not in named and self._problem_at(one) is not None
        }
        return tuple(sorted(wanted | remembered, key=lambda one: (one.host, one.port)))

    def unheard(self, seeds: Iterable[Address]) -> tuple[Address, ...]:
        """
        Who was not met so far, whether it was asked or not: seeds, and what is found.

        :param seeds: as they are written; before the first round nothing else is known.
        """
        return tuple(
            wanted
            for wanted in dict.fromkeys((*seeds, *self._wanted))
            if wanted not in self._wanted or not self._is_met(wanted)
        )

    def changes(self) -> tuple[SeedChange, ...]:
        """
        What is to be told of seeds and discovered addresses since this was last called.

        That one is met the first time it is asked is not: the ring tells who it is.
        """
        told, self._told = self._told, {}
        changes = []
        for wanted in self._wanted:
            problem = self._problem(wanted)
            before = told.get(wanted, True)
            met = self._is_met(wanted) or (problem is None and before)
            self._told[wanted] = met
            if met is not before:
                changes.append(SeedChange(wanted, problem))
        return tuple(changes)

    def _candidates(self, known: Known) -> dict[Address, bool]:
        """Who is not in the ring, in the order of first turns; whether it is a seed."""
        seeds = {at: True for one in known.seeds for at in _addresses(one)}
        found = {at: True for one in known.discovered for at in _addresses(one)}
        others = dict.fromkeys([at for at, _ in known.ring], False)
        others.update(dict.fromkeys(known.remembered, False))
        candidates = others | found | seeds
        return {
            at: candidates[at]
            for at in seeds | found | others
            if at not in self._present
        }

    def _is_due(
        self,
        address: Address,
        now: float,
        ranks: Mapping[Address, Rank],
        candidates: Mapping[Address, bool],
    ) -> bool:
        settings, trial = self._settings, self._trials[address]
        if trial.pending:
            return trial.since(now) >= settings.patience
        if ranks.get(address) is Rank.LEFT and not candidates[address]:
            return trial.since(now) >= settings.seldom
        if address not in ranks and trial.answered is not None:
            return trial.since(now) >= settings.seldom
        return True

    def _delay(self) -> float:
        settings = self._settings
        alone = self._present == {self._own}
        if alone or not all(map(self._is_met, self._wanted)):
            last = len(settings.first) - 1
            seconds = settings.first[min(self._in_trouble, last)]
            self._in_trouble += 1
        else:
            seconds = settings.interval
            self._in_trouble = 0
        return seconds * (1 - settings.jitter * self._random.random())

    def _is_met(self, wanted: Address) -> bool:
        """Somebody is there."""
        return any(
            at in self._present or self._answered_at(at)
            for at in _addresses(self._wanted[wanted])
        )

    def _answered_at(self, address: Address) -> bool:
        trial = self._trials.get(address)
        return trial is not None and trial.answered is not None

    def _problem_at(self, address: Address) -> str | None:
        trial = self._trials.get(address)
        return None if trial is None else trial.problem

    def _problem(self, wanted: Address) -> str | None:
        """Why nobody is there; None also while that is not known yet."""
        resolved = self._wanted[wanted]
        if isinstance(resolved, NotFound):
            return resolved.reason
        if self._is_met(wanted):
            return None
        problems = [self._problem_at(at) for at in resolved.addresses]
        return None if None in problems else problems[0]


def _ranks(ring: Iterable[tuple[Address, Rank]]) -> dict[Address, Rank]:
    """Where several were, one after the other, the one that lives counts."""
    ordered = sorted(ring, key=lambda one: _ORDER.index(one[1]), reverse=True)
    return dict(ordered)


def _addresses(resolved: Resolved) -> tuple[Address, ...]:
    return () if isinstance(resolved, NotFound) else resolved.addresses
