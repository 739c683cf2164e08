"""Answers to those who probe, and probes for those who asked us for help."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from e2d.swim.effects import Effect, Ignored, Reason
from e2d.swim.gossip import Gossip
from e2d.swim.identity import Identity
from e2d.swim.messages import Ack, IndirectPing, Nack, PeerAddress, Ping, Source
from e2d.swim.sequences import Sequences
from e2d.swim.settings import Settings
from e2d.swim.timers import RelayEnds, Timers

__all__ = ["Relays"]


@frozen(kw_only=True)
class _Relay:
    """Who asked, and under which sequence."""

    to: PeerAddress
    sequence: int
    nack: bool


class Relays:
    """
    Pings that we answer or pass on.

    :param sequences: shared with our own probes, so that answers are told apart.
    :param tell: takes effects.
    """

    def __init__(
        self,
        settings: Settings,
        identity: Identity,
        gossip: Gossip,
        timers: Timers,
        sequences: Sequences,
        tell: Callable[[Effect], None],
    ) -> None:
        self._settings = settings
        self._identity = identity
        self._gossip = gossip
        self._timers = timers
        self._sequences = sequences
        self._tell = tell
        self._relays: dict[int, _Relay] = {}
        self.ack_payload = b""

    def answers(self, ping: Ping) -> bool:
        """Whether a ping is for us."""
        return ping.node in (b"", self._identity.name)

    def pinged(self, ping: Ping, source: PeerAddress) -> None:
        """Answer, unless it is for somebody else."""
        if not self.answers(ping):
            self._tell(Ignored(reason=Reason.WRONG_NODE, node=ping.node))
            return
        ack = Ack(sequence=ping.sequence, payload=self.ack_payload)
        self._gossip.send(_asker(ping.source, source), ack)

    def asked(self, request: IndirectPing, source: PeerAddress, now: float) -> None:
        """Ping for another."""
        if len(self._relays) >= self._settings.relays_most:
            self._tell(Ignored(reason=Reason.FULL, node=request.node))
            return
        sequence = self._sequences.take()
        self._relays[sequence] = _Relay(
            to=_asker(request.source, source),
            sequence=request.sequence,
            nack=request.nack,
        )
        self._timers.set(RelayEnds(sequence), now + self._settings.probe_timeout)
        ping = Ping(sequence=sequence, node=request.node, source=self._identity.source)
        self._gossip.send(self._identity.located(request.target), ping)

    def acked(self, sequence: int) -> None:
        """The one whom we pinged for another answered."""
        relay = self._relays.pop(sequence, None)
        if relay is not None:
            self._timers.cancel(RelayEnds(sequence))
            self._gossip.send(relay.to, Ack(sequence=relay.sequence))

    def end(self, sequence: int) -> None:
        """It did not answer in time."""
        relay = self._relays.pop(sequence)
        if relay.nack:
            self._gossip.send(relay.to, Nack(sequence=relay.sequence))


def _asker(named: Source | None, sender: PeerAddress) -> PeerAddress:
    """Whom to answer: peers before memberlist 0.2.0 do not name themselves."""
    if named is None or named.address is None or not named.address.port:
        return sender
    return named.address
