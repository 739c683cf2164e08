"""Files of the original load and mean what they meant."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from e2d.config.choices import Compression, MetricsDetail
from e2d.config.values import Endpoint, Retention
from e2d.model import Address
from tests.config.loading import HOSTLESS, beta, loaded, refused, warned


def _here(port: int, host: str = "10.0.0.5") -> Endpoint:
    address = Address(host, port)
    return Endpoint(listen=address, advertise=address)


class DefaultsTests(SynchronousTestCase):
    """A file without a value has the original's."""

    def setUp(self) -> None:
        """A file that says nothing."""
        self.made = loaded("kind: Configuration")

    def test_version(self) -> None:
        """A file without apiVersion is the original's."""
        self.assertEqual("e2d.crit.sh/v1alpha1", self.made.api_version)

    def test_blank_head(self) -> None:
        """Blank apiVersion and kind are filled in."""
        self.assertEqual(self.made, loaded("apiVersion: ''\nkind:\n"))

    def test_node(self) -> None:
        """The data directory is ``data`` and the cluster has one member."""
        self.assertEqual("data", self.made.data_dir)
        self.assertEqual(1, self.made.required_cluster_size)
        self.assertIsNone(self.made.override_name)

    def test_addresses(self) -> None:
        """Client, peer and gossip are on the host's address and the usual ports."""
        self.assertEqual(_here(2379), self.made.client)
        self.assertEqual(_here(2380), self.made.peer)
        self.assertEqual(_here(7980), self.made.gossip)

    def test_no_tls(self) -> None:
        """There is no TLS and no leaf certificate."""
        self.assertFalse(self.made.tls)
        self.assertIsNone(self.made.certs.server)

    def test_times(self) -> None:
        """Health is checked each minute, eviction takes five, bootstrap thirty."""
        self.assertEqual(60.0, self.made.health_check_interval)
        self.assertEqual(300.0, self.made.evict_after)
        self.assertEqual(1800.0, self.made.discovery.bootstrap_timeout)

    def test_discovery(self) -> None:
        """Nobody is looked for, so nobody gossips."""
        self.assertEqual((), self.made.discovery.initial_peers)
        self.assertIsNone(self.made.discovery.type)
        self.assertEqual((), self.made.discovery.matches)
        self.assertFalse(self.made.gossip_ring.enabled)

    def test_snapshots(self) -> None:
        """No store; uncompressed, in the clear, each minute, one is kept."""
        snapshot = self.made.snapshot
        self.assertIsNone(snapshot.file)
        self.assertEqual(Compression.NONE, snapshot.compression)
        self.assertFalse(snapshot.encryption)
        self.assertEqual(60.0, snapshot.interval)
        self.assertEqual(Retention(last=1, hourly=0, daily=0), snapshot.retention)

    def test_etcd(self) -> None:
        """Pre-vote and fsync are on, compaction is off; gossip hides nothing (W-36)."""
        etcd = self.made.etcd
        self.assertEqual("error", etcd.log_level)
        self.assertEqual("info", self.made.memberlist_log_level)
        self.assertTrue(etcd.pre_vote)
        self.assertFalse(etcd.unsafe_no_fsync)
        self.assertEqual(0.0, etcd.compaction_interval)

    def test_metrics(self) -> None:
        """There is no metrics listener, and etcd's metrics are the basic ones."""
        self.assertIsNone(self.made.metrics)
        self.assertEqual(MetricsDetail.BASIC, self.made.etcd.metrics_detail)

    def test_members_join_as_voters(self) -> None:
        """Members join as voters, and no clean stop earns a longer seat."""
        self.assertFalse(self.made.membership.learners)
        self.assertEqual(300.0, self.made.membership.keep_seat)


class NewDefaultsTests(SynchronousTestCase):
    """The new defaults hold for the new version only."""

    def setUp(self) -> None:
        """A file that says nothing."""
        self.made = loaded(beta("kind: Configuration"))

    def test_history_is_compacted(self) -> None:
        """Five minutes of history are kept, so that the quota is not reached (W-48)."""
        self.assertEqual(300.0, self.made.etcd.compaction_interval)

    def test_snapshots(self) -> None:
        """Snapshots are compressed with zstd and kept for a week."""
        self.assertEqual(Compression.ZSTD, self.made.snapshot.compression)
        kept = Retention(last=10, hourly=24, daily=7)
        self.assertEqual(kept, self.made.snapshot.retention)

    def test_membership(self) -> None:
        """Members join as learners; a clean stop keeps the seat for half an hour."""
        self.assertTrue(self.made.membership.learners)
        self.assertEqual(1800.0, self.made.membership.keep_seat)


class RowsTests(SynchronousTestCase):
    """Every key of the original is read."""

    def test_data_dir(self) -> None:
        """``dataDir`` is taken as written."""
        self.assertEqual("./x y", loaded("dataDir: ./x y").data_dir)

    def test_sizes(self) -> None:
        """One, three and five members, as in the original, and up to nine."""
        seeds = "\ndiscovery: {initialPeers: ['10.0.0.6:7980']}"
        for size in (1, 3, 5, 7, 9):
            made = loaded(f"requiredClusterSize: {size}{seeds}")
            self.assertEqual(size, made.required_cluster_size)

    def test_zero_is_the_default(self) -> None:
        """Go can't tell 0 from nothing, so 0 and "" are nothing."""
        text = (
            "requiredClusterSize: 0\ndataDir: ''\nhealthCheckTimeout: 0s\n"
            "snapshot: {interval: 0s, file: ''}\nmetrics: {type: ''}\noverrideName: ''"
        )
        self.assertEqual(loaded("kind: Configuration"), loaded(text))

    def test_zero_is_not_a_name(self) -> None:
        """Where text is wanted, 0 is a mistake."""
        self.assertEqual(1, len(refused("overrideName: 0")))
        self.assertEqual(1, len(refused("requiredClusterSize: false")))

    def test_seeds_with_a_type(self) -> None:
        """With seeds the original did not ask the provider, whatever it lacked."""
        text = "discovery: {initialPeers: ['10.0.0.6:1'], type: aws/tags}"
        self.assertEqual([], refused(text))
        self.assertEqual(1, len(refused(beta(text))))

    def test_null_is_the_default(self) -> None:
        """A key without a value is as good as none."""
        text = "dataDir:\nclientAddr:\ndiscovery:\nmetrics: {addr: , type: }\ncaCert: ~"
        self.assertEqual(loaded("kind: Configuration"), loaded(text))

    def test_tls(self) -> None:
        """With ``caCert`` and ``caKey`` TLS is on, leaf files next to the CA's."""
        made = loaded("caCert: /pki/ca.crt\ncaKey: /pki/ca.key")
        self.assertTrue(made.tls)
        assert made.certs.server is not None
        assert made.certs.peer is not None
        assert made.certs.client is not None
        self.assertEqual("/pki/server.crt", made.certs.server.cert)
        self.assertEqual("/pki/peer.key", made.certs.peer.key)
        self.assertEqual("/pki/client.crt", made.certs.client.cert)

    def test_leaf_files_in_the_working_directory(self) -> None:
        """A bare file name has its leaf files beside it."""
        certs = loaded("caCert: ca.crt").certs
        assert certs.server is not None
        self.assertEqual("server.crt", certs.server.cert)

    def test_health_check_timeout(self) -> None:
        """``healthCheckTimeout`` is the old name of ``evictAfter``."""
        self.assertEqual(5400.0, loaded("healthCheckTimeout: 1h30m").evict_after)
        self.assertEqual(5400.0, loaded("evictAfter: 1h30m").evict_after)

    def test_health_check_interval(self) -> None:
        """``healthCheckInterval`` has a meaning now (W-26)."""
        made = loaded("healthCheckInterval: 1.5s")
        self.assertEqual(1.5, made.health_check_interval)

    def test_initial_peers(self) -> None:
        """Schemes are stripped, port 0 and empty hosts filled in, doubles dropped."""
        made = loaded(
            "discovery: {initialPeers: ['http://10.0.0.6:1', 'https://n2:7980', "
            "':7981', '10.0.0.7:0', '[2001:db8::1]:5', '10.0.0.6:1']}"
        )
        self.assertEqual(
            (
                Address("10.0.0.6", 1),
                Address("n2", 7980),
                Address("127.0.0.1", 7981),
                Address("10.0.0.7", 7980),
                Address("2001:db8::1", 5),
            ),
            made.discovery.initial_peers,
        )
        self.assertTrue(made.gossip_ring.enabled)

    def test_matches(self) -> None:
        """The README's ``matches`` and the code's ``extraArgs`` are one key."""
        tags = "{type: aws/tags, %s: {b: y, a: ''}}"
        readme = loaded("discovery: " + tags % "matches")
        code = loaded("discovery: " + tags % "extraArgs")
        self.assertEqual((("a", ""), ("b", "y")), readme.discovery.matches)
        self.assertEqual(readme, code)

    def test_unknown_type_is_none(self) -> None:
        """The original took an unknown type for none; now it is said."""
        text = "discovery: {type: aws/tag}"
        self.assertIsNone(loaded(text).discovery.type)
        self.assertEqual(
            [
                "test.yaml:1:19: `discovery.type`: `aws/tag` is not known and taken "
                "for none, did you mean `aws/tags`?"
            ],
            warned(text),
        )

    def test_discovery_without_seeds(self) -> None:
        """Discovery alone is enough for a cluster (W-11)."""
        text = "requiredClusterSize: 3\ndiscovery: {type: aws/autoscaling-group}"
        self.assertEqual("aws/autoscaling-group", loaded(text).discovery.type)

    def test_group_names_the_cluster(self) -> None:
        """A cluster is named after its autoscaling group."""
        text = "discovery: {type: aws/autoscaling-group, matches: {name: my-asg}}"
        self.assertEqual("my-asg", loaded(text).cluster_name)
        spaced = loaded(text.replace("my-asg", "'my group, 1'"))
        self.assertEqual("my-group--1", spaced.cluster_name)

    def test_compression(self) -> None:
        """``true`` is gzip, as the original compressed; all of YAML's words do."""
        for word in ("true", "yes", "on", "gzip"):
            made = loaded(f"snapshot: {{compression: {word}, file: 'file:///x'}}")
            self.assertEqual(Compression.GZIP, made.snapshot.compression)
        made = loaded("snapshot: {compression: off}")
        self.assertEqual(Compression.NONE, made.snapshot.compression)

    def test_role_session_name(self) -> None:
        """``snapshot.extraArgs.RoleSessionName`` is S3's."""
        text = "snapshot: {file: 's3://b', extraArgs: {RoleSessionName: x}}"
        self.assertEqual("x", loaded(text).snapshot.role_session_name)

    def test_metrics(self) -> None:
        """``metrics`` opens etcd's listener; ``type`` reaches etcd now (W-26)."""
        text = "metrics: {addr: ':4002', type: extensive, disableAuth: true}"
        made = loaded(text)
        assert made.metrics is not None
        self.assertEqual(_here(4002), made.metrics.endpoint)
        self.assertTrue(made.metrics.disable_auth)
        self.assertEqual(MetricsDetail.EXTENSIVE, made.etcd.metrics_detail)

    def test_metrics_port(self) -> None:
        """Without a port the metrics are on 4001."""
        made = loaded("metrics: {addr: {host: 127.0.0.1}}")
        assert made.metrics is not None
        self.assertEqual(Address("127.0.0.1", 4001), made.metrics.endpoint.listen)

    def test_capitalised_keys(self) -> None:
        """The keys that the original forgot to name are capitalised."""
        made = loaded(
            "EtcdLogLevel: INFO\nMemberlistLogLevel: debug\nDisablePreVote: y"
        )
        self.assertEqual("info", made.etcd.log_level)
        self.assertEqual("debug", made.memberlist_log_level)
        self.assertFalse(made.etcd.pre_vote)

    def test_compaction(self) -> None:
        """``compactionInterval`` is a duration."""
        made = loaded("compactionInterval: 100ms")
        self.assertEqual(0.1, made.etcd.compaction_interval)

    def test_no_fsync(self) -> None:
        """``unsafeNoFsync`` is passed on, with a warning."""
        self.assertTrue(loaded("unsafeNoFsync: true").etcd.unsafe_no_fsync)
        self.assertEqual(
            ["test.yaml:1:16: `unsafeNoFsync`: a power cut loses acknowledged writes"],
            warned("unsafeNoFsync: true"),
        )

    def test_override_name(self) -> None:
        """``overrideName`` is the member's name."""
        self.assertEqual("node-1", loaded("overrideName: node-1").override_name)


class UnspecifiedAddressTests(SynchronousTestCase):
    """The original's TestConfigUnspecifiedAddr, and what it got wrong."""

    def test_replaced(self) -> None:
        """An unspecified host is the host's address, in all five places."""
        made = loaded(
            "clientAddr: 0.0.0.0:1\npeerAddr: '[::]:2'\ngossipAddr: {port: 3}\n"
            "metrics: {addr: 0.0.0.0:4}\ndiscovery: {initialPeers: ['0.0.0.0:5']}"
        )
        self.assertEqual(_here(1), made.client)
        self.assertEqual(_here(2), made.peer)
        self.assertEqual(_here(3), made.gossip)
        assert made.metrics is not None
        self.assertEqual(_here(4), made.metrics.endpoint)
        self.assertEqual((Address("10.0.0.5", 5),), made.discovery.initial_peers)

    def test_explicit_addresses_need_no_host(self) -> None:
        """A host without an address may run on addresses that are given."""
        made = loaded("clientAddr: 127.0.0.1:1\npeerAddr: localhost:2", HOSTLESS)
        self.assertEqual(_here(1, "127.0.0.1"), made.client)
        self.assertEqual(_here(2, "localhost"), made.peer)

    def test_no_address(self) -> None:
        """What needs the host's address says so, place by place."""
        text = "clientAddr: 127.0.0.1:1\nmetrics: {addr: ':4001'}"
        self.assertEqual(
            [
                "test.yaml: `peerAddr` is on every address, but this host has none "
                "beyond loopback; write one, such as `127.0.0.1:2380`",
                "test.yaml:2:17: `metrics.addr` is on every address, but this host has "
                "none beyond loopback; write one, such as `127.0.0.1:4001`",
            ],
            refused(text, HOSTLESS),
        )
