"""What is wrong with payloads: with those of others, and with ours."""

from __future__ import annotations

__all__ = ["MetadataTooLong", "PayloadError", "UnknownPayloadVersion"]


class PayloadError(Exception):
    """
    Bytes from the ring are not a payload that can be read.

    The only error of reading one, whatever the bytes.

    :ivar reason: in one short phrase, without what was received.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnknownPayloadVersion(PayloadError):
    """
    A payload in a format of another version of e2d, which this one cannot read.

    :ivar version: the format's number.
    """

    def __init__(self, version: int) -> None:
        super().__init__(
            f"in format {version}, which this version of e2d does not read"
        )
        self.version = version


class MetadataTooLong(Exception):
    """
    What this node would tell of itself is more than gossip carries.

    :ivar size_bytes: how long all of it is.
    :ivar limit_bytes: how long it may be.
    :ivar part: the longest part, in words.
    :ivar part_bytes: how long that is.
    :ivar remedy: what to do about it.
    """

    def __init__(
        self,
        *,
        size_bytes: int,
        limit_bytes: int,
        part: str,
        part_bytes: int,
        remedy: str,
    ) -> None:
        super().__init__(
            f"this node's description would take {size_bytes} bytes, and gossip "
            f"carries {limit_bytes}: {part} has {part_bytes} of them; {remedy}, by "
            f"{size_bytes - limit_bytes} bytes or more"
        )
        self.size_bytes = size_bytes
        self.limit_bytes = limit_bytes
        self.part = part
        self.part_bytes = part_bytes
        self.remedy = remedy
