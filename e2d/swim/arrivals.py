"""A stream as it arrives, taken apart without waiting for more than is needed."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

from e2d.swim.errors import Fault, WireError
from e2d.swim.extent import Extent

__all__ = ["Arrivals", "Reading"]

_T = TypeVar("_T")

Reading = Generator[None, None, _T]
"""What yields whenever it needs more to arrive, and at last returns what it read."""


class Arrivals:
    """
    What has arrived of a stream, and has not been taken.

    :param held: what is there already.
    :param ended: nothing more will come.
    """

    def __init__(self, held: bytes = b"", *, ended: bool = False) -> None:
        self._held = bytearray(held)
        self._ended = ended

    def add(self, data: bytes) -> None:
        """More has arrived."""
        self._held += data

    def end(self) -> None:
        """Nothing more will come: what needs more is truncated."""
        self._ended = True

    def take(self, size: int) -> Reading[bytes]:
        """
        So many bytes.

        :raises WireError: the stream ended before.
        """
        while len(self._held) < size:
            yield from self._wait()
        with memoryview(self._held) as view:
            taken = bytes(view[:size])
        del self._held[:size]
        return taken

    def byte(self) -> Reading[int]:
        """
        The number that the next byte is.

        :raises WireError: the stream ended before.
        """
        return (yield from self.take(1))[0]

    def value(self, most_bytes: int) -> Reading[bytes]:
        """
        One whole value in MessagePack, still packed.

        :raises WireError: it is too large, or the stream ended before it did.
        """
        extent = Extent(most_bytes)
        while (end := extent.find(self._held)) is None:
            yield from self._wait()
        return (yield from self.take(end))

    def _wait(self) -> Reading[None]:
        if self._ended:
            raise WireError(Fault.TRUNCATED, "the stream ends too early")
        yield
