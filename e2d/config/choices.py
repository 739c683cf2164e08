"""The words of which some keys take one."""

from __future__ import annotations

from enum import Enum

__all__ = [
    "Compression",
    "Eviction",
    "GossipCompatibility",
    "GossipProfile",
    "MetricsDetail",
    "RecoveryMode",
    "ServeWhen",
]


class GossipProfile(Enum):
    """Which of memberlist's sets of timings gossip uses."""

    LAN = "lan"
    WAN = "wan"
    LOCAL = "local"


class GossipCompatibility(Enum):
    """Which original e2d shares the ring: its 1.0 line, or 0.4."""

    ORIGINAL = "original"
    ORIGINAL_0_4 = "original-0.4"


class MetricsDetail(Enum):
    """etcd's ``--metrics``."""

    BASIC = "basic"
    EXTENSIVE = "extensive"


class Eviction(Enum):
    """What a node does that was removed from etcd."""

    REJOIN = "rejoin"
    EXIT = "exit"


class Compression(Enum):
    """How snapshots are compressed."""

    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"


class RecoveryMode(Enum):
    """What e2d may do by itself when a cluster is lost."""

    MANUAL = "manual"
    SNAPSHOT = "snapshot"
    SURVIVOR = "survivor"


class ServeWhen(Enum):
    """When a restored cluster lets clients in."""

    REDUNDANT = "redundant"
    IMMEDIATELY = "immediately"
