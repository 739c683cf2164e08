"""
Connections of the network in memory, as Twisted's behave.

What is written arrives in order and after a delay. Who is not read from takes
`WINDOW_BYTES` and no more, so that closing waits, and a connection that is cut neither
carries anything nor ends: both as the system has it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from errno import EADDRINUSE
from typing import Any, Literal

from attrs import define, field

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.error import (
    CannotListenError,
    ConnectionAborted,
    ConnectionDone,
    ConnectionLost,
    UserError,
)
from twisted.internet.interfaces import (
    IConnector,
    IDelayedCall,
    IListeningPort,
    IProtocol,
    IPushProducer,
    IReactorTime,
    ITransport,
)
from twisted.internet.protocol import ClientFactory, Protocol, ServerFactory
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from zope.interface import implementer

__all__ = [
    "Attempt",
    "End",
    "Listeners",
    "ListeningPort",
    "connection",
    "follow",
    "ip_address",
    "meet",
    "take",
]

WINDOW_BYTES = 64 * 1024
"""Taken by the system without anybody reading it."""

Listeners = dict[tuple[str, int], Any]
"""Open ports."""


def ip_address(
    kind: Literal["TCP", "UDP"], host: str, port: int
) -> IPv4Address | IPv6Address:
    """An address, as Twisted has it."""
    made = IPv6Address if ":" in host else IPv4Address
    return made(kind, host, port)


@define(eq=False)
@implementer(ITransport, IPushProducer)
class End:
    """
    One end of a connection.

    :param carry: calls something at the other end, later.
    """

    _clock: IReactorTime
    _carry: Callable[[Callable[[], None]], None]
    _host: tuple[str, int]
    _peer: tuple[str, int]
    _protocol: IProtocol | None = field(default=None, init=False)
    other: End = field(init=False)
    _unsent: bytearray = field(factory=bytearray, init=False)
    _untaken: int = field(default=0, init=False)
    _arrived: deque[bytes | Failure] = field(factory=deque, init=False)
    _reading: bool = field(default=True, init=False)
    _closing: bool = field(default=False, init=False)
    _lost: bool = field(default=False, init=False)

    @property
    def is_open(self) -> bool:
        """Whether its protocol has it, and was not told yet that it is lost."""
        return self._protocol is not None and not self._lost

    def begin(self, protocol: IProtocol) -> None:
        """It is there."""
        self._protocol = protocol
        protocol.makeConnection(self)

    # -- for the protocol -----------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Send it, as soon as there is room; nothing once this end was closed."""
        if not (self._closing or self._lost):
            self._unsent += data
            self._send()

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """All of them."""
        self.write(b"".join(data))

    def loseConnection(self) -> None:
        """Read no more, and close once all was taken."""
        if not (self._closing or self._lost):
            self._closing = True
            self._reading = False
            self._send()

    def abortConnection(self) -> None:
        """Close at once; what is not there yet never arrives."""
        self._unsent.clear()
        self._arrived.clear()
        self._end(ConnectionAborted(), reset=True)

    def pauseProducing(self) -> None:
        """Read nothing for now."""
        self._reading = False

    def resumeProducing(self) -> None:
        """Read on."""
        if not (self._closing or self._lost):
            self._reading = True
            self._clock.callLater(0, self._read)

    def stopProducing(self) -> None:
        """As `loseConnection`."""
        self.loseConnection()

    def getHost(self) -> IPv4Address | IPv6Address:
        """This end."""
        return ip_address("TCP", *self._host)

    def getPeer(self) -> IPv4Address | IPv6Address:
        """The other."""
        return ip_address("TCP", *self._peer)

    # -- inside -----------------------------------------------------------------------

    def _send(self) -> None:
        size = min(len(self._unsent), WINDOW_BYTES - self._untaken)
        if size > 0:
            data = bytes(self._unsent[:size])
            del self._unsent[:size]
            self._untaken += size
            self._carry(lambda: self.other.arrive(data))
        if self._closing and not self._unsent:
            self._end(ConnectionDone(), reset=False)

    def arrive(self, what: bytes | Failure) -> None:
        """Something is there; who closed this end is told that it is not wanted."""
        if self._lost and isinstance(what, bytes):
            self._reset()
        self._arrived.append(what)
        self._read()

    def _read(self) -> None:
        while self._arrived and self._reading and not self._lost:
            what = self._arrived.popleft()
            if isinstance(what, Failure):
                self.lose(what)
            else:
                self._taken(len(what))
                assert self._protocol is not None
                self._protocol.dataReceived(what)

    def _taken(self, size: int) -> None:
        self._carry(lambda: self.other.acknowledge(size))

    def _end(self, reason: Exception, *, reset: bool) -> None:
        """The protocols learn of it later; who does not read, only of a reset."""
        if self._lost or self._protocol is None:
            return
        self._reading = False
        self._closing = True
        self._clock.callLater(0, self.lose, Failure(reason))
        if reset or any(isinstance(each, bytes) for each in self._arrived):
            self._reset()
        else:
            self._carry(lambda: self.other.arrive(Failure(ConnectionDone())))

    def _reset(self) -> None:
        self._carry(lambda: self.other.lose(Failure(ConnectionLost())))

    def acknowledge(self, size: int) -> None:
        """So much was read at the other end."""
        self._untaken -= size
        self._send()

    def lose(self, reason: Failure) -> None:
        """There is no connection any more."""
        if not self._lost:
            self._lost = True
            assert self._protocol is not None
            self._protocol.connectionLost(reason)


def connection(one: End, other: End) -> tuple[End, End]:
    """Put the two ends of a connection together."""
    one.other, other.other = other, one
    return one, other


@define(eq=False)
@implementer(IConnector)
class Attempt:
    """
    Somebody connects.

    :ivar end: its end, once there is a connection.
    """

    _clock: IReactorTime
    _destination: IPv4Address | IPv6Address
    _factory: ClientFactory
    _timer: IDelayedCall | None = field(default=None, init=False)
    _over: bool = field(default=False, init=False)
    end: End | None = field(default=None, init=False)

    def begin(self, seconds: float, too_late: Exception) -> None:
        """Wait for so long."""
        self._factory.doStart()
        self._factory.startedConnecting(self)
        if not self._over:
            self._timer = self._clock.callLater(seconds, self.fail, too_late)

    def succeed(self, end: End) -> IProtocol | None:
        """There is a connection; None where nobody waits for it any more."""
        if not self._finish():
            return None
        self.end = end
        protocol: IProtocol | None = self._factory.buildProtocol(self._destination)
        return protocol

    def fail(self, error: Exception) -> None:
        """There is none."""
        if self._finish():
            self._factory.clientConnectionFailed(self, Failure(error))
            self._factory.doStop()

    def stopConnecting(self) -> None:
        """Wait no longer."""
        self.fail(UserError())

    def disconnect(self) -> None:
        """End it, however far it is."""
        if self.end is not None:
            self.end.loseConnection()
        else:
            self.stopConnecting()

    def connect(self) -> None:
        """It is tried once."""
        raise NotImplementedError

    def getDestination(self) -> IPv4Address | IPv6Address:
        """Where to."""
        return self._destination

    def _finish(self) -> bool:
        if self._over:
            return False
        self._over = True
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        return True


def meet(attempt: Attempt, dialled: End, port: ListeningPort, accepted: End) -> None:
    """Whoever dials is accepted, unless it has given up meanwhile."""
    dialling = attempt.succeed(dialled)
    if dialling is None:
        return
    answering = port.factory.buildProtocol(dialled.getHost())
    accepted.begin(Protocol() if answering is None else answering)
    if answering is None:
        # The system had accepted it already.
        accepted.loseConnection()
    dialled.begin(dialling)


@define(eq=False)
@implementer(IListeningPort)
class ListeningPort:
    """
    A port for connections; free again a moment after it was closed, as Twisted's.

    :param listeners: has it while it is open.
    """

    _clock: IReactorTime
    _host: str
    _port: int
    factory: ServerFactory
    _listeners: Listeners
    _closed: Deferred[None] | None = field(default=None, init=False)

    def startListening(self) -> None:
        """
        Open it.

        :raises CannotListenError: it is taken.
        """
        take(self._listeners, (self._host, self._port), self)
        self.factory.doStart()

    def stopListening(self) -> Deferred[None]:
        """Close it; fires when it is free."""
        if self._closed is None:
            self._closed = deferLater(self._clock, 0, self._close)
        return follow(self._closed)

    def getHost(self) -> IPv4Address | IPv6Address:
        """Where it listens."""
        return ip_address("TCP", self._host, self._port)

    def _close(self) -> None:
        del self._listeners[self._host, self._port]
        self.factory.doStop()


def follow(first: Deferred[None]) -> Deferred[None]:
    """Another that fires with the first, for who asks for the same again."""
    done: Deferred[None] = Deferred()
    first.chainDeferred(done)  # type: ignore[unused-awaitable]
    return done


def take(listeners: Listeners, address: tuple[str, int], port: object) -> None:
    """
    Have an address.

    :raises CannotListenError: another has it.
    """
    if address in listeners:
        error = OSError(EADDRINUSE, "Address already in use")
        raise CannotListenError(*address, error)
    listeners[address] = port
