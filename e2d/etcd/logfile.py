"""
The file that etcd logs to, followed and kept small by e2d.

Note [A file, not a pipe]: a pipe breaks when its reader dies, and etcd dies of it at
its next line (B1). So etcd's standard output and error are a file, opened for
appending, and e2d reads what is added to it.

Note [Polling]: two ``fstat`` a second cost nothing that can be measured, work on every
file system, and need none of the few inotify instances a user may have. Where a line
matters at once, because etcd has ended, whoever needs it calls `LogFollower.drain`.

Note [Copy, then truncate]: etcd can't be told to open another file, so a file that grew
too large is copied to ``etcd.log.1`` and truncated in place. Lines that etcd writes in
between are lost; that is the price of a bound.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from typing import BinaryIO

from attrs import define, field, frozen

from twisted.internet.defer import DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.logger import LogLevel as Severity

from e2d.etcd.logs import LINE_LIMIT_BYTES, LogLevel, LogLine, parse_line
from e2d.files import RunInPool
from e2d.services import Repeater

__all__ = ["FILE_LIMIT_BYTES", "LogBatch", "LogFile", "LogFollower", "open_log"]

FILE_LIMIT_BYTES = 16 * 1024 * 1024
"""A larger log is moved to ``etcd.log.1``: weeks of errors, hours of debug."""

_READ_BYTES = 256 * 1024
_BEHIND_LIMIT_BYTES = 4 * 1024 * 1024
# What is further behind is passed over, so these many reads reach the end that there
# was when they began, however fast somebody goes on writing.
_DRAIN_READS = 2 * _BEHIND_LIMIT_BYTES // _READ_BYTES
_POLL_SECONDS = 0.5


def open_log(path: str) -> int:
    """
    Open a log for etcd to write to; made (0600) if there is none. Blocks.

    :return: a descriptor, the caller's to close.
    :raises OSError: it can't be opened.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    return os.open(path, flags, 0o600)


@frozen(kw_only=True)
class LogBatch:
    """
    What was added to a log.

    :param lines: whole lines, without their ends; a huge one cut short.
    :param skipped_bytes: passed over unread, because etcd writes faster than we read.
    :param more: there is more to read already.
    """

    lines: Sequence[bytes]
    skipped_bytes: int = 0
    more: bool = False


@define(eq=False)
class LogFile:
    """
    A log that someone else writes, read from its present end on. Every method blocks.

    It survives a file that is truncated or renamed under it, half a line, and a line
    without end.

    :param path: of the log.
    :param limit_bytes: the size past which it is moved out of the way.
    """

    path: str
    _limit_bytes: int = FILE_LIMIT_BYTES
    _descriptor: int | None = field(default=None, init=False)
    _offset: int = field(default=0, init=False)
    _partial: bytes = field(default=b"", init=False)
    _overlong: bool = field(default=False, init=False)

    def open(self, other: str | None = None) -> None:
        """
        Begin at the end of what is there.

        :param other: another name for the file, tried first: ``/proc/PID/fd/2`` finds
            the one a process writes to even if it was renamed.
        :raises OSError: there is no such file.
        """
        self.close()
        flags = os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK
        descriptor = None
        if other is not None:
            with contextlib.suppress(OSError):
                descriptor = os.open(other, flags)
        if descriptor is None:
            descriptor = os.open(self.path, flags | os.O_NOFOLLOW)
        self._descriptor = descriptor
        self._offset = os.fstat(descriptor).st_size

    def close(self) -> None:
        """Let go of it. Idempotent."""
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = None
        self._partial, self._overlong = b"", False

    def read(self) -> LogBatch:
        """
        What was added since the last call; moves a log that has grown too large.

        :raises OSError: the disk says no.
        """
        if self._descriptor is None:
            return LogBatch(lines=())
        size = os.fstat(self._descriptor).st_size
        skipped = 0
        if size < self._offset:  # somebody truncated it
            self._offset, self._partial, self._overlong = 0, b"", False
        elif size - self._offset > _BEHIND_LIMIT_BYTES:
            skipped = size - _READ_BYTES - self._offset
            self._offset, self._partial, self._overlong = size - _READ_BYTES, b"", True
        if size == self._offset:
            return LogBatch(lines=(), skipped_bytes=skipped)
        data = os.pread(self._descriptor, _READ_BYTES, self._offset)
        self._offset += len(data)
        more = self._offset < size
        if not more and size > self._limit_bytes:
            self._move(self._descriptor)
        return LogBatch(lines=self._split(data), skipped_bytes=skipped, more=more)

    def rest(self) -> bytes:
        """The last line, if it has no end: nobody will write it any more."""
        rest, self._partial = self._partial, b""
        return rest

    def _split(self, data: bytes) -> list[bytes]:
        *ended, rest = data.split(b"\n")
        lines = []
        for each in ended:
            line = self._partial + each
            self._partial = b""
            if self._overlong:  # the end of a line whose head was given already
                self._overlong = False
            elif line:
                lines.append(line[:LINE_LIMIT_BYTES])
        if self._overlong:
            return lines
        self._partial += rest
        if len(self._partial) > LINE_LIMIT_BYTES:
            lines.append(self._partial[:LINE_LIMIT_BYTES])
            self._partial, self._overlong = b"", True
        return lines

    def _move(self, descriptor: int) -> None:
        # See Note [Copy, then truncate]. A full disk must not keep the log growing, so
        # it is truncated even if the copy fails.
        kept, half = f"{self.path}.1", f"{self.path}.1.part"
        try:
            with (
                open(descriptor, "rb", closefd=False) as old,
                open(half, "wb", opener=_private) as new,
            ):
                old.seek(max(0, self._offset - 2 * self._limit_bytes))
                copy_at_most(old, new, 2 * self._limit_bytes)
            os.replace(half, kept)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(half)
        os.ftruncate(descriptor, 0)
        self._offset = 0


def copy_at_most(old: BinaryIO, new: BinaryIO, most_bytes: int) -> None:
    """Copy so many bytes and no more: the end moves on while etcd writes."""
    while most_bytes > 0 and (piece := old.read(min(most_bytes, _READ_BYTES))):
        new.write(piece)
        most_bytes -= len(piece)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


_SEVERITIES = {
    LogLevel.DEBUG: Severity.debug,
    LogLevel.INFO: Severity.info,
    LogLevel.WARN: Severity.warn,
    LogLevel.ERROR: Severity.error,
    LogLevel.FATAL: Severity.critical,
}


@define(eq=False)
class LogFollower:
    """
    Turns what etcd logs into events of ours, and remembers the end for a diagnosis.

    `start` and `stop` may be called while another of them is under way: each waits for
    the one before, so nobody lets go of a file that somebody else has just opened.

    :param listener: called with each line, after it was logged.
    """

    _clock: IReactorTime
    _file: LogFile
    _run_in_pool: RunInPool
    _listener: Callable[[LogLine], None]
    _log: Logger = field(factory=lambda: Logger(namespace="etcd"))
    _lock: DeferredLock = field(factory=DeferredLock, init=False)
    _changing: DeferredLock = field(factory=DeferredLock, init=False)
    _repeater: Repeater | None = field(default=None, init=False)

    async def start(self, other: str | None = None) -> None:
        """
        Follow the log from its present end on. A log that can't be read is said.

        :param other: another name for the file, see `LogFile.open`.
        """
        await self._changing.acquire()
        try:
            await self._end()
            await self._run_in_pool(lambda: self._file.open(other))
        except OSError as error:
            self._log.warn(
                "What etcd says will not be seen here: {path} can't be read: {reason}",
                path=self._file.path,
                reason=str(error),
            )
        else:
            self._repeater = Repeater(self._clock, self._turn)
            self._repeater.start()
        finally:
            self._changing.release()

    async def stop(self) -> None:
        """Read what is left, then let go of the file. Idempotent."""
        await self._changing.acquire()
        try:
            await self._end()
        except OSError as error:
            self._log.warn(
                "{path} could not be closed: {reason}",
                path=self._file.path,
                reason=str(error),
            )
        finally:
            self._changing.release()

    async def _end(self) -> None:
        repeater, self._repeater = self._repeater, None
        if repeater is None:
            return
        await repeater.stop()
        await self.drain()
        rest = self._file.rest()
        if rest:
            self._tell(rest)
        await self._run_in_pool(self._file.close)

    async def drain(self) -> None:
        """Read all that is there now."""
        for _ in range(_DRAIN_READS):
            if not await self._read():
                return

    async def _turn(self) -> float:
        more = await self._read()
        return 0.0 if more else _POLL_SECONDS

    async def _read(self) -> bool:
        await self._lock.acquire()
        try:
            batch = await self._run_in_pool(self._file.read)
        except OSError as error:
            self._log.warn(
                "{path} can't be read: {reason}",
                path=self._file.path,
                reason=str(error),
            )
            return False
        finally:
            self._lock.release()
        if batch.skipped_bytes:
            self._log.warn(
                "{bytes} bytes of etcd's log were passed over: it is written faster "
                "than it can be read; lower EtcdLogLevel",
                bytes=batch.skipped_bytes,
            )
        for each in batch.lines:
            self._tell(each)
        return batch.more

    def _tell(self, raw: bytes) -> None:
        line = parse_line(raw)
        # Text of no known form is usage or the trace of a panic: for developers.
        severity = _SEVERITIES[line.level] if line.level else Severity.debug
        self._log.emit(
            severity,
            "etcd: {text}",
            text=line.text,
            etcd_message=line.message,
            etcd_fields=dict(line.fields),
        )
        self._listener(line)
