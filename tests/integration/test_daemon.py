"""The daemon as its operators and its service manager see it."""

from __future__ import annotations

import json
import os
import signal
import socket
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from twisted.trial.unittest import SkipTest

from tests.etcd.original import CLUSTER_ID, MEMBER_ID, NAME, unpack
from tests.integration.daemon import TWISTD, Daemon, DaemonTestCase
from tests.integration.etcds import EtcdLine, find_lines
from tests.integration.lines import number, on_each_line
from tests.integration.load import Gateway
from tests.integration.watching import get, is_running, until

FIXTURES = Path(__file__).parents[1] / "fixtures" / "original"


@on_each_line
class PauseTests(DaemonTestCase):
    """``e2d pause``, ``resume``, ``restart``, ``why``: through the control socket."""

    def test_observing_founds_nothing_until_resumed(self, etcd: EtcdLine) -> None:
        """Born paused, an empty directory stays empty until a person resumes."""
        node = self.daemon(etcd, recovery={"observe": True})
        node.start()
        node.wait_status(
            "the pause", lambda status: status["plan"]["code"] == "E2D-W07"
        )
        self.assertEqual(node.etcds(), [])
        self.assertFalse((node.data / "member").exists())
        self.assertEqual(node.e2d("resume").code, 0)
        node.wait_ready()

    def test_pause_survives_a_restart(self, etcd: EtcdLine) -> None:
        """
        A pause is on disk: the next e2d knows it, who made it and why, until it ends.

        Local data is served all the same.
        """
        node = self.serving(etcd)
        paused = node.e2d("pause", "--for", "2h", "--reason", "new disks")
        self.assertEqual(paused.code, 0, paused.err)
        self.assertEqual(node.stop(), 0)
        node.serve()
        pause = node.status()["pause"]
        self.assertEqual(
            (pause["by"], pause["reason"]), (f"uid {os.geteuid()}", "new disks")
        )
        self.assertEqual(node.e2d("resume").code, 0)
        node.wait_status("no pause", lambda status: status["pause"] is None)
        self.assertEqual(node.stop(), 0)
        node.serve()
        self.assertIsNone(node.status()["pause"])

    def test_restart_keeps_data(self, etcd: EtcdLine) -> None:
        """``e2d restart`` gives another etcd on the same data, be it adopted or not."""
        node = self.serving(etcd)
        Gateway(node.client).put("kept", "yes")
        for adopted in (False, True):
            if adopted:
                node.kill()
                node.serve()
                self.assertTrue(node.status()["etcd"]["adopted"])
            before = node.etcd_pid()
            done = node.e2d("restart", "--yes")
            self.assertEqual((done.code, done.err), (0, ""))
            self.assertNotEqual(node.etcd_pid(), before)
            self.assertFalse(is_running(before))
            self.assertEqual(Gateway(node.client).get("kept"), "yes")
            self.assertFalse(node.status()["etcd"]["adopted"])

    def test_why_shows_the_decisions(self, etcd: EtcdLine) -> None:
        """``e2d why`` tells what was decided, from what, and what came of it."""
        node = self.serving(etcd)
        # It is ready one turn before nothing is left to do.
        until("all is well", lambda: '"content"' in node.get("/decisions")[1])
        told = json.loads(node.e2d("why", "--json").out)["decisions"]
        self.assertEqual(told[0]["plan"]["kind"], "acting")
        self.assertEqual(told[0]["outcome"], "done")
        self.assertEqual(told[-1]["plan"]["reason"], "etcd serves with quorum")
        shown = node.e2d("why")
        self.assertEqual(shown.code, 0)
        self.assertIn("etcd serves with quorum", shown.out)

    def test_nobody_there(self, etcd: EtcdLine) -> None:
        """Without a daemon each command exits 3, with one line that says so."""
        node = self.daemon(etcd)
        for command in (("status",), ("why",), ("resume",), ("restart", "--yes")):
            told = node.e2d(*command)
            self.assertEqual((told.code, told.out), (3, ""), command)
            self.assertEqual(len(told.err.splitlines()), 1, told.err)


class NotifySocket:
    """systemd's side of ``NOTIFY_SOCKET``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)
        self.lines: list[str] = []

    def receive(self) -> list[str]:
        """Everything that was said so far."""
        while True:
            try:
                self.lines += self._socket.recv(65536).decode().split("\n")
            except BlockingIOError:
                return self.lines

    def close(self) -> None:
        """Hear no more."""
        self._socket.close()


@on_each_line
class SystemdTests(DaemonTestCase):
    """What systemd is told when it asks for it."""

    @contextmanager
    def listening(self, node: Daemon) -> Iterator[NotifySocket]:
        """A socket for one e2d."""
        notified = NotifySocket(node.root / "notify")
        try:
            yield notified
        finally:
            notified.close()

    def test_notifies(self, etcd: EtcdLine) -> None:
        """READY=1 comes once etcd serves, the watchdog is fed, a stop is announced."""
        node = self.daemon(etcd, recovery={"observe": True})
        with self.listening(node) as systemd:
            asked = {"NOTIFY_SOCKET": str(systemd.path), "WATCHDOG_USEC": "1000000"}
            node.start(env=asked)
            until("it is fed", lambda: "WATCHDOG=1" in systemd.receive())
            until("the pause", lambda: "STATUS=E2D-W07" in "\n".join(systemd.receive()))
            self.assertNotIn("READY=1", systemd.lines)
            node.e2d("resume")
            until("ready", lambda: "READY=1" in systemd.receive())
            self.assertEqual(Gateway(node.client).put("now", "1"), 2)
            fed = systemd.receive().count("WATCHDOG=1")
            until(
                "it is fed again",
                lambda: systemd.receive().count("WATCHDOG=1") > fed + 2,
            )
            self.assertEqual(node.stop(), 0)
            self.assertEqual(systemd.receive().count("READY=1"), 1)
            self.assertIn("STOPPING=1", systemd.lines)
            last = [each for each in systemd.lines if each.startswith("STATUS=")][-1]
            self.assertIn("serves with quorum", last)


@on_each_line
class TwistdTests(DaemonTestCase):
    """The same service under Twisted's own daemon runner, and as JSON lines."""

    def test_serves_and_exits_with_0(self, etcd: EtcdLine) -> None:
        """``twistd -n e2d -c FILE`` serves; SIGTERM ends it with 0 and stops etcd."""
        node = self.daemon(etcd)
        node.start(program=TWISTD)
        node.wait_ready()
        Gateway(node.client).put("a", "1")
        self.assertEqual(node.stop(), 0, node.log())
        self.assertEqual(node.remains(), [])

    def test_forks_away(self, etcd: EtcdLine) -> None:
        """Without ``-n`` twistd forks: the daemon serves, and SIGTERM ends it all."""
        node = self.daemon(etcd)
        pid_file = node.root / "twistd.pid"
        forking = [word for word in TWISTD if word not in {"-n", "--pidfile=", "e2d"}]
        options = (f"--pidfile={pid_file}", f"--logfile={node.root}/twistd.log", "e2d")
        started = node.run(*forking, *options, "-c", str(node.config))
        self.assertEqual(started.code, 0, started.err)
        until("the pid", pid_file.exists)
        pid = int(pid_file.read_text())
        try:
            until("it is ready", lambda: node.get("/readyz")[0] == 200)
            self.assertEqual(node.status()["node"]["pid"], pid)
        finally:
            os.kill(pid, signal.SIGTERM)
        until("it is gone", lambda: not is_running(pid))
        self.assertEqual(node.etcds(), [])

    def test_wrong_configuration_exits_with_2(self, etcd: EtcdLine) -> None:
        """Every mistake has a line with its place, and there is no traceback."""
        for program in ((), TWISTD):
            node = self.daemon(etcd, clientAdr="127.0.0.1:1")
            if program:
                node.start(program=program)
            else:
                node.start()
            self.assertEqual(node.wait(), 2)
            self.assertIn(f"{node.config}:", node.log())
            self.assertIn("did you mean `clientAddr`?", node.log())
            self.assertNotIn("Traceback", node.log())
            self.assertLessEqual(len(node.log().splitlines()), 2, node.log())

    def test_json_log(self, etcd: EtcdLine) -> None:
        """``--log-format json``: every line is an object, etcd's own events too."""
        node = self.daemon(etcd, EtcdLogLevel="info")
        node.start("--log-format", "json", "-c", str(node.config))
        node.wait_ready()
        self.assertEqual(node.stop(), 0)
        events = [json.loads(line) for line in node.log().splitlines()]
        for each in events:
            self.assertLessEqual(
                {"time", "level", "namespace", "message"}, set(each), each
            )
        etcds = [each for each in events if each["namespace"] == "etcd"]
        self.assertTrue(
            any("elected leader" in each["message"] for each in etcds), etcds
        )

    def test_hang_up_reloads(self, etcd: EtcdLine) -> None:
        """SIGHUP touches no etcd; its next start has what a changed file says of it."""
        node = self.serving(etcd)
        pid = node.etcd_pid()
        node.configure(compactionInterval="7m", evictAfter="1m")
        node.send(signal.SIGHUP)
        until("what takes effect is said", lambda: "compactionInterval" in node.log())
        until("what does not is said", lambda: "evictAfter" in node.log())
        self.assertEqual(node.etcd_pid(), pid)
        self.assertEqual(node.get("/readyz")[0], 200)
        self.assertIn("unsafeNoFsync", " ".join(node.status()["warnings"]))
        node.configure(unsafeNoFsync=False)
        node.send(signal.SIGHUP)
        until(
            "what was changed back is warned of no more",
            lambda: "unsafeNoFsync" not in " ".join(node.status()["warnings"]),
        )
        self.assertEqual(node.e2d("restart", "--yes").code, 0)
        self.assertEqual(node.etcd_arguments()["auto-compaction-retention"], "420s")

    def test_hang_up_with_a_broken_file(self, etcd: EtcdLine) -> None:
        """SIGHUP with mistakes in the file changes nothing and says each of them."""
        node = self.serving(etcd)
        node.config.write_text("clientAdr: 127.0.0.1:1\n")
        node.send(signal.SIGHUP)
        until("the mistake is said", lambda: "`clientAdr`" in node.log())
        self.assertEqual(node.get("/readyz")[0], 200)
        node.config.unlink()
        os.mkfifo(node.config)
        node.send(signal.SIGHUP)
        until("the pipe is not waited for", lambda: "regular file" in node.log())
        self.assertEqual(node.get("/readyz")[0], 200)
        node.config.unlink()
        node.configure()
        self.assertEqual(node.e2d("status").code, 0)


@on_each_line
class TakeoverTests(DaemonTestCase):
    """The original is stopped, this e2d is started on the same directory."""

    def test_takes_over_from_the_original(self, etcd: EtcdLine) -> None:
        """Member, name and keys are the original's, with its own configuration."""
        if number(etcd) > (3, 5):
            raise SkipTest("etcd 3.6 and later can't read what 3.4 wrote")
        node = self.daemon(etcd)
        unpack(node.root)
        with tarfile.open(FIXTURES / "pki.tar.gz") as archive:
            archive.extractall(node.root, filter="data")
        address = f"127.0.0.71:{node.client}"
        node.configure(
            apiVersion="e2d.crit.sh/v1alpha1",
            unsafeNoFsync=None,
            clientAddr=address,
            peerAddr="127.0.0.71:2380",
            caCert=str(node.root / "pki/ca.crt"),
            caKey=str(node.root / "pki/ca.key"),
        )
        node.serve()
        status = node.status()
        self.assertEqual(status["node"]["name"], NAME)
        member = status["cluster"]["member"]
        self.assertEqual(member["member_id"], f"{MEMBER_ID:x}")
        self.assertEqual(member["cluster_id"], f"{CLUSTER_ID:x}")
        self.assertEqual(status["etcd"]["client_url"], f"https://{address}")
        read = node.run(
            etcd.binary("etcdctl"), "--endpoints", f"https://{address}",
            "--cacert", "pki/ca.crt", "--cert", "pki/client.crt",
            "--key", "pki/client.key", "get", "--prefix", "/app/key00",
        )  # fmt: skip
        expected = [
            line
            for number in (0, 1, 2, 3, 4, 6, 7, 8, 9)
            for line in (f"/app/key00{number}", f"value-{number}-")
        ]
        shown = read.out.splitlines()
        self.assertEqual(len(shown), len(expected), read.err)
        for line, start in zip(shown, expected, strict=True):
            self.assertTrue(line.startswith(start), (line, start))
        self.assertEqual(node.stop(), 0)


class UpgradeTests(DaemonTestCase):
    """Another release of etcd is installed under the same data."""

    def test_another_release(self) -> None:
        """A newer one serves the data; the older one is refused and harms nothing."""
        older, newer = (find_lines()[name] for name in ("3.4", "3.5"))
        for each in (older, newer):
            if each.missing is not None:
                raise SkipTest(each.missing)
        node = self.serving(older)
        Gateway(node.client).put("kept", "yes")
        self.assertEqual(node.stop(), 0)
        node.configure(etcd={"binary": newer.binary("etcd")})
        node.serve()
        # etcd 3.4 may read it until the cluster has agreed on the newer version.
        until("it is agreed", lambda: '"etcdcluster":"3.5' in _versions(node))
        self.assertEqual(node.stop(), 0)
        node.configure(etcd={"binary": older.binary("etcd")})
        node.start()
        status = node.wait_status("a reason", lambda status: status["etcd"]["problem"])
        self.assertIn("the data is of a newer etcd", status["etcd"]["problem"])
        self.assertIn("install the etcd that wrote it", status["etcd"]["remedy"])
        self.assertEqual(node.stop(), 0)
        node.configure(etcd={"binary": newer.binary("etcd")})
        node.serve()
        self.assertEqual(Gateway(node.client).get("kept"), "yes")


def _versions(node: Daemon) -> str:
    return get(node.client, "/version")[1]
