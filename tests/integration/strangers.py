"""Who connects to a peer's port and is none."""

from __future__ import annotations

import socket
from typing import cast

from twisted.internet import reactor  # noqa: TID251 - real sockets need the real one
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import IAddress, IListeningPort, ITCPTransport
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure

from e2d.model import Address
from tests.integration.children import within
from tests.integration.etcds import free_ports

__all__ = ["SilentListener", "Stranger", "dial", "shout"]


class Stranger(Protocol):
    """
    A connection that says what a test has it say.

    :ivar heard: what was answered so far.
    """

    def __init__(self) -> None:
        self.heard = b""
        self._ended: Deferred[None] = Deferred()
        self._began = reactor.seconds()
        self._drip: LoopingCall | None = None

    def say(self, data: bytes) -> None:
        """At once."""
        cast("ITCPTransport", self.transport).write(data)

    def drip(self, data: bytes, seconds: float) -> None:
        """A byte every so often, again and again."""
        octets = iter(data * 1000)
        self._drip = LoopingCall(lambda: self.say(bytes([next(octets)])))
        self._drip.start(seconds)

    async def ends(self, seconds: float) -> float:
        """
        Until the other side closes it.

        :return: how long it was open, in seconds.
        """
        await within(seconds, reactor, "a connection is closed", self._ended)
        return reactor.seconds() - self._began

    def hang_up(self) -> None:
        """Close it, if it is open."""
        cast("ITCPTransport", self.transport).abortConnection()

    def dataReceived(self, data: bytes) -> None:
        """Keep it."""
        self.heard += data

    def connectionLost(self, _reason: Failure = connectionDone) -> None:
        """It is over."""
        if self._drip is not None and self._drip.running:
            self._drip.stop()
        self._ended.callback(None)


async def dial(address: Address) -> Stranger:
    """Connect to a peer."""
    endpoint = TCP4ClientEndpoint(reactor, address.host, address.port, timeout=5)
    stranger = await endpoint.connect(Factory.forProtocol(Stranger))
    return cast("Stranger", stranger)


def shout(address: Address, *packets: bytes) -> None:
    """Send packets to a peer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        for packet in packets:
            udp.sendto(packet, (address.host, address.port))


class SilentListener:
    """
    Accepts connections, reads nothing and says nothing.

    :ivar address: where.
    """

    def __init__(self) -> None:
        self.address = Address("127.0.0.1", free_ports(1)[0])
        self._open: list[Protocol] = []
        self._port: IListeningPort = reactor.listenTCP(
            self.address.port, _Silence(self._open), interface=self.address.host
        )

    async def close(self) -> None:
        """Listen no more, and drop all."""
        await self._port.stopListening()
        for each in self._open:
            cast("ITCPTransport", each.transport).abortConnection()


class _Silence(Factory):
    noisy = False

    def __init__(self, connections: list[Protocol]) -> None:
        self._connections = connections

    def buildProtocol(self, _addr: IAddress) -> Protocol:
        """One more."""
        protocol = _Silent()
        self._connections.append(protocol)
        return protocol


class _Silent(Protocol):
    def connectionMade(self) -> None:
        """Not even what arrives is read."""
        self.transport.pauseProducing()  # type: ignore[union-attr]
