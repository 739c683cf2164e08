"""Small files that survive a power cut, and errors that say the way out."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

__all__ = [
    "RunInPool",
    "explain_error",
    "make_directory",
    "read_file",
    "remove_file",
    "sync_directory",
    "write_file",
]

_T = TypeVar("_T")

_IN_THE_WAY = "a file is where a directory should be: move it, or name another dataDir"

_REMEDIES = {
    errno.EACCES: "run e2d as its owner, or chown it to the user e2d runs as",
    errno.EPERM: "run e2d as its owner, or chown it to the user e2d runs as",
    errno.EROFS: "the file system is read-only: mount it read-write "
    "(after an I/O error: check the disk first)",
    errno.ENOSPC: "the disk is full: free some space or enlarge it",
    errno.EDQUOT: "the disk quota is used up: free some space or raise it",
    errno.EIO: "the disk failed: look at the kernel's log, replace the disk",
    errno.ENOTDIR: _IN_THE_WAY,
    errno.EEXIST: _IN_THE_WAY,
    errno.ELOOP: "a symbolic link is where none may be: remove it",
    errno.ENAMETOOLONG: "the path is too long: name another dataDir",
    errno.ENOLCK: "the file system cannot lock files: put dataDir on a local disk",
    errno.EMFILE: "too many open files: raise LimitNOFILE",
}

_BESIDE = os.O_CLOEXEC | os.O_NOFOLLOW


class RunInPool(Protocol):
    """Runs a blocking function where it may block; the answer or error comes back."""

    def __call__(self, function: Callable[[], _T], /) -> Awaitable[_T]:
        """Run it."""
        ...


def explain_error(error: OSError, path: str, doing: str) -> str:
    """
    An error of the operating system as one line with the way out.

    :param path: what was touched, if the error itself does not say.
    :param doing: what was tried, as in "could not *write*".
    """
    where = error.filename if isinstance(error.filename, str) else path
    what = error.strerror or type(error).__name__
    remedy = _REMEDIES.get(error.errno or 0)
    line = f"{where}: could not {doing}: {what}"
    return f"{line}; {remedy}" if remedy else line


def sync_directory(path: str) -> None:
    """Have the entries of a directory on disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_directory(path: str) -> None:
    """
    Have a directory on disk, mode 0700 if it is new; its parent must exist.

    :raises FileExistsError: something else has its name.
    """
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        if not os.path.isdir(path):
            raise
        return
    sync_directory(os.path.dirname(path))


def read_file(path: str, limit: int) -> bytes | None:
    """
    The whole of a small file, None if there is none.

    Neither a symbolic link nor anything but a regular file is read, so that nothing
    that has its name can make us wait.

    :param limit: the most bytes that it may have.
    :raises ValueError: it is longer, or no regular file.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | _BESIDE)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ValueError("it is not a regular file")
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise ValueError(f"it is longer than {limit} bytes")
    return content


def write_file(path: str, content: bytes) -> None:
    """
    Replace a small file, mode 0600, so that any moment's crash leaves old or new.

    One writer at a time: the temporary name beside it is fixed, so that a crash
    leaves at most one of them behind, which the next write takes over.
    """
    directory, name = os.path.split(path)
    temporary = os.path.join(directory, f".{name}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _BESIDE
    descriptor = os.open(temporary, flags, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    os.rename(temporary, path)
    sync_directory(directory)


def remove_file(path: str) -> None:
    """Have no such file, on disk; nor mind if there was none."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
    sync_directory(os.path.dirname(path))
