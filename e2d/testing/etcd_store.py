"""
One replica's key space: revisions, versions, leases, transactions, compaction.

It knows no time and no network: whatever changes it is an entry of the cluster's log,
so that all replicas which applied the same entries are equal.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Sequence

from attrs import define, evolve, field

from e2d.interfaces import (
    Compare,
    CompareResult,
    CompareTarget,
    Delete,
    EtcdRefused,
    Event,
    KeyValue,
    Page,
    Put,
    TxnResult,
)
from e2d.model import LeaseID, Revision

__all__ = ["Store", "check_size", "check_transaction"]

_MAX_OPERATIONS = 128
_MAX_REQUEST = 1_572_864
_MAX_TTL = 9_000_000_000
_MIN_TTL = 2
_SECTOR = 512


def _selects(key: bytes, range_end: bytes | None) -> Callable[[bytes], bool]:
    if not range_end:
        return lambda other: other == key
    if range_end == b"\0":
        return lambda other: other >= key
    return lambda other: key <= other < range_end


@define(eq=False)
class Store:
    """A multi-version key space as etcd keeps it."""

    revision: Revision = field(default=Revision(1), init=False)
    compacted: Revision = field(default=Revision(0), init=False)
    compacted_before: Revision = field(default=Revision(0), init=False)
    leases: dict[LeaseID, int] = field(factory=dict, init=False)
    _history: dict[bytes, list[KeyValue]] = field(factory=dict, init=False)
    _events: list[Event] = field(factory=list, init=False)

    # -- reading ----------------------------------------------------------------

    def get(self, key: bytes) -> KeyValue | None:
        """One key as it stands."""
        _check_key(key)
        return self._at(key, self.revision)

    def page(
        self, key: bytes, range_end: bytes, limit: int, revision: Revision | None
    ) -> Page:
        """As `IEtcdClient.page`."""
        _check_key(key)
        at = revision or self.revision
        self._check_revision(at)
        items = self._range(key, range_end, at)
        more = len(items) > limit
        shown = items[:limit]
        return Page(
            items=shown,
            revision=at,
            next_key=shown[-1].key + b"\0" if more else None,
        )

    def events(
        self, key: bytes, range_end: bytes | None, start: Revision
    ) -> tuple[Event, ...]:
        """What a watch from ``start`` on is told first."""
        if start < self.compacted:
            raise _refusal("OUT_OF_RANGE", "mvcc: required revision has been compacted")
        selects = _selects(key, range_end)
        return tuple(
            event
            for event in self._events
            if event.item.mod_revision >= start and selects(event.item.key)
        )

    def hash(self, revision: Revision | None) -> int:
        """A hash of all that is kept up to a revision."""
        at = revision or self.revision
        self._check_revision(at)
        kept = [
            [item.key.hex(), item.value.hex(), item.mod_revision, item.version]
            for key in sorted(self._history)
            for item in self._history[key]
            if item.mod_revision <= at
        ]
        return zlib.crc32(json.dumps(kept).encode())

    def dump(self) -> bytes:
        """The whole as a file of etcd's form: whole sectors, then their SHA-256."""
        lines = {
            "revision": self.revision,
            "compacted": self.compacted,
            "leases": list(self.leases.items()),
            "history": [
                [
                    item.key.hex(),
                    item.value.hex(),
                    item.create_revision,
                    item.mod_revision,
                    item.version,
                    item.lease,
                ]
                for key in sorted(self._history)
                for item in self._history[key]
            ],
        }
        body = json.dumps(lines).encode()
        body += b" " * (-len(body) % _SECTOR)
        return body + hashlib.sha256(body).digest()

    @classmethod
    def load(cls, snapshot: bytes) -> Store:
        """
        What was dumped.

        :raises ValueError: the hash does not fit.
        """
        body, digest = snapshot[:-32], snapshot[-32:]
        if hashlib.sha256(body).digest() != digest:
            raise ValueError("expected sha256 does not match")
        lines = json.loads(body)
        store = cls()
        store.revision = Revision(lines["revision"])
        store.compacted = Revision(lines["compacted"])
        store.leases = {LeaseID(lease): ttl for lease, ttl in lines["leases"]}
        for key, value, created, modified, version, lease in lines["history"]:
            item = KeyValue(
                key=bytes.fromhex(key),
                value=bytes.fromhex(value),
                create_revision=Revision(created),
                mod_revision=Revision(modified),
                version=version,
                lease=lease,
            )
            store._history.setdefault(item.key, []).append(item)
        return store

    # -- writing ----------------------------------------------------------------

    def put(self, put: Put) -> Revision:
        """As `IEtcdClient.put`."""
        self._check_put(put)
        self._write([put])
        return self.revision

    def delete(self, delete: Delete) -> int:
        """As `IEtcdClient.delete`."""
        _check_key(delete.key)
        return self._write([delete])

    def transact(
        self,
        conditions: Sequence[Compare],
        then: Sequence[Put | Delete],
        otherwise: Sequence[Put | Delete],
    ) -> TxnResult:
        """As `IEtcdClient.transact`; `check_transaction` comes before."""
        succeeded = all(self._holds(condition) for condition in conditions)
        branch = then if succeeded else otherwise
        for operation in branch:
            if isinstance(operation, Put):
                self._check_lease(operation.lease)
        self._write(branch)
        return TxnResult(succeeded=succeeded, revision=self.revision)

    def compact(self, revision: Revision) -> None:
        """As `IEtcdClient.compact`."""
        if revision <= self.compacted:
            raise _refusal("OUT_OF_RANGE", "mvcc: required revision has been compacted")
        self._check_revision(revision)
        self.compacted_before, self.compacted = self.compacted, revision
        for key, versions in list(self._history.items()):
            old = [item for item in versions if item.mod_revision <= revision]
            kept = [item for item in versions if item.mod_revision > revision]
            if old and old[-1].version:
                kept.insert(0, old[-1])
            if kept:
                self._history[key] = kept
            else:
                del self._history[key]
        self._events = [e for e in self._events if e.item.mod_revision >= revision]

    def grant(self, lease: LeaseID, ttl: int) -> None:
        """As `IEtcdClient.grant_lease`."""
        if ttl > _MAX_TTL:
            raise _refusal("OUT_OF_RANGE", "too large lease TTL")
        self.leases[lease] = max(ttl, _MIN_TTL)

    def revoke(self, lease: LeaseID) -> None:
        """As `IEtcdClient.revoke_lease`."""
        self._check_lease(lease)
        held = self._range(b"\0", b"\0", self.revision)
        self._write([Delete(item.key) for item in held if item.lease == lease])
        del self.leases[lease]

    # -- inside -----------------------------------------------------------------

    def _at(self, key: bytes, revision: Revision) -> KeyValue | None:
        past = [i for i in self._history.get(key, ()) if i.mod_revision <= revision]
        return past[-1] if past and past[-1].version else None

    def _range(
        self, key: bytes, range_end: bytes | None, revision: Revision
    ) -> tuple[KeyValue, ...]:
        selects = _selects(key, range_end)
        found = (self._at(k, revision) for k in sorted(self._history) if selects(k))
        return tuple(item for item in found if item is not None)

    def _write(self, operations: Sequence[Put | Delete]) -> int:
        """Do all at one revision, which is a new one if anything changes."""
        revision = Revision(self.revision + 1)
        changes = [
            change
            for operation in operations
            for change in self._changes(operation, revision)
        ]
        if changes:
            self.revision = revision
        return sum(event.deleted for event in changes)

    def _changes(self, operation: Put | Delete, revision: Revision) -> list[Event]:
        match operation:
            case Put(key, value, lease):
                held = self._at(key, revision)
                item = KeyValue(
                    key=key,
                    value=value,
                    create_revision=revision if held is None else held.create_revision,
                    mod_revision=revision,
                    version=1 if held is None else held.version + 1,
                    lease=lease,
                )
                return [self._record(item)]
            case Delete(key, range_end):
                gone = self._range(key, range_end, revision)
                return [self._record(_tombstone(item, revision)) for item in gone]

    def _record(self, item: KeyValue) -> Event:
        self._history.setdefault(item.key, []).append(item)
        event = Event(item=item, deleted=item.version == 0)
        self._events.append(event)
        return event

    def _holds(self, condition: Compare) -> bool:
        held = self._at(condition.key, self.revision)
        if condition.target == CompareTarget.VALUE:
            return held is not None and _compare(held.value, condition)
        if held is None:
            return _compare(0, condition)
        numbers = {
            CompareTarget.VERSION: held.version,
            CompareTarget.CREATE_REVISION: held.create_revision,
            CompareTarget.MOD_REVISION: held.mod_revision,
        }
        return _compare(numbers[condition.target], condition)

    def _check_put(self, put: Put) -> None:
        _check_key(put.key)
        self._check_lease(put.lease)

    def _check_lease(self, lease: LeaseID | None) -> None:
        if lease is not None and lease not in self.leases:
            raise _refusal("NOT_FOUND", "requested lease not found")

    def _check_revision(self, revision: Revision) -> None:
        if revision > self.revision:
            raise _refusal(
                "OUT_OF_RANGE", "mvcc: required revision is a future revision"
            )
        if revision < self.compacted:
            raise _refusal("OUT_OF_RANGE", "mvcc: required revision has been compacted")


def check_transaction(
    conditions: Sequence[Compare],
    then: Sequence[Put | Delete],
    otherwise: Sequence[Put | Delete],
) -> None:
    """
    What etcd looks at before it proposes a transaction.

    :raises EtcdRefused: it is malformed.
    """
    longest = max(len(conditions), len(then), len(otherwise))
    if longest > _MAX_OPERATIONS:
        raise _refusal("INVALID_ARGUMENT", "too many operations in txn request")
    for keyed in (*conditions, *then, *otherwise):
        _check_key(keyed.key)
    for branch in (then, otherwise):
        _check_branch(branch)


def check_size(*parts: bytes) -> None:
    """
    Refuse what is too large for one entry of the log.

    :raises EtcdRefused: it is.
    """
    if sum(map(len, parts)) > _MAX_REQUEST:
        raise _refusal("INVALID_ARGUMENT", "request is too large")


def _check_branch(branch: Sequence[Put | Delete]) -> None:
    puts = [operation.key for operation in branch if isinstance(operation, Put)]
    ranges = [
        _selects(operation.key, operation.range_end)
        for operation in branch
        if isinstance(operation, Delete)
    ]
    overlap = any(selects(key) for selects in ranges for key in puts)
    if overlap or len(puts) != len(set(puts)):
        raise _refusal("INVALID_ARGUMENT", "duplicate key given in txn request")


def _check_key(key: bytes) -> None:
    if not key:
        raise _refusal("INVALID_ARGUMENT", "key is not provided")


def _compare(held: bytes | int, condition: Compare) -> bool:
    left, right = (held, condition.operand)
    assert type(left) is type(right)
    order = (left > right) - (left < right)  # type: ignore[operator]
    return {
        CompareResult.EQUAL: order == 0,
        CompareResult.NOT_EQUAL: order != 0,
        CompareResult.LESS: order < 0,
        CompareResult.GREATER: order > 0,
    }[condition.result]


def _tombstone(item: KeyValue, revision: Revision) -> KeyValue:
    return evolve(
        item,
        value=b"",
        create_revision=Revision(0),
        mod_revision=revision,
        version=0,
        lease=None,
    )


def _refusal(code: str, words: str) -> EtcdRefused:
    return EtcdRefused(code, f"etcdserver: {words}")
