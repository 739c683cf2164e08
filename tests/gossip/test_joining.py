"""Rounds of joins: they bring a node into its ring, and its ring together again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from random import Random

from attrs import define, field

from twisted.logger import Logger, formatEvent

from e2d.config.choices import GossipCompatibility
from e2d.gossip.joining import LOAD_SECONDS, SAVE_SECONDS, Joiner
from e2d.gossip.meeting import Meetings, MeetingSettings
from e2d.gossip.originals import StatusMessage
from e2d.gossip.peer_file import PeerFile
from e2d.gossip.resolving import Names
from e2d.model import Address, Rank
from e2d.swim.settings import LAN
from e2d.testing.contracts.membership import announcement
from e2d.testing.names import MemoryNames
from tests.gossip.rings import PORT, Node, Pool, RingTestCase
from tests.gossip.test_originals_ring import Listening


def seed(number: int) -> Address:
    """Where a node gossips."""
    return Address(f"10.0.0.{number}", PORT)


@define(eq=False)
class Joining:
    """A node with a joiner, and what it says."""

    node: Node
    joiner: Joiner
    disk: Pool
    found: list[tuple[Address, ...] | None]
    lines: list[tuple[str, str]] = field(factory=list)

    def said(self, text: str) -> list[str]:
        """The levels of its lines with this in them."""
        return [level for level, line in self.lines if text in line]


class JoiningTestCase(RingTestCase):
    """Nodes with joiners; they are stopped in the order of a daemon."""

    def setUp(self) -> None:
        """A directory for what they remember."""
        super().setUp()
        self.joinings: list[Joining] = []
        self.directory = Path(self.mktemp())
        self.directory.mkdir()

    def tearDown(self) -> None:
        """Stop all."""
        for joining in self.joinings:
            joining.disk.work()
            if joining.joiner.running:
                self.stop_joining(joining)
        super().tearDown()

    def stop_joining(self, joining: Joining) -> None:
        """Stop it; nothing but its node's own is left."""
        stopped = joining.joiner.stopService()
        self.eventually(lambda: bool(stopped.called), LOAD_SECONDS + SAVE_SECONDS + 0.2)
        self.successResultOf(stopped)

    def joining(
        self, number: int, *seeds: Address, gossips: bool = True, **changes: object
    ) -> Joining:
        """A node that meets others."""
        make = self.start if gossips else self.make
        node = make(number, **changes)
        lines: list[tuple[str, str]] = []
        log = Logger(
            observer=lambda event: lines.append(
                (event["log_level"].name, formatEvent(event))
            )
        )
        disk, found = Pool(), list[tuple[Address, ...] | None]()
        own = node.settings.advertise
        peers = PeerFile(node.reactor, str(self.directory / node.host), disk, log)
        joiner = Joiner(
            clock=node.reactor,
            wall_clock=lambda: datetime.fromtimestamp(node.reactor.seconds(), tz=UTC),
            ring=node.service,
            names=Names(node.reactor, MemoryNames()),
            peer_file=peers,
            meetings=Meetings(MeetingSettings(), own, Random(number)),
            seeds=seeds,
            found=lambda: found,
            own=own,
            label="e2d",
            log=log,
        )
        node.told = joiner.outcome
        made = Joining(node, joiner, disk, found, lines)
        self.joinings.append(made)
        joiner.startService()
        return made


class JoinerTests(JoiningTestCase):
    """`Joiner` takes rounds."""

    def test_meets_a_seed(self) -> None:
        """A seed is met in the first round."""
        one = self.start(1)
        two = self.joining(2, seed(1))
        self.eventually(lambda: one.alive() == ["n1", "n2"], 1.0)
        self.assertEqual((two.joiner.unmet(), two.joiner.unheard()), ((), ()))

    def test_before_the_first_round(self) -> None:
        """Nobody is unmet who was not asked; unheard is every seed."""
        two = self.joining(2, seed(1))
        self.assertEqual(two.joiner.unmet(), ())
        self.assertEqual(two.joiner.unheard(), (seed(1),))

    def test_waits(self) -> None:
        """It waits until its node gossips."""
        one = self.start(1)
        two = self.joining(2, seed(1), gossips=False)
        self.network.advance(10.0)
        self.assertEqual(two.joiner.unheard(), (seed(1),))
        two.node.service.startService()
        two.node.service.announce(announcement("n2", number=2))
        self.eventually(lambda: one.alive() == ["n1", "n2"], 1.0)

    def test_unmet(self) -> None:
        """Who does not answer is unmet, which is said once, and when it is over."""
        two = self.joining(2, seed(1))
        self.network.advance(20.0)
        self.assertEqual(two.joiner.unmet(), (seed(1),))
        self.assertEqual(two.joiner.unheard(), (seed(1),))
        self.assertEqual(two.said("10.0.0.1:7980 is not met: cannot be"), ["warn"])
        one = self.start(1)
        self.eventually(lambda: one.alive() == ["n1", "n2"], 31.0)
        self.eventually(lambda: two.joiner.unmet() == (), 31.0)
        self.assertEqual(two.said("10.0.0.1:7980 is met"), ["info"])

    def test_discovered(self) -> None:
        """So is who was found, in the round that this wakes."""
        one = self.start(1)
        two = self.joining(2)
        self.network.advance(100.0)
        two.found.extend([None, (seed(1),)])
        two.joiner.found_others()
        self.eventually(lambda: one.alive() == ["n1", "n2"], 0.5)

    def test_remembers(self) -> None:
        """Who was met is remembered on disk, and asked after a restart."""
        one = self.start(1)
        two = self.joining(2, seed(1))
        self.eventually(lambda: one.alive() == ["n1", "n2"], 1.0)
        self.network.advance(35.0)
        self.stop_joining(two)
        self.end(two.node)
        self.nodes.remove(two.node)
        self.joinings.remove(two)
        self.joining(2)
        self.eventually(lambda: one.alive() == ["n1", "n2"], 5.0)

    def test_repeats_its_status(self) -> None:
        """W-46: each round says the status again, which originals may have missed."""
        compat = GossipCompatibility.ORIGINAL
        one = self.start(1, compat=compat)
        two = self.joining(2, seed(1), compat=compat)
        self.eventually(lambda: one.alive() == ["n1", "n2"], 1.0)
        self.network.advance(5.0)
        heard: list[StatusMessage] = []
        ports, address = self.network.datagram_ports, (one.host, PORT)
        ports[address] = Listening(ports[address], heard)
        self.eventually(lambda: bool(heard), 31.0)
        self.assertEqual(heard[0].name, "n2")
        self.assertTrue(two.joiner.running)

    def test_stops_with_a_hung_disk(self) -> None:
        """A disk that does not take who is known holds up nothing for long."""
        self.start(1)
        two = self.joining(2, seed(1))
        self.network.advance(2.0)
        two.disk.busy = True
        self.stop_joining(two)
        self.assertEqual(two.said("The disk did not take"), ["warn"])

    def test_meets_with_a_hung_disk(self) -> None:
        """Seeds are met all the same, and who is remembered once the disk tells."""
        one = self.start(1)
        two = self.joining(2, seed(1))
        two.disk.busy = True
        self.eventually(lambda: one.alive() == ["n1", "n2"], LOAD_SECONDS + 0.5)
        self.network.advance(60.0)
        self.assertEqual(two.disk.waiting, 1)
        two.disk.work()
        self.network.advance(31.0)
        self.assertTrue((self.directory / two.node.host / "peers.json").exists())

    def test_stops_while_it_loads(self) -> None:
        """Nor does one that does not give who was remembered."""
        two = self.joining(2, seed(1))
        two.disk.busy = True
        self.network.advance(2.0)
        self.assertEqual(two.disk.waiting, 1)
        self.stop_joining(two)


class HealedPartitionTests(JoiningTestCase):
    """W-03: a partition that lasted so long that all is forgotten merges again."""

    timings = LAN

    def parted(self, *, joiners: bool) -> list[Node]:
        """Two rings of two, which were one, cut for 5 minutes, and now healed."""
        if joiners:
            nodes = [self.joining(number, seed(1)).node for number in range(1, 5)]
            self.eventually(lambda: len(nodes[0].alive()) == 4, 60.0)
            self.eventually(lambda: all(len(n.alive()) == 4 for n in nodes), 60.0)
        else:
            nodes = self.ring(4)
        hosts = [node.host for node in nodes]
        self.network.cut(hosts[:2], hosts[2:])
        self.network.advance(300.0)
        self.assertEqual(nodes[0].ranks(), {"n1": Rank.ALIVE, "n2": Rank.ALIVE})
        self.assertEqual(nodes[3].ranks(), {"n3": Rank.ALIVE, "n4": Rank.ALIVE})
        self.network.heal()
        return nodes

    def test_merges(self) -> None:
        """One ring, within a minute."""
        nodes = self.parted(joiners=True)
        self.eventually(lambda: all(len(node.alive()) == 4 for node in nodes), 60.0)

    def test_does_not_by_itself(self) -> None:
        """Without joiners it would stay two for ever: they are what mends it."""
        nodes = self.parted(joiners=False)
        self.network.advance(120.0)
        self.assertEqual([len(node.alive()) for node in nodes], [2, 2, 2, 2])
