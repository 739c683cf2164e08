"""The fake of discovery keeps the contract."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from e2d.interfaces.membership import DiscoveryFailed, IDiscovery
from e2d.model import Address
from e2d.testing.contracts.discovery import FIRST, FallibleDiscoveryContract
from e2d.testing.discovery import MemoryDiscovery


class MemoryDiscoveryTests(FallibleDiscoveryContract, SynchronousTestCase):
    """`MemoryDiscovery` is an `IDiscovery`."""

    def make(self, found: Sequence[Address]) -> IDiscovery:
        """One that finds these."""
        return MemoryDiscovery(found)

    def change(self, discovery: IDiscovery, found: Sequence[Address]) -> None:
        """It finds these."""
        assert isinstance(discovery, MemoryDiscovery)
        discovery.answer = found

    def spoil(self, discovery: IDiscovery) -> None:
        """It fails."""
        assert isinstance(discovery, MemoryDiscovery)
        discovery.answer = DiscoveryFailed("no answer")

    def test_hangs(self) -> None:
        """It answers when told to, and not before."""
        discovery = MemoryDiscovery([FIRST], hanging=True)
        looking = Deferred.fromCoroutine(discovery.discover())
        self.assertNoResult(looking)
        discovery.resume()
        self.assertEqual([FIRST], self.successResultOf(looking))

    def test_cut_off(self) -> None:
        """Who asked may stop waiting."""
        discovery = MemoryDiscovery([FIRST], hanging=True)
        looking = Deferred.fromCoroutine(discovery.discover())
        looking.cancel()
        self.failureResultOf(looking, CancelledError)
        self.assertEqual(1, discovery.cut_off)
