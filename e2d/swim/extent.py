"""Where a value in MessagePack ends, told without decoding it."""

from __future__ import annotations

from e2d.swim.errors import Fault, WireError

__all__ = ["Extent"]

_MOST_VALUES = 4096
"""In one value, at any depth: decoded, each takes far more memory than its bytes."""


def _fixed() -> list[tuple[int, int]]:
    """
    What a first byte says of a value that no length follows.

    :return: for each byte: how many bytes the value has, and how many values are in it.
    """
    fixed = [(1, 0)] * 256
    for count in range(16):
        fixed[0x80 + count] = (1, 2 * count)
        fixed[0x90 + count] = (1, count)
    for size in range(32):
        fixed[0xA0 + size] = (1 + size, 0)
    numbers = (4, 8, 1, 2, 4, 8, 1, 2, 4, 8)
    for first, size in enumerate(numbers, start=0xCA):
        fixed[first] = (1 + size, 0)
    for power in range(5):
        fixed[0xD4 + power] = (2 + 2**power, 0)
    return fixed


_FIXED = _fixed()

_COUNTED = {
    0xC4: (1, 2, 0),
    0xC5: (2, 3, 0),
    0xC6: (4, 5, 0),
    0xC7: (1, 3, 0),
    0xC8: (2, 4, 0),
    0xC9: (4, 6, 0),
    0xD9: (1, 2, 0),
    0xDA: (2, 3, 0),
    0xDB: (4, 5, 0),
    0xDC: (2, 3, 1),
    0xDD: (4, 5, 1),
    0xDE: (2, 3, 2),
    0xDF: (4, 5, 2),
}
"""
By first byte, of values that a length follows: how many bytes the length has; how many
bytes the value has without what the length counts; and whether that is bytes (0),
values (1) or pairs of them (2).
"""


class Extent:
    """
    Finds where a value ends in bytes of which more may arrive.

    It reads each byte once at most, however they are cut, and holds only its place.

    :param most_bytes: that the value may have.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._place = 0
        self._wanted = 1
        self._seen = 0

    def find(self, held: bytes | bytearray) -> int | None:
        """
        Look on.

        :param held: everything from the first byte of the value on.
        :return: where the value ends; None if that has not arrived.
        :raises WireError: it is too large, even if most of it has not arrived.
        """
        arrived = len(held)
        while self._wanted and self._place < arrived:
            first = held[self._place]
            if (counted := _COUNTED.get(first)) is None:
                size, inside = _FIXED[first]
            else:
                width, size, unit = counted
                length = held[self._place + 1 : self._place + 1 + width]
                if len(length) < width:
                    return None
                count = int.from_bytes(length, "big")
                size, inside = (size, unit * count) if unit else (size + count, 0)
            self._place += size
            self._seen += 1
            self._wanted += inside - 1
            if (
                self._place > self._most_bytes
                or self._seen + self._wanted > _MOST_VALUES
            ):
                raise WireError(Fault.LIMIT, "a structure is too large")
        return None if self._wanted or self._place > arrived else self._place
