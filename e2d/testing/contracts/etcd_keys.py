"""What `IEtcdClient` promises of keys, transactions and leases."""

from __future__ import annotations

from e2d.interfaces import (
    Compare,
    CompareResult,
    CompareTarget,
    Delete,
    Put,
)
from e2d.model import LeaseID, Revision
from e2d.testing.contracts.driving import driven
from e2d.testing.contracts.etcd_base import EtcdClientTests

__all__ = ["EtcdKeysContract"]


class EtcdKeysContract(EtcdClientTests):
    """A part of `e2d.testing.contracts.etcd_client.EtcdClientContract`."""

    # -- keys -------------------------------------------------------------------

    @driven
    async def test_put_and_get(self) -> None:
        """A key has the revision that its put returned, and counts its versions."""
        key = self.below + b"key"
        self.assertIsNone(await self.client.get(key))
        first = await self.client.put(key, b"one", None)
        second = await self.client.put(key, b"", None)
        held = await self.client.get(key)
        assert held is not None
        self.assertEqual(second, first + 1)
        self.assertEqual((held.key, held.value, held.lease), (key, b"", None))
        self.assertEqual((held.create_revision, held.mod_revision), (first, second))
        self.assertEqual(held.version, 2)
        self.assertEqual(await self.client.get_serializable(key), held)

    @driven
    async def test_any_bytes(self) -> None:
        """Keys and values are bytes, not text."""
        key = self.below + bytes(range(256))
        await self.client.put(key, b"\x00\xff", None)
        held = await self.client.get(key)
        assert held is not None
        self.assertEqual((held.key, held.value), (key, b"\x00\xff"))

    @driven
    async def test_empty_key_refused(self) -> None:
        """There is no empty key."""
        answer = await self.refusal_of(self.client.put(b"", b"value", None))
        words = "etcdserver: key is not provided"
        self.assertEqual(answer, ("INVALID_ARGUMENT", words))
        self.assertEqual(await self.refusal_of(self.client.get(b"")), answer)

    @driven
    async def test_too_large_refused(self) -> None:
        """A value above 1.5 MiB is refused, whoever refuses it."""
        value = bytes(1_600_000)
        code, _ = await self.refusal_of(self.client.put(self.below, value, None))
        self.assertEqual(code, "INVALID_ARGUMENT")

    @driven
    async def test_delete(self) -> None:
        """Delete tells how many keys there were; what is made again is new."""
        key = self.below + b"key"
        self.assertEqual(await self.client.delete(key, None), 0)
        await self.client.put(key, b"old", None)
        self.assertEqual(await self.client.delete(key, None), 1)
        self.assertIsNone(await self.client.get(key))
        revision = await self.client.put(key, b"new", None)
        held = await self.client.get(key)
        assert held is not None
        self.assertEqual((held.create_revision, held.version), (revision, 1))

    @driven
    async def test_delete_range(self) -> None:
        """The end of a range is not deleted."""
        for name in (b"a", b"b", b"c"):
            await self.client.put(self.below + name, b"", None)
        deleted = await self.client.delete(self.below + b"a", self.below + b"c")
        self.assertEqual(deleted, 2)
        self.assertIsNotNone(await self.client.get(self.below + b"c"))

    @driven
    async def test_pages(self) -> None:
        """Pages of one revision give every key once, in order, changes or not."""
        below, end = self.below, self.below + b"\xff"
        for name in (b"d", b"b", b"a", b"c"):
            await self.client.put(below + name, b"1", None)
        first = await self.client.page(below, end, 3, None)
        await self.client.delete(below + b"d", None)
        self.assertEqual(first.next_key, below + b"c\x00")
        assert first.next_key is not None
        second = await self.client.page(first.next_key, end, 3, first.revision)
        keys = [item.key for item in (*first.items, *second.items)]
        self.assertEqual(keys, [below + name for name in (b"a", b"b", b"c", b"d")])
        self.assertEqual(second.revision, first.revision)
        self.assertIsNone(second.next_key)
        now = await self.client.page(below, end, 3, None)
        self.assertEqual([item.key for item in now.items], keys[:3])
        self.assertIsNone(now.next_key)

    @driven
    async def test_page_of_future_refused(self) -> None:
        """A revision that is yet to come cannot be read."""
        code, message = await self.refusal_of(
            self.client.page(b"a", b"b", 1, Revision(1 << 40))
        )
        words = "etcdserver: mvcc: required revision is a future revision"
        self.assertEqual((code, message), ("OUT_OF_RANGE", words))

    # -- transactions -----------------------------------------------------------

    @driven
    async def test_transaction(self) -> None:
        """One branch is done, at one revision, and the other not."""
        one, two = self.below + b"1", self.below + b"2"
        await self.client.put(two, b"old", None)
        absent = Compare(one, CompareTarget.VERSION, CompareResult.EQUAL, 0)
        done = await self.client.transact(
            [absent], [Put(one, b"new"), Delete(two)], [Put(two, b"no")]
        )
        held = await self.client.get(one)
        assert held is not None
        self.assertTrue(done.succeeded)
        self.assertEqual(held.mod_revision, done.revision)
        self.assertIsNone(await self.client.get(two))
        again = await self.client.transact([absent], [], [Put(two, b"otherwise")])
        self.assertFalse(again.succeeded)
        self.assertEqual(again.revision, done.revision + 1)

    @driven
    async def test_transaction_without_effect(self) -> None:
        """A transaction that changes nothing makes no revision."""
        before = await self.client.put(self.below, b"", None)
        done = await self.client.transact([], [Delete(self.below + b"none")], [])
        self.assertEqual((done.succeeded, done.revision), (True, before))

    @driven
    async def test_compare_values(self) -> None:
        """Values compare as bytes; the value of an absent key compares with nothing."""
        key, absent = self.below + b"key", self.below + b"absent"
        await self.client.put(key, b"m", None)
        cases = {
            (key, CompareResult.EQUAL, b"m"): True,
            (key, CompareResult.LESS, b"n"): True,
            (key, CompareResult.GREATER, b"m"): False,
            (key, CompareResult.NOT_EQUAL, b"m"): False,
            (absent, CompareResult.EQUAL, b""): False,
            (absent, CompareResult.NOT_EQUAL, b"m"): False,
        }
        found = {}
        for asked, result, operand in cases:
            compare = Compare(asked, CompareTarget.VALUE, result, operand)
            done = await self.client.transact([compare], [], [])
            found[(asked, result, operand)] = done.succeeded
        self.assertEqual(found, cases)

    @driven
    async def test_same_key_twice_refused(self) -> None:
        """A transaction may touch a key once: not put and delete it (F5)."""
        key = self.below + b"key"
        prefix = Delete(self.below, self.below + b"\xff")
        answer = await self.refusal_of(
            self.client.transact([], [prefix, Put(key, b"")], [])
        )
        words = "etcdserver: duplicate key given in txn request"
        self.assertEqual(answer, ("INVALID_ARGUMENT", words))

    @driven
    async def test_clear_around_a_key(self) -> None:
        """Two ranges around a key may go while the key itself is put (C1)."""
        names = (b"a", b"marker", b"z")
        for name in names:
            await self.client.put(self.below + name, b"old", None)
        marker = self.below + b"marker"
        done = await self.client.transact(
            [],
            [
                Delete(self.below, marker),
                Delete(marker + b"\0", self.below + b"\xff"),
                Put(marker, b"new"),
            ],
            [],
        )
        page = await self.client.page(self.below, self.below + b"\xff", 10, None)
        held = [(item.key, item.value, item.mod_revision) for item in page.items]
        self.assertEqual(held, [(marker, b"new", done.revision)])

    @driven
    async def test_too_many_operations_refused(self) -> None:
        """128 operations are done, 129 are not."""
        puts = [Put(self.below + b"%d" % number, b"") for number in range(129)]
        await self.client.transact([], puts[:128], [])
        code, _ = await self.refusal_of(self.client.transact([], puts, []))
        self.assertEqual(code, "INVALID_ARGUMENT")

    # -- leases -----------------------------------------------------------------

    @driven
    async def test_lease(self) -> None:
        """A key under a lease goes with it."""
        lease = await self.client.grant_lease(60)
        await self.client.put(self.below, b"", lease)
        held = await self.client.get(self.below)
        assert held is not None
        self.assertEqual(held.lease, lease)
        self.assertEqual(await self.client.keep_lease(lease), 60)
        await self.client.revoke_lease(lease)
        self.assertIsNone(await self.client.get(self.below))
        missing = ("NOT_FOUND", "etcdserver: requested lease not found")
        for asked in (self.client.keep_lease(lease), self.client.revoke_lease(lease)):
            self.assertEqual(await self.refusal_of(asked), missing)
        put = self.client.put(self.below, b"", LeaseID(lease))
        self.assertEqual(await self.refusal_of(put), missing)

    @driven
    async def test_lease_expires(self) -> None:
        """A lease that nobody keeps takes its keys with it."""
        lease = await self.client.grant_lease(2)
        await self.client.put(self.below, b"", lease)
        self.assertIsNotNone(await self.client.get(self.below))
        for _ in range(20):  # etcd looks for expired leases twice a second
            await self.settle(0.5)
            if await self.client.get(self.below) is None:
                return
        raise self.failureException("the key is still there after 10 s")
