"""What the tests of connections share: two hosts, and connections that are raw."""

from __future__ import annotations

import os

from attrs import evolve

from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.protocol import Factory, Protocol
from twisted.logger import Logger, formatEvent
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from e2d.gossip.complaints import Complaints
from e2d.gossip.lines import Conduct
from e2d.gossip.traffic import Traffic
from e2d.swim.messages import Message, Ping, PushPull
from e2d.swim.packets import Framing
from e2d.swim.streams import StreamReader, write
from e2d.testing.network import MemoryNetwork
from tests.gossip.rings import PORT, Pool, where

__all__ = [
    "FRAMING",
    "HERE",
    "PING",
    "SECONDS",
    "STATE",
    "THERE",
    "TO",
    "Raw",
    "StreamTestCase",
]

HERE, THERE = "10.0.0.1", "10.0.0.2"
LABEL = b"e2d"
SECONDS = 10.0
FRAMING = Framing(label=LABEL)

PING = Ping(sequence=7, node=b"n1")
STATE = PushPull(join=True, peers=(), user_state=b"state")


class Raw(Protocol):
    """A connection that does what the test says."""

    def __init__(self) -> None:
        self.received = b""
        self.lost: type[BaseException] | None = None

    @property
    def tcp(self) -> ITCPTransport:
        """What it writes to."""
        assert self.transport is not None
        return self.transport  # type: ignore[return-value]

    def dataReceived(self, data: bytes) -> None:
        """Keep it."""
        self.received += data

    def connectionLost(self, reason: Failure) -> None:
        """Keep it."""
        self.lost = reason.type

    def heard(self, *, accepting: bool = False) -> Message | None:
        """The message that it received."""
        return StreamReader(FRAMING, accepting=accepting).feed(self.received)


class StreamTestCase(SynchronousTestCase):
    """This host is ``HERE``; tests play the one that is ``THERE``."""

    def setUp(self) -> None:
        """Nobody listens, and nobody has connected."""
        self.network = MemoryNetwork()
        self.here = self.network.reactor(HERE)
        self.there = self.network.reactor(THERE)
        self.pool = Pool()
        self.framing = FRAMING
        self.conduct = Conduct(
            clock=self.here,
            run_in_pool=self.pool,
            framing=lambda: self.framing,
            nonce=os.urandom,
            seconds=SECONDS,
        )
        self.traffic = Traffic()
        self.lines: list[tuple[str, str]] = []
        self.log = Logger(observer=self._note)
        self.complaints = Complaints(self.here, self.log)

    def _note(self, event: dict[str, object]) -> None:
        level = getattr(event["log_level"], "name", "")
        self.lines.append((level, formatEvent(event)))

    def connect(self, source: str = THERE) -> Raw:
        """Somebody connects to here."""
        reactor = self.network.reactor(source)
        endpoint = TCP4ClientEndpoint(reactor, HERE, PORT)
        connecting = endpoint.connect(Factory.forProtocol(Raw))
        self.network.advance(0.05)
        raw: Raw = self.successResultOf(connecting)
        return raw

    def accept(self) -> list[Raw]:
        """Somebody listens there; those that were accepted."""
        accepted: list[Raw] = []

        class Accepting(Factory):
            def buildProtocol(self, _addr: object) -> Raw:
                accepted.append(Raw())
                return accepted[-1]

        self.there.listenTCP(PORT, Accepting(), interface=THERE)
        return accepted

    def asked(self, message: Message) -> bytes:
        """What who dials writes."""
        return write(message, FRAMING, dialling=True, nonce=os.urandom)

    def answered(self, message: Message) -> bytes:
        """What who accepts writes."""
        return write(message, FRAMING, dialling=False, nonce=os.urandom)

    def uncompressed(self) -> Framing:
        """So that what is long stays so."""
        return evolve(FRAMING, compression=False)

    def leftovers(self) -> list[object]:
        """Calls and connections of this host."""
        return [*self.here.getDelayedCalls(), *self.here.ends]


TO = where(THERE)
"""Where the test listens."""
