"""The fake etcd passes the contract, and behaves as a cluster does."""

from __future__ import annotations

from random import Random

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from e2d.testing.contracts.etcd_client import EtcdClientContract
from e2d.testing.etcd import FakeEtcdCluster
from e2d.testing.etcd_roster import RULES


class FakeContractTests(EtcdClientContract, SynchronousTestCase):
    """A fake member of the 3.5 line is an etcd client."""

    line = (3, 5)

    def setUp(self) -> None:
        """A cluster of one."""
        self.clock = Clock()
        self.clock.advance(1000)
        cluster = FakeEtcdCluster(self.clock, Random(1), rules=RULES[self.line])
        (member_id,) = cluster.nodes
        self.client = cluster.client(member_id)

    def drive(self, done: Deferred[None]) -> object:
        """Everything is answered at once."""
        self.successResultOf(done)
        return None

    async def settle(self, seconds: float) -> None:
        """Time passes at once, too."""
        self.clock.advance(seconds)


class FakeContractTests_3_4(FakeContractTests):  # noqa: N801 - named by the line
    """So is one of the 3.4 line."""

    line = (3, 4)
