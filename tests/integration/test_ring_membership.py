"""The real ring keeps the contract: `GossipService`, over loopback."""

from __future__ import annotations

import os
from collections.abc import Callable
from random import Random
from typing import TypeVar

from attrs import evolve

from twisted.internet import reactor  # noqa: TID251 - real sockets need the real one
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.trial.unittest import TestCase

from e2d.gossip.places import peer_address
from e2d.gossip.presence import RingSettings
from e2d.gossip.service import GossipService
from e2d.interfaces import IMembership
from e2d.model import Address
from e2d.swim.sealing import Keyring
from e2d.swim.settings import LOCAL
from e2d.testing.contracts.membership import MembershipContract
from tests.integration.etcds import free_ports

QUICK = evolve(LOCAL, probe_interval=0.3, probe_timeout=0.1, gossip_interval=0.05)

_T = TypeVar("_T")


async def at_once(function: Callable[[], _T]) -> _T:
    """There is little to decode here."""
    return function()


class GossipServiceContractTests(MembershipContract, TestCase):
    """A node on a port of its own is an `IMembership`."""

    timeout = 60.0
    keyring: Keyring | None = None

    def setUp(self) -> None:
        """No node so far."""
        self.nodes: dict[IMembership, tuple[GossipService, Address]] = {}
        self.addCleanup(self.stop_all)

    async def stop_all(self) -> None:
        """Nothing is left."""
        for service, _address in self.nodes.values():
            if service.running:
                await service.stopService()

    def drive(self, done: Deferred[None]) -> object:
        """Trial waits."""
        return done

    def make_node(self) -> IMembership:
        """A service that has started."""
        (port,) = free_ports(1)
        address = Address("127.0.0.1", port)

        async def keyring() -> Keyring | None:
            return self.keyring

        service = GossipService(
            reactor=reactor,
            run_in_pool=at_once,
            settings=RingSettings(
                listen=address,
                advertise=address,
                timings=QUICK,
                label="e2d",
                cluster_name="e2d",
                client_url="http://127.0.0.1:2379",
                peer_url="http://127.0.0.1:2380",
                e2d_version="0.1.0",
                compat=None,
            ),
            read_keyring=keyring,
            random=Random(port),
            nonce=os.urandom,
            outcome=lambda _to, _why: None,
            log=Logger(),
        )
        service.startService()
        self.nodes[service] = (service, address)
        return service

    async def meet(self, node: IMembership) -> None:
        """It is told where the others are."""
        service, _address = self.nodes[node]
        service.join(
            peer_address(address.host, address.port)
            for other, address in self.nodes.values()
            if other is not service and other.running
        )

    async def advance(self, seconds: float) -> None:
        """Time passes by itself."""
        await deferLater(reactor, seconds)

    async def kill(self, node: IMembership) -> None:
        """As when its process dies: closed, and nothing said. No API does that."""
        service, _address = self.nodes[node]
        stay, service._stay = service._stay, None
        assert stay is not None
        await stay._driver.stop()
        await service.stopService()

    async def stop(self, node: IMembership) -> None:
        """In order."""
        service, _address = self.nodes[node]
        await service.stopService()


class SealedContractTests(GossipServiceContractTests):
    """So is one whose packets and connections are sealed."""

    keyring = Keyring((bytes(range(32)),))
