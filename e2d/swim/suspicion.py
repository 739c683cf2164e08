"""
A suspicion that runs.

It starts long, for the suspect's sake: perhaps we are at fault, and not the suspect.
Each other peer that holds the same suspicion shortens it.
"""

from __future__ import annotations

from math import floor, log

from e2d.swim.scaling import SuspicionSpan

__all__ = ["Suspicion"]


class Suspicion:
    """
    A peer that is suspected, and until when it may refute.

    :param by: who suspected it first, which is no confirmation.
    :param span: how long it has.
    :param now: when it began.
    """

    def __init__(self, by: bytes, span: SuspicionSpan, now: float) -> None:
        self._span = span
        self._since = now
        self._heard = {by}

    @property
    def deadline(self) -> float:
        """When the suspect is held dead; maybe a time that has passed."""
        return self._since + timeout(self._span, len(self._heard) - 1)

    def confirm(self, by: bytes) -> bool:
        """
        Another peer says the same.

        :return: whether that is news: not known yet, and still of use.
        """
        enough = len(self._heard) > self._span.confirmations
        if enough or by in self._heard:
            return False
        self._heard.add(by)
        return True


def timeout(span: SuspicionSpan, confirmations: int) -> float:
    """How long a suspect has after so many confirmations, in seconds."""
    if not span.confirmations:
        return span.shortest
    shortened = log(confirmations + 1) / log(span.confirmations + 1)
    seconds = span.longest - shortened * (span.longest - span.shortest)
    return max(span.shortest, _whole_milliseconds(seconds))


def _whole_milliseconds(seconds: float) -> float:
    return floor(seconds * 1000) / 1000
