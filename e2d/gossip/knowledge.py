"""What this node knows of the others: from claims, states, messages."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import define, evolve, field

from e2d.gossip.original_statuses import OriginalStatuses
from e2d.gossip.originals import OriginalStatus, StatusMessage
from e2d.gossip.payload import Digest, Payloads
from e2d.gossip.places import address_of
from e2d.gossip.reports import ReportBook
from e2d.model import (
    GossipMember,
    NameClash,
    NodeDigest,
    NodeName,
    OriginalDigest,
    PeerReport,
    Rank,
)
from e2d.swim import messages
from e2d.swim.effects import (
    NameConflict,
    News,
    Peer,
    PeerCleared,
    PeerForgotten,
    PeerJoined,
    PeerLeft,
    PeerSuspected,
    PeerUpdated,
    StateMerged,
)

__all__ = ["CLASH_SECONDS", "Knowledge", "name_of"]

CLASH_SECONDS = 300.0
"""The ring is told of both as long as both live, at least with each re-join."""

_CLASHES = 64
"""More names than anybody gives twice by mistake."""

_RANKS = {
    messages.Rank.ALIVE: Rank.ALIVE,
    messages.Rank.SUSPECT: Rank.SUSPECT,
    messages.Rank.DEAD: Rank.DEAD,
    messages.Rank.LEFT: Rank.LEFT,
}

_ORIGINAL_STATUSES = {each.translated(): each for each in OriginalStatus}


def name_of(peer: bytes) -> NodeName:
    """A peer's name as text, whatever its bytes."""
    return NodeName(peer.decode("utf-8", "backslashreplace"))


@define(eq=False)
class Knowledge:
    """
    Keeps what nodes say of themselves beside what the ring says of them.

    :param payloads: reads it.
    :param own: the name of this node.
    """

    _payloads: Payloads
    _own: bytes
    _digests: dict[bytes, tuple[bytes, Digest | None]] = field(factory=dict, init=False)
    _reports: ReportBook = field(factory=ReportBook, init=False)
    _originals: OriginalStatuses = field(factory=OriginalStatuses, init=False)
    _clashes: dict[bytes, NameClash] = field(factory=dict, init=False)

    def members(self, peers: Iterable[Peer]) -> tuple[GossipMember, ...]:
        """The ring's peers, as nodes, by name."""
        return tuple(
            GossipMember(
                name=name_of(peer.name),
                rank=_RANKS[peer.rank],
                address=address_of(peer.address),
                incarnation=peer.incarnation,
                since=peer.since,
                digest=self._told(peer),
            )
            for peer in sorted(peers, key=lambda peer: peer.name)
        )

    def reports(self) -> tuple[PeerReport, ...]:
        """The newest report of each node, by its id."""
        held = self._reports.reports
        return tuple(held[node_id] for node_id in sorted(held))

    def clashes(self, now: float) -> tuple[NameClash, ...]:
        """Names that were claimed twice lately."""
        return tuple(
            clash
            for _, clash in sorted(self._clashes.items())
            if now - clash.last < CLASH_SECONDS
        )

    def digest(self, peer: Peer) -> Digest | None:
        """What a peer says of itself; None where that is nothing."""
        metadata, digest = self._digests.get(peer.name, (None, None))
        if metadata != peer.meta:
            digest = self._payloads.read_metadata(peer.meta)
            self._digests[peer.name] = (peer.meta, digest)
        return digest

    def hear(self, news: News, now: float) -> bool:
        """
        Learn from news.

        :return: whether it changes what is known.
        :raises PayloadError: a state cannot be read.
        """
        match news:
            case PeerJoined(peer):
                self._joined(peer)
            case PeerUpdated(peer=peer):
                self._met(peer)
            case PeerLeft(peer):
                self._originals.left(name_of(peer.name))
            case PeerForgotten(peer):
                self._forget(peer)
            case NameConflict():
                self._clash(news, now)
            case PeerSuspected() | PeerCleared():
                pass
            case StateMerged(user_state=state):
                return self.read_state(state)
            case _:
                return False
        return True

    def read_state(self, state: bytes) -> bool:
        """
        Learn from what a node added to an exchange.

        :return: whether it was new.
        :raises PayloadError: it cannot be read.
        """
        told = self._payloads.read_state(state)
        match told:
            case None:
                return False
            case PeerReport():
                return self._reports.keep(told)
            case StatusMessage():
                return self._told_status(told)

    def read_broadcast(self, payload: bytes) -> bool:
        """
        Learn from what an original broadcast.

        :return: whether it was new.
        :raises PayloadError: it is no such thing.
        """
        return self._told_status(self._payloads.read_status_message(payload))

    def _told(self, peer: Peer) -> Digest | None:
        digest = self.digest(peer)
        if isinstance(digest, OriginalDigest):
            status = self._originals.status(name_of(peer.name)).translated()
            return evolve(digest, status=status)
        return digest

    def _told_status(self, message: StatusMessage) -> bool:
        name = NodeName(message.name)
        before = self._originals.status(name)
        self._originals.told(name, message.status)
        return self._originals.status(name) != before

    def _joined(self, peer: Peer) -> None:
        """Its incarnation may begin anew, and so may everything else."""
        self._originals.left(name_of(peer.name))
        digest = self.digest(peer)
        if isinstance(digest, NodeDigest) and peer.name != self._own:
            self._reports.forget(digest.node_id)
        self._met(peer)

    def _met(self, peer: Peer) -> None:
        digest = self.digest(peer)
        if isinstance(digest, OriginalDigest):
            status = _ORIGINAL_STATUSES[digest.status]
            self._originals.met(name_of(peer.name), peer.incarnation, status)

    def _forget(self, peer: Peer) -> None:
        digest = self.digest(peer)
        if isinstance(digest, NodeDigest):
            self._reports.forget(digest.node_id)
        self._digests.pop(peer.name, None)
        self._originals.left(name_of(peer.name))

    def _clash(self, news: NameConflict, now: float) -> None:
        name = news.held.name
        if len(self._clashes) >= _CLASHES:
            self._clashes = {
                each: clash
                for each, clash in self._clashes.items()
                if now - clash.last < CLASH_SECONDS
            }
        if name not in self._clashes and len(self._clashes) >= _CLASHES:
            return
        self._clashes[name] = NameClash(
            name=name_of(name),
            held=address_of(news.held.address),
            claimed=address_of(news.claimed),
            ours=name == self._own,
            last=now,
        )
