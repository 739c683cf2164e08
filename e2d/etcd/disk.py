"""What is wrong with the disk of a data directory, and whether it is full."""

from __future__ import annotations

import os

from e2d.files import explain_error
from e2d.interfaces import DataDirectoryError

__all__ = ["explain", "has_no_room"]

_ROOM_FOR_WORDS = 64 * 1024
"""Bytes: what an etcd that dies has to say, with the traces of Go, is below that."""


def explain(error: OSError, path: str, doing: str) -> DataDirectoryError:
    """
    An error of the operating system as one line with the way out.

    :param path: what was touched, if the error itself does not say.
    :param doing: what was tried, as in "could not *write*".
    """
    return DataDirectoryError(explain_error(error, path, doing))


def has_no_room(path: str) -> bool:
    """Whether not even a page of log fits on the disk any more; False if unknown."""
    try:
        disk = os.statvfs(path)
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize < _ROOM_FOR_WORDS
