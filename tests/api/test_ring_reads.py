"""Tests of `e2d.api.ring_document` and `e2d.api.ring_metrics`, through HTTP."""

from __future__ import annotations

from attrs import evolve

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from e2d.api.channel import ApiSite
from e2d.api.reads import Reads
from e2d.api.resources import Root, read_pages
from e2d.cluster.ring_report import RingClash, RingReport
from e2d.model import Rank
from e2d.testing.daemon import FakeDaemon, gossiping_report, ring_member, serving_report
from tests.api.exchange import ask

SUSPECT = ring_member("n2", Rank.SUSPECT, 4.0)
ORIGINAL = evolve(
    ring_member("o9"), kind="original", own_cluster=None, node_id=None, e2d_version=None
)


class RingReadsTests(SynchronousTestCase):
    """What HTTP tells of the gossip ring."""

    def setUp(self) -> None:
        """Given a node in a ring with a suspect and an original."""
        self.daemon = FakeDaemon(gossiping_report(ORIGINAL, SUSPECT))
        root = Root(read_pages(Reads(self.daemon).by_path()))
        self.site = ApiSite(root, Clock())

    def status(self) -> object:
        """The ring in the status."""
        return ask(self.site, "GET", "/status").document["gossip"]

    def samples(self) -> dict[str, str]:
        """The metrics of the ring."""
        lines = ask(self.site, "GET", "/metrics").body.decode().splitlines()
        found = [line.rsplit(" ", 1) for line in lines if line.startswith("e2d_gossip")]
        return {name: value for name, value in found if "_created" not in name}

    def change(self, ring: RingReport) -> None:
        """Let the daemon tell of another ring."""
        self.daemon.current = evolve(self.daemon.current, ring=ring)

    @property
    def ring(self) -> RingReport:
        """What the daemon tells of."""
        assert self.daemon.current.ring is not None
        return self.daemon.current.ring

    def test_whole(self) -> None:
        """The names and forms of the ring do not change unnoticed."""
        self.change(
            evolve(
                self.ring,
                members=(SUSPECT,),
                unmet=("n7:7980",),
                clashes=(
                    RingClash(
                        name="n3",
                        held="10.0.0.3:7980",
                        claimed="10.0.0.8:7980",
                        ours=False,
                        seconds_ago=5.0,
                    ),
                ),
            )
        )
        self.assertEqual(
            self.status(),
            {
                "problem": None,
                "for_seconds": 131.0,
                "encrypted": True,
                "ranks": {
                    "alive": 2,
                    "suspect": 1,
                    "dead": 0,
                    "left": 0,
                    "departed": 0,
                },
                "members": [
                    {
                        "name": "n2",
                        "local": False,
                        "address": "10.0.0.2:7980",
                        "rank": "suspect",
                        "for_seconds": 4.0,
                        "incarnation": 2,
                        "kind": "e2d",
                        "unreadable": None,
                        "own_cluster": True,
                        "status": "pending",
                        "node_id": "00000000000000n2",
                        "client_url": "http://10.0.0.2:2379",
                        "peer_url": "http://10.0.0.2:2380",
                        "e2d_version": "0.1.0",
                        "etcd_version": None,
                        "cluster_id": None,
                        "member_id": None,
                    }
                ],
                "left_out": 0,
                "unmet": ["n7:7980"],
                "clashes": [
                    {
                        "name": "n3",
                        "held": "10.0.0.3:7980",
                        "claimed": "10.0.0.8:7980",
                        "ours": False,
                        "seconds_ago": 5.0,
                    }
                ],
                "health_score": 0,
                "queue_length": 0,
                "traffic": {
                    "packets_in": 120,
                    "packets_out": 130,
                    "bytes_in": 12000,
                    "bytes_out": 13000,
                    "packets_dropped": {"label": 3, "early": 1},
                    "streams_in": 4,
                    "streams_out": 5,
                    "streams_failed": {"timeout": 2},
                    "suspicions": 1,
                    "refutations": 0,
                },
            },
        )

    def test_none(self) -> None:
        """Of a node that is in no ring nothing is told: no member, no sample."""
        self.daemon.current = serving_report()
        self.assertIsNone(self.status())
        self.assertEqual(self.samples(), {})

    def test_not_listening(self) -> None:
        """While it does not gossip, who is in the ring is not known: null, not none."""
        self.change(evolve(self.ring, for_seconds=None, members=None, ranks=None))
        document = ask(self.site, "GET", "/status").document["gossip"]
        self.assertEqual((document["members"], document["ranks"]), (None, None))
        samples = self.samples()
        self.assertEqual(samples["e2d_gossip_listening"], "0.0")
        self.assertEqual([each for each in samples if "members" in each], [])
        self.assertNotIn("e2d_gossip_unmet_seeds", samples)

    def test_metrics(self) -> None:
        """Every metric, and the empty ranks too."""
        self.change(
            evolve(self.ring, unmet=("n7:7980",), health_score=2, queue_length=7)
        )
        self.assertEqual(
            self.samples(),
            {
                "e2d_gossip_listening": "1.0",
                "e2d_gossip_packets_in_total": "120.0",
                "e2d_gossip_packets_out_total": "130.0",
                "e2d_gossip_bytes_in_total": "12000.0",
                "e2d_gossip_bytes_out_total": "13000.0",
                "e2d_gossip_streams_in_total": "4.0",
                "e2d_gossip_streams_out_total": "5.0",
                "e2d_gossip_suspicions_total": "1.0",
                "e2d_gossip_refutations_total": "0.0",
                'e2d_gossip_packets_dropped_total{reason="early"}': "1.0",
                'e2d_gossip_packets_dropped_total{reason="label"}': "3.0",
                'e2d_gossip_streams_failed_total{reason="timeout"}': "2.0",
                'e2d_gossip_members{rank="alive"}': "2.0",
                'e2d_gossip_members{rank="suspect"}': "1.0",
                'e2d_gossip_members{rank="dead"}': "0.0",
                'e2d_gossip_members{rank="left"}': "0.0",
                'e2d_gossip_members{rank="departed"}': "0.0",
                "e2d_gossip_health_score": "2.0",
                "e2d_gossip_queue_length": "7.0",
                "e2d_gossip_unmet_seeds": "1.0",
                "e2d_gossip_name_clashes": "0.0",
            },
        )
