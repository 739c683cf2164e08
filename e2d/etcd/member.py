"""
What lies in ``member/``, etcd's own directory: read-only, never waiting.

Note [A log nobody wrote to]: etcd makes its log in ``wal.tmp`` and renames it, so a
kill leaves either no ``wal`` or a whole head. But between that rename and the first
entry lie some milliseconds, and an etcd (3.4, 3.5) that finds a log with a head and
nothing else comes up with no membership at all and waits for a leader for ever. Such a
log holds no entry, no vote and no term: no write was ever acknowledged from it.

Note [A locked database]: bbolt holds a lock on its file while a process has it open,
and the pages change meanwhile. Then the database is not read and the name is not
known; the head of the log never changes, so whose data it is can be told all the same.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator
from itertools import islice

from attrs import frozen

from e2d.etcd.bbolt import BboltError, open_database
from e2d.etcd.wal import HEAD_BYTES, WalError, WalHead, newest_file, read_head
from e2d.files import read_file
from e2d.model import EtcdMember, EtcdRole, MemberID

__all__ = ["MARK", "WAL", "WAL_IN_THE_MAKING", "MemberFiles", "read_member"]

MARK = "e2d-founding"
"""e2d's mark in ``member/``: etcd was not yet seen to live here."""

WAL = "wal"
WAL_IN_THE_MAKING = "wal.tmp"
"""Where etcd makes a new log; what it finds there it throws away first."""

# What a start of etcd that was cut short can leave, besides the mark.
_OF_A_START = frozenset({"snap", WAL, WAL_IN_THE_MAKING})
_OURS = frozenset({MARK, f".{MARK}.tmp"})

_MEMBER_KEY = re.compile(rb"[0-9a-f]{1,16}")

# Not even a pipe under the name of a file makes us wait.
_READING = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC

_MARK_BYTES = 4096
_MAXIMUM_NAMES = 10_000
_MAXIMUM_MEMBERS = 1000


@frozen(kw_only=True)
class MemberFiles:
    """
    What is there.

    :param mark: what the mark says, None without one.
    :param log: the head of the newest file of the log, None when there is no log.
    :param members: the membership in the database; None when it cannot be told, empty
        when there is no database or no member in it yet.
    :param started: there are things that only etcd makes.
    :param foreign: an entry that neither etcd's start nor e2d leaves, if there is one.
    """

    mark: bytes | None
    log: WalHead | None
    members: tuple[EtcdMember, ...] | None
    started: bool
    foreign: str | None

    @property
    def stillborn(self) -> bool:
        """Nothing was ever written: see Note [A log nobody wrote to]."""
        unwritten = self.log is None or self.log.unwritten
        return unwritten and self.members == () and self.foreign is None


def read_member(path: str) -> MemberFiles | None:
    """
    Look at ``member/``. Blocks, but waits for no one.

    :param path: of ``member``.
    :return: None if it does not exist.
    :raises OSError: the disk says no.
    :raises WalError: there is a log, and it cannot be told whose.
    :raises ValueError: the mark is no file of ours.
    """
    try:
        names = _names(path)
    except FileNotFoundError:
        return None
    foreign = min(names - _OF_A_START - _OURS - {"lost+found"}, default=None)
    return MemberFiles(
        mark=read_file(os.path.join(path, MARK), _MARK_BYTES),
        log=_read_log(os.path.join(path, WAL)) if WAL in names else None,
        members=_read_members(os.path.join(path, "snap", "db")),
        started=bool(names & _OF_A_START),
        foreign=foreign or _raft_snapshot(os.path.join(path, "snap")),
    )


def _names(path: str) -> set[str]:
    with os.scandir(path) as entries:
        return {entry.name for entry in islice(entries, _MAXIMUM_NAMES)}


def _raft_snapshot(path: str) -> str | None:
    """A snapshot of raft's: etcd writes the first after thousands of entries."""
    try:
        names = _names(path)
    except FileNotFoundError:
        return None
    return min(
        (f"snap/{name}" for name in names if name.endswith(".snap")), default=None
    )


def _read_log(path: str) -> WalHead | None:
    names = _names(path)
    newest = newest_file(names)
    if newest is None:
        return None
    descriptor = os.open(os.path.join(path, newest), _READING)
    try:
        head = read_head(os.pread(descriptor, HEAD_BYTES, 0))
    finally:
        os.close(descriptor)
    if not head.unwritten or newest.startswith("0" * 16):
        return head
    raise WalError(f"{newest} is empty but not the first of the log")


def _read_members(path: str) -> tuple[EtcdMember, ...] | None:
    try:
        descriptor = os.open(path, _READING)
    except FileNotFoundError:
        return ()
    except OSError:
        return None
    try:
        # Let go of with the descriptor, a moment later.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_size == 0:
            return ()
        database = open_database(lambda at, size: os.pread(descriptor, size, at))
        pairs = list(islice(database.pairs(b"members"), _MAXIMUM_MEMBERS))
        return tuple(_members(pairs))
    except (OSError, BboltError, ValueError, RecursionError):
        return None
    finally:
        os.close(descriptor)


def _members(pairs: list[tuple[bytes, bytes]]) -> Iterator[EtcdMember]:
    for key, value in pairs:
        entry = json.loads(value)
        if not isinstance(entry, dict) or not _MEMBER_KEY.fullmatch(key):
            raise BboltError("a member is not a JSON object under its id")
        name = entry.get("name")
        learner = entry.get("isLearner") is True
        yield EtcdMember(
            member_id=MemberID(int(key, 16)),
            name=name if isinstance(name, str) else "",
            role=EtcdRole.LEARNER if learner else EtcdRole.VOTER,
            peer_urls=_urls(entry.get("peerURLs")),
            client_urls=_urls(entry.get("clientURLs")),
        )


def _urls(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(url for url in value if isinstance(url, str))
