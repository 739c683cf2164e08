"""Durations as Go writes them and sizes in bytes, both ways."""

from __future__ import annotations

import re
from decimal import Decimal

__all__ = ["format_duration", "format_size", "parse_duration", "parse_size"]

_MAXIMUM_TEXT = 64
"""Longer text is no duration or size; it is not even looked at."""

_NANOSECONDS = {
    "ns": 1,
    "us": 1_000,
    "\u00b5s": 1_000,
    "\u03bcs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
}
"""Go's units, and days of 24 hours, which Go lacks."""

_PART = re.compile(
    r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h|d)", re.ASCII
)
_MAXIMUM_NANOSECONDS = (1 << 63) - 1
"""Go's durations are 64 bits of nanoseconds, some 292 years."""

_BYTES = {
    "": 1,
    "B": 1,
    "k": 10**3,
    "K": 10**3,
    "kB": 10**3,
    "KB": 10**3,
    "M": 10**6,
    "MB": 10**6,
    "G": 10**9,
    "GB": 10**9,
    "T": 10**12,
    "TB": 10**12,
    "Ki": 1 << 10,
    "KiB": 1 << 10,
    "Mi": 1 << 20,
    "MiB": 1 << 20,
    "Gi": 1 << 30,
    "GiB": 1 << 30,
    "Ti": 1 << 40,
    "TiB": 1 << 40,
}
_SIZE = re.compile(r"([0-9]+) ?([A-Za-z]*)", re.ASCII)


def parse_duration(text: str) -> float:
    """
    Read ``1h30m``, ``1.5s``, ``7d`` or ``0``.

    :return: seconds, exact to the nanosecond as far as a float is.
    :raises ValueError: it is none, or beyond Go's range.
    """
    if len(text) > _MAXIMUM_TEXT:
        raise ValueError("too long for a duration")
    sign = -1 if text.startswith("-") else 1
    rest = text[1:] if text[:1] in {"-", "+"} else text
    if rest == "0":
        return 0.0
    nanoseconds, end = Decimal(0), 0
    while (part := _PART.match(rest, end)) is not None:
        nanoseconds += Decimal(part[1]) * _NANOSECONDS[part[2]]
        end = part.end()
    if end == 0 or end != len(rest):
        raise ValueError("not a duration")
    if nanoseconds > _MAXIMUM_NANOSECONDS:
        raise ValueError("longer than 292 years")
    return sign * int(nanoseconds) / 1_000_000_000


def format_duration(seconds: float) -> str:
    """
    Write what `parse_duration`, and Go, read as the same number of seconds.

    :param seconds: not negative.
    :return: hours, minutes and seconds, without the parts that are zero: ``1h30m``.
    """
    assert seconds >= 0
    # The shortest text of a float is exact enough to find the same float again.
    whole = int(Decimal(repr(float(seconds))) * 1_000_000_000)
    hours, rest = divmod(whole, _NANOSECONDS["h"])
    minutes, rest = divmod(rest, _NANOSECONDS["m"])
    parts = [f"{hours}h"] if hours else []
    if minutes:
        parts.append(f"{minutes}m")
    if rest or not parts:
        number = f"{rest // 10**9}.{rest % 10**9:09}".rstrip("0").rstrip(".")
        parts.append(f"{number}s")
    return "".join(parts)


def parse_size(text: str) -> int:
    """
    Read ``8GiB``, ``500M`` or ``2147483648``.

    :return: bytes.
    :raises ValueError: it is none.
    """
    found = _SIZE.fullmatch(text) if len(text) <= _MAXIMUM_TEXT else None
    if found is None or found[2] not in _BYTES:
        raise ValueError("not a size")
    return int(found[1]) * _BYTES[found[2]]


def format_size(size: int) -> str | int:
    """
    Write what `parse_size` reads as the same number of bytes.

    :param size: bytes.
    """
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if size and size % _BYTES[unit] == 0:
            return f"{size // _BYTES[unit]}{unit}"
    return size
