"""What goes through the ring's port is counted."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from e2d.gossip.traffic import Traffic


class TrafficTests(SynchronousTestCase):
    """`Traffic` counts."""

    def test_counts(self) -> None:
        """Each by its word."""
        traffic = Traffic()
        traffic.packets_in += 2
        traffic.streams_out += 1
        for why in ("early", "early", "label"):
            traffic.drop(why)
        traffic.fail("timeout")
        seen = traffic.seen()
        self.assertEqual((seen.packets_in, seen.streams_out), (2, 1))
        self.assertEqual(dict(seen.packets_dropped), {"early": 2, "label": 1})
        self.assertEqual(dict(seen.streams_failed), {"timeout": 1})

    def test_of_its_moment(self) -> None:
        """What was seen stays as it was."""
        traffic = Traffic()
        seen = traffic.seen()
        traffic.drop("early")
        traffic.fail("timeout")
        self.assertEqual((seen.packets_dropped, seen.streams_failed), ({}, {}))
