"""The data directory with real volumes, and a real etcd killed while it starts."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import TypeVar

from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import TestCase

from e2d.etcd.datadir import DataDirectory
from e2d.etcd.lock import DataDirectoryLock
from e2d.model import DataState, Founding, Holds, NodeName, Unborn
from tests.integration.bare import ROOT, BareEtcd, binary

T = TypeVar("T")

STARTED = Founding(
    founding_id="f1",
    cluster_name="blue",
    peers=((NodeName("n1"), "http://127.0.0.1:23201"),),
    started=True,
)

HEAD_BYTES = 80
"""The three records that a new log starts with."""


def at_once(function: Callable[[], T]) -> Awaitable[T]:
    """A pool that has no threads."""
    return succeed(function())


class KilledStart:
    """An etcd that is killed at some moment between its first exec and readiness."""

    line: str
    port: int

    def setUp(self) -> None:
        """Given a founding right before the first exec."""
        if not binary(self.line, "etcd").exists():
            self.skipTest(f"there is no etcd {self.line}")
        self.path = Path(self.mktemp()).absolute()
        lock = DataDirectoryLock(str(self.path))
        lock.acquire()
        self.addCleanup(lock.release)
        self.directory = DataDirectory(
            run_in_pool=at_once,
            path=str(self.path),
            state_directory=None,
            peer_url=None,
            nonce=Random(7).randbytes,
            utc_now=lambda: datetime(2026, 3, 1, tzinfo=UTC),
            lock=lock,
        )
        self.done(self.directory.record_founding(STARTED))
        log = self.path.parent / "log"
        self.etcd = BareEtcd(self.line, self.path, self.port, log)
        self.addCleanup(self.etcd.kill)

    def done(self, work: object) -> DataState:
        """What it returns."""
        return self.successResultOf(Deferred.fromCoroutine(work))

    def examine(self) -> DataState:
        """What is there."""
        return self.done(self.directory.examine(0.0))

    def kill_when(self, name: str) -> None:
        """Start etcd, and kill it as soon as something appears in ``member/``."""
        self.etcd.start()
        awaited = self.path / "member" / name
        deadline = time.monotonic() + 20  # noqa: TID251 - a real process
        while not awaited.exists():
            assert time.monotonic() < deadline  # noqa: TID251 - a real process
        self.etcd.kill()

    def assert_starts(self) -> None:
        """The next start, as e2d does it, serves; and then the data is a member's."""
        state = self.examine()
        self.assertIsInstance(state, Unborn | Holds)
        if isinstance(state, Unborn):
            self.done(self.directory.record_founding(STARTED))
        self.etcd.start()
        self.etcd.wait_until_ready()
        self.assertEqual(self.etcd.ctl("put", "k", "v"), "OK\n")
        self.etcd.kill()
        state = self.examine()
        assert isinstance(state, Holds)
        self.assertEqual(state.name, "n1")

    def test_no_log_yet(self) -> None:
        """Killed while its log is in the making."""
        self.kill_when("snap/db")
        self.assertIsInstance(self.examine(), Unborn)
        self.assert_starts()

    def test_log_just_made(self) -> None:
        """Killed the moment its log is there."""
        self.kill_when("wal")
        self.assert_starts()

    def test_log_without_entries(self) -> None:
        """Killed right between the head of its log and the first entry."""
        self.etcd.start()
        self.etcd.wait_until_ready()
        self.etcd.kill()
        shutil.rmtree(self.path / "member" / "snap")
        (log,) = (self.path / "member" / "wal").glob("*.wal")
        with log.open("r+b") as file:
            file.truncate(HEAD_BYTES)
            file.truncate(64_000_000)
        self.assertEqual(self.examine(), Unborn(founding=STARTED))
        self.assert_starts()


class KilledStartOf34Tests(KilledStart, TestCase):
    """Of etcd 3.4."""

    line = "3.4"
    port = 23200


class KilledStartOf35Tests(KilledStart, TestCase):
    """Of etcd 3.5."""

    line = "3.5"
    port = 23210


UNMOUNTED = """
import os, subprocess, sys
from datetime import UTC, datetime
from twisted.internet.defer import Deferred, succeed
from e2d.etcd.datadir import DataDirectory
from e2d.etcd.lock import DataDirectoryLock
from e2d.model import ClusterID, Holds, MemberID, NodeName

path = sys.argv[1]

def directory():
    lock = DataDirectoryLock(path)
    lock.acquire()
    return lock, DataDirectory(
        run_in_pool=lambda work: succeed(work()), path=path, state_directory=None,
        peer_url=None, nonce=os.urandom, utc_now=lambda: datetime.now(UTC), lock=lock,
    )

def done(work):
    return Deferred.fromCoroutine(work).result

subprocess.run(["mount", "-t", "tmpfs", "volume", path], check=True)
lock, mounted = directory()
holds = Holds(member_id=MemberID(1), cluster_id=ClusterID(2), name=NodeName("n1"))
done(mounted.record_member(holds))
print(list(mounted.warnings))
lock.release()
subprocess.run(["umount", path], check=True)
lock, bare = directory()
print(done(bare.examine(3.0)))
"""


WITH_THE_PROGRAM = """
import os, subprocess, sys
from pathlib import Path
from e2d.etcd.breadcrumb import Breadcrumb, keep_breadcrumb
from e2d.model import ClusterID, MemberID, NodeID, NodeName

volume = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "volume", str(volume)], check=True)
data, program = volume / "src" / "data", volume / "src" / "e2d.py"
data.mkdir(parents=True)
program.touch()
crumb = Breadcrumb(
    data_directory=str(data), node_id=NodeID("0" * 16), name=NodeName("n1"),
    member_id=MemberID(1), cluster_id=ClusterID(2),
)
for installed in (str(program), "/"):
    print(keep_breadcrumb(crumb, None, installed), len(os.listdir(volume.parent)))
"""


class VolumeTests(TestCase):
    """A data directory on a volume of its own."""

    def run_script(self, script: str) -> list[str]:
        """The lines that a script prints, in a mount namespace of its own."""
        self.path = Path(self.mktemp()).absolute() / "etcd"
        self.path.mkdir(parents=True)
        command = ["unshare", "--mount", "--map-root-user"]
        if subprocess.run([*command, "true"], check=False).returncode:
            self.skipTest("no mount namespaces here")
        outcome = subprocess.run(
            [*command, sys.executable, "-c", script, str(self.path)],
            cwd=ROOT,
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual(outcome.returncode, 0, outcome.stderr)
        return outcome.stdout.splitlines()

    def test_not_mounted(self) -> None:
        """Without its volume the directory is Missing, not Empty."""
        warnings, state = self.run_script(UNMOUNTED)
        self.assertEqual(warnings, "[]")
        self.assertIn(f"Missing(breadcrumb='{self.path.parent}/.e2d-breadcrumb-", state)
        self.assertIn("name='n1', member_id=1, cluster_id=2, since=3.0", state)

    def test_on_one_volume_with_the_program(self) -> None:
        """Where e2d is on the same volume none is kept beside the mount point."""
        self.assertEqual(self.run_script(WITH_THE_PROGRAM), ["[] 1", "[] 2"])
