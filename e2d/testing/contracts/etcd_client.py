"""What every `IEtcdClient` keeps to, whatever is behind it."""

from __future__ import annotations

import hashlib

from twisted.internet.defer import Deferred
from zope.interface.verify import verifyObject

from e2d.interfaces import (
    EtcdError,
    EtcdRefused,
    EtcdUnavailable,
    IByteSource,
    IEtcdClient,
)
from e2d.model import EtcdRole, MemberID
from e2d.testing.contracts.driving import driven
from e2d.testing.contracts.etcd_keys import EtcdKeysContract

__all__ = ["EtcdClientContract"]


class EtcdClientContract(EtcdKeysContract):
    """
    Mix into a test case; the client is that of the only started member of a cluster.

    Other tests of the class may have used the store before, so each test keeps to the
    keys below its own name.
    """

    # -- the interface ----------------------------------------------------------

    def test_provides_interface(self) -> None:
        """It is an `IEtcdClient`."""
        self.assertTrue(verifyObject(IEtcdClient, self.client))

    @driven
    async def test_status(self) -> None:
        """A single member leads, votes and has applied what it has."""
        status = await self.client.status()
        self.assertEqual(status.leader, status.member_id)
        self.assertIs(status.role, EtcdRole.VOTER)
        self.assertGreaterEqual(status.revision, 1)
        self.assertRegex(status.version, r"^3\.\d+\.\d+$")
        self.assertIsNotNone(status.raft_applied_index)
        self.assertGreater(status.db_size_bytes, 0)
        self.assertEqual(status.errors, ())

    @driven
    async def test_members(self) -> None:
        """The proved list and the seen one name the member that status names."""
        status = await self.client.status()
        (member,) = await self.client.members()
        self.assertEqual(member.member_id, status.member_id)
        self.assertTrue(member.started)
        self.assertEqual(len(member.peer_urls), 1)
        self.assertEqual(tuple(await self.client.members_seen()), (member,))

    # -- watching ---------------------------------------------------------------

    @driven
    async def test_watch_from_now_on(self) -> None:
        """A watch tells what came after it, each change once, in order."""
        one, two = self.below + b"1", self.below + b"2"
        await self.client.put(one, b"before", None)
        watch = await self.watch_prefix(self.below)
        await self.client.put(one, b"after", None)
        await self.client.put(two, b"", None)
        await self.client.delete(one, None)
        events = await self.take(watch, 3)
        await watch.stop()
        told = [(e.item.key, e.item.value, e.deleted) for e in events]
        self.assertEqual(
            told, [(one, b"after", False), (two, b"", False), (one, b"", True)]
        )

    @driven
    async def test_watch_from_the_past(self) -> None:
        """A watch may start at a revision that was."""
        first = await self.client.put(self.below, b"1", None)
        await self.client.put(self.below, b"2", None)
        watch = await self.watch_prefix(self.below, first)
        events = await self.take(watch, 2)
        await watch.stop()
        self.assertEqual([event.item.value for event in events], [b"1", b"2"])

    @driven
    async def test_watch_of_one_key(self) -> None:
        """Without an end it is the one key."""
        watch = await self.client.watch(self.below, None, None)
        await self.client.put(self.below + b"other", b"", None)
        await self.client.put(self.below, b"this", None)
        (event,) = await watch.next()
        await watch.stop()
        self.assertEqual(event.item.value, b"this")

    @driven
    async def test_watch_of_forgotten_refused(self) -> None:
        """History that was compacted away cannot be watched: it is not skipped."""
        first = await self.client.put(self.below, b"1", None)
        await self.client.put(self.below, b"2", None)
        await self.client.compact(await self.client.put(self.below, b"3", None))
        watch = await self.watch_prefix(self.below, first)
        code, _ = await self.refusal_of(watch.next())
        self.assertEqual(code, "OUT_OF_RANGE")

    @driven
    async def test_stopped_watch(self) -> None:
        """Stopping a watch ends the wait for it, and can be done twice."""
        watch = await self.watch_prefix(self.below)
        waiting = Deferred.fromCoroutine(watch.next())
        await watch.stop()
        await watch.stop()
        with self.assertRaises(EtcdUnavailable):
            await waiting

    @driven
    async def test_cancelled_wait_loses_nothing(self) -> None:
        """What comes after a wait was given up is told to the next wait."""
        watch = await self.watch_prefix(self.below)
        waiting = Deferred.fromCoroutine(watch.next())
        waiting.addErrback(lambda _: None)  # type: ignore[unused-awaitable]
        waiting.cancel()
        await self.client.put(self.below, b"1", None)
        (event,) = await watch.next()
        await watch.stop()
        self.assertEqual(event.item.value, b"1")

    # -- maintenance ------------------------------------------------------------

    @driven
    async def test_compact(self) -> None:
        """Below the revision there is nothing to read; at it there is."""
        key = self.below
        old = await self.client.put(key, b"old", None)
        new = await self.client.put(key, b"new", None)
        await self.client.compact(new)
        gone = (
            "OUT_OF_RANGE",
            "etcdserver: mvcc: required revision has been compacted",
        )
        page = self.client.page(key, key + b"\xff", 1, old)
        self.assertEqual(await self.refusal_of(page), gone)
        self.assertEqual(await self.refusal_of(self.client.compact(new)), gone)
        (item,) = (await self.client.page(key, key + b"\xff", 1, new)).items
        self.assertEqual(item.value, b"new")
        _, compacted = await self.client.hash_kv(None)
        self.assertEqual(compacted, new)

    @driven
    async def test_hash(self) -> None:
        """The hash at a revision stays, and the newest one changes with the keys."""
        revision = await self.client.put(self.below, b"1", None)
        before = await self.client.hash_kv(revision)
        self.assertEqual(await self.client.hash_kv(None), before)
        await self.client.put(self.below, b"2", None)
        self.assertEqual(await self.client.hash_kv(revision), before)
        self.assertNotEqual(await self.client.hash_kv(None), before)

    @driven
    async def test_snapshot(self) -> None:
        """It is whole sectors and the SHA-256 of them, and ends for good."""
        await self.client.put(self.below, b"x" * 100_000, None)
        source = await self.client.snapshot()
        self.assertTrue(verifyObject(IByteSource, source))
        pieces = []
        while piece := await source.read():
            self.assertLessEqual(len(piece), 1 << 20)
            pieces.append(piece)
        self.assertEqual(await source.read(), b"")
        whole = b"".join(pieces)
        self.assertEqual(len(whole) % 512, 32)
        self.assertEqual(hashlib.sha256(whole[:-32]).digest(), whole[-32:])

    @driven
    async def test_snapshot_given_up(self) -> None:
        """The rest of a snapshot need not be read."""
        source = await self.client.snapshot()
        await source.read()
        await source.close()
        await source.close()

    @driven
    async def test_upkeep(self) -> None:
        """
        There are no alarms; clearing one that is not raised, or a defragmentation,
        changes nothing.
        """
        status = await self.client.status()
        self.assertEqual(dict(await self.client.alarms()), {})
        await self.client.disarm(status.member_id, "NOSPACE")
        await self.client.disarm(status.member_id, "CORRUPT")
        await self.client.defragment()
        self.assertEqual((await self.client.status()).revision, status.revision)

    # -- membership -------------------------------------------------------------

    @driven
    async def test_learner_comes_and_goes(self) -> None:
        """A learner that never started is listed nameless and promoted by nobody."""
        url = "http://127.0.0.1:1"
        learner = await self.client.add_learner([url])
        try:
            self.assertIs(learner.role, EtcdRole.LEARNER)
            self.assertEqual((learner.name, learner.started), ("", False))
            self.assertIn(learner, await self.client.members())
            promoting = await self.refusal_of(self.client.promote(learner.member_id))
            second = self.client.add_learner(["http://127.0.0.1:2"])
            self.assertEqual(
                [promoting, await self.refusal_of(second)],
                [
                    (
                        "FAILED_PRECONDITION",
                        "etcdserver: can only promote a learner member"
                        " which is in sync with leader",
                    ),
                    (
                        "FAILED_PRECONDITION",
                        "etcdserver: too many learner members in cluster",
                    ),
                ],
            )
        finally:
            await self.client.remove(learner.member_id)
        self.assertNotIn(learner, await self.client.members())

    @driven
    async def test_removed_never_comes_back(self) -> None:
        """A URL removed within this second gives the id that is banned."""
        url = ["http://127.0.0.1:3"]
        for _ in range(10):
            learner = await self.client.add_learner(url)
            await self.client.remove(learner.member_id)
            try:
                again = await self.client.add_learner(url)
            except EtcdRefused as refusal:
                self.assertEqual(refusal.code, "NOT_FOUND")
                self.assertEqual(refusal.message, "etcdserver: member not found")
                return
            # The second changed in between.
            await self.client.remove(again.member_id)
            await self.settle(1.1)
        raise self.failureException("an id came back, or ten seconds changed")

    @driven
    async def test_bad_changes_refused(self) -> None:
        """Unknown members, taken and malformed URLs, the last voter: all refused."""
        (member,) = await self.client.members()
        unknown = MemberID(0x1234)
        missing = ("NOT_FOUND", "etcdserver: member not found")
        self.assertEqual(await self.refusal_of(self.client.promote(unknown)), missing)
        self.assertEqual(await self.refusal_of(self.client.remove(unknown)), missing)
        update = self.client.update_peer_urls(unknown, ["http://127.0.0.1:4"])
        self.assertEqual(await self.refusal_of(update), missing)
        taken = self.client.add_learner(member.peer_urls)
        code, message = await self.refusal_of(taken)
        self.assertEqual(code, "FAILED_PRECONDITION")
        self.assertEqual(message, "etcdserver: Peer URLs already exists")
        bad = await self.refusal_of(self.client.add_learner(["nonsense"]))
        words = "etcdserver: given member URLs are invalid"
        self.assertEqual(bad, ("INVALID_ARGUMENT", words))
        last = await self.refusal_of(self.client.remove(member.member_id))
        words = "re-configuration failed due to not enough started members"
        self.assertEqual(last, ("UNKNOWN", f"etcdserver: {words}"))
        code, _ = await self.refusal_of(self.client.promote(member.member_id))
        self.assertEqual(code, "FAILED_PRECONDITION")

    @driven
    async def test_move_leader(self) -> None:
        """To the leader itself is nothing; to nobody is refused."""
        (member,) = await self.client.members()
        await self.client.move_leader(member.member_id)
        answer = await self.refusal_of(self.client.move_leader(MemberID(0x1234)))
        words = "etcdserver: bad leader transferee"
        self.assertEqual(answer, ("FAILED_PRECONDITION", words))

    # -- the end ----------------------------------------------------------------

    @driven
    async def test_closed(self) -> None:
        """A closed client answers nothing, ends its watches, can be closed twice."""
        watch = await self.watch_prefix(self.below)
        waiting = Deferred.fromCoroutine(watch.next())
        await self.client.close()
        await self.client.close()
        with self.assertRaises(EtcdUnavailable):
            await waiting
        with self.assertRaises(EtcdError):
            await self.client.status()
