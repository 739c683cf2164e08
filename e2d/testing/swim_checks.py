"""What must hold for every run of a ring, checked as it happens."""

from __future__ import annotations

from collections import Counter

from attrs import define, field

from e2d.swim.effects import (
    News,
    Peer,
    PeerCleared,
    PeerForgotten,
    PeerJoined,
    PeerLeft,
    PeerSuspected,
    PeerUpdated,
    SendPacket,
)
from e2d.swim.kinds import ALIVE, DEAD
from e2d.swim.messages import Alive, Dead, PeerAddress, Rank
from e2d.swim.scaling import suspicion_span, transmissions
from e2d.testing.swim_host import SimulatedHost
from e2d.testing.swim_simulation import (
    PropertyViolated,
    SwimSimulation,
    Watch,
    decode,
)

__all__ = ["DRIFT", "Always", "Calm", "unconverged"]

DRIFT = 0.97
"""Clocks of hosts differ by less than this from each other."""

COMPOUND_BYTES = 2
PART_BYTES = 2
SLACK_BYTES = 2
"""memberlist does not count the length of the message that others ride on."""

_CLAIMS = frozenset({ALIVE, DEAD})
"""A suspect is told of the suspicion with each probe, too."""

AGAIN = 2
"""A claim that comes back is passed on again; who joins anew may say the same anew."""

QUEUED_A_PEER = 2
"""Broadcasts: what is known of a peer is one; what makes way goes at once."""


@define(eq=False)
class Always(Watch):
    """
    Holds in any weather.

    ``incarnation``
        A peer's own never falls while it lives.
    ``invention``
        Nobody hears of an incarnation that the peer never had.
    ``resurrection``
        Who was dead or left comes back at the same address under a higher incarnation
        only, unless it was forgotten meanwhile.
    ``rewind``
        What is heard of a living peer is never older than what was.
    ``haste``
        Nobody is declared dead before the shortest time that a suspect has.
    ``self-doubt``
        A peer never holds itself for suspect, dead, or gone unless it leaves.
    ``size``
        No packet is larger than it may be.
    ``chatter``
        The same broadcast is sent as often as the size of the ring asks for, no more.
    ``memory``
        Broadcasts that wait are not more than there are peers to speak of.
    """

    _simulation: SwimSimulation
    _own: dict[tuple[int, int], int] = field(factory=dict, init=False)
    _held: dict[tuple[int, int, bytes], Peer] = field(factory=dict, init=False)
    _suspected: dict[tuple[bytes, int], float] = field(factory=dict, init=False)
    _sent: dict[tuple[int, int, bytes], Counter[bytes]] = field(
        factory=dict, init=False
    )

    # -- Watch ----------------------------------------------------------------------

    def acted(self, host: SimulatedHost, now: float) -> None:
        """See ``incarnation`` and ``memory``."""
        assert host.swim is not None
        own = host.swim.incarnation
        key = (host.number, host.life)
        if own < self._own.get(key, 0):
            self._violated("incarnation", host, f"fell to {own}")
        self._own[key] = own
        most = QUEUED_A_PEER * len(self._simulation.hosts) + 8
        if host.swim.queue_length > most:
            self._violated("memory", host, f"{host.swim.queue_length} broadcasts wait")

    def told(self, host: SimulatedHost, news: News, now: float) -> None:
        """All that is about peers."""
        match news:
            case PeerJoined(peer):
                self._about(host, peer)
                self._joined(host, peer)
            case PeerUpdated(peer=peer) | PeerCleared(peer):
                self._about(host, peer)
                self._went_on(host, peer)
            case PeerSuspected(peer=peer):
                self._about(host, peer)
                self._not_itself(host, peer)
                self._suspected.setdefault((peer.name, peer.incarnation), now)
            case PeerLeft(peer):
                self._about(host, peer)
                self._gone(host, peer, now)
            case PeerForgotten(peer):
                self._held.pop((host.number, host.life, peer.name), None)
            case _:
                pass

    def sent(self, host: SimulatedHost, packet: SendPacket, now: float) -> None:
        """See ``size`` and ``chatter``."""
        settings = self._simulation.settings
        size = sum(len(part) + PART_BYTES for part in packet.parts) + COMPOUND_BYTES
        if size > settings.packet_bytes + SLACK_BYTES:
            self._violated("size", host, f"a packet of {size} bytes")
        limit = transmissions(settings.retransmit_mult, len(self._simulation.hosts))
        for part in packet.parts:
            if part[0] not in _CLAIMS:
                continue
            claim = decode(part)
            assert isinstance(claim, Alive | Dead)
            sent = self._sent.setdefault(
                (host.number, host.life, claim.node), Counter()
            )
            sent[part] += 1
            if sent[part] > AGAIN * limit:
                self._violated("chatter", host, f"sends {claim} for ever")

    # -- each -------------------------------------------------------------------------

    def _about(self, host: SimulatedHost, peer: Peer) -> None:
        highest = max(
            each.highest for each in self._simulation.hosts if each.name == peer.name
        )
        if peer.incarnation > highest:
            self._violated("invention", host, f"{peer} never was beyond {highest}")

    def _joined(self, host: SimulatedHost, peer: Peer) -> None:
        key = (host.number, host.life, peer.name)
        self._sent.pop(key, None)
        held = self._held.get(key)
        if (
            held is not None
            and held.address == peer.address
            and peer.incarnation <= held.incarnation
        ):
            self._violated("resurrection", host, f"{held} is {peer}")
        self._held[key] = peer

    def _went_on(self, host: SimulatedHost, peer: Peer) -> None:
        key = (host.number, host.life, peer.name)
        held = self._held.get(key)
        if held is not None and peer.incarnation < held.incarnation:
            self._violated("rewind", host, f"{held} becomes {peer}")
        self._held[key] = peer

    def _not_itself(self, host: SimulatedHost, peer: Peer) -> None:
        if peer.name == host.name and not host.left:
            self._violated("self-doubt", host, f"holds itself for {peer}")

    def _gone(self, host: SimulatedHost, peer: Peer, now: float) -> None:
        self._not_itself(host, peer)
        self._held[(host.number, host.life, peer.name)] = peer
        if peer.rank is not Rank.DEAD:
            return
        shortest = suspicion_span(self._simulation.settings, 1).shortest
        since = self._suspected.get((peer.name, peer.incarnation))
        if since is None or now - since < shortest * DRIFT:
            self._violated("haste", host, f"{peer} dead, suspected at {since}")

    def _violated(self, name: str, host: SimulatedHost, detail: str) -> None:
        simulation = self._simulation
        raise PropertyViolated(
            name,
            f"seed {simulation.seed}, {simulation.now:.3f} s, {host.name.decode()}:"
            f" {detail}",
        )


@define(eq=False)
class Calm(Watch):
    """
    While nothing is wrong with them, nobody who lives is suspected or dead.

    :param name: of the property.
    :param but: who may be doubted, None for nobody.
    """

    _simulation: SwimSimulation
    _name: str = "calm"
    _but: SimulatedHost | None = None

    def told(self, host: SimulatedHost, news: News, now: float) -> None:
        """Whom somebody doubts."""
        match news:
            case PeerSuspected(peer=peer) | PeerLeft(peer):
                pass
            case _:
                return
        for other in self._simulation.hosts:
            if other is self._but:
                continue
            if other.name == peer.name and other.runs and not other.left:
                raise PropertyViolated(
                    self._name,
                    f"seed {self._simulation.seed}, {now:.3f} s,"
                    f" {host.name.decode()}: {peer} is well",
                )


def unconverged(
    simulation: SwimSimulation, passing_over: frozenset[bytes] = frozenset()
) -> str | None:
    """
    What keeps the ring from being one.

    :param passing_over: names about which anybody may be wrong.
    :return: None: all that run hold exactly each other for alive, each where it is and
        with what it says of itself now.
    """
    living = [each for each in simulation.hosts if each.runs and not each.left]
    expected = {each.name: (each.address, each.meta) for each in living}
    for host in living:
        assert host.swim is not None
        seen: dict[bytes, tuple[PeerAddress, bytes]] = {}
        for peer in host.swim.peers():
            if peer.rank is Rank.SUSPECT and peer.name not in passing_over:
                return f"{host.name.decode()} suspects {peer.name.decode()}"
            if peer.rank is Rank.ALIVE:
                seen[peer.name] = (peer.address, peer.meta)
        wrong = sorted(
            name.decode()
            for name in (seen.keys() | expected.keys()) - passing_over
            if seen.get(name) != expected.get(name)
        )
        if wrong:
            return f"{host.name.decode()} is wrong about {', '.join(wrong)}"
    return None
