"""Defects of the original, each with its number, that e2d must not have."""

from __future__ import annotations

import os
import signal
import socket
import time

from twisted.trial.unittest import SkipTest

from tests.integration.daemon import E2D, DaemonTestCase
from tests.integration.etcds import EtcdLine, free_ports
from tests.integration.lines import newest, on_each_line
from tests.integration.load import Gateway, GatewayError
from tests.integration.watching import get, until


@on_each_line
class DefectTests(DaemonTestCase):
    """One test a number; W-08 is among the smoke tests."""

    def test_w09_sigterm_and_sigint_stop_cleanly(self, etcd: EtcdLine) -> None:
        """Either signal stops etcd too, frees all ports and exits 0."""
        node = self.daemon(etcd)
        for number in (signal.SIGINT, signal.SIGTERM):
            node.serve()
            self.assertEqual(node.stop(number), 0, node.log())
            self.assertEqual(node.remains(), [])
            for port in (node.client, node.peer, node.api):
                self.assertFalse(_is_listening(port))

    def test_w09_twice_is_once(self, etcd: EtcdLine) -> None:
        """Asked again while it stops, e2d goes on stopping, and still exits 0."""
        node = self.serving(etcd)
        node.send(signal.SIGTERM)
        node.send(signal.SIGTERM)
        node.send(signal.SIGINT)
        self.assertEqual(node.wait(), 0, node.log())
        self.assertEqual(node.remains(), [])

    def test_w09_at_any_moment(self, etcd: EtcdLine) -> None:
        """SIGTERM before etcd is spawned, or before it serves, leaves nothing."""
        node = self.daemon(etcd)
        for moment in (node.lock_is_held, lambda: bool(node.etcds())):
            node.start()
            until("the moment", moment)
            # Until e2d is ready to hear of it, the signal itself ends it.
            self.assertIn(node.stop(), {0, -signal.SIGTERM}, node.log())
            self.assertEqual(node.remains(), [])
        node.serve()

    def test_w09_hung_etcd_does_not_hang_e2d(self, etcd: EtcdLine) -> None:
        """An etcd that does not end when told to is killed, within a bound."""
        if etcd != newest():
            raise SkipTest("it takes its time, and nothing in it depends on the line")
        node = self.serving(etcd)
        os.kill(node.etcd_pid(), signal.SIGSTOP)
        self.assertEqual(node.stop(), 0, node.log())
        self.assertEqual(node.remains(), [])
        node.serve()

    def test_w12_named_file_that_is_missing_is_an_error(self, etcd: EtcdLine) -> None:
        """Never a single node by mistake: exit code 2, one line, nothing started."""
        node = self.daemon(etcd)
        node.start("-c", str(node.root / "nothing.yaml"))
        self.assertEqual(node.wait(), 2)
        self.assertEqual(len(node.log().splitlines()), 1, node.log())
        self.assertIn("nothing.yaml", node.log())
        self.assertEqual(node.etcds(), [])

    def test_w12_reads_standard_input(self, etcd: EtcdLine) -> None:
        """``-c -`` is the documented here-document, and it is what is run."""
        node = self.daemon(etcd, overrideName="from-stdin")
        with node.config.open("rb") as text:
            node.start("-c", "-", stdin=text)
            node.wait_ready()
        self.assertEqual(node.status()["node"]["name"], "from-stdin")

    def test_w12_without_a_file_listens_on_loopback_only(self, etcd: EtcdLine) -> None:
        """A start without any configuration is not reachable from other hosts."""
        node = self.daemon(etcd)
        shown = node.run(*E2D, "config", "show")
        self.assertEqual(shown.code, 0, shown.err)
        for line in ("clientAddr: 127.0.0.1:2379", "peerAddr: 127.0.0.1:2380"):
            self.assertIn(line, shown.out.splitlines())
        self.assertNotIn("0.0.0.0", shown.out)  # noqa: S104 - it must not be there

    def test_w26_metrics_type_reaches_etcd(self, etcd: EtcdLine) -> None:
        """``metrics.type: extensive`` gives etcd's histograms of its own calls."""
        (port,) = free_ports(1)
        metrics = {"addr": f"127.0.0.1:{port}", "type": "extensive"}
        node = self.serving(etcd, metrics=metrics)
        Gateway(node.client).put("a", "1")
        self.assertEqual(node.etcd_arguments()["metrics"], "extensive")
        self.assertIn("grpc_server_handling_seconds_bucket", get(port, "/metrics")[1])

    def test_w26_health_check_interval_is_used(self, etcd: EtcdLine) -> None:
        """An etcd that hangs is noticed within a few of the configured intervals."""
        node = self.serving(etcd, healthCheckInterval="1s")
        pid = node.etcd_pid()
        os.kill(pid, signal.SIGSTOP)
        try:
            node.wait_status(
                "that etcd does not answer",
                lambda status: status["etcd"]["state"] == "not-answering",
            )
            self.assertEqual(node.get("/readyz")[0], 503)
        finally:
            os.kill(pid, signal.SIGCONT)
        node.wait_ready()
        self.assertEqual(node.etcd_pid(), pid)

    def test_w28_failed_start_leaves_nothing_and_recovers(self, etcd: EtcdLine) -> None:
        """While a port is taken nothing of etcd is left; once it is free, it serves."""
        node = self.daemon(etcd)
        with socket.create_server(("127.0.0.1", node.peer)):
            node.start()
            failed = node.wait_status(
                "that the port is in use", lambda status: status["etcd"]["problem"]
            )
            self.assertIn(f"127.0.0.1:{node.peer}", failed["etcd"]["problem"])
            self.assertEqual(node.etcds(), [])
            self.assertFalse(_is_listening(node.client))
            self.assertTrue(node.alive)
        node.wait_ready()

    def test_w35_debug_logging_exposes_nothing(self, etcd: EtcdLine) -> None:
        """``EtcdLogLevel: debug`` adds no profiler to the port of the clients."""
        node = self.serving(etcd, EtcdLogLevel="debug")
        for path in ("/debug/pprof/", "/debug/requests"):
            self.assertNotEqual(get(node.client, path)[0], 200, path)

    def test_w48_compacts_by_default(self, etcd: EtcdLine) -> None:
        """History is bounded: etcd is told to compact, every 5 minutes by default."""
        node = self.serving(etcd)
        arguments = node.etcd_arguments()
        self.assertEqual(arguments["auto-compaction-mode"], "periodic")
        self.assertEqual(arguments["auto-compaction-retention"], "300s")

    def test_w48_really_compacts(self, etcd: EtcdLine) -> None:
        """With a short interval old revisions are gone soon after."""
        node = self.serving(etcd, compactionInterval="2s")
        gateway = Gateway(node.client)
        first = gateway.put("key", "old")

        def compacted() -> bool:
            gateway.put("key", "new")
            time.sleep(0.2)
            try:
                gateway.call("/v3/kv/range", key="a2V5", revision=first)
            except GatewayError as error:
                return "compacted" in str(error)
            return False

        until("the first revision is compacted", compacted)

    def test_w48_full_quota_is_shown(self, etcd: EtcdLine) -> None:
        """The NOSPACE alarm is in status and metrics, with the member's id."""
        node = self.daemon(etcd)
        node.configure(
            etcd={"binary": etcd.binary("etcd"), "quotaBackendBytes": 4 * 1024 * 1024}
        )
        node.serve()
        gateway = Gateway(node.client)
        value = "x" * 1024 * 1024
        with self.assertRaises(GatewayError):
            for number in range(20):
                gateway.put(f"big/{number}", value)
        status = node.wait_status(
            "the alarm", lambda status: status["cluster"]["alarms"]
        )
        (alarm,) = status["cluster"]["alarms"]
        member_id = status["cluster"]["member"]["member_id"]
        self.assertEqual(alarm, {"member_id": member_id, "alarm": "NOSPACE"})
        line = f'e2d_etcd_alarm{{alarm="NOSPACE",member_id="{member_id}"}} 1.0'
        self.assertIn(line, node.get("/metrics")[1])
        self.assertIn("NOSPACE", node.e2d("status").out)


def _is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
