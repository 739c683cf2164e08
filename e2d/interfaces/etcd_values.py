"""What is read from etcd's API and written to it."""

from __future__ import annotations

from enum import Enum

from attrs import frozen

from e2d.model import LeaseID, Revision

__all__ = [
    "Compare",
    "CompareResult",
    "CompareTarget",
    "Delete",
    "Event",
    "KeyValue",
    "Page",
    "Put",
    "TxnResult",
]


@frozen(kw_only=True)
class KeyValue:
    """
    A key as it stands, or stood.

    :param lease: None if the key outlives every lease.
    """

    key: bytes
    value: bytes
    create_revision: Revision
    mod_revision: Revision
    version: int
    lease: LeaseID | None = None


@frozen(kw_only=True)
class Page:
    """
    A part of a range.

    :param revision: the revision of the store at which it was read.
    :param next_key: where the next page starts, None after the last.
    """

    items: tuple[KeyValue, ...]
    revision: Revision
    next_key: bytes | None


@frozen
class Put:
    """Set a key, in a transaction."""

    key: bytes
    value: bytes
    lease: LeaseID | None = None


@frozen
class Delete:
    """
    Delete a key, or ``[key, range_end)``, in a transaction.

    :param range_end: None for the one key; a single zero byte for "to the end".
    """

    key: bytes
    range_end: bytes | None = None


class CompareTarget(Enum):
    """What of a key is compared."""

    VALUE = "value"
    VERSION = "version"
    CREATE_REVISION = "create-revision"
    MOD_REVISION = "mod-revision"


class CompareResult(Enum):
    """How it is compared."""

    EQUAL = "=="
    NOT_EQUAL = "!="
    LESS = "<"
    GREATER = ">"


@frozen
class Compare:
    """
    A condition of a transaction.

    An absent key has version 0 and both revisions 0; no comparison of its value holds,
    NOT_EQUAL neither.

    :param operand: bytes for VALUE, int for the others.
    """

    key: bytes
    target: CompareTarget
    result: CompareResult
    operand: bytes | int


@frozen(kw_only=True)
class TxnResult:
    """
    :param succeeded: whether every comparison held, and so which branch was done.
    """

    succeeded: bool
    revision: Revision


@frozen(kw_only=True)
class Event:
    """
    One change, as a watch tells it.

    :param deleted: True for a deletion; then ``item`` has an empty value.
    """

    item: KeyValue
    deleted: bool
