"""How well we are, by our own evidence."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from e2d.swim.awareness import Awareness


class AwarenessTests(SynchronousTestCase):
    """The score, and what it scales."""

    def test_stays_between_its_bounds(self) -> None:
        """The score is never below 0, nor as much as the most."""
        awareness = Awareness(8)
        scores = []
        for delta in (0, -1, -10, 1, -1, 10, -1, -1, -1, -1, -1, -1, -1, -1):
            awareness.apply(delta)
            scores.append(awareness.score)
        self.assertEqual(scores, [0, 0, 0, 1, 0, 7, 6, 5, 4, 3, 2, 1, 0, 0])

    def test_scales(self) -> None:
        """What takes a second while well takes eight at the worst."""
        awareness = Awareness(8)
        self.assertEqual(awareness.scaled(1.0), 1.0)
        awareness.apply(10)
        self.assertEqual(awareness.scaled(1.0), 8.0)
