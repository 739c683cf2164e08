"""Tests of `e2d.etcd.datadir`."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from attrs import evolve

from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from e2d.etcd.datadir import DataDirectory
from e2d.etcd.lock import DataDirectoryLock
from e2d.interfaces import DataDirectoryError
from e2d.model import (
    DataState,
    Empty,
    EtcdMember,
    Founding,
    Holds,
    Lost,
    Missing,
    NodeName,
    Swapping,
    Unborn,
    Unreadable,
)
from e2d.testing.contracts.datadir import EtcdDataDirectoryContract
from e2d.testing.datadir import FakeEtcdDataDirectory
from tests.etcd import original

T = TypeVar("T")

NOW_AT = datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)

ORIGINAL = Holds(
    member_id=original.MEMBER_ID,
    cluster_id=original.CLUSTER_ID,
    name=NodeName(original.NAME),
    members=(
        EtcdMember(
            member_id=original.MEMBER_ID,
            name=original.NAME,
            peer_urls=("https://127.0.0.71:2380",),
            client_urls=("https://127.0.0.71:2710",),
        ),
    ),
)

STARTED = Founding(
    founding_id="f1",
    cluster_name="blue",
    peers=((NodeName("n1"), "http://127.0.0.1:2380"),),
    started=True,
)

HEAD_ONLY = 80
"""How much of a log etcd writes before its first entry: three records."""


def at_once(function: Callable[[], T]) -> Awaitable[T]:
    """A pool that has no threads."""
    return succeed(function())


def write_log(path: Path, size: int = 65536) -> None:
    """Write the original's log, or the start of it, into a data directory."""
    log = path / original.LOG
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_bytes(original.log_head(size).ljust(65536, b"\0"))


def write_database(path: Path, content: bytes) -> None:
    """Write a database into a data directory."""
    (path / "member/snap").mkdir(parents=True, exist_ok=True)
    (path / "member/snap/db").write_bytes(content)


class OnDisk(SynchronousTestCase):
    """A directory on a real disk."""

    def setUp(self) -> None:
        """Given a locked data directory on a new disk."""
        self.path = Path(self.mktemp()).absolute() / "data"
        self.lock = DataDirectoryLock(str(self.path))
        self.lock.acquire()
        self.addCleanup(self.lock.release)
        self.state_directory: str | None = None

    def make(self) -> DataDirectory:
        """An e2d's view of it."""
        return DataDirectory(
            run_in_pool=at_once,
            path=str(self.path),
            state_directory=self.state_directory,
            peer_url=original.PEER_URL,
            nonce=os.urandom,
            utc_now=lambda: NOW_AT,
            lock=self.lock,
        )

    def etcd_lives(self) -> Holds:
        """Let etcd write to its log."""
        write_log(self.path)
        write_database(self.path, original.database())
        return ORIGINAL

    def lose_member(self) -> None:
        """Remove ``member/``."""
        shutil.rmtree(self.path / "member")

    def examine(self) -> DataState:
        """What a new e2d says of it."""
        return self.successResultOf(Deferred.fromCoroutine(self.make().examine(10.0)))

    def unreadable(self) -> str:
        """Why it is Unreadable."""
        state = self.examine()
        assert isinstance(state, Unreadable), state
        self.assertEqual(state.reason.count("\n"), 0)
        self.assertIn(str(self.path), state.reason)
        return state.reason

    def start_founding(self) -> None:
        """Right before the first exec of etcd."""
        recording = self.make().record_founding(STARTED)
        self.successResultOf(Deferred.fromCoroutine(recording))


class DataDirectoryContractTests(OnDisk, EtcdDataDirectoryContract):
    """`DataDirectory` keeps the contract."""

    def setUp(self) -> None:
        """Given one on a new disk."""
        super().setUp()
        self.directory = self.make()


class FakeEtcdDataDirectoryTests(EtcdDataDirectoryContract, SynchronousTestCase):
    """`FakeEtcdDataDirectory` keeps the contract."""

    def make(self) -> FakeEtcdDataDirectory:
        """One with nothing in it."""
        self.fake = FakeEtcdDataDirectory()
        return self.fake

    def etcd_lives(self) -> Holds:
        """Tell the fake that etcd wrote."""
        self.fake.etcd_wrote(ORIGINAL)
        return ORIGINAL

    def lose_member(self) -> None:
        """Tell the fake that it is gone."""
        self.fake.lose_member()

    def test_failure(self) -> None:
        """It can be told to fail."""
        self.fake.failure = DataDirectoryError("disk on fire")
        self.assertEqual(self.refused(self.fake.node_id()), "disk on fire")

    def test_missing_since(self) -> None:
        """It remembers since when the data has been missing."""
        self.fake.data = Missing(
            breadcrumb="/b", name=None, member_id=None, cluster_id=None, since=0.0
        )
        self.done(self.fake.examine(5.0))
        self.assertEqual(
            self.done(self.fake.examine(7.0)), evolve(self.fake.data, since=5.0)
        )


class ExamineTests(OnDisk):
    """What is in a directory, and what it is then."""

    def test_takeover(self) -> None:
        """The original's directory holds its member, by its own name."""
        self.etcd_lives()
        self.assertEqual(self.examine(), ORIGINAL)

    def test_whose_data_it_is(self) -> None:
        """After an examination it is known whose etcd may run here, if anybody's."""
        directory = self.make()
        self.assertIsNone(directory.member_id)
        self.etcd_lives()
        self.successResultOf(Deferred.fromCoroutine(directory.examine(10.0)))
        self.assertEqual(directory.member_id, original.MEMBER_ID)
        self.lose_member()
        self.successResultOf(Deferred.fromCoroutine(directory.examine(11.0)))
        self.assertIsNone(directory.member_id)

    def test_foreign_entries_beside_member(self) -> None:
        """With only a volume's own ``lost+found`` in it a directory is empty."""
        (self.path / "lost+found").mkdir()
        (self.path / "README").write_text("hands off")
        (self.path / "member").mkdir()
        self.assertEqual(self.examine(), Empty())

    def test_no_database(self) -> None:
        """A log without a database is data, of a name not known."""
        write_log(self.path)
        self.assertEqual(self.examine(), evolve(ORIGINAL, name=None, members=()))

    def test_damaged_database(self) -> None:
        """So is one with a damaged database: etcd is the judge of that."""
        write_log(self.path)
        write_database(self.path, b"\0" * 8192)
        self.assertEqual(self.examine(), evolve(ORIGINAL, name=None, members=()))

    def test_name_by_peer_url(self) -> None:
        """With another id in the database the name is found by the peer URL."""
        write_log(self.path)
        key = b"502ca7132ab14e67"
        database = original.database().replace(key, b"502ca7132ab14e68")
        write_database(self.path, database)
        state = self.examine()
        assert isinstance(state, Holds)
        self.assertEqual(state.name, original.NAME)

    def test_joiner(self) -> None:
        """A log without entries that no founding began is a joiner's, to be filled."""
        write_log(self.path, HEAD_ONLY)
        self.assertEqual(self.examine(), evolve(ORIGINAL, name=None, members=()))

    def test_locked_database(self) -> None:
        """A database in use is not read, and nobody waits for it."""
        self.etcd_lives()
        with (self.path / "member/snap/db").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            state = self.examine()
        self.assertEqual(state, evolve(ORIGINAL, name=None, members=()))

    def test_empty_log_file(self) -> None:
        """A log of no bytes is not understood."""
        write_log(self.path)
        (self.path / original.LOG).write_bytes(b"")
        self.assertIn("does not say whose it is", self.unreadable())

    def test_log_of_other_name(self) -> None:
        """A log under a name that etcd does not give is not understood."""
        (self.path / "member/wal").mkdir(parents=True)
        (self.path / "member/wal/1.wal").write_bytes(b"")
        self.assertIn("1.wal", self.unreadable())

    def test_database_only(self) -> None:
        """A member's database without its log is never empty."""
        write_database(self.path, original.database())
        self.assertIn("a database of a member but no log", self.unreadable())

    def test_database_only_after_a_start(self) -> None:
        """Nor is it unborn, though the mark be there."""
        self.start_founding()
        write_database(self.path, original.database())
        self.assertIn("a database of a member but no log", self.unreadable())

    def test_foreign_entry_in_member(self) -> None:
        """What is not understood in ``member/`` is never empty."""
        (self.path / "member").mkdir()
        (self.path / "member/wal-backup").mkdir()
        self.assertIn("it holds wal-backup but no log", self.unreadable())

    def test_snapshot_of_raft_only(self) -> None:
        """A snapshot of raft's without a log is never unborn."""
        self.start_founding()
        (self.path / "member/snap").mkdir()
        (self.path / "member/snap/0000000000000002-0000000000000005.snap").touch()
        self.assertIn(".snap but no log", self.unreadable())

    def test_start_cut_short_by_others(self) -> None:
        """What a start that was not ours left is not taken for empty."""
        (self.path / "member/wal.tmp").mkdir(parents=True)
        self.assertIn("e2d did not make", self.unreadable())

    def test_member_is_a_file(self) -> None:
        """A file in the place of ``member/`` is not empty."""
        (self.path / "member").write_text("")
        self.assertIn("a file is where a directory should be", self.unreadable())

    def test_torn_founding(self) -> None:
        """A torn record makes the directory Unreadable, not Empty."""
        (self.path / "e2d/founding.json").write_text('{"founding": "f1", "pee')
        self.assertIn("founding.json", self.unreadable())

    def test_half_founding(self) -> None:
        """So does one that is JSON and lacks what it must say."""
        (self.path / "e2d/founding.json").write_text('{"peers": []}')
        self.assertIn("'founding' is not a str", self.unreadable())

    def test_intent(self) -> None:
        """With an intent on record nothing else counts."""
        self.etcd_lives()
        (self.path / "e2d/swap.json").write_text('{"aside": "x-1"}')
        self.assertEqual(self.examine(), Swapping(intent="set member/ aside as x-1"))

    def test_reads_only(self) -> None:
        """Looking changes nothing."""
        self.etcd_lives()
        before = self.listing()
        self.examine()
        self.assertEqual(self.listing(), before)

    def listing(self) -> list[tuple[str, int, int]]:
        """Every file with its size and the time of its last change."""
        return [
            (str(file), file.stat().st_size, file.stat().st_mtime_ns)
            for file in sorted(self.path.rglob("*"))
        ]


class StartCutShortTests(OnDisk):
    """A kill between the first exec and readiness."""

    def setUp(self) -> None:
        """Given a founding that was started."""
        super().setUp()
        self.start_founding()

    def test_before_the_log(self) -> None:
        """With the log still in the making the founding is unborn."""
        (self.path / "member/snap").mkdir()
        (self.path / "member/snap/db").write_bytes(b"")
        (self.path / "member/wal.tmp").mkdir()
        self.assertEqual(self.examine(), Unborn(founding=STARTED))

    def test_head_only(self) -> None:
        """With a log of which only the head was written it is unborn too."""
        write_log(self.path, HEAD_ONLY)
        self.assertEqual(self.examine(), Unborn(founding=STARTED))

    def test_head_only_is_cleared(self) -> None:
        """Such a log is where etcd throws it away when the founding starts again."""
        write_log(self.path, HEAD_ONLY)
        self.start_founding()
        self.assertEqual(
            sorted(os.listdir(self.path / "member")), ["e2d-founding", "wal.tmp"]
        )
        self.assertEqual(self.examine(), Unborn(founding=STARTED))

    def test_first_entry(self) -> None:
        """With the first entry there it is data."""
        write_log(self.path)
        self.assertIsInstance(self.examine(), Holds)

    def test_head_only_with_a_database(self) -> None:
        """A log without entries beside a member's database is never unborn."""
        write_log(self.path, HEAD_ONLY)
        write_database(self.path, original.database())
        self.assertIn("a log without a single entry", self.unreadable())

    def test_head_only_with_a_locked_database(self) -> None:
        """Nor while somebody, a dying etcd perhaps, has the database open."""
        write_log(self.path, HEAD_ONLY)
        write_database(self.path, b"")
        with (self.path / "member/snap/db").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self.assertIn("damaged or in use", self.unreadable())
        self.assertEqual(self.examine(), Unborn(founding=STARTED))

    def test_head_only_without_the_mark(self) -> None:
        """Without the mark a log without entries is nothing to start from."""
        write_log(self.path, HEAD_ONLY)
        (self.path / "member/e2d-founding").unlink()
        self.assertIn("etcd would wait for ever", self.unreadable())

    def test_mark_of_another_disk(self) -> None:
        """A mark that another node made proves nothing here."""
        (self.path / "e2d/node.json").write_text('{"id": "ffffffffffffffff"}')
        self.assertEqual(self.examine(), Lost(founding=STARTED))

    def test_kill_before_the_record(self) -> None:
        """A mark whose founding was not yet recorded as started is nothing at all."""
        (self.path / "e2d/founding.json").unlink()
        self.assertEqual(self.examine(), Empty())

    def test_kill_while_marking(self) -> None:
        """Nor does a mark that was half written count."""
        member = self.path / "member"
        (member / "e2d-founding").rename(member / ".e2d-founding.tmp")
        (self.path / "e2d/founding.json").unlink()
        self.assertEqual(self.examine(), Empty())

    def test_private(self) -> None:
        """What e2d makes of etcd's directory is as private as etcd wants it."""
        self.assertEqual((self.path / "member").stat().st_mode & 0o777, 0o700)


class RecordsBesideDataTests(OnDisk):
    """What e2d wrote down, and what etcd did."""

    def test_a_torn_founding_beside_data(self) -> None:
        """Good data is started whatever became of e2d's own records (rule 1)."""
        self.etcd_lives()
        (self.path / "e2d/founding.json").write_text("")
        (self.path / "e2d/node.json").write_text("{")
        self.assertEqual(self.examine(), ORIGINAL)

    def test_a_torn_member_without_data(self) -> None:
        """Without data a record that cannot be read is not taken for none."""
        (self.path / "e2d/member.json").write_text("{")
        self.assertIn("member.json", self.unreadable())

    def test_the_same_name_needs_no_writing(self) -> None:
        """On a full disk a member restarts: what is on record is not written again."""
        directory = self.make()
        name = NodeName("n1")
        self.successResultOf(Deferred.fromCoroutine(directory.record_name(name)))
        before = os.stat(self.path / "e2d/name.json").st_ino
        self.successResultOf(Deferred.fromCoroutine(directory.record_name(name)))
        self.assertEqual(os.stat(self.path / "e2d/name.json").st_ino, before)


class MountedOverTests(OnDisk):
    """Another volume appears where the locked directory was (C13)."""

    def setUp(self) -> None:
        """Given a directory in use, and another volume mounted over it."""
        super().setUp()
        self.directory = self.make()
        os.rename(self.path, self.path.with_name("hidden"))

    def look(self) -> DataState:
        """What the e2d that runs says of it."""
        return self.successResultOf(Deferred.fromCoroutine(self.directory.examine(1.0)))

    def test_it_is_locked_too(self) -> None:
        """What is there now is examined and locked against a second e2d."""
        self.assertEqual(self.look(), Empty())
        second = DataDirectoryLock(str(self.path))
        self.assertRaises(DataDirectoryError, second.acquire)

    def test_another_e2d_has_it(self) -> None:
        """Where another e2d runs already, nothing is done, and it is named."""
        other = DataDirectoryLock(str(self.path))
        other.acquire()
        self.addCleanup(other.release)
        state = self.look()
        assert isinstance(state, Unreadable)
        self.assertIn(f"another e2d (pid {os.getpid()})", state.reason)
        other.release()
        self.assertEqual(self.look(), Empty())


class MissingTests(OnDisk):
    """A directory whose volume is not mounted."""

    def setUp(self) -> None:
        """Given a host that held the original's member, and then a bare directory."""
        super().setUp()
        self.state_directory = str(self.path.parent / "state")
        self.etcd_lives()
        self.directory = self.make()
        recording = self.directory.record_member(ORIGINAL)
        self.successResultOf(Deferred.fromCoroutine(recording))
        shutil.rmtree(self.path)
        self.path.mkdir()

    def test_missing(self) -> None:
        """It is Missing, with what is missed and where that is written."""
        state = self.examine()
        assert isinstance(state, Missing)
        self.assertTrue(state.breadcrumb.startswith(f"{self.state_directory}/"))
        self.assertEqual(
            evolve(state, breadcrumb=""),
            Missing(
                breadcrumb="",
                name=NodeName(original.NAME),
                member_id=original.MEMBER_ID,
                cluster_id=original.CLUSTER_ID,
                since=10.0,
            ),
        )

    def test_since(self) -> None:
        """It says since when this e2d has missed it, and forgets when it is back."""
        self.assertEqual(self.since(20.0), 20.0)
        self.assertEqual(self.since(30.0), 20.0)
        self.etcd_lives()
        self.successResultOf(Deferred.fromCoroutine(self.directory.examine(40.0)))
        shutil.rmtree(self.path / "member")
        self.assertEqual(self.since(50.0), 50.0)

    def since(self, now: float) -> float:
        """Since when it is Missing."""
        examining = Deferred.fromCoroutine(self.directory.examine(now))
        state = self.successResultOf(examining)
        assert isinstance(state, Missing)
        return state.since

    def test_no_founding(self) -> None:
        """No cluster is founded in it."""
        recording = Deferred.fromCoroutine(self.directory.record_founding(STARTED))
        failure = self.failureResultOf(recording, DataDirectoryError)
        self.assertIn("is Missing, not Empty", str(failure.value))

    def test_kept_nowhere(self) -> None:
        """A breadcrumb that cannot be kept is a warning, not a failure."""
        self.etcd_lives()
        self.state_directory = str(self.path / original.LOG)
        directory = self.make()
        recording = directory.record_member(ORIGINAL)
        self.successResultOf(Deferred.fromCoroutine(recording))
        self.assertEqual(len(directory.warnings), 1)
        self.assertIn("could not keep the breadcrumb", directory.warnings[0])


class DataDirectoryLockTests(SynchronousTestCase):
    """`DataDirectoryLock` lets one e2d in."""

    def setUp(self) -> None:
        """Given a path where nothing is."""
        self.path = Path(self.mktemp()).absolute() / "deep" / "data"
        self.lock = DataDirectoryLock(str(self.path))
        self.addCleanup(self.lock.release)

    def refusal(self) -> str:
        """Why the lock cannot be had: one line."""
        lock = DataDirectoryLock(str(self.path))
        message = str(self.assertRaises(DataDirectoryError, lock.acquire))
        self.assertEqual(message.count("\n"), 0)
        self.assertIn(str(self.path), message)
        return message

    def test_makes_the_directory(self) -> None:
        """The directory and e2d's own in it are made, for this user only."""
        self.lock.acquire()
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o700)
        self.assertEqual((self.path / "e2d").stat().st_mode & 0o777, 0o700)

    def test_mends_the_mode(self) -> None:
        """A directory that others could enter is closed to them, as etcd wants it."""
        self.path.mkdir(parents=True, mode=0o755)
        self.lock.acquire()
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o700)

    def test_second(self) -> None:
        """A second e2d is refused and told which process has the directory."""
        self.lock.acquire()
        self.assertIn(f"another e2d (pid {os.getpid()})", self.refusal())

    def test_released(self) -> None:
        """After the release another may have it."""
        self.lock.acquire()
        self.lock.release()
        self.lock.release()
        other = DataDirectoryLock(str(self.path))
        other.acquire()
        other.release()

    def test_not_inherited(self) -> None:
        """A child that is executed does not hold the lock on."""
        self.lock.acquire()
        targets = {
            descriptor: os.readlink(f"/proc/self/fd/{descriptor}")
            for descriptor in map(int, os.listdir("/proc/self/fd"))
            if os.path.exists(f"/proc/self/fd/{descriptor}")
        }
        held = [d for d, name in targets.items() if name == f"{self.path}/e2d/lock"]
        self.assertEqual([os.get_inheritable(d) for d in held], [False])

    def test_a_file_in_the_way(self) -> None:
        """A file where the directory should be is named, with the way out."""
        self.path.parent.mkdir(parents=True)
        self.path.write_text("")
        self.assertIn("name another dataDir", self.refusal())

    def test_a_link_in_the_way(self) -> None:
        """A symbolic link in the place of the lock is not followed."""
        (self.path / "e2d").mkdir(parents=True)
        (self.path / "e2d/lock").symlink_to("/tmp/elsewhere")  # noqa: S108 - never made
        self.assertIn("a symbolic link is where none may be", self.refusal())


class VanishedTests(OnDisk):
    """What went away while this e2d was there to see it."""

    def setUp(self) -> None:
        """Given data that this e2d has seen."""
        super().setUp()
        self.directory = self.make()
        self.etcd_lives()
        self.assertIsInstance(self.examine(), Holds)
        self.identity = self.now(self.directory.node_id())

    def now(self, work: Awaitable[T]) -> T:
        """What a call returns."""
        return self.successResultOf(Deferred.fromCoroutine(work))  # type: ignore[arg-type]

    def examine(self) -> DataState:
        """What this e2d finds."""
        return self.now(self.directory.examine(5.0))

    def test_all_of_it(self) -> None:
        """A2: with all records gone too it is lost, not new."""
        shutil.rmtree(self.path / "member")
        shutil.rmtree(self.path / "e2d")
        self.assertEqual(self.examine(), Lost(founding=None))

    def test_recorded_member(self) -> None:
        """A member that was recorded as living here is not forgotten either."""
        directory = self.make()
        holds = evolve(ORIGINAL, members=())
        self.now(directory.record_member(holds))
        shutil.rmtree(self.path / "member")
        shutil.rmtree(self.path / "e2d")
        self.assertEqual(self.now(directory.examine(5.0)), Lost(founding=None))

    def test_founding_under_way(self) -> None:
        """What was started, and not yet seen to serve, is not forgotten either."""
        shutil.rmtree(self.path / "member")
        shutil.rmtree(self.path / "e2d")
        directory = self.make()
        self.assertEqual(self.now(directory.examine(5.0)), Empty())
        self.now(directory.record_founding(STARTED))
        shutil.rmtree(self.path / "member")
        shutil.rmtree(self.path / "e2d")
        self.assertEqual(self.now(directory.examine(5.0)), Lost(founding=None))

    def test_own_records(self) -> None:
        """C13: without ``e2d/`` the lock is taken again, and the node id stays."""
        shutil.rmtree(self.path / "e2d")
        self.assertTrue(self.now(self.directory.in_place()))
        another = DataDirectoryLock(str(self.path))
        self.assertRaises(DataDirectoryError, another.acquire)
        self.assertEqual(self.now(self.directory.node_id()), self.identity)
        self.assertEqual(self.now(self.make().node_id()), self.identity)


class ForeignTests(SynchronousTestCase):
    """A directory that somebody else uses for something else."""

    def test_left_alone(self) -> None:
        """It is refused and keeps its mode, whatever ``dataDir`` says."""
        path = Path(self.mktemp()).absolute()
        path.mkdir(mode=0o755)
        path.chmod(0o755)
        (path / "precious").touch()
        lock = DataDirectoryLock(str(path))
        error = self.assertRaises(DataDirectoryError, lock.acquire)
        self.assertIn("it holds precious and no data of etcd's", error.message)
        self.assertEqual(path.stat().st_mode & 0o777, 0o755)
        self.assertEqual(os.listdir(path), ["precious"])

    def test_of_the_original(self) -> None:
        """A directory with ``member/`` in it is made private, and used."""
        path = Path(self.mktemp()).absolute()
        (path / "member").mkdir(parents=True)
        path.chmod(0o755)
        lock = DataDirectoryLock(str(path))
        lock.acquire()
        self.addCleanup(lock.release)
        self.assertEqual(path.stat().st_mode & 0o777, 0o700)
