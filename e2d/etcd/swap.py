"""
Moving ``member/`` out of the way under a written intent (A14).

The intent is on disk before anything moves and goes when all that moved is on disk.
Each step may be done twice, so after a kill at any point the intent is simply carried
out again. Everything stays inside the data directory: one file system, one rename.
"""

from __future__ import annotations

import os
import re
from datetime import datetime

from e2d.etcd.disk import explain
from e2d.etcd.forms import required
from e2d.etcd.records import read_record, remove_record, write_record
from e2d.files import make_directory, sync_directory
from e2d.interfaces import DataDirectoryError

__all__ = ["MAXIMUM_ASIDE", "finish_swap", "intended_swap", "set_aside"]

MAXIMUM_ASIDE = 8
"""
How many directories may lie aside.

A node that flaps must stop and be looked at before it has filled its disk, and nothing
is deleted to make room.
"""

_INTENT = "swap"
_ASIDE = "aside"
_NAME = re.compile(r"[A-Za-z0-9-]{1,128}")


def set_aside(data_directory: str, reason: str, now_at: datetime) -> str:
    """
    Move ``member/`` to ``e2d/aside/<time>-<reason>-<n>/member``. Blocks.

    :param reason: becomes a part of its name.
    :param now_at: an aware datetime, in UTC.
    :return: where it is now.
    :raises DataDirectoryError: there is no ``member/``, too many lie aside already, a
        swap is unfinished, or the disk says no.
    """
    own = os.path.join(data_directory, "e2d")
    if read_record(own, _INTENT) is not None:
        raise DataDirectoryError(f"{own}: a swap is unfinished; finish it first")
    if not os.path.isdir(os.path.join(data_directory, "member")):
        raise DataDirectoryError(f"{data_directory}: no member/ to set aside")
    aside = os.path.join(own, _ASIDE)
    count = _count(aside)
    if count >= MAXIMUM_ASIDE:
        raise DataDirectoryError(
            f"{aside}: {count} directories lie aside already; look at what is wrong, "
            f"then remove those that nobody needs: rm -r {aside}/<name>"
        )
    words = re.sub(r"[^a-z0-9]+", "-", reason.lower()).strip("-")[:40] or "unknown"
    name = f"{now_at:%Y%m%dT%H%M%SZ}-{words}-{count + 1}"
    write_record(own, _INTENT, {"aside": name})
    finish_swap(data_directory)
    return os.path.join(aside, name, "member")


def _count(aside: str) -> int:
    try:
        with os.scandir(aside) as entries:
            return sum(1 for _ in entries)
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise explain(error, aside, "list what lies aside") from error


def intended_swap(data_directory: str) -> str | None:
    """
    The swap that is under way or was cut short, in one line. Blocks.

    :return: None if there is none.
    :raises DataDirectoryError: the record of it cannot be read.
    """
    name = _intended(data_directory)
    return None if name is None else f"set member/ aside as {name}"


def _intended(data_directory: str) -> str | None:
    own = os.path.join(data_directory, "e2d")
    intent = read_record(own, _INTENT)
    if intent is None:
        return None
    where = os.path.join(own, f"{_INTENT}.json")
    name = required(intent, "aside", str, where)
    if not _NAME.fullmatch(name):
        raise DataDirectoryError(f"{where}: not a record of e2d ({name!r})")
    return name


def finish_swap(data_directory: str) -> None:
    """
    Carry out the swap that is intended, from wherever it stopped. Blocks. Idempotent.

    :raises DataDirectoryError: the disk says no, or both or neither of the directories
        are there: then the intent stays, and a person must look.
    """
    name = _intended(data_directory)
    if name is None:
        return
    own = os.path.join(data_directory, "e2d")
    member = os.path.join(data_directory, "member")
    aside = os.path.join(own, _ASIDE)
    target = os.path.join(aside, name)
    moved = os.path.join(target, "member")
    if os.path.lexists(member) == os.path.lexists(moved):
        which = "both" if os.path.lexists(member) else "neither"
        raise DataDirectoryError(
            f"{member} was to become {moved}, and {which} of them exist; put right "
            f"what was moved by hand, or remove {own}/{_INTENT}.json"
        )
    try:
        make_directory(aside)
        make_directory(target)
        if os.path.lexists(member):
            os.rename(member, moved)
        for directory in (target, aside, own, data_directory):
            sync_directory(directory)
    except OSError as error:
        raise explain(error, member, "set member/ aside") from error
    remove_record(own, _INTENT)
