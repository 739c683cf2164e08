"""
How well we are, by our own evidence.

Who is slow itself should not accuse others of it: the worse we are, the longer our
probes last.
"""

from __future__ import annotations

__all__ = ["Awareness"]


class Awareness:
    """
    A score of our own health.

    :param most: the score stays below it.
    """

    def __init__(self, most: int) -> None:
        self._worst = most - 1
        self._score = 0

    @property
    def score(self) -> int:
        """0 for well, more for worse."""
        return self._score

    def apply(self, delta: int) -> None:
        """Get better, by a negative number, or worse."""
        self._score = min(max(self._score + delta, 0), self._worst)

    def scaled(self, seconds: float) -> float:
        """How long something lasts while we are as well as now."""
        return seconds * (self._score + 1)
