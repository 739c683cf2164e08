"""Tests of `e2d.convergence.telling_ring`."""

from __future__ import annotations

from attrs import evolve

from twisted.trial.unittest import SynchronousTestCase

from e2d.cluster.ring_report import RingClash, RingMemberReport
from e2d.convergence.telling_ring import (
    MEMBERS_REPORTED,
    ring_report,
    ring_warnings,
    same_cluster,
)
from e2d.model import (
    Address,
    ClusterID,
    DataSummary,
    EtcdVersion,
    GossipMember,
    MemberID,
    NameClash,
    NodeDigest,
    NodeID,
    NodeName,
    NodeStatus,
    OriginalDigest,
    Rank,
    RingView,
    UnreadableDigest,
    mark_cluster,
)
from e2d.testing.membership import NO_TRAFFIC

NOW = 1000.0
LOCAL = NodeName("n1")


def digest(cluster: str = "e2d", lineage: str | None = None) -> NodeDigest:
    """What a node with data says."""
    return NodeDigest(
        name=LOCAL,
        client_url="http://10.0.0.1:2379",
        peer_url="http://10.0.0.1:2380",
        status=NodeStatus.RUNNING,
        node_id=NodeID("00000000000000a1"),
        e2d_version="0.1.0",
        etcd_version=EtcdVersion(3, 5, 16),
        cluster=mark_cluster(cluster, lineage),
        data=DataSummary(cluster_id=ClusterID(0xC1), member_id=MemberID(0xA1)),
    )


def member(
    name: str,
    rank: Rank = Rank.ALIVE,
    digest: NodeDigest | OriginalDigest | UnreadableDigest | None = None,
) -> GossipMember:
    """A node, in its rank for ten seconds."""
    return GossipMember(
        name=NodeName(name),
        rank=rank,
        address=Address("10.0.0.1", 7980),
        incarnation=3,
        since=NOW - 10,
        digest=digest,
    )


def view(*members: GossipMember) -> RingView:
    """A ring that has been listened to for a minute."""
    return RingView(
        problem=None,
        since=NOW - 60,
        members=members,
        reports=(),
        clashes=(),
        unmet=(),
        encrypted=True,
        health_score=0,
        queue_length=0,
        traffic=NO_TRAFFIC,
    )


class RingReportTests(SynchronousTestCase):
    """`ring_report`."""

    def only(self, told: GossipMember) -> RingMemberReport:
        """What is reported of a node beside the local one."""
        report = ring_report(view(member("n1", digest=digest()), told), NOW, LOCAL)
        assert report.members is not None
        _mine, other = report.members
        return other

    def test_node(self) -> None:
        """A node is told with all that it says of itself."""
        report = ring_report(view(member("n1", digest=digest())), NOW, LOCAL)
        expected = RingMemberReport(
            name="n1",
            local=True,
            address="10.0.0.1:7980",
            rank=Rank.ALIVE,
            for_seconds=10.0,
            incarnation=3,
            kind="e2d",
            own_cluster=True,
            status="running",
            node_id="00000000000000a1",
            client_url="http://10.0.0.1:2379",
            peer_url="http://10.0.0.1:2380",
            e2d_version="0.1.0",
            etcd_version="3.5.16",
            cluster_id="c1",
            member_id="a1",
        )
        self.assertEqual(report.members, (expected,))
        self.assertEqual((report.for_seconds, report.left_out), (60.0, 0))

    def test_not_in_the_ring(self) -> None:
        """Who does not gossip knows of no members: that is not "there are none"."""
        nowhere = evolve(view(), members=None, since=None, problem="no port: free it")
        report = ring_report(nowhere, NOW, LOCAL)
        self.assertEqual(
            (report.members, report.ranks, report.for_seconds, report.problem),
            (None, None, None, "no port: free it"),
        )

    def test_order(self) -> None:
        """This node first, then those alive, by name; who said good-bye comes last."""
        told = view(
            member("n0", Rank.LEFT),
            member("n1", Rank.SUSPECT),
            member("n2", Rank.DEPARTED),
            member("n3", Rank.DEAD),
            member("n4", Rank.SUSPECT),
            member("n5"),
            member("n6"),
        )
        report = ring_report(told, NOW, LOCAL)
        names = [each.name for each in report.members or ()]
        self.assertEqual(names, ["n1", "n5", "n6", "n4", "n3", "n2", "n0"])

    def test_ranks(self) -> None:
        """Each rank is counted, the empty ones too."""
        told = view(member("n1"), member("n2"), member("n3", Rank.LEFT))
        self.assertEqual(
            ring_report(told, NOW, LOCAL).ranks,
            {
                Rank.ALIVE: 2,
                Rank.SUSPECT: 0,
                Rank.DEAD: 0,
                Rank.DEPARTED: 0,
                Rank.LEFT: 1,
            },
        )

    def test_original(self) -> None:
        """A node of the original is told as one: of whose cluster, it does not say."""
        said = OriginalDigest(
            name=NodeName("o1"),
            client_url="http://10.0.0.9:2379",
            peer_url="http://10.0.0.9:2380",
            status=NodeStatus.PENDING,
        )
        told = self.only(member("o1", digest=said))
        self.assertEqual(
            (told.kind, told.status, told.own_cluster, told.peer_url, told.e2d_version),
            ("original", "pending", None, "http://10.0.0.9:2380", None),
        )

    def test_unreadable(self) -> None:
        """So is one that speaks in tongues, with the reason."""
        told = self.only(member("x", digest=UnreadableDigest(reason="of version 9")))
        self.assertEqual(
            (told.kind, told.unreadable, told.status, told.own_cluster),
            ("unreadable", "of version 9", None, None),
        )

    def test_silent(self) -> None:
        """And one that says nothing."""
        self.assertEqual(self.only(member("x")).kind, "silent")

    def test_unknown_status(self) -> None:
        """A word of a newer version is not known, and nothing else is lost."""
        said = evolve(digest(), status=None, data=None, etcd_version=None)
        told = self.only(member("x", digest=said))
        self.assertEqual((told.status, told.kind), (None, "e2d"))
        self.assertEqual(
            (told.cluster_id, told.member_id, told.etcd_version), (None, None, None)
        )

    def test_other_cluster(self) -> None:
        """A node of another cluster is told as such."""
        told = self.only(member("b1", digest=digest("blue")))
        self.assertIs(told.own_cluster, False)

    def test_own_cluster_not_known(self) -> None:
        """Nobody is of another cluster for a node that does not know itself yet."""
        told = view(member("b1", digest=digest("blue")))
        (other,) = ring_report(told, NOW, None).members or ()
        self.assertEqual((other.own_cluster, other.local), (None, False))

    def test_flood(self) -> None:
        """A report has an end; it counts all, and leaves this node in."""
        many = [member(f"a{number:04}") for number in range(MEMBERS_REPORTED + 2)]
        report = ring_report(view(*many, member("n1")), NOW, LOCAL)
        assert report.members is not None and report.ranks is not None
        self.assertEqual(len(report.members), MEMBERS_REPORTED)
        self.assertTrue(report.members[0].local)
        self.assertEqual(report.left_out, 3)
        self.assertEqual(report.ranks[Rank.ALIVE], MEMBERS_REPORTED + 3)

    def test_time_is_never_negative(self) -> None:
        """A view that is newer than the report's clock is of now."""
        report = ring_report(view(member("n1")), NOW - 100, LOCAL)
        (told,) = report.members or ()
        self.assertEqual((report.for_seconds, told.for_seconds), (0.0, 0.0))

    def test_the_rest(self) -> None:
        """Clashes, unmet addresses and health are passed on."""
        clash = NameClash(
            name=NodeName("n2"),
            held=Address("10.0.0.2", 7980),
            claimed=Address("fd00::7", 7980),
            ours=False,
            last=NOW - 5,
        )
        told = evolve(
            view(),
            clashes=(clash,),
            unmet=(Address("n9", 7980),),
            health_score=2,
            queue_length=4,
            encrypted=False,
        )
        report = ring_report(told, NOW, LOCAL)
        self.assertEqual(
            report.clashes,
            (
                RingClash(
                    name="n2",
                    held="10.0.0.2:7980",
                    claimed="[fd00::7]:7980",
                    ours=False,
                    seconds_ago=5.0,
                ),
            ),
        )
        self.assertEqual(report.unmet, ("n9:7980",))
        self.assertEqual(
            (report.health_score, report.queue_length, report.encrypted), (2, 4, False)
        )


class SameClusterTests(SynchronousTestCase):
    """`same_cluster`."""

    def test_name(self) -> None:
        """Another name is another cluster, whatever the lineage."""
        self.assertFalse(same_cluster(mark_cluster("a", "l1"), mark_cluster("b", "l1")))

    def test_lineage(self) -> None:
        """So is another lineage: two clusters may have one name."""
        self.assertFalse(same_cluster(mark_cluster("a", "l1"), mark_cluster("a", "l2")))
        self.assertTrue(same_cluster(mark_cluster("a", "l1"), mark_cluster("a", "l1")))

    def test_no_lineage(self) -> None:
        """A node that has none yet goes by the name."""
        self.assertTrue(same_cluster(mark_cluster("a", None), mark_cluster("a", "l1")))
        self.assertTrue(same_cluster(mark_cluster("a", "l1"), mark_cluster("a", None)))


class WarningsTests(SynchronousTestCase):
    """`ring_warnings`."""

    CLASH = NameClash(
        name=LOCAL,
        held=Address("10.0.0.1", 7980),
        claimed=Address("10.0.0.8", 7980),
        ours=True,
        last=NOW,
    )

    def test_well(self) -> None:
        """Nothing is warned of a ring that is well, nor of none."""
        self.assertEqual(ring_warnings(ring_report(view(), NOW, LOCAL)), ())
        self.assertEqual(ring_warnings(None), ())

    def test_problem(self) -> None:
        """That this node does not gossip is."""
        report = ring_report(evolve(view(), problem="no port: free it"), NOW, LOCAL)
        self.assertEqual(ring_warnings(report), ("no port: free it",))

    def test_own_name(self) -> None:
        """So is another node of our name, with its address and what to do."""
        report = ring_report(evolve(view(), clashes=(self.CLASH,)), NOW, LOCAL)
        (warning,) = ring_warnings(report)
        self.assertIn("at 10.0.0.8:7980, claims the name n1", warning)
        self.assertIn("overrideName", warning)

    def test_names_of_others(self) -> None:
        """Others' names are theirs to put right."""
        clash = evolve(self.CLASH, ours=False)
        report = ring_report(evolve(view(), clashes=(clash,)), NOW, LOCAL)
        self.assertEqual(ring_warnings(report), ())
