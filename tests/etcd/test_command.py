"""etcd's command line and environment."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from e2d.config.values import Endpoint, Metrics, MetricsDetail
from e2d.etcd.command import (
    TLSFiles,
    arguments,
    environment,
    settings_warnings,
)
from e2d.model import Address, EtcdStart, EtcdVersion, InitialState, NodeName
from tests.etcd.samples import START, endpoint, options, settings

V34 = EtcdVersion(3, 4, 23)
V35 = EtcdVersion(3, 5, 16)
V36 = EtcdVersion(3, 6, 14)
V37 = EtcdVersion(3, 7, 1)


def _flags(version: EtcdVersion = V35, **changes: object) -> dict[str, str]:
    pairs = (
        each.removeprefix("--").partition("=")
        for each in arguments(settings(**changes), START, version)
    )
    return {flag: value for flag, _, value in pairs}


class ArgumentsTests(SynchronousTestCase):
    """What is put on the command line."""

    def test_single_node(self) -> None:
        """The whole command line of a node with default settings."""
        self.assertEqual(
            arguments(settings(), START, V35),
            (
                "--name=n1",
                "--data-dir=/var/lib/e2d",
                "--listen-client-urls=http://127.0.0.1:2379",
                "--advertise-client-urls=http://127.0.0.1:2379",
                "--listen-peer-urls=http://127.0.0.1:2380",
                "--initial-advertise-peer-urls=http://127.0.0.1:2380",
                "--initial-cluster=n1=http://127.0.0.1:2380",
                "--initial-cluster-state=new",
                "--initial-cluster-token=f00d",
                "--metrics=basic",
                "--strict-reconfig-check=true",
                "--pre-vote=true",
                "--auto-compaction-mode=periodic",
                "--auto-compaction-retention=300s",
                "--logger=zap",
                "--log-outputs=stderr",
                "--log-level=error",
                "--experimental-initial-corrupt-check=true",
                "--experimental-compact-hash-check-enabled=true",
            ),
        )

    def test_existing_cluster(self) -> None:
        """Every initial member is named, in the order given."""
        start = EtcdStart(
            name=NodeName("b"),
            peers=(
                (NodeName("a"), "http://10.0.0.1:2380"),
                (NodeName("b"), "http://10.0.0.2:2380"),
            ),
            token="t",
            state=InitialState.EXISTING,
        )
        flags = arguments(settings(), start, V35)
        self.assertIn(
            "--initial-cluster=a=http://10.0.0.1:2380,b=http://10.0.0.2:2380", flags
        )
        self.assertIn("--initial-cluster-state=existing", flags)

    def test_loopback_beside_the_client_address(self) -> None:
        """Clients on the host find etcd on 127.0.0.1 whatever address it is given."""
        flags = _flags(client=endpoint("10.0.0.1", 2379))
        self.assertEqual(
            flags["listen-client-urls"], "http://10.0.0.1:2379,http://127.0.0.1:2379"
        )
        self.assertEqual(flags["advertise-client-urls"], "http://10.0.0.1:2379")

    def test_nothing_is_bound_twice(self) -> None:
        """An address that is loopback or every address is listened on alone."""
        everywhere = Endpoint(
            listen=Address("::", 2379), advertise=Address("10.0.0.1", 2379)
        )
        self.assertEqual(
            _flags(client=everywhere)["listen-client-urls"], "http://[::]:2379"
        )
        metrics = Metrics(endpoint=endpoint("127.0.0.1", 4001), disable_auth=False)
        flags = _flags(metrics=metrics)
        self.assertEqual(flags["listen-metrics-urls"], "http://127.0.0.1:4001")

    def test_ipv6(self) -> None:
        """IPv6 addresses have brackets."""
        flags = _flags(client=endpoint("fd00::1", 2379))
        self.assertEqual(
            flags["listen-client-urls"], "http://[fd00::1]:2379,http://127.0.0.1:2379"
        )

    def test_tls(self) -> None:
        """With certificates every listener speaks TLS and asks for certificates."""
        files = TLSFiles(ca="/pki/ca.crt", cert="/pki/x.crt", key="/pki/x.key")
        metrics = Metrics(endpoint=endpoint("10.0.0.1", 4001), disable_auth=False)
        flags = _flags(client_tls=files, peer_tls=files, metrics=metrics)
        self.assertEqual(flags["listen-client-urls"], "https://127.0.0.1:2379")
        self.assertEqual(flags["initial-advertise-peer-urls"], "https://127.0.0.1:2380")
        self.assertEqual(flags["trusted-ca-file"], "/pki/ca.crt")
        self.assertEqual(flags["client-cert-auth"], "true")
        self.assertEqual(flags["peer-cert-file"], "/pki/x.crt")
        self.assertEqual(flags["peer-key-file"], "/pki/x.key")
        self.assertEqual(flags["peer-client-cert-auth"], "true")
        self.assertEqual(
            flags["listen-metrics-urls"], "https://10.0.0.1:4001,https://127.0.0.1:4001"
        )

    def test_metrics_without_certificates(self) -> None:
        """``metrics.disableAuth`` makes that one listener plain."""
        files = TLSFiles(ca="a", cert="b", key="c")
        metrics = Metrics(endpoint=endpoint("10.0.0.1", 4001), disable_auth=True)
        flags = _flags(client_tls=files, metrics=metrics)
        self.assertTrue(flags["listen-metrics-urls"].startswith("http://"))

    def test_metrics_type(self) -> None:
        """``metrics.type`` reaches etcd."""
        detail = options(metrics_detail=MetricsDetail.EXTENSIVE)
        self.assertEqual(_flags(options=detail)["metrics"], "extensive")

    def test_pre_vote_in_every_line(self) -> None:
        """Pre-vote is asked for by name, also where it is not the default (3.4)."""
        for version in (V34, V35, V36, V37):
            self.assertEqual(_flags(version)["pre-vote"], "true")
            off = _flags(version, options=options(pre_vote=False))
            self.assertEqual(off["pre-vote"], "false")

    def test_compaction_has_a_unit(self) -> None:
        """The retention has a unit: a bare number would be hours."""
        day = _flags(options=options(compaction_interval=86400.0))
        self.assertEqual(day["auto-compaction-retention"], "86400s")
        odd = _flags(options=options(compaction_interval=1.5))
        self.assertEqual(odd["auto-compaction-retention"], "1500ms")

    def test_no_compaction_only_aloud(self) -> None:
        """Compaction is off only when asked for, and then every status warns."""
        off = settings(options=options(compaction_interval=0.0))
        self.assertIn("--auto-compaction-retention=0", arguments(off, START, V35))
        self.assertIn("compaction is off", settings_warnings(off)[0])
        self.assertEqual(settings_warnings(settings()), ())

    def test_no_fsync_warns(self) -> None:
        """``unsafeNoFsync`` is passed on, with a warning."""
        unsafe = settings(options=options(unsafe_no_fsync=True))
        self.assertIn("--unsafe-no-fsync=true", arguments(unsafe, START, V35))
        self.assertIn("power failure", settings_warnings(unsafe)[0])

    def test_no_profiler_by_way_of_the_log(self) -> None:
        """W-35: at level debug etcd 3.5 and later would serve ``/debug/pprof``."""
        debug = options(log_level="debug")
        self.assertEqual(_flags(V34, options=debug)["log-level"], "debug")
        for version in (V35, V36, V37):
            self.assertEqual(_flags(version, options=debug)["log-level"], "info")
        (warning,) = settings_warnings(settings(options=debug))
        self.assertIn("EtcdLogLevel", warning)

    def test_quota(self) -> None:
        """The quota is passed on if there is one."""
        self.assertNotIn("quota-backend-bytes", _flags())
        flags = _flags(options=options(quota_backend_bytes=1024))
        self.assertEqual(flags["quota-backend-bytes"], "1024")

    def test_no_experimental_flags_in_newer_lines(self) -> None:
        """3.6 and 3.7 get feature gates, and no flag that 3.7 does not know."""
        for version in (V36, V37):
            flags = _flags(version)
            self.assertEqual(
                flags["feature-gates"], "InitialCorruptCheck=true,CompactHashCheck=true"
            )
            self.assertEqual([each for each in flags if "experimental" in each], [])


class ExtraArgumentsTests(SynchronousTestCase):
    """``etcd.extraArgs``."""

    def test_come_last(self) -> None:
        """They are at the end, and win."""
        extra = options(
            extra_args=(
                ("snapshot-count", "5000"),
                ("experimental-initial-corrupt-check", "false"),
                ("enable-pprof", None),
            )
        )
        flags = arguments(settings(options=extra), START, V35)
        self.assertEqual(
            flags[-3:],
            (
                "--snapshot-count=5000",
                "--experimental-initial-corrupt-check=false",
                "--enable-pprof",
            ),
        )
        self.assertNotIn("--experimental-initial-corrupt-check=true", flags)

    def test_gates_are_merged(self) -> None:
        """A feature gate of the operator's joins ours and wins over it."""
        gates = "CompactHashCheck=false,StopGRPCServiceOnDefrag=true"
        flags = _flags(V36, options=options(extra_args=(("feature-gates", gates),)))
        self.assertEqual(
            flags["feature-gates"],
            "InitialCorruptCheck=true,CompactHashCheck=false,"
            "StopGRPCServiceOnDefrag=true",
        )

    def test_flags_that_became_gates(self) -> None:
        """An experimental flag written for 3.5 is a gate in 3.6, which refuses both."""
        extra = options(extra_args=(("experimental-enable-lease-checkpoint", "true"),))
        flags = _flags(V36, options=extra)
        self.assertIn("LeaseCheckpoint=true", flags["feature-gates"])
        self.assertNotIn("experimental-enable-lease-checkpoint", flags)

    def test_owned_flags(self) -> None:
        """A flag that e2d owns never gets this far."""
        stolen = settings(options=options(extra_args=(("data-dir", "/x"),)))
        self.assertRaises(AssertionError, arguments, stolen, START, V35)


class EnvironmentTests(SynchronousTestCase):
    """What etcd inherits."""

    def test_little_is_inherited(self) -> None:
        """Neither secrets, nor systemd's sockets, nor flags by environment."""
        inherited = {
            "PATH": "/usr/bin",
            "GOMAXPROCS": "2",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "NOTIFY_SOCKET": "/run/systemd/notify",
            "ETCD_NAME": "other",
        }
        self.assertEqual(
            environment(inherited, settings(), "cafe"),
            {"PATH": "/usr/bin", "GOMAXPROCS": "2", "E2D_LAUNCH": "cafe"},
        )

    def test_own_variables(self) -> None:
        """``etcd.env`` is added, and can't take the launch's id."""
        own = options(env=(("E2D_LAUNCH", "x"), ("GOGC", "50")))
        self.assertEqual(
            environment({"GOGC": "100"}, settings(options=own), "cafe"),
            {"GOGC": "50", "E2D_LAUNCH": "cafe"},
        )
