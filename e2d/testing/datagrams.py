"""A port for datagrams, in memory: what is sent is kept, what arrives the test says."""

from __future__ import annotations

from typing import Any

from attrs import define, field

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IListeningPort, IUDPTransport
from twisted.internet.protocol import AbstractDatagramProtocol
from zope.interface import implementer

__all__ = ["MemoryDatagramPort"]


@define(eq=False)
@implementer(IListeningPort, IUDPTransport)
class MemoryDatagramPort:
    """
    An open port.

    :ivar sent: each datagram, and where it went.
    :ivar write_error: raised by each `write` while it is set.
    """

    protocol: AbstractDatagramProtocol
    interface: str
    port: int
    max_packet_size: int
    sent: list[tuple[bytes, tuple[str, int]]] = field(factory=list)
    write_error: OSError | None = None
    listening: bool = field(default=False, init=False)

    def startListening(self) -> None:
        """Open it."""
        self.listening = True
        self.protocol.makeConnection(self)

    def stopListening(self) -> Deferred[None]:
        """Close it; fires at once."""
        if self.listening:
            self.listening = False
            self.protocol.doStop()
        return succeed(None)

    def arrive(self, packet: bytes, source: tuple[str, int]) -> None:
        """A datagram arrives."""
        if self.listening:
            self.protocol.datagramReceived(packet, source)

    def write(self, packet: bytes, addr: tuple[str, int] | None = None) -> None:
        """Keep it."""
        assert addr is not None
        if self.write_error is not None:
            raise self.write_error
        self.sent.append((packet, addr))

    def getHost(self) -> IPv4Address | IPv6Address:
        """Where it listens."""
        kind = IPv6Address if ":" in self.interface else IPv4Address
        return kind("UDP", self.interface, self.port)

    def connect(self, host: str, port: int) -> None:
        """It belongs to everybody."""
        raise NotImplementedError

    def setBroadcastAllowed(self, enabled: bool) -> None:
        """It is not for broadcasts."""
        raise NotImplementedError

    def getBroadcastAllowed(self) -> bool:
        """It is not for broadcasts."""
        return False

    def loseConnection(self) -> Any:
        """As `stopListening`."""
        return self.stopListening()

    def getMaxPacketSize(self) -> int:
        """The most that is read of one datagram."""
        return self.max_packet_size
