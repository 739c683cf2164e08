"""What must hold between keys."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from e2d.config import HostFacts
from e2d.config.choices import Compression
from tests.config.loading import beta, loaded, refused, warned

_SEEDS = "requiredClusterSize: 3\ndiscovery: {initialPeers: ['10.0.0.6:7980']}\n"


class SuggestionTests(SynchronousTestCase):
    """Slips of the pen."""

    def test_example(self) -> None:
        """A misspelt key is answered with the right one."""
        self.assertEqual(
            [
                "test.yaml:1:13: unknown key `discovery.intial`, did you mean "
                "`initialPeers`?"
            ],
            refused("discovery: {intial: []}"),
        )

    def test_no_consequences(self) -> None:
        """What follows from a mistake that was reported is not reported."""
        said = refused("requiredClusterSize: 3\ndiscovery: {intialPeers: []}")
        self.assertEqual(1, len(said))


class GossipTests(SynchronousTestCase):
    """Who gossips, and with which key."""

    def test_single_node(self) -> None:
        """A node alone does not gossip, and is not warned about its key."""
        self.assertFalse(loaded("dataDir: x").gossip_ring.enabled)
        self.assertEqual([], warned("dataDir: x"))

    def test_given_address(self) -> None:
        """A single node with a ``gossipAddr`` gossips (A10)."""
        self.assertTrue(loaded("gossipAddr: 10.0.0.5:1").gossip_ring.enabled)

    def test_no_key(self) -> None:
        """Gossip in the clear is said once."""
        self.assertEqual(
            [
                "test.yaml: gossip is not encrypted: whoever reaches it can steer the "
                "membership; give `caCert` and `caKey`, or `gossip.keys`"
            ],
            warned(_SEEDS),
        )

    def test_zero_key(self) -> None:
        """That the key of the original's 1.0 line is no secret is said (W-19)."""
        self.assertEqual(
            [
                "test.yaml: gossip is sealed with a key that is no secret: whoever "
                "reaches it can steer the membership; give `caCert` and `caKey`, or "
                "`gossip.keys`"
            ],
            warned(_SEEDS + "gossip: {compat: original}"),
        )
        (said,) = warned(_SEEDS + "gossip: {compat: original-0.4}")
        self.assertIn("gossip is not encrypted", said)

    def test_insecure_without_effect(self) -> None:
        """Where there is a key, asking for none is answered."""
        insecure = "caCert: ca.crt\ncaKey: ca.key\ngossip: {insecure: true}"
        self.assertEqual(
            [
                "test.yaml:5:20: `gossip.insecure` has no effect: a key is derived "
                "from the CA's"
            ],
            warned(_SEEDS + insecure),
        )

    def test_hexadecimal_key(self) -> None:
        """A key may be hexadecimal, in quotes where YAML would see a number."""
        made = loaded("gossip: {keys: ['" + "01" * 16 + "']}")
        self.assertEqual(["01" * 16], [key.reveal() for key in made.gossip_ring.keys])
        self.assertEqual(1, len(refused("gossip: {keys: [" + "01" * 16 + "]}")))

    def test_leaf_only_node(self) -> None:
        """TLS without the CA's key needs a gossip key, or consent (B12)."""
        leaf_only = _SEEDS + "caCert: ca.crt\n"
        self.assertEqual(1, len(refused(leaf_only)))
        self.assertEqual([], refused(leaf_only + "gossip: {insecure: true}"))
        self.assertEqual([], refused(leaf_only + "gossip: {keysFile: k}"))
        self.assertEqual(1, len(refused(leaf_only + "gossip: {compat: original}")))

    def test_label(self) -> None:
        """The label is the cluster's name; the original's ring has none (A20)."""
        named = "cluster: {name: blue}\n"
        self.assertEqual("blue", loaded(named).gossip_ring.label)
        original = loaded(named + "gossip: {compat: original}")
        self.assertIsNone(original.gossip_ring.label)


class WarningTests(SynchronousTestCase):
    """What is allowed, but not in silence."""

    def test_loopback_cluster(self) -> None:
        """A cluster on loopback addresses is for trying out."""
        said = warned(_SEEDS + "peerAddr: 127.0.0.1:2380")
        self.assertIn(
            "test.yaml:3:11: `peerAddr`: `127.0.0.1:2380` is loopback, so only nodes "
            "on this host reach it",
            said,
        )

    def test_relative_store(self) -> None:
        """A store whose URL lacks a slash is relative."""
        self.assertEqual(
            [
                "test.yaml:1:18: `snapshot.file`: `file://backup` is relative to the "
                "working directory; for an absolute path write `file:///backup`"
            ],
            warned("snapshot: {file: 'file://backup'}"),
        )

    def test_no_effect(self) -> None:
        """A setting that does nothing is named."""
        self.assertEqual(
            [
                "test.yaml:1:24: `snapshot.limitRate` has no effect without "
                "`snapshot.file`",
                "test.yaml:2:24: `metrics.disableAuth` has no effect without "
                "`metrics.addr`",
                "test.yaml:3:19: `discovery.name` has no effect without "
                "`discovery.type: dns`",
            ],
            warned(
                "snapshot: {limitRate:  1MiB}\nmetrics: {disableAuth: true}\n"
                "discovery: {name: x}"
            ),
        )

    def test_open_api(self) -> None:
        """An API beyond loopback is said to be open."""
        self.assertEqual(
            [
                "test.yaml:1:13: `api.addr`: `0.0.0.0:7981` is open to the network; "
                "`127.0.0.1:7981` is not"
            ],
            warned("api: {addr: '0.0.0.0:7981'}"),
        )

    def test_spares(self) -> None:
        """More than one spare needs a newer etcd (B7)."""
        self.assertEqual(
            ["test.yaml:1:22: `membership.spares` above 1 needs etcd 3.6 or newer"],
            warned("membership: {spares: 2}"),
        )


class VersionTests(SynchronousTestCase):
    """What differs between the versions, besides defaults."""

    def test_compression(self) -> None:
        """``true`` is zstd in the new version."""
        made = loaded(beta("snapshot: {compression: true}"))
        self.assertEqual(Compression.ZSTD, made.snapshot.compression)

    def test_unknown_type(self) -> None:
        """An unknown provider is an error in the new version."""
        self.assertEqual(1, len(refused(beta("discovery: {type: consul}"))))

    def test_plugin(self) -> None:
        """A provider that a plugin adds is known."""
        host = HostFacts(host_ip="10.0.0.5", discovery_types=("consul",))
        made = loaded(beta("discovery: {type: consul}"), host)
        self.assertEqual("consul", made.discovery.type)

    def test_additions_in_old_files(self) -> None:
        """New keys work in files of the original."""
        made = loaded("membership: {keepSeat: 1h}")
        self.assertEqual(3600.0, made.membership.keep_seat)
