"""What e2d makes of an etcd that serves and refuses: no right, no room."""

from __future__ import annotations

import json
from typing import Any

from tests.integration.daemon import Daemon, DaemonTestCase
from tests.integration.etcds import EtcdLine
from tests.integration.lines import on_each_line


def code(status: dict[str, Any]) -> str | None:
    """Why it waits."""
    found: str | None = status["plan"]["code"]
    return found


def is_content(status: dict[str, Any]) -> bool:
    """Whether nothing is left to do."""
    return bool(status["plan"]["kind"] == "content")


@on_each_line
class AuthTests(DaemonTestCase):
    """B15: an operator switches etcd's own users on."""

    def with_auth(self, etcd: EtcdLine) -> Daemon:
        """A node whose etcd wants to know who asks, and which was not told."""
        node = self.serving(etcd, healthCheckInterval="1s")
        node.wait_status("all is well", is_content)
        for words in (
            "user add root:secret",
            "user grant-role root root",
            "user add nobody:secret",
            "auth enable",
        ):
            done = node.etcdctl(*words.split())
            self.assertEqual(done.code, 0, done.err)
        return node

    def assert_denied(self, node: Daemon, words: str) -> None:
        """It is the headline, there is a metric, and clients are served."""
        status = node.wait_status("W11", lambda status: code(status) == "E2D-W11")
        self.assertEqual(status["etcd"]["state"], "serving")
        self.assertIn(words, status["cluster"]["denied"])
        first = node.e2d("status").out.splitlines()[0]
        self.assertIn("serving, but (E2D-W11): ", first)
        self.assertEqual(node.get("/readyz")[0], 200)
        self.assertIn("\ne2d_etcd_denied 1.0\n", node.get("/metrics")[1])

    def assert_well(self, node: Daemon) -> None:
        """Nothing is refused."""
        node.wait_status("all is well", is_content)
        self.assertIn("\ne2d_etcd_denied 0.0\n", node.get("/metrics")[1])

    def test_not_logged_in(self, etcd: EtcdLine) -> None:
        """Without a user it is told at once, and after every start of e2d or etcd."""
        node = self.with_auth(etcd)
        self.assert_denied(node, "user name is empty")
        node.kill()
        node.start()
        self.assert_denied(node, "user name is empty")
        self.assertEqual(node.stop(), 0)
        node.start()
        self.assert_denied(node, "user name is empty")

    def test_no_such_role(self, etcd: EtcdLine) -> None:
        """A user without the role is told, and the way out is the one that is named."""
        node = self.with_auth(etcd)
        self.assertEqual(node.stop(), 0)
        binary = etcd.binary("etcd")
        self.log_in(node, binary, user="nobody", password="secret")
        self.assert_denied(node, "permission denied")
        node.kill()
        self.log_in(node, binary, user="root", password="secret")
        self.assert_well(node)

    def test_wrong_password(self, etcd: EtcdLine) -> None:
        """So is one whose password is another."""
        node = self.with_auth(etcd)
        self.assertEqual(node.stop(), 0)
        self.log_in(node, etcd.binary("etcd"), user="root", password="wrong")
        self.assert_denied(node, "authentication failed")

    def log_in(self, node: Daemon, binary: str, **auth: str) -> None:
        """Start e2d as a user of etcd's."""
        node.configure(etcd={"binary": binary, "auth": auth})
        node.start()


@on_each_line
class AlarmTests(DaemonTestCase):
    """The database reaches its quota."""

    def test_full(self, etcd: EtcdLine) -> None:
        """Told as the headline while it lasts; reads go on, and so does readiness."""
        node = self.daemon(etcd)
        small = {"binary": etcd.binary("etcd"), "quotaBackendBytes": "2Mi"}
        node.configure(etcd=small)
        node.serve()
        for number in range(40):
            if node.etcdctl("put", f"big-{number}", "x" * 100_000).code:
                break
        node.wait_status("W12", lambda status: code(status) == "E2D-W12")
        first = node.e2d("status").out.splitlines()[0]
        self.assertIn("serving, but (E2D-W12): etcd takes no writes", first)
        ready = node.get("/readyz")
        self.assertEqual(ready[0], 200)
        self.assertIs(json.loads(ready[1])["writable"], False)
        self.assertEqual(node.etcdctl("get", "big-0", "--keys-only").out, "big-0\n\n")
