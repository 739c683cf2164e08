"""
Surroundings that are broken: said in one line with the way out, never made worse.

Where e2d stays up it recovers by itself once the surroundings are put right.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SkipTest

from tests.integration.daemon import E2D, Daemon, DaemonTestCase
from tests.integration.etcds import EtcdLine
from tests.integration.lines import on_each_line
from tests.integration.load import Gateway, GatewayError
from tests.integration.watching import is_running, until

MEGABYTE = 1024 * 1024
NO_DAC_OVERRIDE = (
    "setpriv",
    "--bounding-set=-dac_override,-dac_read_search",
    "--inh-caps=-dac_override,-dac_read_search",
)
"""Root, and yet bound by the permissions of files, as any other user is."""


class BrokenTestCase(DaemonTestCase):
    """Looks at what an operator is told."""

    def assert_ends(self, node: Daemon, code: int, *words: str) -> None:
        """e2d ends with a code and one line that has the words; nothing is left."""
        self.assertEqual(node.wait(), code, node.log())
        (line,) = node.log().splitlines()
        for word in words:
            self.assertIn(word, line)
        self.assertEqual(node.etcds(), [])

    def assert_told(self, node: Daemon, *words: str) -> dict[str, Any]:
        """Status and log have a reason with the words, and a way out; e2d stays up."""
        status = node.wait_status(
            f"a reason with {words}",
            lambda status: all(word in _reason(status) for word in words),
        )
        self.assertFalse(status["ready"])
        remedy = status["plan"]["remedy"] or status["etcd"]["remedy"]
        self.assertTrue(remedy, status)
        self.assertNotIn("\n", _reason(status) + remedy)
        until(
            "it is logged",
            lambda: any(
                all(word in line for word in words) for line in node.log().splitlines()
            ),
        )
        self.assertNotIn("Traceback", node.log())
        self.assertEqual(node.get("/healthz")[0], 200)
        return status


def _reason(status: dict[str, Any]) -> str:
    return f"{status['plan']['reason']} {status['etcd']['problem'] or ''}"


@on_each_line
class PlaceTests(BrokenTestCase):
    """Ports, sockets, directories, configurations."""

    def test_client_port_in_use(self, etcd: EtcdLine) -> None:
        """The port and who has it are named; once it is free, etcd serves."""
        node = self.daemon(etcd)
        with socket.create_server(("127.0.0.1", node.client)):
            node.start()
            self.assert_told(
                node, f"127.0.0.1:{node.client}", "in use", str(os.getpid())
            )
        node.wait_ready()

    def test_api_port_in_use(self, etcd: EtcdLine) -> None:
        """Etcd serves, status works and names the port, and HTTP comes later."""
        node = self.daemon(etcd)
        with socket.create_server(("127.0.0.1", node.api)):
            node.start()
            until("etcd serves", lambda: _serves(node))
            until("status works", lambda: node.e2d("status").code == 0)
            warning = f"api.addr 127.0.0.1:{node.api}: in use already"
            self.assertIn(warning, node.e2d("status").out)
            self.assertEqual(node.log().count(warning), 1)
        node.wait_ready()
        self.assertEqual(node.get("/healthz")[0], 200)
        self.assertNotIn(warning, node.e2d("status").out)

    def test_socket_path_too_long(self, etcd: EtcdLine) -> None:
        """One that was configured and cannot be is an error, with the limit."""
        node = self.daemon(etcd)
        path = str(node.root / ("x" * 110))
        node.configure(api={"addr": f"127.0.0.1:{node.api}", "socket": path})
        node.start()
        self.assertIn(node.wait(), {1, 2})
        self.assertEqual(len(node.log().splitlines()), 1, node.log())
        self.assertIn("107", node.log())

    def test_long_data_directory_has_a_short_socket(self, etcd: EtcdLine) -> None:
        """The default place of the socket moves, and the commands find it."""
        node = self.daemon(etcd)
        node.data = node.root / ("deep" * 25) / "data"
        node.configure(dataDir=str(node.data))
        node.serve()
        self.assertEqual(node.e2d("status").code, 0)
        place = Path(node.status()["node"]["socket"])
        self.assertLess(len(str(place)), 108)
        self.addCleanup(shutil.rmtree, place.parent)
        self.assertEqual(node.stop(), 0)
        self.assertFalse(place.exists())

    def test_data_directory_is_a_file(self, etcd: EtcdLine) -> None:
        """Exit code 1, the path, and the file is as it was."""
        node = self.daemon(etcd)
        node.data.write_text("mine")
        node.start()
        self.assert_ends(node, 1, str(node.data))
        self.assertEqual(node.data.read_text(), "mine")

    def test_data_directory_of_somebody_else(self, etcd: EtcdLine) -> None:
        """Without the permission to use it: exit code 1 and the path."""
        _need_root()
        node = self.daemon(etcd)
        node.data.mkdir(mode=0o700)
        os.chown(node.data, 65534, 65534)
        node.start(wrapper=NO_DAC_OVERRIDE)
        self.assert_ends(node, 1, str(node.data), "ermission")

    def test_files_of_somebody_else(self, etcd: EtcdLine) -> None:
        """Etcd's files may not be read: that is said, and it serves after a chown."""
        _need_root()
        node = self.serving(etcd)
        self.assertEqual(node.stop(), 0)
        database = node.data / "member" / "snap" / "db"
        for path in (database, database.parent):
            os.chown(path, 65534, 65534)
        node.start(wrapper=NO_DAC_OVERRIDE)
        self.assert_told(node, "ermission")
        for path in (database, database.parent):
            os.chown(path, 0, 0)
        node.wait_ready(60)

    def test_second_e2d(self, etcd: EtcdLine) -> None:
        """Exit code 1 and the first one's pid; the first notices nothing."""
        node = self.serving(etcd)
        first, pid = node.running, node.etcd_pid()
        node.process = None
        node.start()
        try:
            self.assertEqual(node.wait(), 1)
            (line,) = node.log().splitlines()
            self.assertIn(f"pid {first.pid}", line)
        finally:
            node.process = first
        self.assertEqual(node.etcd_pid(), pid)
        self.assertEqual(node.get("/readyz")[0], 200)

    def test_bad_configurations(self, etcd: EtcdLine) -> None:
        """Exit code 2, each error with its line, and nothing is made."""
        for text in (b"clientAddr: [\n", b"requiredClusterSize: 2\ndataDir: 7\n"):
            node = self.daemon(etcd)
            node.config.write_bytes(text)
            node.start()
            self.assertEqual(node.wait(), 2, node.log())
            self.assertRegex(node.log(), rf"{node.config}:\d+:\d+: ")
            self.assertNotIn("Traceback", node.log())
            self.assertFalse(node.data.exists())


@on_each_line
class EtcdTests(BrokenTestCase):
    """The etcd binary is not what it should be."""

    def test_no_binary(self, etcd: EtcdLine) -> None:
        """Its name and how to get one; found as soon as it is installed."""
        node = self.daemon(etcd)
        missing = node.root / "bin" / "etcd"
        node.configure(etcd={"binary": str(missing)})
        node.start()
        self.assert_told(node, "there is no etcd", str(missing))
        missing.parent.mkdir()
        missing.symlink_to(etcd.binary("etcd"))
        node.wait_ready()

    def test_not_etcd(self, etcd: EtcdLine) -> None:
        """Another program under that name is not run beyond asking its version."""
        node = self.daemon(etcd)
        node.configure(etcd={"binary": "/bin/true"})
        node.start()
        self.assert_told(node, "/bin/true", "does not say which etcd it is")
        self.assertFalse((node.data / "member" / "wal").exists())

    def test_known_bad_version_alone(self, etcd: EtcdLine) -> None:
        """One node runs it and is warned on every status."""
        bad = _known_bad(etcd)
        node = self.daemon(etcd)
        node.configure(etcd={"binary": _claims_to_be(bad, node)})
        node.serve()
        self.assertTrue(
            any(bad in each for each in node.status()["warnings"]), node.status()
        )
        self.assertIn(bad, node.e2d("status").out)

    def test_known_bad_version_in_a_cluster(self, etcd: EtcdLine) -> None:
        """For three nodes it is refused, with the way to insist; insisting works."""
        bad = _known_bad(etcd)
        node = self.serving(etcd)
        self.assertEqual(node.stop(), 0)
        binary = _claims_to_be(bad, node)
        node.configure(
            etcd={"binary": binary},
            requiredClusterSize=3,
            discovery={"initialPeers": ["127.0.0.1:26999"]},
        )
        node.start()
        status = self.assert_told(node, bad)
        self.assertIn("allowVersion", status["etcd"]["remedy"])
        self.assertEqual(node.etcds(), [])
        self.assertEqual(node.stop(), 0)
        node.configure(etcd={"binary": binary, "allowVersion": [bad]})
        node.serve()


@on_each_line
class DataTests(BrokenTestCase):
    """The data is in use, damaged, gone, or has no room."""

    def test_foreign_etcd(self, etcd: EtcdLine) -> None:
        """An etcd that somebody else started on our data is named, not touched."""
        node = self.serving(etcd)
        self.assertEqual(node.stop(), 0)
        with (node.root / "foreign.log").open("wb") as log:
            foreign = subprocess.Popen(
                [
                    etcd.binary("etcd"),
                    f"--data-dir={node.data}",
                    f"--listen-client-urls=http://127.0.0.1:{node.client}",
                    f"--advertise-client-urls=http://127.0.0.1:{node.client}",
                    f"--listen-peer-urls=http://127.0.0.1:{node.peer}",
                ],
                stdout=log,
                stderr=log,
            )
        try:
            until("it serves", lambda: _serves(node))
            node.start()
            self.assert_told(node, str(node.data), f"pid {foreign.pid}")
            self.assertTrue(is_running(foreign.pid))
        finally:
            foreign.send_signal(signal.SIGTERM)
            foreign.wait()
        node.wait_ready(60)

    def test_damaged_log(self, etcd: EtcdLine) -> None:
        """Damage is said to be damage; e2d stays up and changes nothing."""
        node = self.serving(etcd)
        gateway = Gateway(node.client)
        for number in range(50):
            gateway.put(f"key/{number}", "x" * 1000)
        node.kill()
        node.kill_etcd()
        (log,) = (node.data / "member" / "wal").glob("*-*.wal")
        with log.open("r+b") as file:
            file.seek(20_000)
            file.write(b"damage" * 100)
        damaged = log.read_bytes()
        node.start()
        self.assert_told(node, "damaged")
        self.assertEqual(log.read_bytes(), damaged)
        self.assertEqual(node.stop(), 0)

    def test_data_removed_by_hand(self, etcd: EtcdLine) -> None:
        """
        Without ``member/`` e2d halts with E2D-H03 and founds nothing; put back, it
        serves.
        """
        node = self.serving(etcd)
        Gateway(node.client).put("kept", "yes")
        self.assertEqual(node.stop(), 0)
        (node.data / "member").rename(node.root / "away")
        node.start()
        status = self.assert_told(node, "member/ is gone")
        self.assertEqual(
            (status["plan"]["kind"], status["plan"]["code"]), ("halt", "E2D-H03")
        )
        self.assertEqual(node.etcds(), [])
        self.assertFalse((node.data / "member").exists())
        (node.root / "away").rename(node.data / "member")
        node.wait_ready()
        self.assertEqual(Gateway(node.client).get("kept"), "yes")

    def test_data_removed_under_a_running_etcd(self, etcd: EtcdLine) -> None:
        """A2: with every record gone too, the e2d that was there founds nothing."""
        node = self.serving(etcd)
        for each in ("member", "e2d"):
            (node.data / each).rename(node.root / each)
        node.wait_status("the loss", lambda status: status["plan"]["code"] == "E2D-H10")
        node.kill_etcd()
        status = self.assert_told(node, "member/ is gone")
        self.assertEqual(status["plan"]["code"], "E2D-H03")
        self.assertEqual(node.etcds(), [])

    def test_own_records_removed(self, etcd: EtcdLine) -> None:
        """C13: e2d takes the lock of its directory again before anybody else can."""
        node = self.serving(etcd)
        identity = node.status()["node"]["node_id"]
        (node.data / "e2d").rename(node.root / "away")
        until("the lock is there", (node.data / "e2d" / "lock").exists)
        second = node.run(*E2D, "run", "-c", str(node.config))
        self.assertEqual(second.code, 1)
        self.assertIn("another e2d", second.err)
        self.assertEqual(node.status()["node"]["node_id"], identity)

    def test_full_disk_at_the_start(self, etcd: EtcdLine) -> None:
        """A start without room for the log says so; with more room it goes on."""
        node = self.daemon(etcd)
        with _small_disk(node, megabytes=80) as filler:
            filler.write_bytes(bytes(60 * MEGABYTE))
            node.start()
            self.assert_told(node, "the disk is full")
            filler.unlink()
            enlarge = ["mount", "-o", "remount,size=400m", str(filler.parent)]
            subprocess.run(enlarge, check=True)
            node.wait_ready(60)
            self.assertEqual(node.stop(), 0)

    def test_disk_that_fills_up(self, etcd: EtcdLine) -> None:
        """
        Etcd dies of it; e2d, started again too, stays up and says so.

        With room again all is well, and what was acknowledged is there.
        """
        node = self.daemon(etcd)
        with _small_disk(node, megabytes=200) as filler:
            node.serve()
            gateway = Gateway(node.client)
            gateway.put("kept", "yes")
            _fill(filler)
            with self.assertRaises(GatewayError):
                for number in range(200):
                    gateway.put(f"key/{number}", "x" * MEGABYTE)
            self.assert_told(node, "the disk is full")
            node.kill()
            node.start()
            self.assert_told(node, "the disk is full")
            filler.unlink()
            node.wait_ready(60)
            self.assertEqual(Gateway(node.client).get("kept"), "yes")
            self.assertEqual(node.stop(), 0)


def _fill(path: Path) -> None:
    """Write until there is no more room."""
    with path.open("wb", buffering=0) as file:
        for size in (MEGABYTE, 4096):
            with contextlib.suppress(OSError):
                while file.write(bytes(size)):
                    pass


@contextlib.contextmanager
def _small_disk(node: Daemon, megabytes: int) -> Iterator[Path]:
    """
    Put the data directory on a disk of its own.

    :return: a file on it, to be made as large as one likes.
    """
    _need_root()
    disk = node.root / "disk"
    disk.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={megabytes}m"]
    if subprocess.run(["mount", *options, "tmpfs", disk], check=False).returncode:
        raise SkipTest("no file system can be mounted here")
    node.data = disk / "data"
    node.configure(dataDir=str(node.data))
    try:
        yield disk / "filler"
    finally:
        if node.alive:
            node.kill()
        node.kill_etcd()
        subprocess.run(["umount", disk], check=True)


def _serves(node: Daemon) -> bool:
    return node.etcdctl("endpoint", "health").code == 0


def _need_root() -> None:
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        raise SkipTest("only root can take permissions and disks away")


def _known_bad(etcd: EtcdLine) -> str:
    """A bad release of the same line: it takes the same flags."""
    known = {"3.4": "3.4.20", "3.5": "3.5.2"}
    if etcd.name not in known:
        raise SkipTest(f"no release of etcd {etcd.name} is known to be bad")
    return known[etcd.name]


def _claims_to_be(version: str, node: Daemon) -> str:
    """An etcd that says that it is of another version."""
    wrapper = node.root / "etcd"
    wrapper.write_text(
        "#!/bin/sh\n"
        f'if [ "$1" = --version ]; then echo "etcd Version: {version}"; exit; fi\n'
        f'exec {node.etcd.binary("etcd")} "$@"\n'
    )
    wrapper.chmod(0o755)
    return str(wrapper)
