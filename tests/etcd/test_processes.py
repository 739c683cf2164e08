"""What ``/proc`` tells, on a made-up one."""

from __future__ import annotations

import fcntl
import os
import signal

from twisted.trial.unittest import SynchronousTestCase

from e2d.etcd.processes import Processes, RunningProcess


class ProcessesTests(SynchronousTestCase):
    """Other processes."""

    def setUp(self) -> None:
        """A procfs without processes."""
        self.proc = self.mktemp()
        os.mkdir(self.proc)
        self.processes = Processes(self.proc)

    def _write(self, path: str, content: bytes) -> None:
        path = os.path.join(self.proc, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)

    def _process(
        self, pid: int, *command: str, started: int = 7, state: str = "S", **env: str
    ) -> None:
        fields = " ".join(["0"] * 18)
        stat = f"{pid} (et) c d) {state} {fields} {started} 0 0\n"
        self._write(f"{pid}/stat", stat.encode())
        self._write(f"{pid}/comm", b"etcd\n")
        self._write(f"{pid}/cmdline", "".join(f"{each}\0" for each in command).encode())
        variables = "".join(f"{name}={value}\0" for name, value in env.items())
        self._write(f"{pid}/environ", variables.encode())

    def test_start_time(self) -> None:
        """The start is found behind a name with parentheses and blanks."""
        self._process(12, "etcd", started=4711)
        self.assertEqual(self.processes.start_time(12), 4711)

    def test_gone(self) -> None:
        """A process that is gone, or only waits to be reaped, has no start."""
        self._process(12, "etcd", state="Z")
        self.assertIsNone(self.processes.start_time(12))
        self.assertIsNone(self.processes.start_time(13))

    def _grouped(self, pid: int, group: int, session: int, state: str = "S") -> None:
        fields = f"{state} 1 {group} {session} {' '.join(['0'] * 15)} 7 0 0"
        self._write(f"{pid}/stat", f"{pid} (sh) {fields}\n".encode())

    def test_group(self) -> None:
        """A group is known by the leader of its session, and by who lives in it."""
        self._grouped(12, 12, 12)
        self._grouped(13, 12, 12)
        self._grouped(14, 14, 11)
        self.assertEqual(self.processes.group_of(13), 12)
        self.assertEqual(self.processes.group_of(14), 14)
        self.assertTrue(self.processes.in_group(12))
        self._grouped(12, 12, 12, state="Z")
        self._grouped(13, 12, 12, state="Z")
        self.assertFalse(self.processes.in_group(12))

    def test_group_of_somebody_else(self) -> None:
        """A leader that e2d did not start has a group that is not etcd's."""
        self._grouped(12, 12, 12)
        self._grouped(13, 12, 12)
        self._write("12/environ", b"PATH=/bin\0")
        self.assertEqual(self.processes.group_of(13), 13)
        self._write("12/environ", b"PATH=/bin\0E2D_LAUNCH=ab\0")
        self.assertEqual(self.processes.group_of(13), 12)

    def test_no_group_of_etcd(self) -> None:
        """A process that is gone, of the kernel or of our own group is alone."""
        self._grouped(12, 0, 0)
        self._grouped(13, os.getpgrp(), os.getpgrp())
        groups = [self.processes.group_of(pid) for pid in (12, 13, 99)]
        self.assertEqual(groups, [12, 13, 99])

    def test_signal_to_nobody(self) -> None:
        """A group without a living process is not signalled."""
        self.assertFalse(self.processes.signal_group(12, signal.SIGKILL))

    def test_garbage(self) -> None:
        """What is not understood is not there."""
        self._write("12/stat", b"\xff\xff")
        self.assertIsNone(self.processes.start_time(12))
        self.assertEqual(self.processes.command_line(13), ("",))

    def test_data_dir_in_every_form(self) -> None:
        """The data directory is recognised however it was given."""
        data = os.path.abspath(self.mktemp())
        self._process(1, "etcd", f"--data-dir={data}")
        self._process(2, "etcd", "-data-dir", data)
        self._process(3, "etcd", ETCD_DATA_DIR=data)
        self._process(4, "etcd", "--data-dir", os.path.basename(data))
        os.symlink(os.path.dirname(data), os.path.join(self.proc, "4", "cwd"))
        self._process(5, "etcd", "--data-dir=/elsewhere")
        self._process(6, "etcd")
        self._process(7, "etcd", "--data-dir")
        uses = [pid for pid in range(1, 8) if self.processes.uses_data_dir(pid, data)]
        self.assertEqual(uses, [1, 2, 3, 4])

    def test_launched_on_our_data(self) -> None:
        """A process is found by a variable in its environment and its directory."""
        data = os.path.abspath(self.mktemp())
        self._process(11, "etcd", f"--data-dir={data}")
        self._process(12, "etcd", f"--data-dir={data}", E2D_LAUNCH="feed")
        self._process(13, "etcd", "--data-dir=/elsewhere", E2D_LAUNCH="cafe")
        self._process(14, "etcd", f"--data-dir={data}", state="Z", E2D_LAUNCH="dead")
        launched = self.processes.launched_on("E2D_LAUNCH", data)
        self.assertEqual(launched, {12: "feed"})

    def test_boot(self) -> None:
        """The boot has a name."""
        self._write("sys/kernel/random/boot_id", b"1f6e\n")
        self.assertEqual(self.processes.boot_id(), "1f6e")

    def test_user_of_data_dir_by_its_arguments(self) -> None:
        """Who was given our data directory is named."""
        data = os.path.abspath(self.mktemp())
        self.assertIsNone(self.processes.user_of_data_dir(data))
        self._process(12, "etcd", "--data-dir", data)
        user = self.processes.user_of_data_dir(data)
        self.assertEqual(str(user), "etcd (pid 12)")

    def _locked_database(self) -> str:
        data = os.path.abspath(self.mktemp())
        os.makedirs(os.path.join(data, "member", "snap"))
        database = os.path.join(data, "member", "snap", "db")
        descriptor = os.open(database, os.O_CREAT | os.O_RDWR)
        self.addCleanup(os.close, descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return data

    def test_user_of_data_dir_by_its_lock(self) -> None:
        """Who holds the database's lock is named, whatever its arguments."""
        data = self._locked_database()
        database = os.path.join(data, "member", "snap", "db")
        inode = os.stat(database).st_ino
        self._process(12, "bbolt")
        os.makedirs(os.path.join(self.proc, "12", "fd"))
        os.symlink(database, os.path.join(self.proc, "12", "fd", "5"))
        locks = (
            "1: POSIX  ADVISORY  WRITE 99 fe:00:1 0 EOF\n"
            f"2: FLOCK  ADVISORY  WRITE 12 fe:00:{inode} 0 EOF\n"
            f"2: -> FLOCK  ADVISORY  WRITE 13 fe:00:{inode} 0 EOF\n"
        )
        self._write("locks", locks.encode())
        user = self.processes.user_of_data_dir(data)
        self.assertEqual(user, RunningProcess(pid=12, name="etcd"))

    def test_user_of_data_dir_out_of_sight(self) -> None:
        """A lock whose holder can't be seen is a lock all the same."""
        data = self._locked_database()
        user = self.processes.user_of_data_dir(data)
        self.assertEqual(user.pid, 0)
        self.assertIn("not visible from here", str(user))

    def test_listener(self) -> None:
        """Who listens on a port is named; a connection from it is not a listener."""
        head = b"  sl  local_address rem_address   st ...\n"
        row = (
            b"   0: 0100007F:094B 00000000:0000 %s 00000000:00000000 00:00000000 "
            b"00000000     0        0 4711 1 0000000000000000 100 0 0 10 0\n"
        )
        self._process(12, "etcd")
        os.makedirs(os.path.join(self.proc, "12", "fd"))
        os.symlink("socket:[4711]", os.path.join(self.proc, "12", "fd", "3"))
        self._write("net/tcp", head + row % b"01")
        self.assertIsNone(self.processes.listener_on(2379))
        self._write("net/tcp", head + row % b"0A")
        self.assertEqual(str(self.processes.listener_on(2379)), "etcd (pid 12)")
        self.assertIsNone(self.processes.listener_on(2380))

    def test_memory(self) -> None:
        """Etcd keeps the score e2d was born with, e2d's own is raised once."""
        self._write("self/oom_score_adj", b"-500\n")
        self._process(12, "etcd")
        self._write("12/oom_score_adj", b"-400")
        self.processes.yield_to(12, 100)
        self.processes.yield_to(12, 100)
        scores = []
        for name in ("self", "12"):
            with open(os.path.join(self.proc, name, "oom_score_adj")) as file:
                scores.append(file.read())
        self.assertEqual(scores, ["-400", "-500"])
