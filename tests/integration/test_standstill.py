"""A16: an e2d that did not run for a while blames nobody for it."""

from __future__ import annotations

import signal
import time

from tests.integration.daemon import DaemonTestCase
from tests.integration.lines import newest
from tests.integration.watching import until

STANDSTILL_SECONDS = 5.0


class StandstillTests(DaemonTestCase):
    """SIGSTOP and SIGCONT, as a paused virtual machine is."""

    def test_etcd_is_left_alone(self) -> None:
        """Neither health checks nor the loop hold the time against etcd or e2d."""
        node = self.serving(newest())
        before = node.etcd_pid()
        node.send(signal.SIGSTOP)
        time.sleep(STANDSTILL_SECONDS)
        node.send(signal.SIGCONT)
        until("e2d says so", lambda: "e2d stood still for" in node.log())
        self.assertEqual(node.get("/healthz")[0], 200)
        self.assertEqual(node.get("/readyz")[0], 200)
        self.assertEqual(node.etcd_pid(), before)
        self.assertNotIn("does not answer", node.log())
        self.assertEqual(node.stop(), 0)
