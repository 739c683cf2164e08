"""The types of messages, and of what they are sent in: the first byte of each."""

from __future__ import annotations

__all__ = [
    "ACK",
    "ALIVE",
    "CHECKSUM",
    "COMPOUND",
    "COMPRESS",
    "DEAD",
    "ENCRYPT",
    "ERROR",
    "INDIRECT_PING",
    "LABEL",
    "NACK",
    "PING",
    "PUSH_PULL",
    "SUSPECT",
    "USER",
    "WRAPPERS",
]

PING = 0
INDIRECT_PING = 1
ACK = 2
SUSPECT = 3
ALIVE = 4
DEAD = 5
PUSH_PULL = 6
COMPOUND = 7
USER = 8
COMPRESS = 9
ENCRYPT = 10
NACK = 11
CHECKSUM = 12
ERROR = 13
LABEL = 244

WRAPPERS = frozenset({COMPOUND, COMPRESS, ENCRYPT, CHECKSUM, LABEL})
"""What is no message, but holds some."""
