"""Addresses that were changed while e2d was down and etcd ran on."""

from __future__ import annotations

from typing import Any

from tests.integration.daemon import Daemon, DaemonTestCase
from tests.integration.etcds import EtcdLine, free_ports
from tests.integration.lines import on_each_line
from tests.integration.load import Gateway
from tests.integration.watching import is_running


@on_each_line
class ChangedAddressTests(DaemonTestCase):
    """What e2d says is what is so, and ``e2d restart`` is what it advises."""

    def killed(self, etcd: EtcdLine) -> Daemon:
        """A node whose e2d was killed."""
        node = self.serving(etcd)
        Gateway(node.client).put("kept", "yes")
        node.kill()
        return node

    def test_clients(self, etcd: EtcdLine) -> None:
        """An etcd at the old ``clientAddr`` is said to be there, and not to start."""
        node = self.killed(etcd)
        before, old = node.etcd_pid(), node.client
        (node.client,) = free_ports(1)
        node.configure(clientAddr=node.endpoint)
        node.start()
        status = node.wait_status(
            "elsewhere", lambda status: status["plan"]["code"] == "E2D-H12"
        )
        self.assertEqual(status["etcd"]["client_url"], f"http://127.0.0.1:{old}")
        self.assertEqual(node.get("/readyz")[0], 503)
        shown = node.e2d("status")
        self.assertIn(f"at http://127.0.0.1:{old}, ", " ".join(shown.out.split()))
        self.assertIn("e2d restart", shown.out.partition("\n\n")[0])
        self.assertIn("What to do: e2d restart", node.log())
        self.assertTrue(is_running(before))
        done = node.e2d("restart", "--yes")
        self.assertEqual((done.code, done.err), (0, ""))
        node.wait_ready()
        self.assertEqual(Gateway(node.client).get("kept"), "yes")
        status = node.status()
        self.assertEqual(status["etcd"]["client_url"], f"http://{node.endpoint}")
        (member,) = status["cluster"]["members"]
        self.assertEqual(member["client_urls"], [f"http://{node.endpoint}"])

    def test_peers(self, etcd: EtcdLine) -> None:
        """An etcd at the old ``peerAddr`` serves, and after a restart is at the new."""
        node = self.killed(etcd)
        old = node.peer
        (node.peer,) = free_ports(1)
        node.configure(peerAddr=f"127.0.0.1:{node.peer}")
        node.serve()
        status = node.wait_status("all is well", _well)
        self.assertEqual(status["etcd"]["peer_url"], f"http://127.0.0.1:{old}")
        self.assertEqual(_peer_urls(status), [f"http://127.0.0.1:{old}"])
        said = node.wait_status("what differs", _warnings)
        self.assertIn("--listen-peer-urls", _warnings(said)[0])
        self.assertIn("(e2d restart)", _warnings(said)[0])
        self.assertIn("--listen-peer-urls", node.log())
        done = node.e2d("restart", "--yes")
        self.assertEqual((done.code, done.err), (0, ""))
        status = node.wait_status("all is well", _well)
        new = f"http://127.0.0.1:{node.peer}"
        self.assertEqual(status["etcd"]["peer_url"], new)
        self.assertEqual(_peer_urls(status), [new])
        self.assertEqual(_warnings(status), [])
        self.assertEqual(Gateway(node.client).get("kept"), "yes")


def _well(status: dict[str, Any]) -> bool:
    return bool(status["plan"]["kind"] == "content")


def _peer_urls(status: dict[str, Any]) -> list[str]:
    (member,) = status["cluster"]["members"]
    urls: list[str] = member["peer_urls"]
    return urls


def _warnings(status: dict[str, Any]) -> list[str]:
    return [each for each in status["warnings"] if "other settings" in each]
