"""The port for datagrams: what is passed on, what is sent, and what cannot be."""

from __future__ import annotations

from errno import ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EPERM

from twisted.internet.error import MessageLengthError
from twisted.trial.unittest import SynchronousTestCase

from e2d.gossip.datagrams import Datagrams, Unsent
from e2d.gossip.traffic import Traffic
from e2d.swim.messages import PeerAddress
from e2d.testing.datagrams import MemoryDatagramPort
from e2d.testing.reactor import MemoryDaemonReactor
from tests.gossip.rings import PORT, where


class DatagramsTests(SynchronousTestCase):
    """`Datagrams`, on a port in memory."""

    def setUp(self) -> None:
        """It is not open."""
        self.reactor = MemoryDaemonReactor()
        self.traffic = Traffic()
        self.received: list[tuple[bytes, PeerAddress]] = []
        self.datagrams = Datagrams(
            lambda packet, source: self.received.append((packet, source)), self.traffic
        )

    def open(self, interface: str = "10.0.0.1") -> MemoryDatagramPort:
        """Open it."""
        self.datagrams.listen(self.reactor, interface, PORT)
        (port,) = self.reactor.datagram_ports
        return port

    def test_whole(self) -> None:
        """The largest datagram is read whole."""
        self.assertEqual(self.open().max_packet_size, 65536)

    def test_received(self) -> None:
        """What arrives is passed on, and counted."""
        self.open().arrive(b"packet", ("10.0.0.2", 5))
        self.assertEqual(self.received, [(b"packet", where("10.0.0.2", 5))])
        self.assertEqual((self.traffic.packets_in, self.traffic.bytes_in), (1, 6))

    def test_mapped_source(self) -> None:
        """IPv4 on a port of IPv6 is IPv4."""
        self.open("::").arrive(b"packet", ("::ffff:10.0.0.2", 5))
        self.assertEqual(self.received, [(b"packet", where("10.0.0.2", 5))])

    def test_no_port(self) -> None:
        """Who has no port to answer to is not listened to."""
        self.open().arrive(b"packet", ("10.0.0.2", 0))
        self.assertEqual(self.received, [])
        self.assertEqual(dict(self.traffic.seen().packets_dropped), {"no-port": 1})

    def test_sends(self) -> None:
        """What is sent is counted."""
        port = self.open()
        self.datagrams.send(b"packet", where("10.0.0.2", 5))
        self.assertEqual(port.sent, [(b"packet", ("10.0.0.2", 5))])
        self.assertEqual((self.traffic.packets_out, self.traffic.bytes_out), (1, 6))

    def test_sends_over_ipv6(self) -> None:
        """A port of IPv6 is given addresses of IPv6."""
        port = self.open("::")
        self.datagrams.send(b"packet", where("10.0.0.2", 5))
        self.assertEqual(port.sent, [(b"packet", ("::ffff:10.0.0.2", 5))])

    def unsent(self, error: Exception) -> Unsent:
        """What is raised where the system says this."""
        self.open().write_error = error
        unsent = self.assertRaises(
            Unsent, self.datagrams.send, b"packet", where("10.0.0.2", 5)
        )
        self.assertEqual(self.traffic.packets_out, 0)
        return unsent

    def test_remote(self) -> None:
        """That there is no such host tells of the receiver."""
        unsent = self.unsent(OSError(EHOSTUNREACH, "No route to host"))
        self.assertEqual(
            (unsent.remote, unsent.reason),
            (True, "[Errno 113] No route to host"),
        )

    def test_local(self) -> None:
        """That we may not send, or have no network, tells of us."""
        self.assertIs(self.unsent(OSError(EPERM, "not permitted")).remote, False)

    def test_no_network(self) -> None:
        """So does that there is no network."""
        self.assertIs(self.unsent(OSError(ENETUNREACH, "unreachable")).remote, False)

    def test_refused(self) -> None:
        """That somebody else once refused tells nothing."""
        self.assertIs(self.unsent(OSError(ECONNREFUSED, "refused")).remote, False)

    def test_too_long(self) -> None:
        """Nor that it is too long."""
        self.assertIs(self.unsent(MessageLengthError("too long")).remote, False)

    def test_closed(self) -> None:
        """Where the port is closed nothing is sent, and that is said."""
        self.assertRaises(Unsent, self.datagrams.send, b"packet", where("10.0.0.2", 5))
        port = self.open()
        port.stopListening()
        self.assertRaises(Unsent, self.datagrams.send, b"packet", where("10.0.0.2", 5))

    def test_opened_again(self) -> None:
        """It can be opened again after it was closed."""
        port = self.open()
        port.stopListening()
        self.datagrams.listen(self.reactor, "10.0.0.1", PORT)
        self.datagrams.send(b"packet", where("10.0.0.2", 5))
        self.assertEqual(len(self.reactor.datagram_ports[1].sent), 1)
