"""Kinds of measures: durations and sizes."""

from __future__ import annotations

import re

from attrs import frozen

from e2d.config.document import Node, Scalar
from e2d.config.kinds import Kind, Written, shown
from e2d.config.problems import Findings
from e2d.config.quantities import (
    format_duration,
    format_size,
    parse_duration,
    parse_size,
)

__all__ = ["Duration", "Size"]


@frozen(kw_only=True)
class Duration(Kind[float]):
    """
    A duration as Go writes it, and days.

    :param minimum: in seconds.
    :param maximum: in seconds; a century unless there is a reason for less.
    :param zero: whether 0 is allowed below the minimum.
    """

    minimum: float = 0.0
    maximum: float = 3600.0 * 24 * 36525
    zero: bool = False

    def read(self, node: Node, key: str, findings: Findings) -> float | None:
        """A bare number is refused: of what?"""
        text = node.text if isinstance(node, Scalar) else ""
        try:
            seconds = parse_duration(text)
        except ValueError:
            hint = f"did you mean `{text}s`?" if re.fullmatch("[0-9]+", text) else ""
            self.refuse(node, key, findings, hint)
            return None
        if self.minimum <= seconds <= self.maximum or (self.zero and seconds == 0):
            return seconds
        bounds = f"{format_duration(self.minimum)} to {format_duration(self.maximum)}"
        findings.error(
            node.place, key, f"`{key}` must be from {bounds}, not {shown(node)}"
        )
        return None

    def write(self, value: object) -> Written:
        """In hours, minutes and seconds."""
        assert isinstance(value, float)
        return format_duration(value)

    def schema(self) -> dict[str, object]:
        """A string of numbers and units; 0 needs none."""
        part = "(?:[0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h|d)"
        return {
            "anyOf": [
                {"type": "string", "pattern": f"^[-+]?(?:0|(?:{part})+)$"},
                {"const": 0},
            ]
        }

    @property
    def words(self) -> str:
        """With an example."""
        return "a duration such as `1h30m` or `10s`"

    @property
    def unit(self) -> str:
        """No bare numbers."""
        return "duration: ns, us, ms, s, m, h, d"


@frozen(kw_only=True)
class Size(Kind[int]):
    """
    Bytes.

    :param per: what follows the size in words, as in "per second".
    """

    minimum: int = 1
    maximum: int = (1 << 63) - 1
    per: str = ""

    def read(self, node: Node, key: str, findings: Findings) -> int | None:
        """A number of bytes or a number with a unit."""
        text = node.text if isinstance(node, Scalar) else ""
        try:
            size = parse_size(text)
        except ValueError:
            self.refuse(node, key, findings)
            return None
        if self.minimum <= size <= self.maximum:
            return size
        findings.error(
            node.place,
            key,
            f"`{key}` must be at least {format_size(self.minimum)}, not {shown(node)}",
        )
        return None

    def write(self, value: object) -> Written:
        """With the largest binary unit that fits."""
        assert isinstance(value, int)
        return format_size(value)

    def schema(self) -> dict[str, object]:
        """Either form."""
        units = "[kKMGT]?B?|[KMGT]iB?"
        return {
            "anyOf": [
                {"type": "integer", "minimum": self.minimum},
                {"type": "string", "pattern": f"^[0-9]+ ?(?:{units})$"},
            ]
        }

    @property
    def words(self) -> str:
        """With an example."""
        return "a size such as `512MiB` or a number of bytes"

    @property
    def unit(self) -> str:
        """Bytes."""
        return f"bytes{self.per}"
