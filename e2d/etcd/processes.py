"""
Other processes, as ``/proc`` shows them: which is our etcd, and who sits on our data.

Everything here blocks: reading the command line of a process whose disk hangs can hang
too, so it belongs in a pool. Whatever ``/proc`` says is bounded, and a process may be
gone between any two reads.
"""

from __future__ import annotations

import fcntl
import os
import re
import signal
from collections.abc import Iterator

from attrs import define, field, frozen

from e2d.etcd.command import LAUNCH_VARIABLE

__all__ = ["Processes", "RunningProcess"]

# Beyond these it is not a command line or an environment of ours.
_READ_LIMIT_BYTES = 256 * 1024
_LOCKS_LIMIT_BYTES = 4 * 1024 * 1024
# 1: FLOCK  ADVISORY  WRITE 708 fe:00:1234 0 EOF; those who wait have "->" after "1:".
_LOCK = re.compile(rb"\d+: \w+ +\w+ +\w+ +(\d+) [0-9a-f]+:[0-9a-f]+:(\d+) ")
# 0: 0100007F:094B 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 4711 ...
_LISTENING = re.compile(
    rb" *\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F:]+ 0A \S+ \S+ \S+ +\d+ +\d+ (\d+)"
)
_DATABASE = os.path.join("member", "snap", "db")


@frozen(kw_only=True)
class RunningProcess:
    """
    A process.

    :param pid: 0 when it is known to exist but not visible from here (a container).
    :param name: its program, for people.
    """

    pid: int
    name: str

    def __str__(self) -> str:
        """``etcd (pid 123)``."""
        if self.pid == 0:
            return "a process that is not visible from here (in a container?)"
        return f"{self.name} (pid {self.pid})"


@define(eq=False)
class Processes:
    """
    The processes of this machine.

    :param proc: where procfs is mounted.
    """

    _proc: str = "/proc"
    _oom_score: int | None = field(default=None, init=False)

    def boot_id(self) -> str:
        """What this boot of the machine is called; pids mean nothing in another."""
        content = self._read("sys/kernel/random/boot_id", 64)
        return (content or b"").decode("ascii", "replace").strip()

    def start_time(self, pid: int) -> int | None:
        """
        When a process started, in clock ticks since the boot.

        :return: None if it is gone, a zombie included. With the boot's id and the pid
            it names one process for ever.
        """
        return self._number(pid, 19)

    def group_of(self, pid: int) -> int:
        """
        The process group that a start of etcd made, by any process of it.

        :return: the pid if it is in no such group: it leads none, or is gone.
        """
        group, session = self._number(pid, 2), self._number(pid, 3)
        # Only who leads a session of its own names a group after it. Ours is another:
        # a process that was just forked is still in the group of its parent.
        if not group or group != session or group == os.getpgrp():
            return pid
        # Nor is it of ours where its leader, if it still lives, was not started so.
        environment = self._read(f"{group}/environ", _READ_LIMIT_BYTES)
        marked = not environment or self._variable(group, LAUNCH_VARIABLE)
        return group if marked else pid

    def in_group(self, group: int) -> bool:
        """Whether any process is in a group; zombies are gone."""
        try:
            return any(self._number(pid, 2) == group for pid in self._pids())
        except OSError:
            return False

    def signal_group(self, group: int, number: signal.Signals) -> bool:
        """
        Send each process of a group a signal.

        The id of a group is not given to another while a process of it is left.

        :return: False if none is.
        :raises OSError: we may not signal any of them.
        """
        if not self.in_group(group):
            return False
        try:
            os.killpg(group, number)
        except ProcessLookupError:
            return False
        return True

    def command_line(self, pid: int) -> tuple[str, ...]:
        """The arguments of a process, its program first; () if they can't be read."""
        content = self._read(f"{pid}/cmdline", _READ_LIMIT_BYTES) or b""
        return tuple(os.fsdecode(each) for each in content.rstrip(b"\0").split(b"\0"))

    def uses_data_dir(self, pid: int, data_dir: str) -> bool:
        """Whether a process was given this ``--data-dir``, by flag or variable."""
        named = _data_dir_of(self.command_line(pid))
        if named is None:
            named = self._variable(pid, "ETCD_DATA_DIR")
        if not named:
            return False
        if not os.path.isabs(named):
            try:
                named = os.path.join(os.readlink(f"{self._proc}/{pid}/cwd"), named)
            except OSError:
                return False
        return os.path.realpath(named) == os.path.realpath(data_dir)

    def launched_on(self, variable: str, data_dir: str) -> dict[int, str]:
        """
        The processes of our user that were started on this data with a variable set.

        :return: what it is set to, by pid.
        """
        found = {}
        for pid in self._pids():
            value = self._variable(pid, variable)
            if not value or not self._is_of_our_user(pid):
                continue
            if self.uses_data_dir(pid, data_dir) and self.start_time(pid):
                found[pid] = value
        return found

    def user_of_data_dir(self, data_dir: str) -> RunningProcess | None:
        """
        Who uses etcd's data directory: holds the database's lock, or was given it.

        :return: None if nobody does.
        """
        database = os.path.join(data_dir, _DATABASE)
        if _is_locked(database):
            return self._lock_holder(database) or RunningProcess(pid=0, name="")
        for pid in self._pids():
            if self.uses_data_dir(pid, data_dir) and self.start_time(pid):
                return self.describe(pid)
        return None

    def listener_on(self, port: int) -> RunningProcess | None:
        """Who listens on a TCP port, None if it can't be told."""
        sockets = set(self._listening_sockets(port))
        if not sockets:
            return None
        for pid in self._pids():
            if sockets & set(self._open_files(pid)):
                return self.describe(pid)
        return None

    def yield_to(self, pid: int | None, spare: int) -> None:
        """
        When memory runs out, have this process killed before another.

        :param pid: the other, which gets the score this process had at first; None
            to change only our own.
        :param spare: how much is added to our own score, the first time.
        :raises OSError: we may not, or there is no such score.
        """
        if self._oom_score is None:
            content = self._read("self/oom_score_adj", 16) or b""
            self._oom_score = int(content.strip() or b"0")
            self._write("self/oom_score_adj", min(1000, self._oom_score + spare))
        if pid is not None:
            self._write(f"{pid}/oom_score_adj", self._oom_score)

    def describe(self, pid: int) -> RunningProcess:
        """A process for people."""
        content = self._read(f"{pid}/comm", 64) or b"a process"
        return RunningProcess(pid=pid, name=content.decode("utf-8", "replace").strip())

    def _number(self, pid: int, position: int) -> int | None:
        """A field of a process's ``stat``, from the state on; None if it is gone."""
        content = self._read(f"{pid}/stat", 4096)
        if content is None:
            return None
        # The second field is the program's name in parentheses, with anything in it.
        fields = content.rpartition(b")")[2].split()
        state, number = fields[:1], fields[position : position + 1]
        if state in ([b"Z"], [b"X"]) or not number or not number[0].isdigit():
            return None
        return int(number[0])

    def _read(self, path: str, limit: int) -> bytes | None:
        try:
            with open(os.path.join(self._proc, path), "rb") as file:
                return file.read(limit)
        except OSError:
            return None

    def _write(self, path: str, value: int) -> None:
        with open(os.path.join(self._proc, path), "w", encoding="ascii") as file:
            file.write(str(value))

    def _pids(self) -> Iterator[int]:
        own = os.getpid()
        for name in os.listdir(self._proc):
            if name.isdigit() and int(name) != own:
                yield int(name)

    def _variable(self, pid: int, name: str) -> str | None:
        content = self._read(f"{pid}/environ", _READ_LIMIT_BYTES) or b""
        wanted = os.fsencode(name) + b"="
        for each in content.split(b"\0"):
            if each.startswith(wanted):
                return os.fsdecode(each[len(wanted) :])
        return None

    def _is_of_our_user(self, pid: int) -> bool:
        try:
            return os.stat(f"{self._proc}/{pid}").st_uid == os.geteuid()
        except OSError:
            return False

    def _open_files(self, pid: int) -> Iterator[str]:
        directory = f"{self._proc}/{pid}/fd"
        try:
            for name in os.listdir(directory):
                yield os.readlink(os.path.join(directory, name))
        except OSError:
            return

    def _lock_holder(self, path: str) -> RunningProcess | None:
        try:
            inode = os.stat(path).st_ino
        except OSError:
            return None
        content = self._read("locks", _LOCKS_LIMIT_BYTES) or b""
        for line in content.splitlines():
            found = _LOCK.match(line)
            if found is None or int(found[2]) != inode:
                continue
            # Inodes repeat between file systems, and the device that is printed is
            # not always the one that stat() tells.
            if os.path.realpath(path) in self._open_files(int(found[1])):
                return self.describe(int(found[1]))
        return None

    def _listening_sockets(self, port: int) -> Iterator[str]:
        for table in ("net/tcp", "net/tcp6"):
            content = self._read(table, _LOCKS_LIMIT_BYTES) or b""
            for line in content.splitlines()[1:]:
                found = _LISTENING.match(line)
                if found is not None and int(found[1], 16) == port:
                    yield f"socket:[{int(found[2])}]"


def _data_dir_of(command_line: tuple[str, ...]) -> str | None:
    """The value of ``--data-dir`` as Go's flags may be written."""
    found = None
    for position, argument in enumerate(command_line):
        flag, equals, value = argument.partition("=")
        if flag not in {"--data-dir", "-data-dir"}:
            continue
        if equals:
            found = value
        elif position + 1 < len(command_line):
            found = command_line[position + 1]
    return found


def _is_locked(path: str) -> bool:
    """Whether someone has etcd's database open: etcd locks it exclusively."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False
