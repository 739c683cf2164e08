"""
Exchanges of all that is known, between two peers.

They heal what gossip missed, and make rings of strangers one. Who answers does so
before it merges: what the other then merges is not what it said itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from attrs import evolve

from e2d.swim.claims import Claims
from e2d.swim.effects import Effect, ExchangeState, MergeRefused, StateMerged
from e2d.swim.identity import Identity, Vetoes
from e2d.swim.members import Record, Ring
from e2d.swim.messages import (
    Alive,
    Dead,
    PeerAddress,
    PeerState,
    PushPull,
    Rank,
    Suspect,
)
from e2d.swim.scaling import exchange_interval
from e2d.swim.settings import Settings
from e2d.swim.timers import ExchangeDue, Timers
from e2d.swim.versions import disagreement

if TYPE_CHECKING:
    from random import Random

__all__ = ["Exchanges"]


class Exchanges:
    """
    Who to exchange states with, and what comes of it.

    :param ring: what is told.
    :param claims: takes what is heard.
    :param tell: takes effects.
    """

    def __init__(
        self,
        settings: Settings,
        identity: Identity,
        ring: Ring,
        claims: Claims,
        timers: Timers,
        vetoes: Vetoes,
        random: Random,
        tell: Callable[[Effect], None],
    ) -> None:
        self._settings = settings
        self._identity = identity
        self._ring = ring
        self._claims = claims
        self._timers = timers
        self._vetoes = vetoes
        self._random = random
        self._tell = tell
        self.user_state = b""

    def begin(self, now: float) -> None:
        """Wait for a while first, so that a ring started at once spreads out."""
        delay = self._random.random() * self._settings.exchange_interval
        self._timers.set(ExchangeDue(), now + delay)

    def take_turn(self, now: float) -> None:
        """Exchange states with some peer that is alive."""
        interval = exchange_interval(self._settings, len(self._ring))
        self._timers.set(ExchangeDue(), now + interval)
        for record in self._ring.choose(1, _is_alive):
            self._exchange(record.address, join=False)

    def catch_up(self, now: float) -> None:
        """
        Exchange states as soon as we are settled after a pause.

        Who was away for long is forgotten, and hears neither of its death nor anything
        else, until it shows up itself.
        """
        self._timers.set(ExchangeDue(), now + self._settings.settle_after_pause)

    def join(self, addresses: Iterable[PeerAddress]) -> None:
        """Exchange states with all who are not held alive."""
        settled = {_plain(each.address) for each in self._ring if not each.gone}
        settled.add(_plain(self._identity.address))
        for address in addresses:
            plain = _plain(address)
            if plain not in settled:
                settled.add(plain)
                self._exchange(address, join=True)

    def state(self, *, join: bool) -> PushPull:
        """All that we know."""
        peers = tuple(record.state for record in self._ring)
        return PushPull(join=join, peers=peers, user_state=self.user_state)

    def answered(self, exchange: ExchangeState, remote: PushPull, now: float) -> None:
        """
        A peer answered.

        Rings that lost each other hold each other's peers dead, under incarnations
        that only the first exchange lets them raise. The second one brings the news
        back, instead of the next one by chance.
        """
        join = exchange.state.join
        before = self._claims.incarnation
        merged = self.merge(remote, exchange.to, now, join=join)
        if not merged or not join:
            return
        if self._claims.incarnation != before or self._disputed(remote):
            self._exchange(exchange.to, join=False)

    def merge(
        self, remote: PushPull, source: PeerAddress, now: float, *, join: bool
    ) -> bool:
        """
        Believe what a peer knows, or nothing of it.

        :param join: whether one of us is joining.
        :return: whether it was believed.
        """
        peers = tuple(self._located(each) for each in remote.peers)
        refusal = self._refusal(peers, join=join)
        if refusal is not None:
            self._tell(MergeRefused(source=source, join=join, reason=refusal))
            return False
        for peer in peers:
            self._hear(peer, now)
        self._tell(StateMerged(source=source, join=join, user_state=remote.user_state))
        return True

    def _exchange(self, to: PeerAddress, *, join: bool) -> None:
        self._tell(ExchangeState(to=to, state=self.state(join=join)))

    def _refusal(self, peers: tuple[PeerState, ...], *, join: bool) -> str | None:
        refusal = disagreement(peers, self._ring)
        if refusal is None and join and self._vetoes.merge is not None:
            refusal = self._vetoes.merge(peers)
        return refusal

    def _hear(self, peer: PeerState, now: float) -> None:
        incarnation, node = peer.incarnation, peer.node
        match peer.rank:
            case Rank.ALIVE:
                self._claims.alive(_claim(peer), now)
            case Rank.SUSPECT | Rank.DEAD:
                # Another's word that a peer is dead is a reason to doubt it, no more:
                # the peer gets the chance to refute.
                own = self._identity.name
                claim = Suspect(incarnation=incarnation, node=node, sender=own)
                self._claims.suspect(claim, now)
            case Rank.LEFT:
                self._claims.dead(
                    Dead(incarnation=incarnation, node=node, sender=node), now
                )

    def _located(self, peer: PeerState) -> PeerState:
        address = self._identity.located(peer.address)
        return peer if address is peer.address else evolve(peer, address=address)

    def _disputed(self, remote: PushPull) -> bool:
        return any(record.gone for record in self._said_alive(remote))

    def _said_alive(self, remote: PushPull) -> Iterator[Record]:
        for peer in remote.peers:
            record = self._ring.get(peer.node)
            if peer.rank is Rank.ALIVE and record is not None:
                yield record


def _is_alive(record: Record) -> bool:
    return record.rank is Rank.ALIVE


def _claim(peer: PeerState) -> Alive:
    return Alive(
        incarnation=peer.incarnation,
        node=peer.node,
        address=peer.address,
        meta=peer.meta,
        versions=peer.versions,
    )


_MAPPED = bytes(10) + b"\xff\xff"


def _plain(address: PeerAddress) -> PeerAddress:
    """The same place, whichever of its two forms an IPv4 address has."""
    if len(address.host) > len(_MAPPED) and address.host.startswith(_MAPPED):
        return evolve(address, host=address.host.removeprefix(_MAPPED))
    return address
