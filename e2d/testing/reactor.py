"""
A reactor in memory: a clock that is advanced by hand, and processes that never run.

Twisted's own `MemoryReactorClock`, with what the daemon needs besides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import define, field

from twisted.internet.error import (
    ProcessDone,
    ProcessExitedAlready,
    ProcessTerminated,
)
from twisted.internet.interfaces import IAddress, IProcessProtocol, IProcessTransport
from twisted.internet.protocol import AbstractDatagramProtocol
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from zope.interface import implementer

from e2d.interfaces import IDaemonReactor
from e2d.testing.datagrams import MemoryDatagramPort

__all__ = ["MemoryDaemonReactor", "MemoryProcess"]

_NUMBERS = {"HUP": 1, "INT": 2, "KILL": 9, "TERM": 15}


@define(eq=False)
@implementer(IProcessTransport)
class MemoryProcess:
    """
    A process that does what the test says.

    :param command: what would have been executed, the program first.
    :param environment: its environment.
    :param descriptors: its descriptors: numbers, ``"r"`` or ``"w"``.
    """

    protocol: Any
    pid: int
    command: tuple[str, ...]
    environment: Mapping[str, str]
    descriptors: Mapping[int, object]
    signals: list[int] = field(factory=list)
    running: bool = True

    def end(self, code: int | None = None, signal: int | None = None) -> None:
        """It ends, by itself or by a signal."""
        assert self.running
        self.running = False
        reason = ProcessTerminated(code, signal) if code or signal else ProcessDone(0)
        self.protocol.processExited(Failure(reason))
        self.protocol.processEnded(Failure(reason))

    def prints(self, output: bytes) -> None:
        """It prints, and ends well."""
        self.protocol.childDataReceived(1, output)
        self.end(code=0)

    def signalProcess(self, signalID: str | int) -> None:
        """It notes the signal; the test says what comes of it."""
        if not self.running:
            raise ProcessExitedAlready
        number = _NUMBERS[signalID] if isinstance(signalID, str) else int(signalID)
        self.signals.append(number)

    def closeStdin(self) -> None:
        """It has none."""

    def closeStdout(self) -> None:
        """It has none."""

    def closeStderr(self) -> None:
        """It has none."""

    def closeChildFD(self, descriptor: int) -> None:
        """It has none."""

    def writeToChild(self, childFD: int, data: bytes) -> None:
        """It reads nothing."""

    def write(self, data: bytes) -> None:
        """It reads nothing."""

    def writeSequence(self, data: object) -> None:
        """It reads nothing."""

    def loseConnection(self) -> None:
        """It has none."""

    def getPeer(self) -> IAddress:
        """It has none."""
        raise NotImplementedError

    def getHost(self) -> IAddress:
        """It has none."""
        raise NotImplementedError


@implementer(IDaemonReactor)
class MemoryDaemonReactor(MemoryReactorClock):
    """
    All that `IDaemonReactor` promises, as far as memory allows.

    :ivar processes: every process that was spawned, in order.
    :ivar spawn_error: raised by the next `spawnProcess`, once.
    :ivar datagram_ports: every port that was opened by `listenUDP`, in order.
    :ivar datagram_error: raised by each `listenUDP` while it is set.
    """

    def __init__(self) -> None:
        super().__init__()
        self.processes: list[MemoryProcess] = []
        self.spawn_error: OSError | None = None
        self.datagram_ports: list[MemoryDatagramPort] = []
        self.datagram_error: Exception | None = None

    def spawnProcess(
        self,
        processProtocol: IProcessProtocol,
        executable: str | bytes,
        args: Sequence[str | bytes] = (),
        env: Mapping[Any, Any] | None = None,
        path: str | bytes | None = None,
        uid: int | None = None,
        gid: int | None = None,
        usePTY: Any = False,
        childFDs: Mapping[int, int | str] | None = None,
    ) -> IProcessTransport:
        """Note a process, and tell its protocol that it runs."""
        if self.spawn_error is not None:
            error, self.spawn_error = self.spawn_error, None
            raise error
        process = MemoryProcess(
            processProtocol,
            4001 + len(self.processes),
            tuple(str(each) for each in args),
            dict(env or {}),
            dict(childFDs or {}),
        )
        self.processes.append(process)
        processProtocol.makeConnection(process)
        return process

    def listenUDP(
        self,
        port: int,
        protocol: AbstractDatagramProtocol,
        interface: str = "",
        maxPacketSize: int = 8192,
    ) -> MemoryDatagramPort:
        """Open a port in memory; port 0 gets a number of its own."""
        if self.datagram_error is not None:
            raise self.datagram_error
        opened = MemoryDatagramPort(
            protocol, interface, port or 40000 + len(self.datagram_ports), maxPacketSize
        )
        self.datagram_ports.append(opened)
        opened.startListening()
        return opened

    def callInThread(
        self,
        callable: Callable[..., Any],  # noqa: A002 - Twisted's name
        *args: Any,
        **kw: Any,
    ) -> None:
        """Call it now: there are no threads."""
        callable(*args, **kw)

    def callFromThread(
        self,
        callable: Callable[..., Any],  # noqa: A002 - Twisted's name
        *args: Any,
        **kw: Any,
    ) -> None:
        """Call it now: there are no threads."""
        callable(*args, **kw)

    def getThreadPool(self) -> Any:
        """There is none."""
        raise NotImplementedError

    def suggestThreadPoolSize(self, size: int) -> None:
        """There is none."""
