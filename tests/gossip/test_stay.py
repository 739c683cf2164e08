"""A node in the ring, among others: letters, keys, names, and how it leaves."""

from __future__ import annotations

import os

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.protocol import Factory

from e2d.gossip.letters import pack_letter
from e2d.interfaces import Undelivered
from e2d.model import NodeName, NodeStatus, Rank
from e2d.swim.messages import UserMessage
from e2d.swim.packets import Framing, pack
from e2d.swim.sealing import Keyring
from e2d.swim.streams import write
from e2d.swim.wire import encode
from e2d.testing.contracts.membership import announcement
from tests.gossip.rings import PORT, Node, RingTestCase
from tests.gossip.streams import Raw

OLD, NEW = bytes(range(32)), bytes(range(1, 33))
FRAMING = Framing(label=b"e2d")


class LetterTests(RingTestCase):
    """Letters, and from whom."""

    def setUp(self) -> None:
        """Two nodes."""
        super().setUp()
        self.one, self.two = self.ring(2)
        self.letters: list[tuple[NodeName | None, bytes]] = []
        self.two.service.receive_letters(
            lambda sender, letter: self.letters.append((sender, letter))
        )

    def stream(self, payload: bytes, host: str = "10.0.0.1") -> None:
        """Somebody sends this to the second node, by a connection."""
        reactor = self.network.reactor(host)
        endpoint = TCP4ClientEndpoint(reactor, self.two.host, PORT)
        connecting = endpoint.connect(Factory.forProtocol(Raw))
        self.network.advance(0.05)
        message = UserMessage(payload=payload)
        self.successResultOf(connecting).tcp.write(
            write(message, FRAMING, dialling=True, nonce=os.urandom)
        )
        self.network.advance(0.05)

    def test_letter(self) -> None:
        """A letter arrives, with who sent it."""
        self.result_of(self.one.service.deliver(NodeName("n2"), b"hello"))
        self.network.advance(0.05)
        self.assertEqual(self.letters, [("n1", b"hello")])

    def test_claimed_sender(self) -> None:
        """Who says that it is a node that is elsewhere is not named."""
        self.stream(pack_letter(NodeName("n1"), b"forged"), host="10.0.0.9")
        self.assertEqual(self.letters, [(None, b"forged")])

    def test_unknown_sender(self) -> None:
        """Nor who says that it is a node that is not there."""
        self.stream(pack_letter(NodeName("n7"), b"forged"))
        self.assertEqual(self.letters, [(None, b"forged")])

    def test_by_packet(self) -> None:
        """A letter in a packet, whose sender nothing proves, is none."""
        parts = [encode(UserMessage(payload=pack_letter(NodeName("n1"), b"forged")))]
        packet = pack(parts, FRAMING, checksum=False, nonce=os.urandom)
        self.network.send(packet, ("10.0.0.1", PORT), (self.two.host, PORT))
        self.network.advance(0.05)
        self.assertEqual(self.letters, [])
        self.assertEqual(self.two.said("a message is"), ["warn"])

    def test_malformed(self) -> None:
        """What is none is complained of, once, and not passed on."""
        for _ in range(3):
            self.stream(pack_letter(NodeName("n1"), b"x")[:-2])
        self.assertEqual(self.letters, [])
        self.assertEqual(self.two.said("a letter is"), ["warn"])

    def test_oversized(self) -> None:
        """So is what is too long."""
        letter = pack_letter(NodeName("n1"), b"x")
        self.stream(letter + bytes(300 * 1024))
        self.assertEqual(self.letters, [])
        self.assertEqual(self.two.said("a letter is"), ["warn"])

    def test_reader_raises(self) -> None:
        """W-37: a reader that raises hides nothing from the others, nor the error."""
        self.two.service.receive_letters(lambda _sender, _letter: 1 // 0)
        more: list[bytes] = []
        self.two.service.receive_letters(lambda _sender, letter: more.append(letter))
        self.stream(pack_letter(NodeName("n1"), b"x"))
        self.assertEqual((len(self.letters), more), (1, [b"x"]))
        self.assertEqual(self.two.said("A listener of the ring failed"), ["critical"])

    def test_cut_off(self) -> None:
        """Who cannot be reached does not get it, and that takes a second."""
        self.network.cut([self.one.host], [self.two.host])
        sending = Deferred.fromCoroutine(
            self.one.service.deliver(NodeName("n2"), b"hello")
        )
        self.network.advance(1.0)
        error = self.failureResultOf(sending, Undelivered).value
        self.assertIn("cannot be reached", error.reason)

    def test_stopped(self) -> None:
        """What is being sent when this node stops is not delivered."""
        self.network.cut([self.one.host], [self.two.host])
        sending = Deferred.fromCoroutine(
            self.one.service.deliver(NodeName("n2"), b"hello")
        )
        self.end(self.one)
        self.failureResultOf(sending, Undelivered)


class AnnouncementTests(RingTestCase):
    """What a node says of itself."""

    def incarnation(self, node: Node, name: str) -> int:
        """Which one somebody has, as a node sees it."""
        member = node.member(name)
        assert member is not None
        return member.incarnation

    def test_same_again(self) -> None:
        """To say the same again costs no incarnation."""
        one, two = self.ring(2)
        before = self.incarnation(two, "n2")
        two.service.announce(announcement("n2", number=2))
        self.network.advance(1.0)
        self.assertEqual(self.incarnation(one, "n2"), before)

    def test_too_long(self) -> None:
        """What gossip does not carry is a problem until something else is said."""
        node = self.start(1)
        node.service.announce(announcement("n" * 500))
        self.eventually(lambda: node.service.view().problem is not None)
        self.assertIsNone(node.service.view().members)
        node.service.announce(announcement("n1", number=1))
        self.assertIsNone(node.service.view().problem)
        self.assertEqual(node.alive(), ["n1"])

    def test_announced_as_it_leaves(self) -> None:
        """A listener that announces while a node changes its name is not lost."""
        node = self.start(1)
        names = iter(["third", "fourth"])

        def again() -> None:
            name = next(names, None)
            if name is not None:
                node.service.announce(announcement(name, number=1))

        node.service.subscribe(again)
        node.service.announce(announcement("second", number=1))
        self.network.advance(1.0)
        self.assertEqual(node.alive(), ["fourth"])
        self.assertEqual(node.said("not left in order"), [])

    def test_listener_raises(self) -> None:
        """W-37: a listener that raises neither breaks the ring nor hides the error."""
        one = self.start(1)
        heard: list[int] = []
        one.service.subscribe(lambda: 1 // 0)
        one.service.subscribe(lambda: heard.append(1))
        two = self.start(2)
        two.service.join([one.address])
        self.eventually(lambda: one.alive() == ["n1", "n2"])
        self.assertTrue(heard)
        self.assertIn("critical", one.said("A listener of the ring failed"))
        two.service.announce(announcement("n2", NodeStatus.RUNNING, 2))
        self.eventually(lambda: self.incarnation(one, "n2") > 1)

    def test_first_claim(self) -> None:
        """W-16: the first that others hear of a node is complete."""
        one = self.start(1)
        seen: list[object] = []

        def look() -> None:
            member = one.member("n2")
            if member is not None:
                seen.append(member.digest)

        one.service.subscribe(look)
        two = self.start(2)
        two.service.join([one.address])
        self.eventually(lambda: bool(seen))
        (member,) = [m for m in two.service.view().members or () if m.name == "n2"]
        self.assertIsNotNone(member.digest)
        self.assertEqual(seen[0], member.digest)

    def test_new_address(self) -> None:
        """W-47: a dead node's name is accepted from a new address after a while."""
        one, two = self.ring(2)
        self.lose(two)
        self.eventually(lambda: one.ranks().get("n2") is Rank.DEAD, 30.0)
        moved = self.make(3)
        moved.service.startService()
        moved.service.announce(announcement("n2", number=2))

        def accepted() -> bool:
            moved.service.join([one.address])
            member = one.member("n2")
            return member is not None and member.address.host == moved.host

        seconds = self.eventually(accepted, 30.0)
        self.assertLess(seconds, self.timings.dead_reclaim + 1.0)
        self.assertIs(one.ranks()["n2"], Rank.ALIVE)


class KeyTests(RingTestCase):
    """A ring is sealed, and its keys are changed while it runs."""

    def sealed(self, count: int, *keys: bytes) -> list[Node]:
        """Nodes with these keys."""
        nodes = [self.make(1 + number) for number in range(count)]
        for number, node in enumerate(nodes, 1):
            node.keyring = Keyring(keys)
            node.service.startService()
            node.service.announce(announcement(f"n{number}", number=number))
            node.service.join([nodes[0].address])
        return nodes

    def test_another_key(self) -> None:
        """Who has another key does not get in, and both logs say so."""
        one, two = self.sealed(2, OLD)
        self.end(two)
        two.keyring = Keyring((NEW,))
        two.service.startService()
        two.service.join([one.address])
        self.network.advance(2.0)
        self.assertEqual(two.alive(), ["n2"])
        self.assertEqual(one.said("Gossip with 10.0.0.2")[:1], ["warn"])

    def test_new_key(self) -> None:
        """Old and new keys open both, so that nobody is lost in between."""
        nodes = self.sealed(2, OLD)
        one, two = nodes
        self.eventually(lambda: all(len(node.alive()) == 2 for node in nodes))
        for keys in ((OLD, NEW), (NEW, OLD), (NEW,)):
            for node in nodes:
                node.service.take_keyring(Keyring(keys))
                self.network.advance(5.0)
                self.assertEqual([one.alive(), two.alive()], [["n1", "n2"]] * 2)
        self.assertEqual([one.said("Gossip with"), two.said("Gossip with")], [[], []])
