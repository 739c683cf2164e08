"""
Seeds in a file: a gossip address in each line.

Note [An empty file is no answer]
    A file that is being written is empty for a moment, and so is one whose writer
    failed. "There is nobody else" would let a node found a cluster of its own, so it is
    not taken from a file without addresses. Who means it lists this node alone: that
    is always right, and cannot be the beginning of something longer that was cut off
    before its first line.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from attrs import frozen

from zope.interface import implementer

from e2d.config.endpoints import read_peer
from e2d.config.problems import quoted
from e2d.files import RunInPool, read_file
from e2d.interfaces.membership import DiscoveryFailed, IDiscovery
from e2d.model import Address

__all__ = ["GOSSIP_PORT", "PeersFile"]

GOSSIP_PORT = 7980
"""Where a line names no port: the default of ``gossipAddr``."""

LIMIT_BYTES = 64 * 1024
"""A thousand lines with names and remarks. What is longer is another file."""

LIMIT_ADDRESSES = 1024
"""More than any ring of etcd's has nodes."""


@implementer(IDiscovery)
@frozen
class PeersFile:
    """
    The gossip addresses in a file; what follows ``#`` in a line is a remark.

    It is read anew each time, so whatever replaces it is seen.

    :param path: of the file; symbolic links are followed.
    :param run_in_pool: runs what blocks.
    """

    _path: str
    _run_in_pool: RunInPool

    @property
    def label(self) -> str:
        """The file."""
        return f"the file {self._path}"

    async def discover(self) -> Sequence[Address]:
        """
        Read it.

        :raises DiscoveryFailed: also for a file without addresses; see Note [An empty
            file is no answer].
        """
        return await self._run_in_pool(lambda: _read(self._path))


def _read(path: str) -> tuple[Address, ...]:
    try:
        content = read_file(os.path.realpath(path), LIMIT_BYTES)
    except OSError as error:
        raise DiscoveryFailed(
            f"{path}: could not read it: {error.strerror or type(error).__name__}; let"
            " the user that e2d runs as read it, or correct discovery.file"
        ) from error
    except ValueError as error:
        raise DiscoveryFailed(f"{path}: {error}; correct discovery.file") from error
    if content is None:
        raise DiscoveryFailed(
            f"{path}: there is no such file; write it, or correct discovery.file"
        )
    return _parse(path, content)


def _parse(path: str, content: bytes) -> tuple[Address, ...]:
    found: dict[Address, None] = {}
    lines = content.decode("utf-8", "replace").split("\n")
    for number, line in enumerate(lines, start=1):
        written = line.partition("#")[0].strip()
        if written:
            found[_parse_line(f"{path}:{number}", written)] = None
    if not found:
        raise DiscoveryFailed(
            f"{path}: there is no address in it, which may as well mean that it was cut"
            " short; list at least this node's own, one address a line"
        )
    if len(found) > LIMIT_ADDRESSES:
        raise DiscoveryFailed(
            f"{path}: there are {len(found)} addresses in it and at most"
            f" {LIMIT_ADDRESSES} are read; list some of the nodes, not all"
        )
    return tuple(found)


def _parse_line(where: str, written: str) -> Address:
    try:
        return read_peer(written, GOSSIP_PORT)
    except ValueError as error:
        raise DiscoveryFailed(
            f"{where}: {quoted(written)} {error}; write one address a line, such as"
            f" 10.0.0.2:{GOSSIP_PORT}"
        ) from None
