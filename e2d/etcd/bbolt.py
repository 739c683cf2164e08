"""
A small reader of bbolt files: buckets and pairs, read-only, a few pages at a time.

Note [Reads, not a map]: a memory map of a file that is truncated or on a failing disk
kills the process by SIGBUS. This reader asks for the bytes of each page instead, so
that all that can go wrong is an exception, and an 8 GB file costs its few pages.

Note [Hostile files]: whatever the bytes, the only error is `BboltError`, and the work
is bounded by the limits below: depth, pages, and bytes of one page.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from attrs import define, field, frozen

__all__ = ["BboltError", "Database", "open_database"]

_MAGIC = 0xED0CDAED
_VERSION = 2
_META = struct.Struct("<IIIIQQQQQ")  # ends before the checksum
_CHECKSUM = struct.Struct("<Q")
_PAGE = struct.Struct("<QHHI")
_BRANCH_ELEMENT = struct.Struct("<IIQ")
_LEAF_ELEMENT = struct.Struct("<IIII")
_BUCKET = struct.Struct("<QQ")

_BRANCH_PAGE = 0x01
_LEAF_PAGE = 0x02
_META_PAGE = 0x04
_BUCKET_VALUE = 0x01

_FIRST_PAGE = 2  # after the two meta pages

_PAGE_SIZES = tuple(1 << bits for bits in range(9, 17))

# A B+tree of bbolt's is at most some five deep; this ends a cycle.
_MAXIMUM_DEPTH = 16
# What is read of etcd's files (its member list) is one page; this ends a broad tree.
_MAXIMUM_PAGES = 256
# One page with what overflows from it.
_MAXIMUM_PAGE_BYTES = 4 * 1024 * 1024

Read = Callable[[int, int], bytes]
"""Reads at most so many bytes at an offset: fewer only at the end of the file."""


class BboltError(Exception):
    """It is not a bbolt file, or it is damaged; the message is one line."""


@frozen(kw_only=True)
class _Meta:
    """What the valid one of the two meta pages with the newest transaction says."""

    page_size: int
    root: int
    page_count: int
    transaction: int


@frozen
class _Pair:
    """A key with its value; the value of a bucket is where its own tree starts."""

    key: bytes
    value: bytes
    is_bucket: bool


@define(eq=False)
class Database:
    """
    One state of a file.

    :param read: reads the file.
    """

    _read: Read
    _meta: _Meta
    _pages_left: int = field(default=_MAXIMUM_PAGES, init=False)

    def pairs(self, bucket: bytes) -> Iterator[tuple[bytes, bytes]]:
        """
        The pairs of a top-level bucket in order of their keys, without sub-buckets.

        :return: nothing when there is no such bucket.
        :raises BboltError: the file is damaged where it was read.
        """
        for pair in self._walk(self._page(self._meta.root), 0, bucket):
            if pair.is_bucket and pair.key == bucket:
                inner = self._bucket(pair.value)
                for item in self._walk(inner, 0, None):
                    if not item.is_bucket:
                        yield item.key, item.value
                return

    def _bucket(self, value: bytes) -> bytes:
        if len(value) < _BUCKET.size:
            raise BboltError("a bucket has no header")
        root, _ = _BUCKET.unpack_from(value)
        return self._page(root) if root else value[_BUCKET.size :]

    def _page(self, number: int) -> bytes:
        """A page, with what overflows from it."""
        size = self._meta.page_size
        if not _FIRST_PAGE <= number < self._meta.page_count:
            raise BboltError(f"page {number} is out of bounds")
        self._pages_left -= 1
        if self._pages_left < 0:
            raise BboltError("too many pages")
        page = self._read(number * size, size)
        if len(page) < size:
            raise BboltError(f"page {number} is beyond the end of the file")
        own_number, _, _, overflow = _PAGE.unpack_from(page)
        if own_number != number:
            raise BboltError(f"page {number} is not where it should be")
        whole = (overflow + 1) * size
        if whole > _MAXIMUM_PAGE_BYTES:
            raise BboltError(f"page {number} is too long")
        if overflow:
            page = self._read(number * size, whole)
        if len(page) < whole:
            raise BboltError(f"page {number} is beyond the end of the file")
        return page

    def _walk(self, page: bytes, depth: int, wanted: bytes | None) -> Iterator[_Pair]:
        """
        The pairs below a page.

        :param wanted: only the subtree that has this key; None for all.
        """
        if depth > _MAXIMUM_DEPTH:
            raise BboltError("the tree is too deep")
        if len(page) < _PAGE.size:
            raise BboltError("a page has no header")
        _, flags, count, _ = _PAGE.unpack_from(page)
        if flags & _LEAF_PAGE:
            yield from _leaf(page, count)
        elif flags & _BRANCH_PAGE:
            for child in _children(page, count, wanted):
                yield from self._walk(self._page(child), depth + 1, wanted)
        else:
            raise BboltError("a page is neither leaf nor branch")


def open_database(read: Read) -> Database:
    """
    The newest whole state of a file.

    :raises BboltError: neither of its meta pages is valid.
    """
    metas = [_meta(read(0, _PAGE.size + _META.size + _CHECKSUM.size))]
    first = metas[0]
    sizes = _PAGE_SIZES if first is None else (first.page_size,)
    for size in sizes:
        second = _meta(read(size, _PAGE.size + _META.size + _CHECKSUM.size))
        if second is not None and second.page_size == size:
            metas.append(second)
    valid = [meta for meta in metas if meta is not None]
    if not valid:
        raise BboltError("no valid meta page: not a bbolt file, or a torn one")
    return Database(read, max(valid, key=lambda meta: meta.transaction))


def _meta(page: bytes) -> _Meta | None:
    """What a meta page says, None if it is none or torn."""
    if len(page) < _PAGE.size + _META.size + _CHECKSUM.size:
        return None
    _, flags, _, _ = _PAGE.unpack_from(page)
    fields = _META.unpack_from(page, _PAGE.size)
    magic, version, page_size, _, root, _, _, page_count, transaction = fields
    (checksum,) = _CHECKSUM.unpack_from(page, _PAGE.size + _META.size)
    if not flags & _META_PAGE or magic != _MAGIC or version != _VERSION:
        return None
    if checksum != _fnv1a(page[_PAGE.size : _PAGE.size + _META.size]):
        return None
    if page_size not in _PAGE_SIZES:
        return None
    return _Meta(
        page_size=page_size, root=root, page_count=page_count, transaction=transaction
    )


def _fnv1a(content: bytes) -> int:
    digest = 0xCBF29CE484222325
    for byte in content:
        digest = (digest ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return digest


def _slice(page: bytes, start: int, size: int) -> bytes:
    if start + size > len(page):
        raise BboltError("an element is out of its page")
    return page[start : start + size]


def _leaf(page: bytes, count: int) -> Iterator[_Pair]:
    for index in range(count):
        at = _PAGE.size + index * _LEAF_ELEMENT.size
        element = _slice(page, at, _LEAF_ELEMENT.size)
        flags, position, key_size, value_size = _LEAF_ELEMENT.unpack(element)
        key = _slice(page, at + position, key_size)
        value = _slice(page, at + position + key_size, value_size)
        yield _Pair(key, value, bool(flags & _BUCKET_VALUE))


def _children(page: bytes, count: int, wanted: bytes | None) -> list[int]:
    """The pages below a branch; only the last that starts at or before ``wanted``."""
    children: list[int] = []
    for index in range(count):
        at = _PAGE.size + index * _BRANCH_ELEMENT.size
        element = _slice(page, at, _BRANCH_ELEMENT.size)
        position, key_size, child = _BRANCH_ELEMENT.unpack(element)
        key = _slice(page, at + position, key_size)
        if wanted is not None and key > wanted:
            break
        children.append(child)
    return children if wanted is None else children[-1:]
