"""What every `IDiscovery` does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from e2d.interfaces.membership import DiscoveryFailed, IDiscovery
from e2d.model import Address

__all__ = ["DiscoveryContract", "FallibleDiscoveryContract"]

if TYPE_CHECKING:
    _TestCase = SynchronousTestCase
else:
    # On its own it is no test, wherever its name is imported.
    _TestCase = object

FIRST = Address("10.0.0.1", 7980)
NAMED = Address("n2.example", 7980)
OTHER_PORT = Address("2001:db8::3", 8980)


class DiscoveryContract(_TestCase):
    """Mix it into a test case, and say how to make one whose answer is known."""

    def make(self, found: Sequence[Address]) -> IDiscovery:
        """One that finds these."""
        raise NotImplementedError

    def found(self, discovery: IDiscovery) -> list[Address]:
        """What it finds now."""
        return list(self.successResultOf(Deferred.fromCoroutine(discovery.discover())))

    def test_interface(self) -> None:
        """It provides the interface."""
        self.assertTrue(verifyObject(IDiscovery, self.make([FIRST])))

    def test_label(self) -> None:
        """It says in a few words what it asks."""
        label = self.make([FIRST]).label
        self.assertTrue(label.strip())
        self.assertNotIn("\n", label)

    def test_finds(self) -> None:
        """Addresses of IPv4 and IPv6 and names come as they are, with their ports."""
        discovery = self.make([FIRST, NAMED, OTHER_PORT])
        self.assertEqual({FIRST, NAMED, OTHER_PORT}, set(self.found(discovery)))

    def test_again(self) -> None:
        """Asked again, it looks again, and finds the same as long as that holds."""
        discovery = self.make([FIRST])
        self.assertEqual([FIRST], self.found(discovery))
        self.assertEqual([FIRST], self.found(discovery))


class FallibleDiscoveryContract(DiscoveryContract):
    """And of one that looks somewhere else, where things change and fail."""

    def change(self, discovery: IDiscovery, found: Sequence[Address]) -> None:
        """What it finds is this from now on."""
        raise NotImplementedError

    def spoil(self, discovery: IDiscovery) -> None:
        """It can no longer tell."""
        raise NotImplementedError

    def test_change(self) -> None:
        """What changes is seen when it is asked the next time."""
        discovery = self.make([FIRST, NAMED])
        self.found(discovery)
        self.change(discovery, [NAMED])
        self.assertEqual([NAMED], self.found(discovery))

    def test_could_not_tell(self) -> None:
        """That it could not tell is an error with one line, never "there are none"."""
        discovery = self.make([FIRST])
        self.spoil(discovery)
        looking = Deferred.fromCoroutine(discovery.discover())
        failed = self.failureResultOf(looking, DiscoveryFailed).value
        self.assertTrue(failed.reason.strip())
        self.assertNotIn("\n", failed.reason)

    def test_recovers(self) -> None:
        """It tells again as soon as it can."""
        discovery = self.make([FIRST])
        self.spoil(discovery)
        self.failureResultOf(Deferred.fromCoroutine(discovery.discover()))
        self.change(discovery, [FIRST])
        self.assertEqual([FIRST], self.found(discovery))
