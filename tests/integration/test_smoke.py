"""
The promises of a single node on real processes, each in a few seconds.

`make test` runs this file: it stays below a minute.
"""

from __future__ import annotations

import json
import signal
import time

from tests.integration.daemon import DaemonTestCase
from tests.integration.etcds import EtcdLine
from tests.integration.lines import on_each_line
from tests.integration.load import Gateway
from tests.integration.watching import is_running, until

HEALTHY = '{"alive": true, "reason": null}\n'


@on_each_line
class SmokeTests(DaemonTestCase):
    """What a newcomer does in the first hour."""

    def test_serves_on_an_empty_directory(self, etcd: EtcdLine) -> None:
        """An empty directory becomes an etcd that takes and gives keys."""
        node = self.serving(etcd)
        self.assertEqual(node.etcdctl("put", "greeting", "hello").out, "OK\n")
        read = node.etcdctl("get", "greeting", "--print-value-only")
        self.assertEqual((read.code, read.out), (0, "hello\n"))
        self.assertEqual(sorted(each.name for each in node.data.iterdir()),
                         ["e2d", "member"])  # fmt: skip
        self.assertEqual(node.data.stat().st_mode & 0o777, 0o700)

    def test_status_tells_the_truth(self, etcd: EtcdLine) -> None:
        """Pid, member id, version and revision are the ones that etcd has."""
        node = self.serving(etcd)
        node.etcdctl("put", "a", "1")
        theirs = json.loads(node.etcdctl("endpoint", "status", "-w", "json").out)
        theirs = theirs[0]["Status"]
        node.wait_status(
            "the revision is seen",
            lambda status: (
                status["cluster"]["member"]["revision"] == theirs["header"]["revision"]
            ),
        )
        shown = node.e2d("status", "--json")
        self.assertEqual((shown.code, shown.err), (0, ""))
        ours = json.loads(shown.out)
        self.assertTrue(ours["ready"])
        self.assertEqual(ours["node"]["pid"], node.running.pid)
        self.assertEqual(ours["etcd"]["state"], "serving")
        self.assertEqual(ours["etcd"]["pid"], node.etcd_pid())
        self.assertEqual(ours["etcd"]["version"], theirs["version"])
        self.assertFalse(ours["etcd"]["adopted"])
        self.assertEqual(ours["etcd"]["failures_in_a_row"], 0)
        member = ours["cluster"]["member"]
        member_id = f"{theirs['header']['member_id']:x}"
        self.assertEqual(member["member_id"], member_id)
        self.assertEqual(member["leader"], member_id)
        self.assertEqual(member["cluster_id"], f"{theirs['header']['cluster_id']:x}")
        self.assertEqual(member["revision"], theirs["header"]["revision"])
        (only,) = ours["cluster"]["members"]
        self.assertEqual(only["name"], ours["node"]["name"])
        self.assertEqual(only["client_urls"], [f"http://{node.endpoint}"])
        self.assertEqual(ours["cluster"]["alarms"], [])
        for_people = node.e2d("status")
        self.assertEqual(for_people.code, 0)
        self.assertIn(member_id, for_people.out)
        self.assertIn(theirs["version"], for_people.out)
        self.assertIn(str(node.etcd_pid()), for_people.out)

    def test_stops_cleanly_and_keeps_data(self, etcd: EtcdLine) -> None:
        """SIGTERM exits 0 within 5 s with etcd gone; the next start has it all."""
        node = self.serving(etcd)
        node.etcdctl("put", "kept", "yes")
        member_id = node.status()["cluster"]["member"]["member_id"]
        pid = node.etcd_pid()
        began = time.perf_counter()
        self.assertEqual(node.stop(), 0, node.log())
        self.assertLess(time.perf_counter() - began, 5)
        self.assertFalse(is_running(pid))
        self.assertEqual(node.remains(), [])
        node.serve()
        read = node.etcdctl("get", "kept", "--print-value-only")
        self.assertEqual(read.out, "yes\n")
        self.assertEqual(node.status()["cluster"]["member"]["member_id"], member_id)

    def test_w08_outlives_its_etcd(self, etcd: EtcdLine) -> None:
        """W-08: an etcd that is killed is back by itself, and e2d never exits."""
        node = self.serving(etcd)
        gateway = Gateway(node.client)
        gateway.put("before", "kept")
        killed = node.etcd_pid()
        node.kill_etcd()
        until("another etcd runs", lambda: set(node.etcds()) - {killed})
        node.wait_ready()
        self.assertTrue(node.alive)
        self.assertEqual(Gateway(node.client).get("before"), "kept")
        self.assertEqual(node.status()["etcd"]["starts"], 2)
        self.assertEqual(node.stop(signal.SIGTERM), 0)

    def test_answers_over_http(self, etcd: EtcdLine) -> None:
        """Each path of the API tells how it is, before etcd serves and after."""
        node = self.serving(etcd)
        self.assertEqual(node.get("/healthz"), (200, HEALTHY))
        code, body = node.get("/readyz")
        self.assertEqual((code, json.loads(body)["ready"]), (200, True))
        self.assertEqual(node.get("/status")[0], 200)
        code, metrics = node.get("/metrics")
        self.assertEqual(code, 200)
        self.assertIn('e2d_etcd_child_state{state="serving"} 1.0', metrics)
        self.assertIn("e2d_etcd_ready 1.0", metrics)
        # It is ready one turn before nothing is left to do.
        until("all is well", lambda: '"content"' in node.get("/decisions")[1])
        code, body = node.get("/decisions")
        reasons = [each["plan"]["kind"] for each in json.loads(body)["decisions"]]
        self.assertEqual((code, reasons[0], reasons[-1]), (200, "acting", "content"))
