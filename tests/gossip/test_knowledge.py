"""What a node knows of others, from claims, states and messages in whatever order."""

from __future__ import annotations

from attrs import evolve

from twisted.trial.unittest import SynchronousTestCase

from e2d.config.choices import GossipCompatibility
from e2d.gossip.errors import PayloadError
from e2d.gossip.knowledge import CLASH_SECONDS, Knowledge, name_of
from e2d.gossip.metadata import encode_digest
from e2d.gossip.originals import (
    OriginalMember,
    OriginalStatus,
    StatusMessage,
    encode_member,
    encode_status,
)
from e2d.gossip.payload import Payloads
from e2d.gossip.reports import encode_report
from e2d.model import NodeDigest, NodeID, NodeStatus, OriginalDigest, UnreadableDigest
from e2d.model import Rank as ModelRank
from e2d.swim.effects import (
    BroadcastDone,
    NameConflict,
    Peer,
    PeerForgotten,
    PeerJoined,
    PeerLeft,
    PeerSuspected,
    PeerUpdated,
    Refuted,
    Spread,
    StateMerged,
)
from e2d.swim.messages import Rank, Versions
from tests.gossip.rings import where
from tests.gossip.samples import DIGEST, REPORT

AT = where("10.0.0.1")
METADATA = encode_digest(DIGEST)


def peer(name: bytes = b"n1", **changes: object) -> Peer:
    """A peer that is alive."""
    made = Peer(
        name=name,
        address=AT,
        meta=METADATA,
        incarnation=3,
        rank=Rank.ALIVE,
        versions=Versions(protocol_min=1, protocol_max=5, protocol=2),
        since=5.0,
    )
    changed: Peer = evolve(made, **changes)
    return changed


def original(status: OriginalStatus, name: str = "o1", incarnation: int = 1) -> Peer:
    """An original, with this in its metadata."""
    member = OriginalMember(
        name=name,
        client_url="http://10.0.0.7:2379",
        peer_url="http://10.0.0.7:2380",
        gossip_addr="10.0.0.7:7980",
        status=status,
    )
    return peer(name.encode(), meta=encode_member(member), incarnation=incarnation)


def merged(state: bytes) -> StateMerged:
    """A peer added this to its state."""
    return StateMerged(source=AT, join=False, user_state=state)


class MembersTests(SynchronousTestCase):
    """Peers, as nodes."""

    def setUp(self) -> None:
        """Nothing is known."""
        self.knowledge = Knowledge(Payloads(None), b"own")

    def test_member(self) -> None:
        """What the ring says of it, and what it says itself."""
        (member,) = self.knowledge.members([peer(rank=Rank.SUSPECT)])
        self.assertEqual((member.name, member.rank), ("n1", ModelRank.SUSPECT))
        self.assertEqual((member.incarnation, member.since), (3, 5.0))
        self.assertEqual(str(member.address), "10.0.0.1:7980")
        self.assertEqual(member.digest, DIGEST)

    def test_order(self) -> None:
        """By name."""
        members = self.knowledge.members([peer(b"n2"), peer(b"n1"), peer(b"a")])
        self.assertEqual([member.name for member in members], ["a", "n1", "n2"])

    def test_says_nothing(self) -> None:
        """W-16: a claim without metadata is of a node that has said nothing so far."""
        self.assertIsNone(self.knowledge.digest(peer(meta=b"")))

    def test_unreadable(self) -> None:
        """What cannot be read is that, and not nothing."""
        digest = self.knowledge.digest(peer(meta=b"\x00nonsense"))
        self.assertIsInstance(digest, UnreadableDigest)

    def test_changed(self) -> None:
        """Other metadata is read anew."""
        self.knowledge.digest(peer(meta=b""))
        self.assertEqual(self.knowledge.digest(peer()), DIGEST)

    def test_any_name(self) -> None:
        """Bytes that are no text still are a name."""
        self.assertEqual(name_of(b"n\xff1"), "n\\xff1")
        (member,) = self.knowledge.members([peer(b"\xff")])
        self.assertEqual(member.name, "\\xff")

    def test_forgotten(self) -> None:
        """Nothing is kept of who is forgotten."""
        self.knowledge.hear(PeerJoined(peer()), 1.0)
        self.knowledge.hear(merged(encode_report(REPORT)), 1.0)
        self.assertEqual(self.knowledge.reports(), (REPORT,))
        self.assertTrue(self.knowledge.hear(PeerForgotten(peer()), 1.0))
        self.assertEqual(self.knowledge.reports(), ())

    def test_news(self) -> None:
        """Of what is news to others, and of what is not."""
        dead = PeerLeft(peer(rank=Rank.DEAD))
        told = [
            self.knowledge.hear(news, 1.0)
            for news in (
                PeerJoined(peer()),
                PeerUpdated(peer=peer(), before=b""),
                PeerSuspected(peer=peer(), by=b"n2"),
                dead,
                Refuted(incarnation=2),
                BroadcastDone(about=Spread.UPDATE, name=b"n1"),
            )
        ]
        self.assertEqual(told, [True, True, True, True, False, False])


class ReportTests(SynchronousTestCase):
    """What nodes add to states."""

    def setUp(self) -> None:
        """A node is in the ring."""
        self.knowledge = Knowledge(Payloads(None), b"own")
        self.knowledge.hear(PeerJoined(peer()), 1.0)

    def hear(self, **changes: object) -> bool:
        """A report arrives; whether it was new."""
        report = evolve(REPORT, **changes)
        return self.knowledge.hear(merged(encode_report(report)), 1.0)

    def test_newest(self) -> None:
        """W-15: reports count in the order in which they were made, not received."""
        self.assertTrue(self.hear(incarnation=3, sequence=2))
        self.assertFalse(self.hear(incarnation=3, sequence=1))
        self.assertFalse(self.hear(incarnation=2, sequence=9))
        self.assertFalse(self.hear(incarnation=3, sequence=2))
        self.assertTrue(self.hear(incarnation=4, sequence=1))
        (report,) = self.knowledge.reports()
        self.assertEqual((report.incarnation, report.sequence), (4, 1))

    def test_joined_anew(self) -> None:
        """Who was forgotten and comes back may count anew."""
        self.hear(incarnation=9)
        self.knowledge.hear(PeerJoined(peer(incarnation=1)), 1.0)
        self.assertTrue(self.hear(incarnation=1))

    def test_own(self) -> None:
        """What this node has told is not forgotten as it joins."""
        self.knowledge = Knowledge(Payloads(None), b"n1")
        self.hear()
        self.knowledge.hear(PeerJoined(peer()), 1.0)
        self.assertEqual(self.knowledge.reports(), (REPORT,))

    def test_nothing_added(self) -> None:
        """A state without anything is no report."""
        self.assertFalse(self.knowledge.hear(merged(b""), 1.0))

    def test_unreadable(self) -> None:
        """What cannot be read is raised, for who knows where it is from."""
        self.assertRaises(PayloadError, self.knowledge.hear, merged(b"nonsense"), 1.0)

    def test_flood(self) -> None:
        """Reports of invented nodes fill no memory."""
        for number in range(2000):
            self.hear(node_id=NodeID(f"{number:016x}"))
        self.assertEqual(len(self.knowledge.reports()), 1024)

    def test_no_broadcasts(self) -> None:
        """A ring without originals carries no statuses."""
        status = encode_status(StatusMessage(name="n1", status=OriginalStatus.RUNNING))
        self.assertRaises(PayloadError, self.knowledge.read_broadcast, status)


class OriginalTests(SynchronousTestCase):
    """Statuses of originals, in a ring with them."""

    def setUp(self) -> None:
        """One original, which is pending."""
        self.knowledge = Knowledge(Payloads(GossipCompatibility.ORIGINAL), b"own")
        self.peer = original(OriginalStatus.PENDING)
        self.knowledge.hear(PeerJoined(self.peer), 1.0)

    def told(self, status: OriginalStatus, name: str = "o1") -> bool:
        """A status is broadcast; whether it was new."""
        message = encode_status(StatusMessage(name=name, status=status))
        return self.knowledge.read_broadcast(message)

    def status(self) -> NodeStatus | None:
        """What it is."""
        (member,) = self.knowledge.members([self.peer])
        assert isinstance(member.digest, OriginalDigest)
        return member.digest.status

    def test_metadata(self) -> None:
        """Its metadata says one."""
        self.assertIs(self.status(), NodeStatus.PENDING)

    def test_broadcast(self) -> None:
        """A broadcast says a later one, once."""
        self.assertTrue(self.told(OriginalStatus.RUNNING))
        self.assertFalse(self.told(OriginalStatus.RUNNING))
        self.assertIs(self.status(), NodeStatus.RUNNING)

    def test_late(self) -> None:
        """W-15: an old status that arrives late changes nothing."""
        self.told(OriginalStatus.RUNNING)
        self.assertFalse(self.told(OriginalStatus.PENDING))
        self.assertIs(self.status(), NodeStatus.RUNNING)

    def test_state(self) -> None:
        """W-46: where its broadcast was missed, an exchange of states tells it."""
        state = encode_status(StatusMessage(name="o1", status=OriginalStatus.RUNNING))
        self.assertTrue(self.knowledge.hear(merged(state), 1.0))
        self.assertIs(self.status(), NodeStatus.RUNNING)

    def test_newer_metadata(self) -> None:
        """W-46: so does metadata of a newer incarnation."""
        self.peer = original(OriginalStatus.RUNNING, incarnation=2)
        self.knowledge.hear(PeerUpdated(peer=self.peer, before=b""), 1.0)
        self.assertIs(self.status(), NodeStatus.RUNNING)

    def test_started_again(self) -> None:
        """One that died and came back is what it says now."""
        self.told(OriginalStatus.RUNNING)
        self.knowledge.hear(PeerLeft(evolve(self.peer, rank=Rank.DEAD)), 1.0)
        self.knowledge.hear(PeerJoined(self.peer), 1.0)
        self.assertIs(self.status(), NodeStatus.PENDING)

    def test_stranger(self) -> None:
        """The status of somebody who is not in the ring means nothing."""
        for number in range(100):
            self.assertFalse(self.told(OriginalStatus.RUNNING, f"stranger{number}"))

    def test_ours(self) -> None:
        """Nodes of this e2d are what their metadata says, whatever is broadcast."""
        self.peer = peer()
        self.knowledge.hear(PeerJoined(self.peer), 1.0)
        self.assertFalse(self.told(OriginalStatus.PENDING, "n1"))
        (member,) = self.knowledge.members([self.peer])
        assert isinstance(member.digest, NodeDigest)
        self.assertIs(member.digest.status, NodeStatus.RUNNING)


class ClashTests(SynchronousTestCase):
    """Names that are claimed twice."""

    def setUp(self) -> None:
        """None so far."""
        self.knowledge = Knowledge(Payloads(None), b"n1")

    def clash(self, name: str = "n1", now: float = 1.0) -> bool:
        """One is."""
        held = peer(name.encode())
        claimed = where("10.0.0.9")
        return self.knowledge.hear(NameConflict(held=held, claimed=claimed), now)

    def test_clash(self) -> None:
        """It is told who has the name, who wants it, and whether it is ours."""
        self.assertTrue(self.clash())
        (clash,) = self.knowledge.clashes(1.0)
        self.assertEqual((clash.name, clash.ours, clash.last), ("n1", True, 1.0))
        self.assertEqual(str(clash.held), "10.0.0.1:7980")
        self.assertEqual(str(clash.claimed), "10.0.0.9:7980")

    def test_over(self) -> None:
        """It is over when it was not claimed for a while."""
        self.clash("n2", now=1.0)
        self.clash("n2", now=100.0)
        self.assertEqual(len(self.knowledge.clashes(100.0 + CLASH_SECONDS - 1)), 1)
        self.assertEqual(self.knowledge.clashes(100.0 + CLASH_SECONDS), ())

    def test_flood(self) -> None:
        """Invented ones fill no memory, and keep no later one out for ever."""
        for number in range(100):
            self.clash(f"forged{number}", now=1.0)
        self.assertEqual(len(self.knowledge.clashes(1.0)), 64)
        self.clash("n1", now=1.0 + CLASH_SECONDS)
        names = [clash.name for clash in self.knowledge.clashes(1.0 + CLASH_SECONDS)]
        self.assertEqual(names, ["n1"])
