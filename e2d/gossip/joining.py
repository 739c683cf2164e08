"""
Meets others, round after round, for as long as this node gossips.

Each round asks at every address where a peer may be that the ring does not hold alive;
whom, and when the next round comes, is for `e2d.gossip.meeting` to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime

from attrs import define, field

from twisted.application.service import Service
from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from e2d.gossip.acquaintances import Acquaintances
from e2d.gossip.meeting import Known, Meetings
from e2d.gossip.peer_file import PeerFile
from e2d.gossip.places import address_of, peer_address
from e2d.gossip.resolving import Names
from e2d.gossip.service import GossipService
from e2d.model import Address, GossipMember, Rank
from e2d.services import Repeater
from e2d.swim.messages import PeerAddress

__all__ = ["Joiner"]

NOT_YET_SECONDS = 0.2
"""Until this node gossips: it does as soon as its disk was looked at."""

LOAD_SECONDS = 2.0
"""Seeds and discovery are asked even if the disk does not say who is remembered."""

SAVE_SECONDS = 2.0
"""A stop does not wait longer for a disk; what is lost is a few addresses."""

_HERE = frozenset({Rank.ALIVE, Rank.SUSPECT})


@define(eq=False, kw_only=True)
class Joiner(Service):
    """
    Brings a node together with its ring, and a ring with its other part.

    :param ring: what to join others to.
    :param seeds: where others gossip, as configured.
    :param found: what discovery found; one entry for each source, None where it could
        not tell so far.
    :param own: where this node itself gossips.
    :param label: of the ring, None for none.
    """

    _clock: IReactorTime
    _wall_clock: Callable[[], datetime]
    _ring: GossipService
    _names: Names
    _peer_file: PeerFile
    _meetings: Meetings
    _seeds: tuple[Address, ...]
    _found: Callable[[], Sequence[tuple[Address, ...] | None]]
    _own: Address
    _label: str | None
    _log: Logger
    _repeater: Repeater = field(init=False)
    _known: Acquaintances | None = field(default=None, init=False)
    _loading: bool = field(default=False, init=False)
    _last: float | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._repeater = Repeater(clock=self._clock, turn=self._turn, log=self._log)

    def startService(self) -> None:
        """Take the first round as soon as this node gossips."""
        super().startService()
        self._repeater.start()

    def stopService(self) -> Deferred[None]:
        """Fires when no round is under way, and who is known is on disk, if it can."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    def found_others(self) -> None:
        """Discovery found something else: take a round now."""
        self._repeater.wake()

    def outcome(self, to: PeerAddress, problem: str | None) -> None:
        """
        States were exchanged with a peer, or not.

        :param problem: why not, in one short phrase.
        """
        address = address_of(to)
        if problem is None:
            self._meetings.answered(address, self._clock.seconds())
            if self._known is not None:
                self._known.met(address, None, self._wall_clock())
        else:
            self._meetings.failed(address, problem)
        self._tell_changes()

    def unmet(self) -> tuple[Address, ...]:
        """See `RingView.unmet`."""
        return self._meetings.unmet()

    def unheard(self) -> tuple[Address, ...]:
        """See `RingView.unheard`."""
        return self._meetings.unheard(self._seeds)

    async def _turn(self) -> float:
        members = self._ring.view().members
        if members is None:
            return NOT_YET_SECONDS
        await self._wait_for_disk()
        known = self._known
        if known is not None:
            self._count(known, members)
        seeds = await self._names.resolve_all(self._seeds)
        discovered = await self._names.resolve_all(_flat(self._found()))
        plan = self._meetings.round(
            self._clock.seconds(),
            Known(
                ring=tuple((each.address, each.rank) for each in members),
                seeds=seeds,
                discovered=discovered,
                remembered=() if known is None else known.addresses(),
            ),
        )
        self._ring.join(peer_address(each.host, each.port) for each in plan.addresses)
        self._ring.repeat_status()
        self._tell_changes()
        if known is not None:
            self._keep(known)
        return plan.seconds

    async def _wait_for_disk(self) -> None:
        """The first round waits for who is remembered: a while, if the disk hangs."""
        if self._loading:
            return
        self._loading = True
        waited: Deferred[None] = Deferred()
        loading = Deferred.fromCoroutine(self._load())
        loading.addErrback(self._not_loaded)  # type: ignore[unused-awaitable]
        loading.addCallback(  # type: ignore[unused-awaitable]
            lambda _: None if waited.called else waited.callback(None)
        )
        waited.addTimeout(LOAD_SECONDS, self._clock)  # type: ignore[unused-awaitable]
        with suppress(defer.TimeoutError):
            await waited

    async def _load(self) -> None:
        self._known = await self._peer_file.load(
            label=self._label, own=self._own, at=self._wall_clock()
        )

    def _not_loaded(self, failure: Failure) -> None:
        self._log.failure("Who is remembered could not be read", failure=failure)
        self._loading = False

    def _count(self, known: Acquaintances, members: Iterable[GossipMember]) -> None:
        now = self._clock.seconds()
        if self._last is not None:
            known.asked(now - self._last)
        self._last = now
        at = self._wall_clock()
        for member in members:
            if member.rank in _HERE:
                known.met(member.address, member.name, at)

    def _keep(self, known: Acquaintances) -> None:
        """A disk that hangs does not hold up the next round."""
        keeping = Deferred.fromCoroutine(self._peer_file.keep(known))
        keeping.addErrback(self._broke)  # type: ignore[unused-awaitable]

    def _broke(self, failure: Failure) -> None:
        self._log.failure("Peers could not be remembered", failure=failure)

    def _tell_changes(self) -> None:
        for change in self._meetings.changes():
            if change.problem is None:
                self._log.info("{seed} is met", seed=str(change.wanted))
            else:
                self._log.warn(
                    "{seed} is not met: {problem}",
                    seed=str(change.wanted),
                    problem=change.problem,
                )

    async def _stop(self) -> None:
        await self._repeater.stop()
        if self._known is None:
            return
        saved = Deferred.fromCoroutine(self._peer_file.save(self._known))
        saved.addTimeout(SAVE_SECONDS, self._clock)  # type: ignore[unused-awaitable]
        try:
            await saved
        except defer.TimeoutError:
            self._log.warn("The disk did not take the remembered peers in time")


def _flat(found: Sequence[tuple[Address, ...] | None]) -> tuple[Address, ...]:
    """What is known so far: a source that could not tell says nothing about anybody."""
    return tuple(address for each in found if each is not None for address in each)
