"""A stay in the ring: from entering it under a name to leaving it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from random import Random

from attrs import define, field, frozen

from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from e2d.gossip.complaints import Complaints
from e2d.gossip.datagrams import Datagrams
from e2d.gossip.dialling import Dialler
from e2d.gossip.driver import Driver, Outcome
from e2d.gossip.errors import PayloadError
from e2d.gossip.knowledge import Knowledge, name_of
from e2d.gossip.letters import is_letter, pack_letter, unpack_letter
from e2d.gossip.lines import Conduct, StreamFailed
from e2d.gossip.payload import Payloads
from e2d.gossip.places import address_of, peer_address
from e2d.gossip.presence import Presence, RingSettings
from e2d.gossip.telling import tell
from e2d.gossip.traffic import Traffic
from e2d.interfaces import IDaemonReactor, Undelivered
from e2d.model import Address, GossipMember, NameClash, NodeName, PeerReport
from e2d.swim.effects import (
    BroadcastDone,
    MergeRefused,
    NameConflict,
    News,
    Spread,
    StateMerged,
    UserMessageReceived,
)
from e2d.swim.identity import Identity
from e2d.swim.messages import Message, PeerAddress, Rank, UserMessage
from e2d.swim.protocol import Swim

__all__ = ["Stay", "Surroundings"]

LEAVE_SECONDS = 5.0
"""To tell others takes some rounds of gossip; memberlist's users wait so long."""

_GONE = frozenset({Rank.DEAD, Rank.LEFT})


@frozen(kw_only=True)
class Surroundings:
    """
    What a stay needs, and finds again unchanged the next time.

    :param outcome: told how each exchange of states ended.
    :param changed: called when something is new that others may want to know.
    :param letter: called with each letter, and who it is from.
    :param sequence: numbers what this node reports: higher each time.
    """

    reactor: IDaemonReactor
    conduct: Conduct
    settings: RingSettings
    payloads: Payloads
    datagrams: Datagrams
    traffic: Traffic
    complaints: Complaints
    log: Logger
    random: Random
    outcome: Outcome
    changed: Callable[[], None]
    letter: Callable[[NodeName | None, bytes], None]
    sequence: Callable[[], int]


@define(eq=False)
class Stay:
    """
    This node in the ring.

    :param presence: what it says of itself; its name stays the same.
    :raises MetadataTooLong: gossip does not carry what it says.
    """

    _around: Surroundings
    _presence: Presence
    _knowledge: Knowledge = field(init=False)
    _driver: Driver = field(init=False)
    _reported: tuple[int, Presence] | None = field(default=None, init=False)
    _left: Deferred[None] | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        around = self._around
        own = self._own
        advertise = around.settings.advertise
        swim = Swim(
            around.settings.timings,
            Identity(
                name=own,
                address=peer_address(advertise.host, advertise.port),
                meta=self._presence.metadata(around.payloads),
            ),
            around.random,
            packet_overhead=around.conduct.framing().packet_overhead,
        )
        self._knowledge = Knowledge(around.payloads, own)
        self._driver = Driver(
            conduct=around.conduct,
            swim=swim,
            datagrams=around.datagrams,
            dialler=Dialler(around.reactor, around.conduct, around.traffic),
            traffic=around.traffic,
            complaints=around.complaints,
            news=self._hear,
            outcome=around.outcome,
        )

    # -- what others ask ----------------------------------------------------------

    @property
    def announced(self) -> Presence:
        """What this node says of itself."""
        return self._presence

    @property
    def health_score(self) -> int:
        """See `RingView.health_score`."""
        return self._driver.swim.health_score

    @property
    def queue_length(self) -> int:
        """See `RingView.queue_length`."""
        return self._driver.swim.queue_length

    def members(self) -> tuple[GossipMember, ...]:
        """All that the ring remembers, by name."""
        return self._knowledge.members(self._driver.swim.peers())

    def reports(self) -> tuple[PeerReport, ...]:
        """The newest report of each node."""
        return self._knowledge.reports()

    def clashes(self) -> tuple[NameClash, ...]:
        """Names that were claimed twice lately."""
        return self._knowledge.clashes(self._now())

    # -- what it does -------------------------------------------------------------

    def begin(self) -> None:
        """Enter the ring, alone at first."""
        self._driver.start()
        self._report()

    def join(self, addresses: Iterable[PeerAddress]) -> None:
        """Exchange states with who is there and not known to be alive."""
        self._driver.join(addresses)

    def say(self, presence: Presence) -> None:
        """
        Say something else of this node, under the same name.

        :raises MetadataTooLong: gossip does not carry it; what was said still holds.
        """
        before, payloads = self._presence, self._around.payloads
        assert presence.announcement.name == before.announcement.name
        metadata = presence.metadata(payloads)
        self._presence = presence
        if metadata != before.metadata(payloads):
            self._driver.update(metadata)
        self._report()
        if presence.announcement.status is not before.announcement.status:
            self.repeat_status()

    def repeat_status(self) -> None:
        """
        Broadcast the status for originals: they see metadata change by chance only, and
        one broadcast may miss some of them (W-46).
        """
        said = self._presence.announcement
        message = self._around.payloads.status_message(said.name, said.status)
        if message is not None:
            self._driver.broadcast(b"status", message)

    async def deliver(self, to: NodeName, letter: bytes) -> None:
        """See `IMembership.deliver`."""
        peer = self._driver.swim.peer(to.encode("utf-8", "surrogateescape"))
        if peer is None or peer.rank in _GONE:
            raise Undelivered(to, "is not alive in the ring")
        sender = self._presence.announcement.name
        message = UserMessage(payload=pack_letter(sender, letter))
        if to == sender:
            raise Undelivered(to, "is this node")
        try:
            await self._driver.tell(peer.address, message)
        except StreamFailed as error:
            raise Undelivered(to, error.reason) from None

    async def leave(self) -> None:
        """Tell the ring that this node leaves, and be gone: within seconds."""
        left: Deferred[None] = Deferred()
        left.addTimeout(LEAVE_SECONDS, self._around.reactor)  # type: ignore[unused-awaitable]
        self._left = left
        self._driver.leave()
        try:
            await left
        except defer.TimeoutError:
            self._around.log.warn(
                "The ring could not be told that this node leaves: it will be held for"
                " dead instead"
            )
        await self._driver.stop()

    # -- what arrives -------------------------------------------------------------

    def received(self, packet: bytes, source: PeerAddress) -> None:
        """A packet."""
        self._driver.received(packet, source)

    def answer(self, message: Message, source: PeerAddress) -> Message | None:
        """
        A message by a connection, and what to reply.

        Letters come in no other way: anybody can forge where a packet is from.
        """
        if isinstance(message, UserMessage) and is_letter(message.payload):
            self._read_letter(source, message.payload)
            return None
        return self._driver.answer(message, source)

    def _hear(self, batch: Sequence[News]) -> None:
        for news in batch:
            tell(news, self._own, self._around.log)
        # All of them, whatever each says.
        changed = [self._learn(news) for news in batch]
        self._report()
        if any(changed):
            self._around.changed()

    def _learn(self, news: News) -> bool:
        """Whether something is known that others may want to know."""
        match news:
            case UserMessageReceived(source=source, payload=payload):
                return self._read(source, payload)
            case BroadcastDone(about=Spread.LEAVE):
                self._leaving_is_told()
            case MergeRefused(source=source, reason=reason):
                self._complain(source, "merge", f"a state is refused: {reason}")
            case NameConflict(claimed=claimed, held=held):
                self._clash(name_of(held.name), address_of(held.address), claimed)
            case _:
                pass
        try:
            return self._knowledge.hear(news, self._now())
        except PayloadError as error:
            assert isinstance(news, StateMerged)
            self._complain(news.source, "state", f"its report is {error.reason}")
            return False

    def _read(self, source: PeerAddress, payload: bytes) -> bool:
        try:
            return self._knowledge.read_broadcast(payload)
        except PayloadError as error:
            self._complain(source, "message", f"a message is {error.reason}")
            return False

    def _read_letter(self, source: PeerAddress, payload: bytes) -> None:
        try:
            sender, letter = unpack_letter(payload)
        except PayloadError as error:
            self._complain(source, "message", f"a letter is {error.reason}")
            return
        self._around.letter(sender if self._knows(sender, source) else None, letter)

    def _knows(self, sender: NodeName, source: PeerAddress) -> bool:
        peer = self._driver.swim.peer(sender.encode("utf-8", "surrogateescape"))
        return peer is not None and peer.address.host == source.host

    def _clash(self, name: NodeName, held: Address, claimed: PeerAddress) -> None:
        self._complain(
            claimed,
            "name",
            f"it claims the name {name}, which {held} has: names in a ring are unique"
            " (overrideName; or was a disk copied?)",
        )

    def _complain(self, source: PeerAddress, why: str, reason: str) -> None:
        address = address_of(source)
        self._around.complaints.about(address.host, address.port, why, reason)

    def _leaving_is_told(self) -> None:
        left, self._left = self._left, None
        if left is not None:
            left.callback(None)

    def _report(self) -> None:
        """A report is of an incarnation: others order it by that."""
        incarnation = self._driver.swim.incarnation
        if self._reported == (incarnation, self._presence):
            return
        self._reported = (incarnation, self._presence)
        around = self._around
        state = self._presence.state(around.payloads, incarnation, around.sequence())
        self._driver.swim.set_user_state(state)

    @property
    def _own(self) -> bytes:
        return self._presence.announcement.name.encode()

    def _now(self) -> float:
        return self._around.reactor.seconds()
