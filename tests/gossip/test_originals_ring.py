"""A ring that originals share: what its nodes say in the originals' way."""

from __future__ import annotations

import os

from attrs import frozen

from e2d.config.choices import GossipCompatibility
from e2d.gossip.originals import OriginalStatus, StatusMessage, decode_status
from e2d.model import NodeStatus
from e2d.swim.messages import UserMessage
from e2d.swim.packets import Framing, pack, unpack
from e2d.swim.wire import encode
from e2d.testing.contracts.membership import announcement
from e2d.testing.datagrams import MemoryDatagramPort
from tests.gossip.rings import PORT, Node, RingTestCase

FRAMING = Framing(label=b"e2d")
COMPAT = GossipCompatibility.ORIGINAL


@frozen
class Listening:
    """Reads along what arrives at a port."""

    port: MemoryDatagramPort
    heard: list[StatusMessage]

    def arrive(self, packet: bytes, source: tuple[str, int]) -> None:
        """Pass it on."""
        for message in unpack(packet, FRAMING).messages:
            if isinstance(message, UserMessage):
                self.heard.append(decode_status(message.payload))
        self.port.arrive(packet, source)


class StatusBroadcastTests(RingTestCase):
    """Statuses are broadcast, and a lost broadcast is repaired."""

    def setUp(self) -> None:
        """Two nodes; what reaches the second is read along."""
        super().setUp()
        self.one, self.two = self.ring(2, compat=COMPAT)
        self.network.advance(5.0)
        self.heard: list[StatusMessage] = []
        ports, address = self.network.datagram_ports, (self.two.host, PORT)
        ports[address] = Listening(ports[address], self.heard)

    def run_etcd(self, node: Node) -> None:
        """The first node runs etcd from now on."""
        node.service.announce(announcement("n1", NodeStatus.RUNNING, 1))

    def test_broadcast(self) -> None:
        """A change of status is broadcast for originals."""
        self.run_etcd(self.one)
        self.network.advance(2.0)
        said = {(message.name, message.status) for message in self.heard}
        self.assertEqual(said, {("n1", OriginalStatus.RUNNING)})

    def test_repeated(self) -> None:
        """W-46: where all of a broadcast was lost, the next round says it again."""
        self.network.loss = 1.0
        self.run_etcd(self.one)
        self.network.advance(0.2)
        self.eventually(lambda: self.one.service.view().queue_length == 0, 30.0)
        self.network.loss = 0.0
        self.network.advance(2.0)
        self.assertEqual(self.heard, [])
        self.one.service.repeat_status()
        self.eventually(lambda: bool(self.heard), 2.0)
        self.assertIs(self.heard[0].status, OriginalStatus.RUNNING)

    def test_nothing_new(self) -> None:
        """A status that is said again is said once more, and does not pile up."""
        for _ in range(10):
            self.one.service.repeat_status()
        self.assertLessEqual(self.one.service.view().queue_length, 1)

    def test_malformed(self) -> None:
        """A broadcast that cannot be read is complained of once."""
        message = encode(UserMessage(payload=b"\x07nonsense"))
        packet = pack([message], FRAMING, checksum=False, nonce=os.urandom)
        for _ in range(3):
            self.network.send(packet, ("10.0.0.9", 5), (self.one.host, PORT))
        self.network.advance(0.05)
        self.assertEqual(self.one.said("a message is"), ["warn"])
