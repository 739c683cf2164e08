"""Seeds that are configured."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.trial.unittest import SynchronousTestCase

from e2d.discovery.static import StaticSeeds
from e2d.interfaces.membership import IDiscovery
from e2d.model import Address
from e2d.testing.contracts.discovery import DiscoveryContract


class StaticSeedsTests(DiscoveryContract, SynchronousTestCase):
    """`StaticSeeds` is an `IDiscovery`."""

    def make(self, found: Sequence[Address]) -> IDiscovery:
        """One that is configured so."""
        return StaticSeeds(tuple(found))

    def test_none(self) -> None:
        """None configured is an answer: there are none."""
        self.assertEqual([], self.found(self.make([])))
