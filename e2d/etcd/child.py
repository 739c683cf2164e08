"""
One etcd process: started by us, or found running.

Note [Not our children]: an etcd that an earlier e2d started is init's child now. Its
end can't be waited for, but a descriptor of the process (``pidfd``) becomes readable
then, and a signal sent through it can't reach another process that got the same pid.

Whatever is said here of a process's end and of signals is said of its group: see
Note [Wrappers] of `e2d.etcd.group`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from attrs import define, field

from twisted.internet.error import ProcessDone, ProcessExitedAlready, ProcessTerminated
from twisted.internet.interfaces import (
    IDelayedCall,
    IReactorTime,
    IReadDescriptor,
)
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from e2d.etcd.diagnosis import Exit
from e2d.etcd.group import ProcessGroup
from e2d.etcd.processes import Processes
from e2d.interfaces import IDaemonReactor

__all__ = [
    "AdoptedChild",
    "Child",
    "SpawnedChild",
    "adopt",
    "session_launcher",
    "spawn",
]

OnExit = Callable[[Exit], None]

_POLL_SECONDS = 0.5


class Child(Protocol):
    """A process that runs until it says that it ended, once."""

    @property
    def pid(self) -> int:
        """Its process id."""
        ...

    def send(self, number: signal.Signals) -> None:
        """Send it a signal; nothing happens if it has ended."""
        ...

    def abandon(self) -> None:
        """Watch it no longer; it runs on. Idempotent."""
        ...


def session_launcher() -> tuple[str, ...]:
    """
    The words that, put before a command, execute it as the leader of its own session.

    So that what is sent to e2d's terminal or process group does not reach etcd.
    setsid(1) becomes the command itself, so the pid is etcd's own; where there is none,
    Python does the same.
    """
    setsid = shutil.which("setsid")
    if setsid is not None:
        return (setsid,)
    become = "import os, sys; os.setsid(); os.execvp(sys.argv[1], sys.argv[1:])"
    return (sys.executable, "-I", "-S", "-c", become)


@define(eq=False)
class SpawnedChild(ProcessProtocol):
    """
    A child of our own. Made by `spawn`.

    :param on_exit: called once, when it has ended and was reaped, and nothing that it
        started is left.
    """

    _reactor: IDaemonReactor
    _processes: Processes
    _on_exit: OnExit | None
    _group: ProcessGroup | None = field(default=None, init=False)
    _pid: int | None = field(default=None, init=False)
    _handed_over: bool = field(default=False, init=False)
    _exit: Exit | None = field(default=None, init=False)

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._pid is not None
        return self._pid

    def hand_over(self) -> None:
        """
        From now on its end is told.

        A process that dies at once may be reaped before `spawn` returns, while nobody
        knows yet that there is one.
        """
        self._handed_over = True
        if self._exit is not None:
            self._reactor.callLater(0, self._reaped)

    def connectionMade(self) -> None:
        """It runs."""
        assert self.transport is not None
        self._pid = self.transport.pid
        self._group = ProcessGroup(self._reactor, self._processes, self.pid)

    def processEnded(self, reason: Failure) -> None:
        """It was reaped."""
        self._exit = _exit_of(reason)
        if self._handed_over:
            self._reaped()

    def _reaped(self) -> None:
        assert self._group is not None
        if self._on_exit is not None:
            self._group.end(self._tell)

    def _tell(self) -> None:
        on_exit, self._on_exit = self._on_exit, None
        if on_exit is not None:
            assert self._exit is not None
            on_exit(self._exit)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal; the pid is ours until it is reaped."""
        assert self._group is not None
        # In the moment before it leads a group, it is alone.
        if self._group.send(number):
            return
        with contextlib.suppress(ProcessExitedAlready):
            assert self.transport is not None
            self.transport.signalProcess(int(number))

    def abandon(self) -> None:
        """Let it run on, unwatched."""
        self._on_exit = None
        if self._group is not None:
            self._group.abandon()


def _exit_of(reason: Failure) -> Exit:
    if reason.check(ProcessDone):
        return Exit(code=0)
    ended = reason.value
    assert isinstance(ended, ProcessTerminated), reason
    return Exit(code=ended.exitCode, signal=ended.signal)


def spawn(
    reactor: IDaemonReactor,
    processes: Processes,
    command: Sequence[str],
    environment: Mapping[str, str],
    output: int,
    on_exit: OnExit,
) -> SpawnedChild:
    """
    Start a process in a session of its own, with nothing of ours but its output.

    :param command: the program's path, then its arguments.
    :param output: the descriptor that becomes its standard output and error; ours
        stays open.
    :raises OSError: no process could be made.
    """
    child = SpawnedChild(reactor, processes, on_exit)
    null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    try:
        # Descriptors that are not named here, e2d's locks among them, stay with e2d.
        reactor.spawnProcess(
            child,
            command[0],
            list(command),
            env=dict(environment),
            childFDs={0: null, 1: output, 2: output},
        )
    finally:
        os.close(null)
    child.hand_over()
    return child


@define(eq=False)
@implementer(IReadDescriptor)
class AdoptedChild:
    """
    A process that is not our child. Made by `adopt`; see Note [Not our children].

    :param descriptor: of the process; None where the kernel has no such thing: then it
        is looked for twice a second.
    :param start_time: together with the pid, the identity of the process.
    """

    _reactor: IDaemonReactor
    _processes: Processes
    pid: int
    start_time: int
    _descriptor: int | None
    _on_exit: OnExit | None
    _group: ProcessGroup = field(init=False)
    _poll: IDelayedCall | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        group = self._processes.group_of(self.pid)
        self._group = ProcessGroup(self._reactor, self._processes, group)

    def fileno(self) -> int:
        """The descriptor, for the reactor."""
        return -1 if self._descriptor is None else self._descriptor

    def logPrefix(self) -> str:
        """What the reactor calls it."""
        return "adopted etcd"

    def doRead(self) -> None:
        """The process has ended."""
        self._ended()

    def connectionLost(self, reason: Failure) -> None:  # noqa: ARG002 - Twisted's
        """The reactor lets go of everything: so do we, etcd runs on."""
        self.abandon()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, and nobody else."""
        # A group that outlives it keeps its id; another's process may have got its pid.
        if self._processes.start_time(self.pid) not in {None, self.start_time}:
            return
        if self._group.send(number):
            return
        with contextlib.suppress(ProcessLookupError):
            if self._descriptor is not None:
                signal.pidfd_send_signal(self._descriptor, number)
            elif self._processes.start_time(self.pid) is not None:
                os.kill(self.pid, number)

    def abandon(self) -> None:
        """Watch it no longer."""
        self._on_exit = None
        self._group.abandon()
        self._let_go()

    def _let_go(self) -> None:
        if self._poll is not None and self._poll.active():
            self._poll.cancel()
        self._poll = None
        if self._descriptor is not None:
            self._reactor.removeReader(self)
            os.close(self._descriptor)
            self._descriptor = None

    def watch(self) -> None:
        """Begin to watch it."""
        if self._descriptor is not None:
            self._reactor.addReader(self)
        else:
            clock: IReactorTime = self._reactor
            self._poll = clock.callLater(_POLL_SECONDS, self._look)

    def _look(self) -> None:
        if self._processes.start_time(self.pid) == self.start_time:
            self.watch()
        else:
            self._ended()

    def _ended(self) -> None:
        self._let_go()
        self._group.end(self._tell)

    def _tell(self) -> None:
        on_exit, self._on_exit = self._on_exit, None
        if on_exit is not None:
            on_exit(Exit())


def adopt(
    reactor: IDaemonReactor,
    processes: Processes,
    pid: int,
    start_time: int,
    on_exit: OnExit,
) -> AdoptedChild | None:
    """
    Watch a process that runs already.

    :return: None if it has ended, or never was.
    """
    try:
        descriptor: int | None = os.pidfd_open(pid)
    except ProcessLookupError:
        return None
    except OSError:
        descriptor = None  # before Linux 5.3, or a sandbox forbids it
    # The descriptor is of whoever has the pid now; only this makes it the one meant.
    if processes.start_time(pid) != start_time:
        if descriptor is not None:
            os.close(descriptor)
        return None
    child = AdoptedChild(reactor, processes, pid, start_time, descriptor, on_exit)
    child.watch()
    return child
