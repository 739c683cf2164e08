"""Whatever comes from the network, the driver and its connections stand it."""

from __future__ import annotations

import os
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.protocol import Factory

from e2d.gossip.complaints import KEPT
from e2d.swim.messages import (
    Ack,
    Alive,
    Dead,
    IndirectPing,
    PeerAddress,
    Ping,
    Suspect,
    UserMessage,
    Versions,
)
from e2d.swim.packets import Framing, pack
from e2d.swim.settings import LAN
from e2d.swim.wire import encode
from e2d.testing.contracts.membership import announcement
from e2d.testing.network import MemoryNetwork
from tests.gossip.rings import PORT, Node, RingTestCase, ring_settings, where
from tests.gossip.streams import Raw

FRAMING = Framing(label=b"e2d")
LABEL = FRAMING.label_header

_hosts = st.binary(min_size=4, max_size=4) | st.binary(min_size=16, max_size=16)
_addresses = st.builds(PeerAddress, _hosts, st.integers(0, 65535))
_names = st.sampled_from([b"n1", b"n2"]) | st.binary(max_size=30)
_numbers = st.integers(0, 3) | st.integers(0, (1 << 32) - 1)
_versions = st.builds(
    Versions,
    protocol_min=st.integers(0, 255),
    protocol_max=st.integers(0, 255),
    protocol=st.integers(0, 255),
)
_messages = st.one_of(
    st.builds(Ping, sequence=_numbers, node=_names),
    st.builds(
        IndirectPing,
        sequence=_numbers,
        node=_names,
        target=_addresses,
        nack=st.booleans(),
    ),
    st.builds(Ack, sequence=_numbers, payload=st.binary(max_size=20)),
    st.builds(
        Alive,
        incarnation=_numbers,
        node=_names,
        address=_addresses,
        meta=st.binary(max_size=40),
        versions=_versions,
    ),
    st.builds(Suspect, incarnation=_numbers, node=_names, sender=_names),
    st.builds(Dead, incarnation=_numbers, node=_names, sender=_names),
    st.builds(UserMessage, payload=st.binary(max_size=40)),
)


def a_node() -> Node:
    """A node that gossips, on a network of its own."""
    network = MemoryNetwork(seed=1)
    node = Node("10.0.0.1", network.reactor("10.0.0.1"), ring_settings("10.0.0.1"))
    node.service.startService()
    node.service.announce(announcement("n1"))
    return node


class HostileTests(RingTestCase):
    """One node, and somebody who means no good."""

    timings = LAN

    def send(self, node: Node, packet: bytes, source: tuple[str, int]) -> None:
        """A packet arrives from somewhere."""
        self.network.datagram_ports[node.host, PORT].arrive(packet, source)

    def packet(self, *messages: object) -> bytes:
        """What is well-formed, at least."""
        parts = [encode(message) for message in messages]  # type: ignore[arg-type]
        return pack(parts, FRAMING, checksum=False, nonce=os.urandom)

    def outlives(self, node: Node) -> None:
        """It is there as before, and nothing of it is left when it stops."""
        network = node.reactor.network
        network.advance(2.0)
        self.assertIn("n1", node.ranks())
        self.assertEqual(self.flushLoggedErrors(), [])
        self.assertEqual(
            [line for level, line in node.lines if level == "critical"], []
        )
        stopped = node.service.stopService()
        network.advance(11.0)
        self.successResultOf(stopped)
        self.assertEqual(node.leftovers(), [])

    @given(st.lists(st.binary(max_size=100), max_size=5))
    @settings(max_examples=40, deadline=None)
    def test_any_packets(self, packets: list[bytes]) -> None:
        """Any bytes, with our label before them."""
        node = a_node()
        for packet in packets:
            port = node.reactor.network.datagram_ports[node.host, PORT]
            port.arrive(packet, ("10.0.0.9", 5))
            port.arrive(LABEL + packet, ("10.0.0.9", 5))
        self.outlives(node)

    @given(st.lists(_messages, min_size=1, max_size=10))
    @settings(max_examples=60, deadline=None)
    def test_any_messages(self, messages: list[object]) -> None:
        """Any messages that are well-formed, whatever they claim."""
        node = a_node()
        port = node.reactor.network.datagram_ports[node.host, PORT]
        port.arrive(self.packet(*messages), ("10.0.0.9", 5))
        self.outlives(node)

    @given(st.lists(st.binary(min_size=1, max_size=60), max_size=5), st.booleans())
    @settings(max_examples=40, deadline=None)
    def test_any_stream(self, pieces: list[bytes], labelled: bool) -> None:
        """Any bytes on a connection."""
        node = a_node()
        network = node.reactor.network
        there = network.reactor("10.0.0.9")
        connecting = TCP4ClientEndpoint(there, node.host, PORT).connect(
            Factory.forProtocol(Raw)
        )
        network.advance(0.05)
        raw = self.successResultOf(connecting)
        raw.tcp.write(LABEL if labelled else b"")
        for piece in pieces:
            raw.tcp.write(piece)
            network.advance(0.01)
        self.outlives(node)

    def test_forged_sources(self) -> None:
        """Unreadable packets from everywhere fill neither the log nor the memory."""
        node = self.start(1)
        random = Random(1)
        for _ in range(5 * KEPT):
            host = ".".join(str(random.randrange(1, 255)) for _ in range(4))
            self.send(node, b"nonsense", (host, random.randrange(1, 65536)))
        self.assertLessEqual(len(node.said("Gossip with")), KEPT)
        self.assertEqual(
            dict(node.service.view().traffic.packets_dropped), {"label": 5 * KEPT}
        )

    def test_forged_peers(self) -> None:
        """Peers that somebody invents are held up to a bound, and no more."""
        node = self.start(1)
        versions = Versions(protocol_min=1, protocol_max=5, protocol=2)
        for number in range(11_000):
            alive = Alive(
                incarnation=1,
                node=b"forged%d" % number,
                address=where("10.9.9.9", 1 + number),
                meta=b"",
                versions=versions,
            )
            self.send(node, self.packet(alive), ("10.0.0.9", 5))
        self.assertEqual(len(node.service.view().members or ()), LAN.peers_most)
        self.assertGreaterEqual(
            node.service.view().traffic.packets_dropped["full"], 1000
        )
