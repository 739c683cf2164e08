"""A script as ``etcd.binary`` that runs etcd as its child."""

from __future__ import annotations

import os
import signal

from tests.integration.daemon import Daemon, DaemonTestCase
from tests.integration.etcds import EtcdLine
from tests.integration.lines import on_each_line
from tests.integration.load import Gateway
from tests.integration.watching import is_running, until


@on_each_line
class WrapperTests(DaemonTestCase):
    """Whatever ends the script ends etcd too, and only then is etcd started again."""

    def wrapped(self, etcd: EtcdLine) -> Daemon:
        """A node whose etcd is the child of a script, serving."""
        node = self.daemon(etcd)
        wrapper = node.root / "wrapper"
        wrapper.write_text(f'#!/bin/sh\n{etcd.binary("etcd")} "$@"\nexit $?\n')
        wrapper.chmod(0o755)
        node.configure(etcd={"binary": str(wrapper)})
        node.serve()
        self.assertEqual(len(node.etcds()), 2)
        Gateway(node.client).put("kept", "yes")
        return node

    def succeeded(self, node: Daemon, before: list[int]) -> None:
        """Nothing of what ran before is left, and etcd serves again."""
        self.assertEqual([pid for pid in before if is_running(pid)], [])
        node.wait_ready()
        self.assertEqual(len(node.etcds()), 2)
        self.assertEqual(Gateway(node.client).get("kept"), "yes")

    def test_restart(self, etcd: EtcdLine) -> None:
        """``e2d restart`` ends the script and etcd, be they adopted or not."""
        node = self.wrapped(etcd)
        for adopted in (False, True):
            if adopted:
                node.kill()
                node.serve()
                self.assertTrue(node.status()["etcd"]["adopted"])
            before = node.etcds()
            done = node.e2d("restart", "--yes")
            self.assertEqual((done.code, done.err), (0, ""))
            self.succeeded(node, before)

    def test_killed(self, etcd: EtcdLine) -> None:
        """An etcd whose script was killed is ended before another is started."""
        node = self.wrapped(etcd)
        before = node.etcds()
        os.kill(node.status()["etcd"]["pid"], signal.SIGKILL)
        until("both are gone", lambda: not any(map(is_running, before)))
        node.wait_status("another", lambda status: status["etcd"]["starts"] == 2)
        node.wait_ready()
        self.assertEqual(len(node.etcds()), 2)

    def test_killed_meanwhile(self, etcd: EtcdLine) -> None:
        """An etcd whose script was killed without e2d is adopted alone, and ended."""
        node = self.wrapped(etcd)
        script = node.status()["etcd"]["pid"]
        node.kill()
        os.kill(script, signal.SIGKILL)
        until("the script is gone", lambda: not is_running(script))
        node.serve()
        before = node.etcds()
        self.assertEqual(before, [node.status()["etcd"]["pid"]])
        self.assertEqual(node.e2d("restart", "--yes").code, 0)
        self.succeeded(node, before)
