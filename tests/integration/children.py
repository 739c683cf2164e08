"""Processes that tests start: they end with the tests, however those end."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, TypeVar

from attrs import define, field

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone, ProcessExitedAlready, ProcessTerminated
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from e2d.interfaces import IDaemonReactor

__all__ = [
    "Child",
    "cpu_seconds",
    "dying_with_parent",
    "freeze",
    "resident_bytes",
    "thaw",
    "within",
]

T = TypeVar("T")

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

END_SECONDS = 10.0
"""The longest that the kernel may take to end a process that was killed."""


def dying_with_parent(command: Sequence[str]) -> list[str]:
    """
    A command that the kernel kills when this process, which is to start it, ends.

    The shell looks whether that has happened before the kernel knew what to do.
    """
    look = 'test "$PPID" = "$0" && exec "$@"'
    death = ["setpriv", "--pdeathsig=KILL", "--"]
    return [*death, "sh", "-c", look, str(os.getpid()), *command]


def freeze(pid: int) -> None:
    """SIGSTOP, and wait until no thread of it runs."""
    os.kill(pid, signal.SIGSTOP)
    tasks = Path(f"/proc/{pid}/task")
    while any(_state(task) != "T" for task in tasks.iterdir()):
        time.sleep(0.001)


def thaw(pid: int) -> None:
    """SIGCONT."""
    os.kill(pid, signal.SIGCONT)


def cpu_seconds(pid: int) -> float:
    """What it has computed so far, for itself and in the kernel."""
    fields = _after_name(Path(f"/proc/{pid}/stat"))
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND


def resident_bytes(pid: int) -> int:
    """The memory that it holds now."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES


def _state(task: Path) -> str:
    return _after_name(task / "stat")[0]


def _after_name(stat: Path) -> list[str]:
    """The fields of proc(5) from the third on: the name before may hold anything."""
    return stat.read_text().rpartition(") ")[2].split()


async def within(
    seconds: float, clock: IDaemonReactor, what: str, deferred: Deferred[T]
) -> T:
    """
    Wait for something, but not for ever.

    :raises AssertionError: it did not come in time; it says what.
    """

    def late(_: object, __: float) -> NoReturn:
        raise AssertionError(f"not within {seconds:g} s: {what}")

    return await deferred.addTimeout(seconds, clock, onTimeoutCancel=late)


class Child(ProcessProtocol):
    """
    A process whose lines come through the reactor.

    :param command: is executed at once.
    :param on_line: is called with each line of standard output and standard error.
    :param on_end: is called once, when it has ended and every line was told.
    """

    def __init__(
        self,
        reactor: IDaemonReactor,
        command: Sequence[str],
        on_line: Callable[[bytes], None],
        on_end: Callable[[], None] = lambda: None,
    ) -> None:
        self._reactor = reactor
        self._on_end = on_end
        self._output = {1: _Lines(on_line), 2: _Lines(on_line)}
        self._code: int | None = None
        self._waiting: list[Deferred[None]] = []
        words = dying_with_parent(command)
        self._process = reactor.spawnProcess(self, words[0], words, env=None)
        self.pid: int = self._process.pid
        """Its id, also when it has ended."""

    def write(self, data: bytes) -> None:
        """Write to its standard input."""
        self._process.write(data)

    def close_input(self) -> None:
        """Let it find the end of its standard input."""
        self._process.closeStdin()

    def send(self, number: int) -> None:
        """Send it a signal; nothing happens if it has ended."""
        with contextlib.suppress(ProcessExitedAlready):
            self._process.signalProcess(number)

    async def wait(self, seconds: float) -> int:
        """
        Until it has ended and every line of it was told.

        :return: its exit code; negative for a signal.
        """
        if self._code is None:
            waiting: Deferred[None] = Deferred(self._waiting.remove)
            self._waiting.append(waiting)
            await within(seconds, self._reactor, f"process {self.pid} ends", waiting)
        assert self._code is not None
        return self._code

    async def kill(self, number: int = signal.SIGKILL) -> int:
        """
        End it with a signal, and wait until it has ended. Idempotent.

        :return: as :py:meth:`wait`.
        """
        self.send(number)
        return await self.wait(END_SECONDS)

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        """A piece of its output."""
        self._output[childFD].take(data)

    def processEnded(self, reason: Failure) -> None:
        """It has ended, and so has its output."""
        ended = reason.value
        assert isinstance(ended, ProcessDone | ProcessTerminated)
        self._code = -ended.signal if ended.signal else ended.exitCode
        for output in self._output.values():
            output.end()
        self._on_end()
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(None)


@define
class _Lines:
    """Cuts at line ends; linear in the size of a line, for some have megabytes."""

    _on_line: Callable[[bytes], None]
    _parts: list[bytes] = field(factory=list, init=False)

    def take(self, data: bytes) -> None:
        """A piece of output."""
        first, *more = data.split(b"\n")
        self._parts.append(first)
        for part in more:
            line, self._parts = b"".join(self._parts), [part]
            self._on_line(line)

    def end(self) -> None:
        """What follows the last line end is a line too."""
        if any(self._parts):
            self._on_line(b"".join(self._parts))
