"""What e2d must remember: JSON files in ``<dataDir>/e2d/``, replaced atomically."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Mapping

from attrs import define, field

from e2d.etcd.disk import explain
from e2d.files import (
    RunInPool,
    make_directory,
    read_file,
    remove_file,
    write_file,
)
from e2d.interfaces import DataDirectoryError

__all__ = ["Records", "read_record", "remove_record", "write_record"]

# A record is a few names and numbers. Whatever is longer is not ours.
_LIMIT_BYTES = 64 * 1024

_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")


def _path(directory: str, name: str) -> str:
    assert _NAME.fullmatch(name), name
    return os.path.join(directory, f"{name}.json")


def read_record(directory: str, name: str) -> Mapping[str, object] | None:
    """
    A record, None if there is none. Blocks.

    :raises DataDirectoryError: it is torn, foreign or cannot be read: never silently
        taken for absent.
    """
    path = _path(directory, name)
    try:
        content = read_file(path, _LIMIT_BYTES)
        if content is None:
            return None
        record = json.loads(content)
    except OSError as error:
        raise explain(error, path, "read the record") from error
    except (ValueError, RecursionError) as error:
        raise _not_a_record(path, str(error)) from error
    if not isinstance(record, dict):
        raise _not_a_record(path, "it is not a JSON object")
    return record


def _not_a_record(path: str, why: str) -> DataDirectoryError:
    return DataDirectoryError(
        f"{path}: not a record of e2d ({why}); look at it, and if it is beyond "
        "repair move it out of the way"
    )


def write_record(directory: str, name: str, record: Mapping[str, object]) -> None:
    """
    Replace a record: on disk when this returns. Blocks. One writer at a time.

    :raises DataDirectoryError: the disk says no; the record before still stands.
    """
    path = _path(directory, name)
    content = json.dumps(dict(record), indent=1, sort_keys=True).encode() + b"\n"
    assert len(content) <= _LIMIT_BYTES, name
    try:
        make_directory(directory)
        write_file(path, content)
    except OSError as error:
        raise explain(error, path, "write the record") from error


def remove_record(directory: str, name: str) -> None:
    """
    Have no such record: gone from the disk when this returns. Blocks.

    :raises DataDirectoryError: the disk says no.
    """
    path = _path(directory, name)
    try:
        remove_file(path)
    except OSError as error:
        raise explain(error, path, "remove the record") from error


@define(eq=False)
class Records:
    """
    The records of one directory.

    :param directory: where they are; made (0700) by the first write. Its parent exists.
    :param run_in_pool: runs what blocks.
    """

    _directory: str
    _run_in_pool: RunInPool
    _writing: threading.Lock = field(factory=threading.Lock, init=False)

    async def read(self, name: str) -> Mapping[str, object] | None:
        """
        A record, None if there is none.

        :param name: of the file, without ``.json``: lower-case letters, digits, ``-``.
        :raises DataDirectoryError: it is torn, foreign or cannot be read.
        """
        return await self._run_in_pool(lambda: read_record(self._directory, name))

    async def write(self, name: str, record: Mapping[str, object]) -> None:
        """
        Replace a record: on disk when this returns, and old or new after any crash.

        :param record: what JSON can hold, within 64 KiB.
        :raises DataDirectoryError: the disk says no; the record before still stands.
        """

        def write() -> None:
            with self._writing:
                write_record(self._directory, name, record)

        await self._run_in_pool(write)

    async def remove(self, name: str) -> None:
        """
        Have no such record. Idempotent.

        :raises DataDirectoryError: the disk says no.
        """

        def remove() -> None:
            with self._writing:
                remove_record(self._directory, name)

        await self._run_in_pool(remove)
