"""The ring's port is two sockets, or none."""

from __future__ import annotations

from errno import EADDRINUSE

from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import DatagramProtocol, Factory

from e2d.gossip.answering import StreamServer
from e2d.gossip.datagrams import Datagrams
from e2d.gossip.port import RingPort
from e2d.model import Address
from tests.gossip.rings import PORT
from tests.gossip.streams import HERE, StreamTestCase


class RingPortTests(StreamTestCase):
    """`RingPort` opens and closes both."""

    def setUp(self) -> None:
        """It is not open."""
        super().setUp()
        server = StreamServer(
            self.conduct, lambda _message, _source: None, self.traffic, self.complaints
        )
        self.datagrams = Datagrams(lambda _packet, _source: None, self.traffic)
        self.port = RingPort(
            reactor=self.here,
            address=Address(HERE, PORT),
            datagrams=self.datagrams,
            server=server,
        )

    def open(self) -> None:
        """Open it."""
        opening = Deferred.fromCoroutine(self.port.open())
        self.network.advance(0)
        self.successResultOf(opening)

    def refused(self) -> CannotListenError:
        """Why it cannot be opened; neither is open then."""
        opening = Deferred.fromCoroutine(self.port.open())
        ports = self.network.datagram_ports
        open_then: list[object] = []

        def note(failure: object) -> object:
            open_then.extend(port.protocol for port in ports.values())
            return failure

        opening.addErrback(note)
        self.network.advance(0)
        self.assertNotIn(self.datagrams, open_then)
        error = self.failureResultOf(opening, CannotListenError).value
        assert isinstance(error, CannotListenError)
        return error

    def close(self) -> None:
        """Close it: nothing is left."""
        closing = Deferred.fromCoroutine(self.port.close())
        self.network.advance(0)
        self.network.advance(0)
        self.successResultOf(closing)
        self.assertEqual(self.leftovers(), [])
        self.assertEqual(
            (self.network.datagram_ports, self.network.stream_ports), ({}, {})
        )

    def test_opens(self) -> None:
        """Both, on one number; and closes both, however often."""
        self.open()
        self.assertEqual([*self.network.datagram_ports], [(HERE, PORT)])
        self.assertEqual([*self.network.stream_ports], [(HERE, PORT)])
        self.close()
        self.close()

    def test_again(self) -> None:
        """It can be opened again after it was closed."""
        self.open()
        self.close()
        self.open()
        self.close()

    def test_never_opened(self) -> None:
        """To close what was not opened does nothing."""
        self.close()

    def test_datagrams_taken(self) -> None:
        """Where the one for datagrams is taken, the other is not opened."""
        self.here.listenUDP(PORT, DatagramProtocol(), HERE)
        self.refused()
        self.assertEqual(self.network.stream_ports, {})

    def test_connections_taken(self) -> None:
        """Where the one for connections is, the other is free when that is told."""
        self.here.listenTCP(PORT, Factory(), interface=HERE)
        self.refused()
        self.assertEqual(self.network.datagram_ports, {})

    def test_taken_in_the_same_moment(self) -> None:
        """So it is where only to listen shows that, which Twisted tells as it is."""
        listen = self.here.listenTCP

        def late(*_args: object, **_kw: object) -> object:
            raise OSError(EADDRINUSE, "Address already in use")

        self.here.listenTCP = late  # type: ignore[assignment, method-assign]
        self.assertEqual(self.refused().socketError.errno, EADDRINUSE)
        self.assertEqual(self.network.datagram_ports, {})
        self.here.listenTCP = listen  # type: ignore[method-assign]
        self.open()
        self.close()
