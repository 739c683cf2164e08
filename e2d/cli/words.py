"""Numbers in words, and text from elsewhere made fit for a terminal. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

__all__ = [
    "WIDTH",
    "clipped",
    "count",
    "duration",
    "listed",
    "paragraph",
    "printable",
    "size",
]

WIDTH = 80
"""Columns: what every terminal has."""

_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def duration(seconds: float) -> str:
    """
    The two largest units that matter: ``2 m 10 s``, ``3 d``, ``0 s``.

    :param seconds: negative is taken for 0.
    """
    rest = max(0, round(seconds))
    parts = []
    for unit, length in _UNITS:
        amount, rest = divmod(rest, length)
        parts.append((amount, unit))
    first = next((n for n, (amount, _unit) in enumerate(parts) if amount), None)
    if first is None:
        return "0 s"
    return " ".join(
        f"{amount} {unit}" for amount, unit in parts[first : first + 2] if amount
    )


def size(size_bytes: float) -> str:
    """``20.5 kB``, in powers of 1000."""
    for unit in ("B", "kB", "MB", "GB"):
        if size_bytes < 1000:  # noqa: PLR2004 - kilo
            return f"{size_bytes:.1f} {unit}".replace(".0 ", " ")
        size_bytes /= 1000
    return f"{size_bytes:.1f} TB"


def count(number: int, noun: str) -> str:
    """``1 start``, ``2 starts``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def printable(text: object) -> str:
    """
    Text that cannot move the cursor: names come from other nodes, and from etcd.

    :param text: anything that JSON can hold.
    """
    return "".join(char if char.isprintable() else "?" for char in str(text))


def clipped(text: object, most: int) -> str:
    """
    The same, and of a length that a line has room for: ``a-very-long-na...``.

    :param text: as for `printable`.
    :param most: how many characters it may have.
    """
    clean = printable(text)
    return clean if len(clean) <= most else f"{clean[: most - 3]}..."


def listed(texts: Sequence[str], number: int, shown: int) -> str:
    """
    The first of some texts: ``a, b and 3 more``.

    :param texts: of all that there are, as many as are known.
    :param number: of all that there are.
    :param shown: how many are shown at the most.
    """
    first = texts[:shown]
    more = number - len(first)
    return ", ".join(first) + (f" and {more} more" if more > 0 else "")


def paragraph(label: str, text: str, indent: int) -> list[str]:
    """
    A label, and beside it text wrapped to `WIDTH` columns.

    :param indent: the column at which the text starts.
    """
    lines = wrap(
        text,
        WIDTH - indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    heads = [label, *[""] * len(lines)]
    return [
        f"{head:<{indent}}{line}"
        for head, line in zip(heads, lines or [""], strict=False)
    ]
