"""A data directory that the original left behind, for tests."""

from __future__ import annotations

import tarfile
from functools import cache
from pathlib import Path

FIXTURES = Path(__file__).parents[1] / "fixtures" / "original"

MEMBER_ID = 5777176122771983975
CLUSTER_ID = 17247815010757217502
NAME = "6F8E7D4D3EABBEDC"
PEER_URL = "https://127.0.0.71:2380"

LOG = "member/wal/0000000000000000-0000000000000000.wal"


def unpack(destination: Path) -> Path:
    """
    Unpack it; its log stays the sparse file that it is.

    :return: the data directory, ``data`` in the destination.
    """
    with tarfile.open(FIXTURES / "data-dir.tar.xz") as archive:
        archive.extractall(destination, filter="data")
    return destination / "data"


@cache
def database() -> bytes:
    """Its database, ``member/snap/db``."""
    with tarfile.open(FIXTURES / "data-dir.tar.xz") as archive:
        file = archive.extractfile("data/member/snap/db")
        assert file is not None
        return file.read()


@cache
def log_head(size: int) -> bytes:
    """The first bytes of its log."""
    with tarfile.open(FIXTURES / "data-dir.tar.xz") as archive:
        file = archive.extractfile(f"data/{LOG}")
        assert file is not None
        return file.read(size)
