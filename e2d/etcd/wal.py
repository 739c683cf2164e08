"""
The head of etcd's write-ahead log: whose it is, and whether it was ever written to.

Each file starts with a record of the checksum so far, then one with the member's and
cluster's id. Framing: a 64-bit little-endian length whose top byte, if its sign bit is
set, holds the padding; then a protobuf record {type, CRC-32C, data}; then the padding.
The checksum runs on from record to record over their data. A length of zero is the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from attrs import frozen

from e2d.model import ClusterID, MemberID

__all__ = ["HEAD_BYTES", "WalError", "WalHead", "newest_file", "read_head"]

HEAD_BYTES = 64 * 1024
"""How much of a file `read_head` wants: far more than the few records of its head."""

_METADATA = 1
_CHECKSUM = 4
_SNAPSHOT = 5

_FILE = re.compile(r"([0-9a-f]{16})-[0-9a-f]{16}\.wal")
_LENGTH = 8
_LENGTH_MASK = (1 << 56) - 1
_VARINT_BYTES = 10
_UINT64_MASK = (1 << 64) - 1
_WIRE_VARINT = 0
_WIRE_FIXED64 = 1
_WIRE_BYTES = 2
_WIRE_FIXED32 = 5


class WalError(Exception):
    """It is no write-ahead log, or its head is damaged; the message is one line."""


@frozen(kw_only=True)
class WalHead:
    """
    What the head of a file says.

    :param unwritten: nothing but zeros follows the head: no entry, no vote, no term.
    """

    member_id: MemberID
    cluster_id: ClusterID
    unwritten: bool


@frozen
class _Record:
    kind: int
    checksum: int
    data: bytes


def newest_file(names: Iterable[str]) -> str | None:
    """
    The log's last file among the names in ``member/wal``, None if there is none.

    :raises WalError: there are ``.wal`` files, but none has a name that etcd gives.
    """
    logs = [name for name in names if name.endswith(".wal")]
    if not logs:
        return None
    ours = [name for name in logs if _FILE.fullmatch(name)]
    if not ours:
        raise WalError(f"{min(logs)} is not a name that etcd gives to its log")
    return max(ours)


def read_head(block: bytes) -> WalHead:
    """
    Whose a log is.

    :param block: the first `HEAD_BYTES` of a file, or all of a shorter one.
    :raises WalError: it cannot be told.
    """
    member_id = cluster_id = 0
    position = checksum = 0
    for record, end in _records(block):
        if member_id and not _at_zero(record):
            break
        if record.kind == _CHECKSUM:
            checksum = record.checksum
        elif position == 0:
            raise WalError("the log does not start with a checksum")
        else:
            checksum = _crc32c(checksum, record.data)
        if record.checksum != checksum:
            raise WalError(f"checksum mismatch at byte {position}")
        if record.kind == _METADATA:
            ids = dict(_fields(record.data))
            member_id, cluster_id = _number(ids, 1), _number(ids, 2)
        position = end
    if not member_id or not cluster_id:
        raise WalError("the log's head does not say whose it is")
    return WalHead(
        member_id=MemberID(member_id),
        cluster_id=ClusterID(cluster_id),
        unwritten=not any(block[position:]),
    )


def _at_zero(record: _Record) -> bool:
    """Whether it is the record that etcd writes into a new log: a snapshot at 0."""
    if record.kind != _SNAPSHOT:
        return False
    return _number(dict(_fields(record.data)), 2) == 0


def _records(block: bytes) -> Iterator[tuple[_Record, int]]:
    """Each whole record of a block, with where it ends; the last may be cut off."""
    at = 0
    while at + _LENGTH <= len(block):
        length = int.from_bytes(block[at : at + _LENGTH], "little")
        if length == 0:
            return
        size = length & _LENGTH_MASK
        padding = length >> 56 & 0x7 if length >> 63 else 0
        start, at = at + _LENGTH, at + _LENGTH + size + padding
        if at > len(block):
            return
        values = dict(_fields(block[start : start + size]))
        data = values.get(3, b"")
        if not isinstance(data, bytes):
            raise WalError("a record has a number for its data")
        yield _Record(_number(values, 1), _number(values, 2), data), at


def _number(values: dict[int, int | bytes], tag: int) -> int:
    number = values.get(tag, 0)
    if not isinstance(number, int):
        raise WalError(f"field {tag} of a record is not a number")
    return number


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a protobuf message, in order."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        wire = key & 7
        if wire == _WIRE_VARINT:
            number, at = _varint(message, at)
            yield key >> 3, number
            continue
        if wire == _WIRE_BYTES:
            size, at = _varint(message, at)
        elif wire in {_WIRE_FIXED32, _WIRE_FIXED64}:
            size = 4 if wire == _WIRE_FIXED32 else 8
        else:
            raise WalError(f"a record has a field of unknown type {wire}")
        if at + size > len(message):
            raise WalError("a record is cut off")
        yield key >> 3, message[at : at + size]
        at += size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    number = 0
    for index, byte in enumerate(message[at : at + _VARINT_BYTES]):
        number |= (byte & 0x7F) << 7 * index
        if not byte & 0x80:
            return number & _UINT64_MASK, at + index + 1
    raise WalError("a number of a record is cut off or too long")


def _table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        remainder = byte
        for _ in range(8):
            low = remainder & 1
            remainder = remainder >> 1 ^ (0x82F63B78 if low else 0)
        table.append(remainder)
    return tuple(table)


_TABLE = _table()


def _crc32c(checksum: int, data: bytes) -> int:
    remainder = checksum ^ 0xFFFFFFFF
    for byte in data:
        remainder = _TABLE[(remainder ^ byte) & 0xFF] ^ remainder >> 8
    return remainder ^ 0xFFFFFFFF
