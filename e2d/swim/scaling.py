"""
How the numbers of a ring grow with its size.

The size is how many peers are remembered: ourselves, suspects, and the dead included.
"""

from __future__ import annotations

from math import ceil, floor, log2, log10

from attrs import frozen

from e2d.swim.settings import Settings

__all__ = [
    "SuspicionSpan",
    "exchange_interval",
    "suspicion_span",
    "transmissions",
]


def transmissions(mult: int, size: int) -> int:
    """How often a broadcast is sent."""
    return mult * ceil(log10(size + 1))


def exchange_interval(settings: Settings, size: int) -> float:
    """How long from one exchange of states to the next, in seconds."""
    threshold = settings.exchange_scale_above
    if size <= threshold:
        return settings.exchange_interval
    factor = ceil(log2(size) - log2(threshold)) + 1
    return settings.exchange_interval * factor


@frozen(kw_only=True)
class SuspicionSpan:
    """
    How long a suspect has to refute.

    :ivar shortest: once enough others confirmed the suspicion, in seconds.
    :ivar longest: while nobody did, in seconds.
    :ivar confirmations: how many are enough; 0 where the ring is too small to wait for
        any.
    """

    shortest: float
    longest: float
    confirmations: int


def suspicion_span(settings: Settings, size: int) -> SuspicionSpan:
    """How long a suspect has in a ring of that size."""
    confirmations = settings.suspicion_mult - 2
    others = size - 2  # neither we nor the suspect can confirm
    if others < confirmations:
        confirmations = 0
    shortest = settings.suspicion_mult * _scale(size) * settings.probe_interval
    return SuspicionSpan(
        shortest=shortest,
        longest=settings.suspicion_most_mult * shortest,
        confirmations=max(confirmations, 0),
    )


def _scale(size: int) -> float:
    """Cut to thousandths, as memberlist does."""
    return floor(max(1.0, log10(max(1, size))) * 1000) / 1000
