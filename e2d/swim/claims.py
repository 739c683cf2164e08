"""
What is claimed about peers: that they are alive, suspected, or dead.

A claim holds for an incarnation of the peer, a number that only the peer itself raises.
A higher one beats all claims about lower ones; for the same, dead beats suspected, and
suspected beats alive. So a peer that is wrongly accused refutes it by a claim to be
alive under a higher incarnation.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve

from e2d.swim.awareness import Awareness
from e2d.swim.effects import (
    BroadcastDone,
    Effect,
    Ignored,
    NameConflict,
    Peer,
    PeerCleared,
    PeerJoined,
    PeerLeft,
    PeerSuspected,
    PeerUpdated,
    Reason,
    Refuted,
    Spread,
)
from e2d.swim.gossip import Gossip
from e2d.swim.identity import Identity, Vetoes
from e2d.swim.members import Record, Ring
from e2d.swim.messages import Alive, Dead, PeerState, Rank, Suspect, Versions
from e2d.swim.scaling import suspicion_span
from e2d.swim.settings import Settings
from e2d.swim.suspicion import Suspicion
from e2d.swim.timers import SuspicionEnds, Timers

__all__ = ["Claims"]

_HIGHEST_INCARNATION = 0xFFFF_FFFF


class Claims:
    """
    What is believed of all that is claimed.

    :param ring: where it is remembered; we are in it from `begin` on.
    :param awareness: suffers from each refutation: we were not there in time.
    :param tell: takes effects.
    :raises ValueError: no packet has room for a claim about us.
    """

    def __init__(
        self,
        settings: Settings,
        identity: Identity,
        ring: Ring,
        gossip: Gossip,
        timers: Timers,
        awareness: Awareness,
        vetoes: Vetoes,
        tell: Callable[[Effect], None],
    ) -> None:
        self._settings = settings
        self._identity = identity
        self._ring = ring
        self._gossip = gossip
        self._timers = timers
        self._awareness = awareness
        self._vetoes = vetoes
        self._tell = tell
        self._incarnation = 0
        self._leaving = False
        self._check_room()

    @property
    def incarnation(self) -> int:
        """Our own; 0 before we began."""
        return self._incarnation

    def view(self, record: Record) -> Peer:
        """A peer for whom we tell."""
        return record.as_peer(self._timers.outside(record.since))

    def begin(self, now: float) -> None:
        """Be alive, for the first time."""
        identity = self._identity
        self._incarnation = 1
        self._meet(
            Alive(
                incarnation=1,
                node=identity.name,
                address=identity.address,
                meta=identity.meta,
                versions=identity.versions,
            ),
            identity.versions,
            now,
        )

    def alive(self, claim: Alive, now: float) -> None:
        """A peer is said to be alive, maybe a new one, or elsewhere than before."""
        if self._is_own(claim):
            self._hear_of_ourselves(claim)
            return
        versions = claim.versions
        ignored = self._objection(claim)
        if versions is None or ignored is not None:
            self._tell(ignored or Ignored(reason=Reason.VERSIONS, node=claim.node))
            return
        record = self._ring.get(claim.node)
        if record is None:
            self._meet(claim, versions, now)
        elif record.address != claim.address:
            if self._may_move(record, now):
                self._believe(record, claim, versions, now)
            else:
                self._tell(NameConflict(held=self.view(record), claimed=claim.address))
        elif claim.incarnation > record.state.incarnation:
            self._believe(record, claim, versions, now)

    def suspect(self, claim: Suspect, now: float) -> None:
        """A peer is said not to answer."""
        record = self._ring.get(claim.node)
        if record is None or claim.incarnation < record.state.incarnation:
            return
        if record.suspicion is not None:
            self._confirm(record, record.suspicion, claim, now)
        elif record.rank is not Rank.ALIVE:
            return
        elif self._is_own(claim):
            self._refute(record, claim.incarnation)
        else:
            self._begin_suspicion(record, claim, now)

    def dead(self, claim: Dead, now: float) -> None:
        """A peer is said to be gone; to have left, where it says so itself."""
        record = self._ring.get(claim.node)
        if record is None or claim.incarnation < record.state.incarnation:
            return
        self._drop_suspicion(record)
        if record.gone:
            return
        done = None
        if self._is_own(claim):
            if not self._leaving:
                self._refute(record, claim.incarnation)
                return
            done = self._done(Spread.LEAVE)
        self._gossip.spread(claim, done)
        rank = Rank.LEFT if claim.sender == claim.node else Rank.DEAD
        record.rise(rank, claim.incarnation, now)
        self._tell(PeerLeft(self.view(record)))

    def end_suspicion(self, node: bytes, now: float) -> None:
        """A suspect did not refute."""
        record = self._ring.get(node)
        assert record is not None
        assert record.rank is Rank.SUSPECT
        incarnation = record.state.incarnation
        self.dead(
            Dead(incarnation=incarnation, node=node, sender=self._identity.name), now
        )

    def leave(self, now: float) -> None:
        """Be gone, of our own accord. Again, nothing more comes of it."""
        self._leaving = True
        name = self._identity.name
        self.dead(Dead(incarnation=self._incarnation, node=name, sender=name), now)

    def update(self, meta: bytes, now: float) -> None:
        """Have other metadata, unless we have left."""
        record = self._own()
        if self._leaving:
            return
        if not self._raise_incarnation(0):
            return
        claim = evolve(self._own_claim(record), meta=meta)
        self._believe(
            record, claim, record.versions, now, done=self._done(Spread.UPDATE)
        )

    def _check_room(self) -> None:
        identity = self._identity
        largest = Alive(
            incarnation=_HIGHEST_INCARNATION,
            node=identity.name,
            address=identity.address,
            meta=bytes(self._settings.meta_bytes),
            versions=identity.versions,
        )
        if not self._gossip.can_spread(largest):
            raise ValueError(
                f"no packet has room for our name and {len(largest.meta)} bytes of "
                "metadata"
            )

    def _is_own(self, claim: Alive | Suspect | Dead) -> bool:
        return claim.node == self._identity.name

    def _own(self) -> Record:
        record = self._ring.get(self._identity.name)
        assert record is not None
        return record

    def _objection(self, claim: Alive) -> Ignored | None:
        """Why not to believe it, whatever is known of the peer."""
        if not _possible(claim.versions):
            # memberlist lets absent ones pass. Whoever remembers a peer without
            # versions can exchange states with nobody any more.
            return Ignored(reason=Reason.VERSIONS, node=claim.node)
        if not claim.node:
            return Ignored(reason=Reason.NAME)
        if claim.incarnation == 0:
            return Ignored(reason=Reason.INCARNATION, node=claim.node)
        veto = self._vetoes.alive
        refusal = veto(claim) if veto is not None else None
        if refusal is not None:
            return Ignored(reason=Reason.VETOED, node=claim.node, detail=refusal)
        return None

    def _meet(self, claim: Alive, versions: Versions, now: float) -> None:
        if len(self._ring) >= self._settings.peers_most:
            self._tell(Ignored(reason=Reason.FULL, node=claim.node))
            return
        record = Record(state=_state(claim), versions=versions, since=now)
        self._ring.add(record)
        self._gossip.spread(claim)
        self._tell(PeerJoined(self.view(record)))

    def _may_move(self, record: Record, now: float) -> bool:
        """
        Whether the name is free for another address.

        Who left gave it up. Who died may come back, for a while, to the one it had.
        """
        if record.rank is Rank.DEAD:
            return now - record.since > self._settings.dead_reclaim
        return record.rank is Rank.LEFT

    def _hear_of_ourselves(self, claim: Alive) -> None:
        """
        Only the echo of our own claim is right about us.

        All else is refuted, even what we would not believe of another: others may.
        """
        if self._leaving:
            return
        record = self._own()
        held = record.state
        same = claim.meta == held.meta and claim.versions == held.versions
        if record.address != claim.address:
            self._tell(NameConflict(held=self.view(record), claimed=claim.address))
        elif claim.incarnation > held.incarnation or (
            claim.incarnation == held.incarnation and not same
        ):
            self._refute(record, claim.incarnation)

    def _believe(
        self,
        record: Record,
        claim: Alive,
        versions: Versions,
        now: float,
        done: BroadcastDone | None = None,
    ) -> None:
        before = record.state
        back = record.gone
        self._drop_suspicion(record)
        self._gossip.spread(claim, done)
        record.state = _state(claim)
        record.versions = versions
        if before.rank is not Rank.ALIVE:
            record.since = now
        if back:
            self._tell(PeerJoined(self.view(record)))
            return
        if before.rank is Rank.SUSPECT:
            self._tell(PeerCleared(self.view(record)))
        if before.meta != claim.meta:
            self._tell(PeerUpdated(peer=self.view(record), before=before.meta))

    def _begin_suspicion(self, record: Record, claim: Suspect, now: float) -> None:
        self._gossip.spread(claim)
        record.rise(Rank.SUSPECT, claim.incarnation, now)
        span = suspicion_span(self._settings, len(self._ring))
        record.suspicion = Suspicion(claim.sender, span, now)
        self._timers.set(SuspicionEnds(record.name), record.suspicion.deadline)
        self._tell(PeerSuspected(peer=self.view(record), by=claim.sender))

    def _confirm(
        self, record: Record, suspicion: Suspicion, claim: Suspect, now: float
    ) -> None:
        if suspicion.confirm(claim.sender):
            # Never set in the past: that would look as if we had been paused.
            at = max(now, suspicion.deadline)
            self._timers.set(SuspicionEnds(record.name), at)
            self._gossip.spread(claim)

    def _drop_suspicion(self, record: Record) -> None:
        if record.suspicion is not None:
            record.suspicion = None
            self._timers.cancel(SuspicionEnds(record.name))

    def _refute(self, record: Record, accused: int) -> None:
        if not self._raise_incarnation(accused):
            return
        record.state = evolve(record.state, incarnation=self._incarnation)
        self._awareness.apply(1)
        self._gossip.spread(self._own_claim(record))
        self._tell(Refuted(incarnation=self._incarnation))

    def _raise_incarnation(self, above: int) -> bool:
        """
        Have an incarnation above ours and another.

        There is none above the highest. Then the ring has to forget us first, which it
        does with the dead.
        """
        raised = max(self._incarnation, above) + 1
        if raised > _HIGHEST_INCARNATION:
            self._tell(Ignored(reason=Reason.INCARNATION, node=self._identity.name))
            return False
        self._incarnation = raised
        return True

    def _own_claim(self, record: Record) -> Alive:
        return Alive(
            incarnation=self._incarnation,
            node=record.name,
            address=record.address,
            meta=record.state.meta,
            versions=record.versions,
        )

    def _done(self, about: Spread) -> BroadcastDone | None:
        """What is to be said once the ring knows; at once where there is nobody."""
        done = BroadcastDone(about=about, name=self._identity.name)
        others = (each for each in self._ring if each.name != self._identity.name)
        if all(each.gone for each in others):
            self._tell(done)
            return None
        return done


def _possible(versions: Versions | None) -> bool:
    if versions is None:
        return False
    return 0 < versions.protocol_min <= versions.protocol_max


def _state(claim: Alive) -> PeerState:
    return PeerState(
        incarnation=claim.incarnation,
        node=claim.node,
        address=claim.address,
        meta=claim.meta,
        rank=Rank.ALIVE,
        versions=claim.versions,
    )
