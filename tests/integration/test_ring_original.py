"""
A ring with the original: what it sends and reads, by a real peer of memberlist.

Its payloads are those that real nodes of it were seen to send (``fixtures/original``).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from random import Random
from typing import TypeVar

from attrs import evolve

from twisted.internet import reactor  # noqa: TID251 - real sockets need the real one
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from e2d.config.choices import GossipCompatibility
from e2d.gossip.originals import (
    OriginalMember,
    OriginalStatus,
    StatusMessage,
    decode_member,
    decode_status,
    encode_member,
    encode_status,
)
from e2d.gossip.packing import is_packed
from e2d.gossip.places import peer_address
from e2d.gossip.presence import RingSettings
from e2d.gossip.reports import decode_report
from e2d.gossip.service import GossipService
from e2d.interfaces import IMembership
from e2d.model import (
    Address,
    Announcement,
    ClusterID,
    DataSummary,
    EtcdVersion,
    GossipMember,
    MemberID,
    NodeID,
    NodeName,
    NodeStatus,
    OriginalDigest,
)
from e2d.swim.sealing import Keyring
from e2d.swim.settings import LOCAL
from tests.gossip.samples import seen
from tests.integration.children import within
from tests.integration.commanded import FAST
from tests.integration.etcds import free_ports
from tests.integration.gopeers import GoPeer, oldest_peer
from tests.integration.peering import PeerTestCase

T = TypeVar("T")

KEY = bytes(range(32))
QUICK = evolve(LOCAL, probe_interval=0.2, probe_timeout=0.1, gossip_interval=0.05)
SAMPLE = next(each for each in seen("member") if each["Status"] == 0)
NAME = str(SAMPLE["Name"])

OURS = Announcement(
    name=NodeName("n1"),
    node_id=NodeID("00112233445566ff"),
    status=NodeStatus.RUNNING,
    etcd_version=EtcdVersion(3, 5, 16),
    data=DataSummary(cluster_id=ClusterID(1), member_id=MemberID(2)),
    lineage="l1",
)


async def at_once(function: Callable[[], T]) -> T:
    """There is little to decode here."""
    return function()


class OriginalTests(PeerTestCase):
    """
    One node of the original, whose release of memberlist is of the oldest line.

    It speaks as its own nodes do; ours is `GossipService`, with ``gossip.compat``.
    """

    async def original(self, meta: bytes = bytes.fromhex(str(SAMPLE["hex"]))) -> GoPeer:
        """A node of it, that has found nobody yet."""
        return await self.peer(oldest_peer(), NAME, meta=meta, keys=[KEY], **FAST)

    def node(self, compat: GossipCompatibility, said: Announcement) -> GossipService:
        """A node of ours."""
        address = Address("127.0.0.1", free_ports(1)[0])

        async def keyring() -> Keyring:
            return Keyring((KEY,))

        service = GossipService(
            reactor=reactor,
            run_in_pool=at_once,
            settings=RingSettings(
                listen=address,
                advertise=address,
                timings=evolve(QUICK, exchange_interval=0.5),
                label=None,
                cluster_name="blue",
                client_url="http://127.0.0.1:2379",
                peer_url="http://127.0.0.1:2380",
                e2d_version="1.0.0",
                compat=compat,
            ),
            read_keyring=keyring,
            random=Random(1),
            nonce=os.urandom,
            outcome=lambda _to, _why: None,
            log=Logger(),
        )
        service.startService()
        self.addCleanup(service.stopService)
        service.announce(said)
        return service

    async def seen_by(
        self,
        service: IMembership,
        what: str,
        fits: Callable[[OriginalDigest], bool],
    ) -> GossipMember:
        """Until ours sees the original so."""
        found: Deferred[GossipMember] = Deferred()

        def look() -> None:
            for member in service.view().members or ():
                digest = member.digest
                fitting = isinstance(digest, OriginalDigest) and fits(digest)
                if fitting and not found.called:
                    found.callback(member)

        service.subscribe(look)
        look()
        return await within(10.0, reactor, what, found)

    async def has_status(
        self, service: IMembership, status: NodeStatus | None
    ) -> GossipMember:
        """Until ours takes the original for that."""
        return await self.seen_by(
            service, f"it is {status}", lambda digest: digest.status is status
        )

    async def test_theirs_by_broadcast(self) -> None:
        """An original of 0.4 is seen as one, with the status that it broadcasts."""
        a = await self.original()
        service = self.node(GossipCompatibility.ORIGINAL_0_4, OURS)
        await self.join(service, a)
        member = await self.has_status(service, None)
        self.assertEqual((member.name, member.address), (NAME, a.address))
        self.assertEqual(
            member.digest,
            OriginalDigest(
                name=NodeName(NAME),
                client_url=str(SAMPLE["ClientURL"]),
                peer_url=str(SAMPLE["PeerURL"]),
                status=None,
            ),
        )
        for theirs, ours in (
            (OriginalStatus.PENDING, NodeStatus.PENDING),
            (OriginalStatus.RUNNING, NodeStatus.RUNNING),
        ):
            message = StatusMessage(name=NAME, status=theirs)
            await a.command("broadcast", data=encode_status(message))
            await self.has_status(service, ours)

    async def test_theirs_by_state(self) -> None:
        """An original of 1.0 tells its status with each exchange, too."""
        a = await self.original()
        service = self.node(GossipCompatibility.ORIGINAL, OURS)
        await self.join(service, a)
        await self.has_status(service, None)
        message = StatusMessage(name=NAME, status=OriginalStatus.RUNNING)
        await a.command("set-state", data=encode_status(message))
        await self.has_status(service, NodeStatus.RUNNING)

    async def test_theirs_by_metadata(self) -> None:
        """An original that says nothing at first is known once it does (W-16)."""
        a = await self.original(meta=b"")
        service = self.node(GossipCompatibility.ORIGINAL, OURS)
        await self.join(service, a)
        member = OriginalMember(name=NAME, status=OriginalStatus.RUNNING)
        urls = evolve(member, client_url="http://h:1", peer_url="http://h:2")
        await a.command("update-meta", data=encode_member(urls), seconds=5)
        await self.has_status(service, NodeStatus.RUNNING)

    async def test_ours(self) -> None:
        """A node of ours is a member of the original's, with its statuses."""
        a = await self.original()
        service = self.node(GossipCompatibility.ORIGINAL, OURS)
        await self.join(service, a)
        node = (await a.event("join", about="n1"))["node"]
        member = decode_member(node.meta)
        self.assertEqual(
            evolve(member, extra=b""),
            OriginalMember(
                name="n1",
                client_url="http://127.0.0.1:2379",
                peer_url="http://127.0.0.1:2380",
                gossip_addr=str(node.address),
                status=OriginalStatus.RUNNING,
            ),
        )
        merged = decode_status((await a.event("merged"))["data"])
        self.assertEqual((merged.name, merged.status), ("n1", OriginalStatus.RUNNING))
        self.assertEqual(decode_report(merged.extra).cluster_name, "blue")
        service.announce(evolve(OURS, status=NodeStatus.STOPPING))
        stopping = StatusMessage(name="n1", status=OriginalStatus.UNKNOWN)
        told = await a.event("user")
        self.assertEqual(told["data"], encode_status(stopping))
        node = (await a.event("update", about="n1"))["node"]
        self.assertIs(decode_member(node.meta).status, OriginalStatus.UNKNOWN)
        service.announce(OURS)
        running = StatusMessage(name="n1", status=OriginalStatus.RUNNING)
        await a.event("user", where=lambda e: e["data"] == encode_status(running))

    async def test_ours_without_data(self) -> None:
        """A node of ours that holds no data is none that the original would count."""
        a = await self.original()
        newborn = evolve(OURS, status=NodeStatus.PENDING, data=None, lineage=None)
        service = self.node(GossipCompatibility.ORIGINAL, newborn)
        await self.join(service, a)
        node = (await a.event("join", about="n1"))["node"]
        self.assertTrue(is_packed(node.meta))

    async def join(self, service: GossipService, a: GoPeer) -> None:
        """Ours joins, once it listens."""
        listening: Deferred[None] = Deferred()

        def look() -> None:
            if service.view().members is not None and not listening.called:
                listening.callback(None)

        service.subscribe(look)
        look()
        await within(10.0, reactor, "it listens", listening)
        service.join([peer_address(a.address.host, a.address.port)])
        await a.sees("n1", NAME)
