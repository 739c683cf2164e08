"""A value that must not be seen: its every text form is ``***``."""

from __future__ import annotations

from typing import Self

__all__ = ["MASK", "Secret"]

MASK = "***"
"""What is shown in the place of a secret."""


class Secret:
    """
    Text that logs, tracebacks, formats and JSON show as ``***``.

    Only `reveal` gives it away, so that each place that does can be found by name.

    :param text: the secret itself.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The secret itself, for the one who must use it."""
        return self._text

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return MASK

    def __format__(self, specification: str) -> str:
        return format(MASK, specification)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return self._text == other._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce__(self) -> tuple[type[Self], tuple[str]]:
        raise TypeError("a secret is not pickled")
