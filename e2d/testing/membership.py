"""
A gossip ring in memory: who hears whom, and what comes of not being heard.

Note [How rumour travels]
-------------------------
News takes no time, and any way that there is: a node knows of all that it can be
reached from over links that are not cut, through others if need be. Letters take the
direct link only. Who is not heard any more is suspect at once, and dead
`SUSPICION_SECONDS` of the injected clock later; who is heard again refutes that with a
higher incarnation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from attrs import define, evolve, field

from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from e2d.gossip.letters import LETTER_BYTES
from e2d.interfaces import IMembership, Undelivered
from e2d.model import (
    Address,
    Announcement,
    GossipMember,
    NodeDigest,
    NodeID,
    NodeName,
    PeerReport,
    Rank,
    RingTraffic,
    RingView,
    mark_cluster,
)

__all__ = ["NO_TRAFFIC", "SUSPICION_SECONDS", "MemoryMembership", "MemoryRing"]

SUSPICION_SECONDS = 4.0
"""About as long as in a small ring with memberlist's timings for a LAN."""

_LOST = frozenset({Rank.SUSPECT, Rank.DEAD})
_GONE = frozenset({Rank.DEAD, Rank.LEFT})

NO_TRAFFIC = RingTraffic(
    packets_in=0,
    packets_out=0,
    bytes_in=0,
    bytes_out=0,
    packets_dropped={},
    streams_in=0,
    streams_out=0,
    streams_failed={},
    suspicions=0,
    refutations=0,
)


@define(eq=False)
class MemoryRing:
    """
    The ring, as the world outside of it sees and hurts it.

    Names that are in it at the same time must differ.
    """

    clock: IReactorTime
    _nodes: list[MemoryMembership] = field(factory=list, init=False)
    _cuts: set[frozenset[MemoryMembership]] = field(factory=set, init=False)
    _mute: set[MemoryMembership] = field(factory=set, init=False)
    _incarnations: dict[NodeName, int] = field(factory=dict, init=False)

    def make_node(self, cluster_name: str = "e2d") -> MemoryMembership:
        """Another node, at ``10.0.0.N:7980``, that has nothing to say so far."""
        node = MemoryMembership(self, len(self._nodes) + 1, cluster_name)
        self._nodes.append(node)
        return node

    # -- what happens to nodes and links --------------------------------------------

    def kill(self, node: MemoryMembership) -> None:
        """It is gone without a word, for ever: who starts again is another node."""
        node.end()
        self.changed()

    def stop(self, node: MemoryMembership) -> None:
        """It leaves, and is gone."""
        self.leave(node)
        self.kill(node)

    def cut(self, one: MemoryMembership, other: MemoryMembership) -> None:
        """Nothing goes from one to the other any more, nor back."""
        self._cuts.add(frozenset({one, other}))
        self.changed()

    def cut_off(self, node: MemoryMembership) -> None:
        """Cut all links of a node."""
        for other in self._nodes:
            if other is not node:
                self.cut(node, other)

    def mute(self, node: MemoryMembership) -> None:
        """It hears the others, and they do not hear it."""
        self._mute.add(node)
        self.changed()

    def heal(self) -> None:
        """Nothing is cut or mute any more."""
        self._cuts.clear()
        self._mute.clear()
        self.changed()

    # -- for its nodes ----------------------------------------------------------------

    def changed(self) -> None:
        """Let everybody hear what there is to hear, and then tell who listens."""
        nodes = tuple(node for node in self._nodes if node.gossips)
        heard = {node: tuple(self._heard_by(node)) for node in nodes}
        for node in nodes:
            if any(node in heard[each] and each.lost(node) for each in nodes):
                node.refute()
        for node in nodes:
            node.look(heard[node])
        for node in nodes:
            node.tell()

    def leave(self, node: MemoryMembership) -> None:
        """Tell all who hear it that a node leaves."""
        for other in self._nodes:
            if other is not node and other.gossips and node in self._heard_by(other):
                other.hear_leave(node)

    def next_incarnation(self, name: NodeName) -> int:
        """One that nobody has seen of a name."""
        number = self._incarnations.get(name, 0) + 1
        self._incarnations[name] = number
        return number

    def named(self, name: NodeName) -> MemoryMembership | None:
        """The node that is in the ring under a name."""
        found = [node for node in self._nodes if node.gossips and node.name == name]
        assert len(found) <= 1, f"two nodes are {name}"
        return found[0] if found else None

    def linked(self, one: MemoryMembership, other: MemoryMembership) -> bool:
        """Whether a connection between them comes about."""
        mute = one in self._mute or other in self._mute
        return not mute and frozenset({one, other}) not in self._cuts

    def _heard_by(self, node: MemoryMembership) -> Iterator[MemoryMembership]:
        """Who is heard, over any number of others; each once, itself first."""
        found = [node]
        for listener in found:
            yield listener
            found.extend(
                each
                for each in self._nodes
                if each.gossips
                and each not in found
                and each not in self._mute
                and frozenset({each, listener}) not in self._cuts
            )


@implementer(IMembership)
@define(eq=False)
class MemoryMembership:
    """
    One node of a ring in memory.

    :param number: in the order in which they were made, from 1.
    :param cluster_name: the configured one, of its own cluster.
    """

    _ring: MemoryRing
    number: int
    cluster_name: str
    _since: float | None = field(init=False)
    _said: Announcement | None = field(default=None, init=False)
    _incarnation: int = field(default=0, init=False)
    _running: bool = field(default=True, init=False)
    _problem: str | None = field(default=None, init=False)
    _sights: dict[NodeName, GossipMember] = field(factory=dict, init=False)
    _reports: dict[NodeID, PeerReport] = field(factory=dict, init=False)
    _shown: tuple[GossipMember, ...] = field(default=(), init=False)
    _listeners: list[Callable[[], None]] = field(factory=list, init=False)
    _readers: list[Callable[[NodeName | None, bytes], None]] = field(
        factory=list, init=False
    )

    def __attrs_post_init__(self) -> None:
        self._since = self._now()

    def hinder(self, problem: str | None) -> None:
        """
        Gossip is impossible, as with a port that cannot be had; None: no longer.

        :param problem: one line.
        """
        self._problem = problem
        self._since = self._now() if problem is None else None
        if problem is None:
            self._enter()
        else:
            self._sights.clear()
        self._ring.changed()
        self._call_listeners()

    # -- IMembership --------------------------------------------------------------

    def view(self) -> RingView:
        """See `IMembership.view`."""
        return RingView(
            problem=self._problem,
            since=self._since,
            local=self.name if self.gossips else None,
            members=self._members() if self.gossips else None,
            reports=tuple(self._reports[each] for each in sorted(self._reports)),
            clashes=(),
            unmet=(),
            encrypted=False,
            health_score=0,
            queue_length=0,
            traffic=NO_TRAFFIC,
        )

    def subscribe(self, listener: Callable[[], None]) -> None:
        """See `IMembership.subscribe`."""
        self._listeners.append(listener)

    def announce(self, announcement: Announcement) -> None:
        """See `IMembership.announce`."""
        said = self._said
        if announcement == said:
            return
        if said is not None and said.name != announcement.name and self.gossips:
            self._ring.leave(self)
            self._sights.clear()
        self._said = announcement
        self._enter()
        self._ring.changed()

    async def deliver(self, to: NodeName, letter: bytes) -> None:
        """See `IMembership.deliver`."""
        assert len(letter) <= LETTER_BYTES
        if not self.gossips:
            raise Undelivered(to, "this node does not gossip")
        if to == self.name:
            raise Undelivered(to, "is this node")
        sight = self._sights.get(to)
        if sight is None or sight.rank in _GONE:
            raise Undelivered(to, "is not alive in the ring")
        node = self._ring.named(to)
        if node is None or not self._ring.linked(self, node):
            raise Undelivered(to, "cannot be reached")
        node.read(self.name, letter)

    def receive_letters(
        self, listener: Callable[[NodeName | None, bytes], None]
    ) -> None:
        """See `IMembership.receive_letters`."""
        self._readers.append(listener)

    # -- for the ring -----------------------------------------------------------------

    @property
    def gossips(self) -> bool:
        """Whether it is in the ring."""
        return self._running and self._problem is None and self._said is not None

    @property
    def name(self) -> NodeName:
        """Under which it is there."""
        assert self._said is not None
        return self._said.name

    def end(self) -> None:
        """It is no more."""
        self._running, self._since = False, None

    def lost(self, node: MemoryMembership) -> bool:
        """Whether it holds another for suspect or dead."""
        sight = self._sights.get(node.name)
        return sight is not None and sight.rank in _LOST

    def refute(self) -> None:
        """Say again what it says, so that it is heard."""
        self._incarnation = self._ring.next_incarnation(self.name)

    def look(self, heard: tuple[MemoryMembership, ...]) -> None:
        """
        See who is there.

        :param heard: all whose claims arrive, this node included.
        """
        for node in heard:
            self._sights[node.name] = self._sight(node)
            if node is not self:
                report = node.report()
                self._reports[report.node_id] = report
        for name in self._sights.keys() - {node.name for node in heard}:
            self._sights[name] = self._doubted(self._sights[name])

    def hear_leave(self, node: MemoryMembership) -> None:
        """Another says that it leaves."""
        sight = self._sights[node.name]
        self._sights[node.name] = evolve(sight, rank=Rank.LEFT, since=self._now())

    def tell(self) -> None:
        """Call who listens, if anything is new."""
        members = self._members()
        if members != self._shown:
            self._shown = members
            self._call_listeners()

    def read(self, sender: NodeName, letter: bytes) -> None:
        """A letter."""
        known = sender if sender in self._sights else None
        for reader in tuple(self._readers):
            reader(known, letter)

    def claim(self) -> GossipMember:
        """What it says of itself, as of now."""
        said = self._said
        assert said is not None
        host = f"10.0.0.{self.number}"
        return GossipMember(
            name=said.name,
            rank=Rank.ALIVE,
            address=Address(host, 7980),
            incarnation=self._incarnation,
            since=self._now(),
            digest=NodeDigest(
                name=said.name,
                client_url=f"http://{host}:2379",
                peer_url=f"http://{host}:2380",
                status=said.status,
                node_id=said.node_id,
                e2d_version="0.1.0",
                etcd_version=said.etcd_version,
                cluster=mark_cluster(self.cluster_name, said.lineage),
                data=said.data,
            ),
        )

    def report(self) -> PeerReport:
        """What it tells whom it meets."""
        assert self._said is not None
        return PeerReport(
            node_id=self._said.node_id,
            name=self.name,
            incarnation=self._incarnation,
            sequence=self._incarnation,
            cluster_name=self.cluster_name,
        )

    # -- what it makes of that --------------------------------------------------------

    def _enter(self) -> None:
        if self.gossips:
            self._incarnation = self._ring.next_incarnation(self.name)

    def _sight(self, node: MemoryMembership) -> GossipMember:
        claim, held = node.claim(), self._sights.get(node.name)
        if held is None or held.rank is not Rank.ALIVE:
            return claim
        return evolve(claim, since=held.since)

    def _doubted(self, sight: GossipMember) -> GossipMember:
        now = self._now()
        if sight.rank is Rank.ALIVE:
            self._ring.clock.callLater(SUSPICION_SECONDS, self._ring.changed)
            return evolve(sight, rank=Rank.SUSPECT, since=now)
        if sight.rank is Rank.SUSPECT and now >= sight.since + SUSPICION_SECONDS:
            return evolve(sight, rank=Rank.DEAD, since=now)
        return sight

    def _members(self) -> tuple[GossipMember, ...]:
        return tuple(self._sights[name] for name in sorted(self._sights))

    def _call_listeners(self) -> None:
        for listener in tuple(self._listeners):
            listener()

    def _now(self) -> float:
        return self._ring.clock.seconds()
