"""
What is sent by UDP: each packet carries as much news as it has room for.

Note [Rounds without news]: a ring is quiet for most of its life, and to wake up five
times a second for nothing would be the most that a peer does. So a round is due only
while there is news. Rounds are at the same times as if each took place.
"""

from __future__ import annotations

from collections.abc import Callable

from e2d.swim import wire
from e2d.swim.broadcasts import PART_OVERHEAD, Broadcast, BroadcastQueue
from e2d.swim.effects import BroadcastDone, Effect, SendPacket, Spread
from e2d.swim.members import Record, Ring
from e2d.swim.messages import (
    Ack,
    Alive,
    Dead,
    IndirectPing,
    Message,
    Nack,
    PeerAddress,
    Ping,
    Rank,
    Suspect,
    UserMessage,
    Versions,
)
from e2d.swim.packets import MOST_PARTS
from e2d.swim.scaling import transmissions
from e2d.swim.settings import Settings
from e2d.swim.timers import GossipDue, Ticks, Timers

__all__ = ["Gossip", "understands_checksums"]

_COMPOUND_BYTES = 2
_CHECKSUM_BYTES = 5
_WITH_CHECKSUMS = 5


def understands_checksums(versions: Versions) -> bool:
    """Whether a peer of these versions does."""
    return versions.protocol_max >= _WITH_CHECKSUMS


class Gossip:
    """
    News that waits, and the packets that take it along.

    :param ring: who may be told.
    :param packet_overhead: how many bytes packing adds.
    :param tell: takes effects.
    """

    def __init__(
        self,
        settings: Settings,
        ring: Ring,
        timers: Timers,
        packet_overhead: int,
        tell: Callable[[Effect], None],
    ) -> None:
        self._settings = settings
        self._ring = ring
        self._timers = timers
        self._tell = tell
        self._ticks: Ticks | None = None
        self._due = False
        self._room = settings.packet_bytes - packet_overhead - _COMPOUND_BYTES
        self._news = BroadcastQueue(settings.peers_most, tell)
        self._user = BroadcastQueue(settings.user_broadcasts_most, tell)

    def __len__(self) -> int:
        return len(self._news) + len(self._user)

    def can_spread(self, claim: Alive) -> bool:
        """Whether there is a packet that it fits into."""
        return self._fits(wire.encode(claim))

    def spread(
        self, claim: Alive | Suspect | Dead, done: BroadcastDone | None = None
    ) -> None:
        """
        Tell the ring a claim, and nothing older about the same peer.

        What is too large for any packet, as another's metadata may be, is left to
        exchanges of states.
        """
        message = wire.encode(claim)
        if self._fits(message):
            self._news.add(Broadcast(key=claim.node, message=message, done=done))
            self._await_round()
            return
        self._news.drop(claim.node)
        if done is not None:
            self._tell(done)

    def spread_user(self, name: bytes, payload: bytes) -> None:
        """
        Tell the ring what is built on the protocol has to say.

        :raises ValueError: it is too large for any packet.
        """
        message = wire.encode(UserMessage(payload))
        if not self._fits(message):
            raise ValueError(f"too large to be broadcast: {len(payload)} bytes")
        done = BroadcastDone(about=Spread.USER, name=name)
        self._user.add(Broadcast(key=name, message=message, done=done))
        self._await_round()

    def send(
        self,
        to: PeerAddress,
        message: Ping | IndirectPing | Ack | Nack,
        *,
        checksum: bool = False,
    ) -> None:
        """
        Send a message, and what news fits beside it.

        Alone it has no checksum, as in memberlist: nothing in it is believed of others,
        and each peer sends one every second.

        :param checksum: whether the receiver understands them.
        """
        first = wire.encode(message)
        room = self._room_with(checksum=checksum) - PART_OVERHEAD - len(first)
        parts = (first, *self._fill(room, MOST_PARTS - 1))
        checked = checksum and len(parts) > 1
        self._tell(SendPacket(to=to, parts=parts, checksum=checked))

    def send_alone(
        self, to: PeerAddress, *messages: Message, checksum: bool = False
    ) -> None:
        """Send messages, and nothing else."""
        parts = tuple(map(wire.encode, messages))
        self._tell(SendPacket(to=to, parts=parts, checksum=checksum))

    def begin(self, now: float) -> None:
        """Have rounds from now on."""
        self._ticks = Ticks(now, self._settings.gossip_interval)
        self._await_round()

    def go_round(self, now: float) -> None:
        """Tell some peers what is new, if anything is."""
        self._due = False
        self._tell_some(now)
        self._await_round()

    def _await_round(self) -> None:
        """See Note [Rounds without news]."""
        if self._due or self._ticks is None or not len(self):
            return
        self._due = True
        self._timers.set(GossipDue(), self._ticks.after(self._timers.now))

    def _tell_some(self, now: float) -> None:
        heard_until = now - self._settings.gossip_to_the_dead

        def listens(record: Record) -> bool:
            dead = record.rank is Rank.DEAD and record.since < heard_until
            return record.rank is not Rank.LEFT and not dead

        if not len(self):
            return
        for record in self._ring.choose(self._settings.gossip_peers, listens):
            checksum = understands_checksums(record.versions)
            parts = self._fill(self._room_with(checksum=checksum), MOST_PARTS)
            if not parts:
                return
            self._tell(
                SendPacket(to=record.address, parts=tuple(parts), checksum=checksum)
            )

    def _fits(self, message: bytes) -> bool:
        return PART_OVERHEAD + len(message) <= self._room_with(checksum=True)

    def _room_with(self, *, checksum: bool) -> int:
        return self._room - _CHECKSUM_BYTES if checksum else self._room

    def _fill(self, room: int, most_parts: int) -> list[bytes]:
        limit = transmissions(self._settings.retransmit_mult, len(self._ring))
        parts = self._news.select(limit, room, most_parts)
        room -= sum(PART_OVERHEAD + len(part) for part in parts)
        return parts + self._user.select(limit, room, most_parts - len(parts))
