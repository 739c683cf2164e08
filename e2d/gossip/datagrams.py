"""The ring's port for datagrams."""

from __future__ import annotations

from collections.abc import Callable
from errno import EHOSTDOWN, EHOSTUNREACH

from twisted.internet.error import InvalidAddressError, MessageLengthError
from twisted.internet.interfaces import IListeningPort, IReactorUDP
from twisted.internet.protocol import DatagramProtocol

from e2d.gossip.places import host_for, peer_address
from e2d.gossip.traffic import Traffic
from e2d.swim.messages import PeerAddress

__all__ = ["Datagrams", "Unsent"]

_LARGEST = 65_536
"""No datagram is larger, so that none is cut; what is cut would not open."""

_THEIRS = frozenset({EHOSTDOWN, EHOSTUNREACH})
"""What only the receiver's absence explains. That there is no route, no buffer or no
permission tells about us, and that nobody listens there is not told at all."""


class Unsent(Exception):
    """
    A packet could not be sent.

    :ivar remote: whether that tells something about the receiver.
    """

    def __init__(self, reason: str, *, remote: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remote = remote


class Datagrams(DatagramProtocol):
    """
    Receives and sends packets, and counts them.

    :param received: called with each packet and where it came from.
    """

    noisy = False

    def __init__(
        self, received: Callable[[bytes, PeerAddress], None], traffic: Traffic
    ) -> None:
        self._received = received
        self._traffic = traffic
        self._over_ipv6 = False

    def listen(self, reactor: IReactorUDP, interface: str, port: int) -> IListeningPort:
        """
        Open the port.

        :param interface: an address of this machine, or "the unspecified" for all.
        :raises CannotListenError: it cannot be had.
        """
        self._over_ipv6 = ":" in interface
        return reactor.listenUDP(port, self, interface, maxPacketSize=_LARGEST)

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
        """Pass it on; who has no port to answer to is not listened to."""
        self._traffic.packets_in += 1
        self._traffic.bytes_in += len(datagram)
        host, port = addr
        if port == 0:
            self._traffic.drop("no-port")
            return
        self._received(datagram, peer_address(host, port))

    def send(self, packet: bytes, to: PeerAddress) -> None:
        """
        Send a packet.

        :raises Unsent: the system did not take it, or the port is not open.
        """
        transport = self.transport
        if transport is None:
            raise Unsent("the port is closed", remote=False)
        try:
            # An address of IPv6 cannot be reached over IPv4 and makes Twisted say so.
            host = host_for(to, over_ipv6=self._over_ipv6)
            transport.write(packet, (host, to.port))
        except (MessageLengthError, InvalidAddressError, OverflowError) as error:
            raise Unsent(str(error), remote=False) from None
        except OSError as error:
            raise Unsent(str(error), remote=error.errno in _THEIRS) from None
        self._traffic.packets_out += 1
        self._traffic.bytes_out += len(packet)
