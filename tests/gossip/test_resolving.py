"""From names to addresses, within bounds."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IHostnameResolver
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from e2d.gossip.resolving import Found, Names, NotFound, Resolved
from e2d.model import Address
from e2d.testing.names import MemoryNames

N2 = Address("n2.example", 7980)


class NamesTests(SynchronousTestCase):
    """`Names` looks up what is a name, and never waits for long."""

    def setUp(self) -> None:
        """Given a name server that knows one name."""
        self.clock = Clock()
        self.memory = MemoryNames({"n2.example": ["10.0.0.2", "2001:db8::2"]})
        self.names = Names(self.clock, self.memory)

    def begin(self, *wanted: Address) -> Deferred[tuple[Resolved, ...]]:
        """Look these up."""
        return Deferred.fromCoroutine(self.names.resolve_all(wanted))

    def resolved(self, *wanted: Address) -> tuple[Resolved, ...]:
        """What is found at once; no timer is left by it."""
        result: tuple[Resolved, ...] = self.successResultOf(self.begin(*wanted))
        self.assertEqual([], self.clock.getDelayedCalls())
        return result

    def reason(self, wanted: Address) -> str:
        """Why one is not found."""
        (result,) = self.resolved(wanted)
        assert isinstance(result, NotFound)
        self.assertEqual(wanted, result.wanted)
        return result.reason

    def test_fake(self) -> None:
        """The name server provides Twisted's interface."""
        self.assertTrue(verifyObject(IHostnameResolver, self.memory))

    def test_name(self) -> None:
        """A name comes to all its addresses, with the port that is wanted."""
        addresses = (Address("10.0.0.2", 7980), Address("2001:db8::2", 7980))
        self.assertEqual((Found(N2, addresses),), self.resolved(N2))

    def test_address(self) -> None:
        """An address is what it is, in its shortest form, and nobody is asked."""
        mapped = Address("::ffff:10.0.0.3", 80)
        expected = (
            Found(Address("10.0.0.2", 80), (Address("10.0.0.2", 80),)),
            Found(mapped, (Address("10.0.0.3", 80),)),
        )
        self.assertEqual(expected, self.resolved(Address("10.0.0.2", 80), mapped))
        self.assertEqual([], self.memory.asked)

    def test_no_address(self) -> None:
        """A name without an address is not found, and the next one is."""
        wanted = (Address("n9.example", 1), N2)
        first, second = self.resolved(*wanted)
        self.assertEqual(
            NotFound(wanted[0], "has no address: look at the name and at DNS"), first
        )
        self.assertIsInstance(second, Found)

    def test_no_name(self) -> None:
        """What the system would choke on is not looked up."""
        for host in ("a..b", "n" * 64, ".", "", "a." * 127 + "b", "nö"):
            self.assertIn("no name", self.reason(Address(host, 7980)))
        self.assertEqual([], self.memory.asked)

    def test_two_ports(self) -> None:
        """A name that is wanted with two ports is looked up once."""
        self.memory.hanging.add("n2.example")
        looking = self.begin(N2, Address("n2.example", 80))
        self.memory.answer()
        first, second = self.successResultOf(looking)
        self.assertEqual(
            (7980, 80), (first.addresses[0].port, second.addresses[0].port)
        )
        self.assertEqual(["n2.example"], self.memory.asked)

    def test_rooted(self) -> None:
        """The dot at the end of a name and its capitals mean nothing here."""
        (result,) = self.resolved(Address("N2.example.", 7980))
        self.assertIsInstance(result, Found)

    def test_many_addresses(self) -> None:
        """Of a name with more than 16 addresses so many are taken, each once."""
        hosts = [f"10.0.1.{number}" for number in range(20)]
        self.memory.hosts["n2.example"] = ["10.0.1.0", *hosts]
        (result,) = self.resolved(N2)
        assert isinstance(result, Found)
        self.assertEqual(15, len(result.addresses))

    def test_zone(self) -> None:
        """An address that needs a zone cannot be gossiped with."""
        self.memory.hosts["n2.example"] = ["fe80::1%eth0"]
        self.assertIn("has no address", self.reason(N2))

    def test_hangs(self) -> None:
        """A lookup that hangs is given up after five seconds."""
        self.memory.hanging.add("n2.example")
        looking = self.begin(N2)
        self.clock.advance(4.9)
        self.assertNoResult(looking)
        self.clock.advance(0.1)
        (result,) = self.successResultOf(looking)
        self.assertEqual(NotFound(N2, "was not looked up in 5 seconds"), result)

    def test_hangs_still(self) -> None:
        """While it hangs the name is not looked up again; once it ended, it is."""
        self.memory.hanging.add("n2.example")
        self.begin(N2)
        self.clock.advance(5)
        self.assertEqual("is being looked up still", self.reason(N2))
        self.assertEqual(["n2.example"], self.memory.asked)
        self.memory.answer()
        self.assertIsInstance(self.resolved(N2)[0], Found)

    def test_all_hang(self) -> None:
        """However many names there are, it takes five seconds and eight threads."""
        many = [Address(f"m{number}.example", 7980) for number in range(100)]
        self.memory.hanging.update(one.host for one in many)
        looking = self.begin(*many)
        self.clock.advance(5)
        results = self.successResultOf(looking)
        self.assertEqual("was not looked up in 5 seconds", results[0].reason)
        self.assertIn("names before it took too long", results[-1].reason)
        self.assertIn("too many lookups hang", self.reason(N2))
        self.assertEqual(8, len(self.memory.asked))

    def test_in_turns(self) -> None:
        """Names that hang each time have their turn after those that had none yet."""
        many = [Address(f"m{number}.example", 7980) for number in range(8)]
        hosts = {one.host for one in many}
        self.memory.hanging = set(hosts)
        self.begin(*many, N2)
        self.clock.advance(5)
        self.memory.answer()
        self.memory.hanging = set(hosts)
        looking = self.begin(*many, N2)
        self.clock.advance(5)
        self.assertIsInstance(self.successResultOf(looking)[-1], Found)
