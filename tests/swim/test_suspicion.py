"""A suspicion that runs."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from e2d.swim.scaling import SuspicionSpan
from e2d.swim.suspicion import Suspicion, timeout

_MILLISECOND = 0.00101


def _span(shortest: float, longest: float, confirmations: int) -> SuspicionSpan:
    return SuspicionSpan(
        shortest=shortest, longest=longest, confirmations=confirmations
    )


class TimeoutTests(SynchronousTestCase):
    """How long a suspect has."""

    def test_shortens(self) -> None:
        """Each confirmation shortens it, the first ones most, to the shortest."""
        span = _span(2.0, 30.0, 3)
        elapsed = (0, 2, 3, 4, 5, 10)
        remaining = [timeout(span, c) - elapsed[c] for c in range(6)]
        expected = (30.0, 14.0, 4.81, -2.0, -3.0, -8.0)
        for have, want in zip(remaining, expected, strict=True):
            self.assertAlmostEqual(have, want, delta=_MILLISECOND)

    def test_whole_milliseconds(self) -> None:
        """It is cut to milliseconds, as by others."""
        span = _span(0.5, 1.0, 3)
        self.assertEqual([timeout(span, c) for c in range(4)], [1.0, 0.75, 0.603, 0.5])

    def test_longer_span(self) -> None:
        """From two seconds to a half, with three confirmations."""
        span = _span(0.5, 2.0, 3)
        self.assertEqual([timeout(span, c) for c in range(4)], [2.0, 1.25, 0.811, 0.5])

    def test_without_confirmations(self) -> None:
        """Where none are waited for, it is the shortest."""
        self.assertEqual(timeout(_span(0.5, 30.0, 0), 0), 0.5)


class SuspicionTests(SynchronousTestCase):
    """Who confirms it."""

    def test_first_does_not_confirm(self) -> None:
        """Who suspected first confirms nothing by saying it again."""
        suspicion = Suspicion(b"me", _span(0.5, 2.0, 3), 10.0)
        self.assertFalse(suspicion.confirm(b"me"))
        self.assertEqual(suspicion.deadline, 12.0)

    def test_each_counts_once(self) -> None:
        """Another confirms it once."""
        suspicion = Suspicion(b"me", _span(0.5, 2.0, 3), 10.0)
        self.assertTrue(suspicion.confirm(b"foo"))
        self.assertFalse(suspicion.confirm(b"foo"))
        self.assertEqual(suspicion.deadline, 11.25)

    def test_late_ones_are_not_news(self) -> None:
        """Once confirmed often enough, nothing more comes of it."""
        suspicion = Suspicion(b"me", _span(0.5, 2.0, 3), 10.0)
        heard = [suspicion.confirm(by) for by in (b"1", b"2", b"3", b"4")]
        self.assertEqual(heard, [True, True, True, False])
        self.assertEqual(suspicion.deadline, 10.5)

    def test_none_wanted(self) -> None:
        """Where none are waited for, none is news."""
        suspicion = Suspicion(b"me", _span(0.025, 30.0, 0), 10.0)
        self.assertFalse(suspicion.confirm(b"foo"))
        self.assertEqual(suspicion.deadline, 10.025)
