"""Numbers that tell answers apart."""

from __future__ import annotations

__all__ = ["Sequences"]

_HIGHEST = 0xFFFF_FFFF


class Sequences:
    """One number after the other, from 1."""

    def __init__(self) -> None:
        self._last = 0

    def take(self) -> int:
        """The next one; after the highest that fits, 1 again."""
        self._last = self._last % _HIGHEST + 1
        return self._last
