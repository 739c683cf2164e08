"""How the numbers of a ring grow with its size."""

from __future__ import annotations

from attrs import evolve

from twisted.trial.unittest import SynchronousTestCase

from e2d.swim.scaling import (
    SuspicionSpan,
    exchange_interval,
    suspicion_span,
    transmissions,
)
from e2d.swim.settings import LAN

_FAST = evolve(LAN, suspicion_mult=5, suspicion_most_mult=2, probe_interval=0.1)


class ScalingTests(SynchronousTestCase):
    """The tables of memberlist's."""

    def test_transmissions(self) -> None:
        """News is sent more often, the logarithm of the size more often."""
        self.assertEqual(
            [transmissions(3, size) for size in (0, 1, 9, 99)], [0, 3, 3, 6]
        )
        self.assertEqual(
            [transmissions(4, size) for size in (1, 9, 10, 99, 100, 999)],
            [4, 4, 8, 8, 12, 12],
        )

    def test_exchanges(self) -> None:
        """Up to 32 peers there is an exchange each 30 s; with 64 each 60, and so on."""
        self.assertEqual(
            [exchange_interval(LAN, size) for size in (1, 32, 33, 64, 65, 128)],
            [30.0, 30.0, 60.0, 60.0, 90.0, 90.0],
        )

    def test_suspicion_lasts_longer_in_larger_rings(self) -> None:
        """The shortest suspicion grows with the logarithm, from ten peers on."""
        settings = evolve(LAN, suspicion_mult=1)
        self.assertEqual(
            [
                suspicion_span(settings, size).shortest
                for size in (5, 10, 50, 100, 500, 1000)
            ],
            [1.0, 1.0, 1.698, 2.0, 2.698, 3.0],
        )

    def test_suspicion_waits_for_confirmations(self) -> None:
        """With three to confirm it, a suspicion begins with the longest time."""
        self.assertEqual(
            suspicion_span(_FAST, 5),
            SuspicionSpan(shortest=0.5, longest=1.0, confirmations=3),
        )

    def test_suspicion_in_small_rings(self) -> None:
        """Where there are not enough to confirm it, nobody is waited for."""
        self.assertEqual(
            [suspicion_span(_FAST, size).confirmations for size in (2, 3, 4)],
            [0, 0, 0],
        )

    def test_small_multipliers(self) -> None:
        """No multiplier makes for less than no confirmations."""
        settings = evolve(LAN, suspicion_mult=1)
        self.assertEqual(suspicion_span(settings, 50).confirmations, 0)
