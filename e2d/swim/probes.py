"""
Probes: whether the others are there.

One peer at a time is pinged. Where it does not answer soon, some others are asked to
ping it, and it is tried by TCP; only when all that failed it is suspected. While we are
unwell ourselves, all of it lasts longer.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import define

from e2d.swim.awareness import Awareness
from e2d.swim.claims import Claims
from e2d.swim.effects import (
    Effect,
    PeerForgotten,
    PingByStream,
    PingCompleted,
    ReachedByStream,
)
from e2d.swim.gossip import Gossip, understands_checksums
from e2d.swim.identity import Identity
from e2d.swim.members import Record, Ring
from e2d.swim.messages import IndirectPing, PeerAddress, Ping, Rank, Suspect
from e2d.swim.sequences import Sequences
from e2d.swim.settings import Settings
from e2d.swim.timers import ProbeDue, ProbeEnds, ProbeUnanswered, Ticks, Timers

__all__ = ["Probes"]

_PINGED_BY_STREAM = 3
_WITH_NACKS = 4
"""The versions of the protocol from which on a peer answers so."""


@define(eq=False, kw_only=True)
class _Probe:
    """
    A probe under way.

    :ivar record: whom it is of.
    :ivar incarnation: of the peer at the start, which is suspected in the end.
    :ivar ends: when it has failed.
    :ivar nacks_due: from how many others a nack is expected; None while none were
        asked.
    :ivar reached_by_stream: whether it answered by TCP.
    """

    record: Record
    ping: Ping
    to: PeerAddress
    incarnation: int
    started: float
    ends: float
    nacks_due: int | None = None
    nacks: int = 0
    reached_by_stream: bool = False


class Probes:
    """
    The probe under way, if any, and when the next one is due.

    :param ring: whose turn it is.
    :param claims: takes suspicions.
    :param awareness: learns from how probes end.
    :param tell: takes effects.
    """

    def __init__(
        self,
        settings: Settings,
        identity: Identity,
        ring: Ring,
        claims: Claims,
        gossip: Gossip,
        timers: Timers,
        awareness: Awareness,
        sequences: Sequences,
        tell: Callable[[Effect], None],
    ) -> None:
        self._settings = settings
        self._identity = identity
        self._ring = ring
        self._claims = claims
        self._gossip = gossip
        self._timers = timers
        self._awareness = awareness
        self._sequences = sequences
        self._tell = tell
        self._ticks = Ticks(0.0, settings.probe_interval)
        self._probe: _Probe | None = None
        self._overdue = False

    def begin(self, now: float) -> None:
        """Wait for the first turn."""
        self._ticks = Ticks(now, self._settings.probe_interval)
        self._timers.set(ProbeDue(), self._ticks.after(now))

    def take_turn(self, now: float) -> None:
        """Probe the next peer; as soon as possible, where one is still being probed."""
        self._timers.set(ProbeDue(), self._ticks.after(now))
        if self._probe is not None:
            self._overdue = True
            return
        forgotten_since = now - self._settings.gossip_to_the_dead
        record, forgotten = self._ring.next_probed(forgotten_since)
        for each in forgotten:
            self._tell(PeerForgotten(self._claims.view(each)))
        if record is not None:
            self._begin(record, now)

    def acked(self, sequence: int, payload: bytes, now: float) -> bool:
        """
        Somebody answered.

        :return: whether it was an answer to a probe of ours.
        """
        probe = self._under_way(sequence)
        if probe is None:
            return False
        if probe.nacks_due is None:
            self._tell(
                PingCompleted(
                    peer=self._claims.view(probe.record),
                    round_trip=now - probe.started,
                    payload=payload,
                )
            )
        self._awareness.apply(-1)
        self._finish(probe, now)
        return True

    def nacked(self, sequence: int) -> None:
        """Somebody whom we asked pinged in vain: so we are well enough to hear it."""
        probe = self._under_way(sequence)
        if probe is not None:
            probe.nacks += 1

    def acked_by_stream(self, sequence: int) -> None:
        """The peer answered by TCP. It counts when the probe ends."""
        probe = self._under_way(sequence)
        if probe is not None:
            probe.reached_by_stream = True

    def send_failed(self, to: PeerAddress, now: float, *, remote: bool) -> None:
        """A ping could not be sent, maybe."""
        probe = self._probe
        if probe is None or probe.to != to or probe.nacks_due is not None:
            return
        if remote:
            self._timers.cancel(ProbeUnanswered(probe.ping.sequence))
            self._ask_others(probe, now)
        else:
            self._finish(probe, now)

    def unanswered(self, sequence: int, now: float) -> None:
        """An answer should have come by now."""
        probe = self._under_way(sequence)
        if probe is not None:
            self._ask_others(probe, now)

    def end(self, sequence: int, now: float) -> None:
        """Nobody got an answer, unless by TCP."""
        probe = self._under_way(sequence)
        if probe is None:
            return
        if probe.reached_by_stream:
            self._awareness.apply(-1)
            self._tell(ReachedByStream(self._claims.view(probe.record)))
        else:
            self._awareness.apply(_fault(probe))
            self._claims.suspect(self._suspicion(probe), now)
        self._finish(probe, now)

    def _under_way(self, sequence: int) -> _Probe | None:
        probe = self._probe
        return probe if probe and probe.ping.sequence == sequence else None

    def _begin(self, record: Record, now: float) -> None:
        lasts = self._awareness.scaled(self._settings.probe_interval)
        probe = _Probe(
            record=record,
            ping=Ping(
                sequence=self._sequences.take(),
                node=record.name,
                source=self._identity.source,
            ),
            to=record.address,
            incarnation=record.state.incarnation,
            started=now,
            ends=now + lasts,
        )
        self._probe = probe
        sequence = probe.ping.sequence
        patience = min(self._settings.probe_timeout, lasts)
        self._timers.set(ProbeUnanswered(sequence), now + patience)
        self._timers.set(ProbeEnds(sequence), probe.ends)
        checksum = understands_checksums(record.versions)
        if record.rank is Rank.ALIVE:
            self._gossip.send(probe.to, probe.ping, checksum=checksum)
        else:
            # It hears at once of the suspicion, and can refute it.
            suspicion = self._suspicion(probe)
            self._gossip.send_alone(probe.to, probe.ping, suspicion, checksum=checksum)

    def _ask_others(self, probe: _Probe, now: float) -> None:
        ping = probe.ping

        def can_help(record: Record) -> bool:
            return record.rank is Rank.ALIVE and record is not probe.record

        probe.nacks_due = 0
        for record in self._ring.choose(self._settings.indirect_checks, can_help):
            nack = record.versions.protocol_max >= _WITH_NACKS
            probe.nacks_due += nack
            request = IndirectPing(
                sequence=ping.sequence,
                node=ping.node,
                target=probe.to,
                nack=nack,
                source=ping.source,
            )
            checksum = understands_checksums(record.versions)
            self._gossip.send(record.address, request, checksum=checksum)
        understood = probe.record.versions.protocol_max >= _PINGED_BY_STREAM
        left = probe.ends - now
        if self._settings.stream_pings and understood and left > 0:
            self._tell(PingByStream(to=probe.to, ping=ping, seconds=left))

    def _suspicion(self, probe: _Probe) -> Suspect:
        return Suspect(
            incarnation=probe.incarnation,
            node=probe.ping.node,
            sender=self._identity.name,
        )

    def _finish(self, probe: _Probe, now: float) -> None:
        sequence = probe.ping.sequence
        self._timers.cancel(ProbeUnanswered(sequence))
        self._timers.cancel(ProbeEnds(sequence))
        self._probe = None
        if self._overdue:
            self._overdue = False
            self._timers.set(ProbeDue(), now)


def _fault(probe: _Probe) -> int:
    """
    How much a failed probe is our own fault.

    Where others were to say that they asked in vain and did not, it is we who cannot
    hear. Where nobody could say so, there is no telling.
    """
    if not probe.nacks_due:
        return 1
    return max(0, probe.nacks_due - probe.nacks)
