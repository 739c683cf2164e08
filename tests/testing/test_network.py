"""The network in memory carries what a network carries, and loses what one loses."""

from __future__ import annotations

from twisted.internet import error
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.error import (
    CannotListenError,
    ConnectingCancelledError,
    ConnectionAborted,
    ConnectionDone,
    ConnectionLost,
    NoRouteError,
)
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import DatagramProtocol, Factory, Protocol
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from e2d.interfaces import IDaemonReactor
from e2d.testing.network import MemoryNetwork
from e2d.testing.network_streams import WINDOW_BYTES

ONE, TWO = "10.0.0.1", "10.0.0.2"
PORT = 7980


class Notes(Protocol):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.received = b""
        self.lost: type | None = None

    def dataReceived(self, data: bytes) -> None:
        """Note it."""
        self.received += data

    def connectionLost(self, reason: Failure) -> None:
        """Note it."""
        self.lost = reason.type


class Accepting(Factory):
    """Makes them, and keeps them; or none."""

    def __init__(self) -> None:
        self.made: list[Notes] = []
        self.accepts = True

    def buildProtocol(self, _addr: object) -> Notes | None:
        """One more."""
        if not self.accepts:
            return None
        self.made.append(Notes())
        return self.made[-1]


class DatagramNotes(DatagramProtocol):
    """Notes each datagram."""

    def __init__(self) -> None:
        self.received: list[tuple[bytes, tuple[str, int]]] = []

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
        """Note it."""
        self.received.append((datagram, addr))


class MemoryNetworkTests(SynchronousTestCase):
    """Two hosts."""

    def setUp(self) -> None:
        """Both are there, and nothing listens."""
        self.network = MemoryNetwork()
        self.one, self.two = map(self.network.reactor, (ONE, TWO))

    def test_reactors(self) -> None:
        """Each host has one reactor; all have the same time, and calls of their own."""
        verifyObject(IDaemonReactor, self.one)
        self.assertIs(self.one, self.network.reactor(ONE))
        called: list[float] = []
        self.one.callLater(1.0, lambda: called.append(self.two.seconds()))
        self.assertEqual(
            (len(self.one.getDelayedCalls()), self.two.getDelayedCalls()), (1, [])
        )
        before = self.two.seconds()
        self.network.advance(5.0)
        self.assertEqual(called, [before + 1.0])
        self.assertEqual(self.one.seconds(), before + 5.0)
        self.assertEqual(self.one.getDelayedCalls(), [])

    # -- datagrams --------------------------------------------------------------------

    def datagrams(self) -> tuple[DatagramNotes, DatagramNotes]:
        """Both hosts listen."""
        notes = DatagramNotes(), DatagramNotes()
        self.one.listenUDP(PORT, notes[0], ONE)
        self.two.listenUDP(PORT, notes[1], TWO)
        return notes

    def test_datagram(self) -> None:
        """A datagram arrives later, from where it was sent."""
        one, two = self.datagrams()
        assert one.transport is not None
        one.transport.write(b"hello", (TWO, PORT))
        self.assertEqual(two.received, [])
        self.network.advance(0.01)
        self.assertEqual(two.received, [(b"hello", (ONE, PORT))])

    def test_datagram_lost(self) -> None:
        """What nobody listens to, what is cut and what is lost does not arrive."""
        one, two = self.datagrams()
        assert one.transport is not None
        one.transport.write(b"to nobody", (TWO, 1))
        self.network.cut([ONE], [TWO])
        one.transport.write(b"cut", (TWO, PORT))
        self.network.heal()
        self.network.loss = 1.0
        one.transport.write(b"lost", (TWO, PORT))
        self.network.advance(1.0)
        self.assertEqual(two.received, [])

    def test_some_are_lost(self) -> None:
        """Of many, the part that is to be lost is, the same for the same seed."""
        arrived = []
        for _ in range(2):
            self.network = MemoryNetwork(seed=3, loss=0.3)
            self.one, self.two = map(self.network.reactor, (ONE, TWO))
            one, two = self.datagrams()
            assert one.transport is not None
            for number in range(200):
                one.transport.write(b"%d" % number, (TWO, PORT))
            self.network.advance(1.0)
            arrived.append([datagram for datagram, _ in two.received])
        self.assertEqual(arrived[0], arrived[1])
        self.assertTrue(120 < len(arrived[0]) < 160, len(arrived[0]))

    def test_port_taken(self) -> None:
        """A port is had once, and again a moment after it was closed."""
        for listen in (
            lambda: self.one.listenUDP(PORT, DatagramProtocol(), ONE),
            lambda: self.one.listenTCP(PORT, Accepting(), interface=ONE),
        ):
            port: IListeningPort = listen()
            verifyObject(IListeningPort, port)
            self.assertRaises(CannotListenError, listen)
            closed = port.stopListening()
            again = port.stopListening()
            self.assertNoResult(closed)
            self.assertRaises(CannotListenError, listen)
            self.network.advance(0)
            self.successResultOf(closed)
            self.successResultOf(again)
            listen()

    # -- connections ------------------------------------------------------------------

    def connect(self, seconds: float = 3.0) -> list[Notes | Failure]:
        """What comes of connecting, once it has come."""
        factory = Factory.forProtocol(Notes)
        outcome: list[Notes | Failure] = []
        endpoint = TCP4ClientEndpoint(self.one, TWO, PORT, timeout=seconds)
        self.connecting = endpoint.connect(factory).addBoth(outcome.append)
        return outcome

    def why(self, outcome: list[Notes | Failure]) -> type | None:
        """Why it failed."""
        (failure,) = outcome
        assert isinstance(failure, Failure)
        return failure.type

    def connected(self) -> tuple[Notes, Notes]:
        """A connection: who dialled, and who accepted."""
        self.accepting = Accepting()
        self.two.listenTCP(PORT, self.accepting, interface=TWO)
        outcome = self.connect()
        self.network.advance(0.01)
        (dialled,) = outcome
        assert isinstance(dialled, Notes)
        return dialled, self.accepting.made[0]

    def test_connect(self) -> None:
        """Who connects is accepted, from its own address."""
        dialled, accepted = self.connected()
        assert dialled.transport is not None and accepted.transport is not None
        self.assertEqual(dialled.transport.getPeer().host, TWO)
        self.assertEqual(accepted.transport.getPeer().host, ONE)
        self.assertEqual(self.one.getDelayedCalls(), [])

    def test_write(self) -> None:
        """What is written arrives in order, both ways."""
        dialled, accepted = self.connected()
        assert dialled.transport is not None and accepted.transport is not None
        for number in range(10):
            dialled.transport.write(b"%d" % number)
        accepted.transport.writeSequence([b"a", b"b"])
        self.network.advance(0.1)
        self.assertEqual((dialled.received, accepted.received), (b"ab", b"0123456789"))

    def test_close(self) -> None:
        """Closing sends all first, and the other side has it before the end."""
        dialled, accepted = self.connected()
        assert dialled.transport is not None
        dialled.transport.write(bytes(5 * WINDOW_BYTES))
        dialled.transport.loseConnection()
        dialled.transport.write(b"too late")
        self.assertIsNone(dialled.lost)
        self.network.advance(1.0)
        self.assertEqual(accepted.received, bytes(5 * WINDOW_BYTES))
        self.assertEqual(
            (dialled.lost, accepted.lost), (ConnectionDone, ConnectionDone)
        )

    def test_not_read(self) -> None:
        """Who is not read from cannot write much, nor close."""
        dialled, accepted = self.connected()
        assert dialled.transport is not None and accepted.transport is not None
        accepted.transport.pauseProducing()
        dialled.transport.write(bytes(2 * WINDOW_BYTES))
        dialled.transport.loseConnection()
        self.network.advance(60.0)
        self.assertEqual((accepted.received, dialled.lost), (b"", None))
        accepted.transport.resumeProducing()
        self.network.advance(1.0)
        self.assertEqual(len(accepted.received), 2 * WINDOW_BYTES)
        self.assertEqual(accepted.lost, ConnectionDone)

    def test_abort(self) -> None:
        """Who breaks it off learns that later, and so does who is not reading."""
        dialled, accepted = self.connected()
        assert dialled.transport is not None and accepted.transport is not None
        accepted.transport.pauseProducing()
        dialled.transport.write(b"never read")
        dialled.transport.abortConnection()
        self.assertIsNone(dialled.lost)
        self.network.advance(1.0)
        self.assertEqual(
            (dialled.lost, accepted.lost), (ConnectionAborted, ConnectionLost)
        )
        self.assertEqual(accepted.received, b"")

    def test_closed_unread(self) -> None:
        """Who closes it with something unread, or is written to then, resets it."""
        dialled, accepted = self.connected()
        assert dialled.transport is not None and accepted.transport is not None
        accepted.transport.pauseProducing()
        dialled.transport.write(bytes(3 * WINDOW_BYTES))
        dialled.transport.loseConnection()
        self.network.advance(1.0)
        accepted.transport.loseConnection()
        self.network.advance(1.0)
        self.assertEqual(
            (dialled.lost, accepted.lost), (ConnectionLost, ConnectionDone)
        )

    def test_cut(self) -> None:
        """A connection that is cut stands still, and goes on when it is healed."""
        dialled, accepted = self.connected()
        assert dialled.transport is not None
        self.network.cut([ONE], [TWO])
        for number in range(5):
            dialled.transport.write(b"%d" % number)
        dialled.transport.loseConnection()
        self.network.advance(60.0)
        self.assertEqual((accepted.received, accepted.lost), (b"", None))
        self.network.heal()
        self.network.advance(1.0)
        self.assertEqual((accepted.received, accepted.lost), (b"01234", ConnectionDone))

    def test_refused(self) -> None:
        """Where nobody listens, it is refused."""
        outcome = self.connect()
        self.network.advance(0.01)
        self.assertEqual(self.why(outcome), error.ConnectionRefusedError)

    def test_unreachable(self) -> None:
        """Where there is no way, routers say so."""
        self.network.unreachable.add(TWO)
        outcome = self.connect()
        self.network.advance(0.01)
        self.assertEqual(self.why(outcome), NoRouteError)

    def test_silent(self) -> None:
        """Where nothing is carried, who connects waits as long as it wants to."""
        self.network.cut([ONE], [TWO])
        outcome = self.connect(seconds=3.0)
        self.network.advance(2.9)
        self.assertEqual(outcome, [])
        self.network.advance(0.2)
        self.assertEqual(self.why(outcome), error.TimeoutError)

    def test_given_up(self) -> None:
        """Who does not want to wait any more is not connected later."""
        self.network.cut([ONE], [TWO])
        outcome = self.connect()
        self.connecting.cancel()
        self.assertEqual(self.why(outcome), ConnectingCancelledError)
        self.assertEqual(self.one.getDelayedCalls(), [])
        self.accepting = Accepting()
        self.two.listenTCP(PORT, self.accepting, interface=TWO)
        self.network.heal()
        self.network.advance(1.0)
        self.assertEqual(self.accepting.made, [])

    def test_not_wanted(self) -> None:
        """Who is not wanted is connected, and at once is not."""
        self.accepting = Accepting()
        self.accepting.accepts = False
        self.two.listenTCP(PORT, self.accepting, interface=TWO)
        outcome = self.connect()
        self.network.advance(1.0)
        (dialled,) = outcome
        assert isinstance(dialled, Notes)
        self.assertEqual(dialled.lost, ConnectionDone)
