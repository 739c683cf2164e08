"""One e2d on one data directory, which is its user's alone (C13)."""

from __future__ import annotations

import fcntl
import os
import stat

from e2d.etcd.disk import explain
from e2d.files import make_directory
from e2d.interfaces import DataDirectoryError

__all__ = ["DataDirectoryLock", "make_private"]

_PRIVATE = 0o700
_PID_BYTES = 20


class DataDirectoryLock:
    """
    One e2d on one directory (C13). It ends with the process, however that ends.

    The blocking calls are for before the reactor runs and after.

    :param path: the data directory, absolute.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """
        Have the directory, its ``e2d/`` (0700 both) and the lock.

        :raises DataDirectoryError: another e2d has it, or it cannot be used.
        """
        assert self._descriptor is None
        own = os.path.join(self._path, "e2d")
        try:
            os.makedirs(os.path.dirname(self._path), exist_ok=True)
            make_directory(self._path)
            _refuse_foreign(self._path)
            make_private(self._path)
            make_directory(own)
            make_private(own)
            self._descriptor = _lock(os.path.join(own, "lock"))
        except OSError as error:
            raise explain(error, self._path, "use the data directory") from error

    def release(self) -> None:
        """Let another e2d have it. Idempotent."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def follow(self) -> None:
        """
        Have the lock of the directory that is at the path now. Blocks.

        A volume that was mounted there, or unmounted, hides the one that was locked.

        :raises DataDirectoryError: another e2d has that one, or it cannot be used.
        """
        before = self._descriptor
        assert before is not None
        if self._is_at_the_path(before):
            return
        self._descriptor = None
        try:
            self.acquire()
        except DataDirectoryError:
            self._descriptor = before
            raise
        os.close(before)

    def _is_at_the_path(self, descriptor: int) -> bool:
        try:
            there = os.stat(os.path.join(self._path, "e2d", "lock"))
        except OSError:
            return False
        return os.path.samestat(os.fstat(descriptor), there)


def _refuse_foreign(directory: str) -> None:
    """
    Have nothing to do with a directory that others put to another use.

    :raises DataDirectoryError: it holds something, and nothing of etcd's or ours.
    """
    if stat.S_IMODE(os.stat(directory).st_mode) == _PRIVATE:
        return
    names = {name for name in os.listdir(directory) if not name.startswith(".")}
    others = sorted(names - {"lost+found"})
    if others and not names & {"member", "e2d"}:
        raise DataDirectoryError(
            f"{directory}: it holds {others[0]} and no data of etcd's; name an empty"
            " or a new directory as dataDir"
        )


def make_private(directory: str) -> None:
    """Have a directory that nobody else may enter."""
    # etcd warns about, or refuses, a directory that others may enter.
    if stat.S_IMODE(os.stat(directory).st_mode) != _PRIVATE:
        os.chmod(directory, _PRIVATE)


def _lock(path: str) -> int:
    """Lock a file and write our pid into it; never waits."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)
    except BlockingIOError:
        holder = os.pread(descriptor, _PID_BYTES, 0).strip().decode("ascii", "replace")
        os.close(descriptor)
        raise DataDirectoryError(
            f"{path}: another e2d (pid {holder or 'unknown'}) uses this data "
            "directory; stop it, or name another dataDir"
        ) from None
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
