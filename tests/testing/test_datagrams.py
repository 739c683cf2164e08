"""The port for datagrams in memory."""

from __future__ import annotations

from twisted.internet.interfaces import IListeningPort, IUDPTransport
from twisted.internet.protocol import DatagramProtocol
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from e2d.testing.datagrams import MemoryDatagramPort
from e2d.testing.reactor import MemoryDaemonReactor


class _Notes(DatagramProtocol):
    """Notes what arrives."""

    def __init__(self) -> None:
        self.received: list[bytes] = []

    def datagramReceived(self, datagram: bytes, _addr: tuple[str, int]) -> None:
        """Note it."""
        self.received.append(datagram)


class MemoryDatagramPortTests(SynchronousTestCase):
    """A port that the reactor in memory opened."""

    def setUp(self) -> None:
        """It is open."""
        self.reactor = MemoryDaemonReactor()
        self.protocol = _Notes()
        self.port = self.reactor.listenUDP(0, self.protocol, "127.0.0.1")

    def test_provides(self) -> None:
        """It is a port, and what its protocol writes to."""
        verifyObject(IListeningPort, self.port)
        verifyObject(IUDPTransport, self.port)
        self.assertIs(self.protocol.transport, self.port)

    def test_number(self) -> None:
        """Port 0 is some port, each time another."""
        other = self.reactor.listenUDP(0, _Notes(), "::1")
        self.assertNotEqual(self.port.getHost().port, 0)
        self.assertNotEqual(other.getHost().port, self.port.getHost().port)
        self.assertEqual(other.getHost().host, "::1")

    def test_sent(self) -> None:
        """What is sent is kept; the test says whether it can be."""
        self.port.write(b"packet", ("127.0.0.1", 1))
        self.port.write_error = OSError(1, "no")
        self.assertRaises(OSError, self.port.write, b"other", ("127.0.0.1", 1))
        self.assertEqual(self.port.sent, [(b"packet", ("127.0.0.1", 1))])

    def test_closed(self) -> None:
        """What is closed receives nothing, and its protocol knows that."""
        self.port.arrive(b"before", ("127.0.0.1", 1))
        self.successResultOf(self.port.stopListening())
        self.successResultOf(self.port.stopListening())
        self.port.arrive(b"after", ("127.0.0.1", 1))
        self.assertEqual(self.protocol.received, [b"before"])
        self.assertIsNone(self.protocol.transport)

    def test_cannot_listen(self) -> None:
        """The reactor can be made to refuse."""
        self.reactor.datagram_error = OSError(1, "no")
        self.assertRaises(OSError, self.reactor.listenUDP, 1, _Notes())
        self.assertIsInstance(self.port, MemoryDatagramPort)
