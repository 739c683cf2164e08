"""Tests of `e2d.cli.ring_words`."""

from __future__ import annotations

import json
from typing import Any

from attrs import evolve

from twisted.trial.unittest import SynchronousTestCase

from e2d.api.ring_document import ring_document
from e2d.cli.ring_words import ring_texts
from e2d.cluster.ring_report import RingClash, RingMemberReport, RingReport
from e2d.model import Rank
from e2d.testing.daemon import gossiping_report, ring_member


def ring_of(*others: RingMemberReport) -> RingReport:
    """A ring with these nodes besides n1."""
    ring = gossiping_report(*others).ring
    assert ring is not None
    return ring


def shown(ring: RingReport) -> list[str]:
    """The texts, from what a command gets."""
    document: dict[str, Any] = json.loads(json.dumps(ring_document(ring)))
    return ring_texts(document)


class RingTextsTests(SynchronousTestCase):
    """`ring_texts`."""

    def test_well(self) -> None:
        """A ring that is well takes one line."""
        ring = ring_of(ring_member("n2"), ring_member("n3"))
        self.assertEqual(shown(ring), ["3 alive; encrypted"])

    def test_not_encrypted(self) -> None:
        """That what is sent is not sealed is said."""
        self.assertEqual(
            shown(evolve(ring_of(), encrypted=False)), ["1 alive; not encrypted"]
        )

    def test_gone(self) -> None:
        """Who is suspect, dead or departed is named; who left is only counted."""
        ring = ring_of(
            ring_member("n2", Rank.SUSPECT, 4.0),
            ring_member("n3", Rank.DEAD),
            ring_member("n4", Rank.DEPARTED, 90000.0),
            ring_member("n5", Rank.LEFT),
        )
        self.assertEqual(
            shown(ring),
            [
                "1 alive, 1 suspect, 1 dead, 1 departed, 1 left; encrypted",
                "suspect: n2 (10.0.0.2:7980) for 4 s",
                "dead: n3 (10.0.0.3:7980) for 2 h 10 m",
                "departed: n4 (10.0.0.4:7980) for 1 d 1 h",
            ],
        )

    def test_many(self) -> None:
        """A long list ends with how many there are besides, those left out included."""
        dead = [ring_member(f"n{number}", Rank.DEAD, 60.0) for number in range(2, 9)]
        ring = ring_of(*dead)
        assert ring.ranks is not None
        ring = evolve(ring, ranks={**ring.ranks, Rank.DEAD: 100}, left_out=93)
        _counts, line = shown(ring)
        self.assertTrue(line.endswith("n6 (10.0.0.6:7980) for 1 m and 95 more"), line)

    def test_strangers(self) -> None:
        """C5, A20: originals and nodes of another cluster are named as such."""
        ring = ring_of(
            evolve(ring_member("b2"), own_cluster=False),
            evolve(ring_member("o3"), kind="original", own_cluster=None),
            evolve(ring_member("x4"), kind="unreadable", unreadable="of version 9"),
            evolve(ring_member("y5"), kind="silent", own_cluster=None),
        )
        self.assertEqual(
            shown(ring)[1:],
            [
                "of another cluster: b2",
                "of the original e2d: o3",
                "not understood: x4, y5",
            ],
        )

    def test_strangers_that_are_gone(self) -> None:
        """A stranger that is dead or left is not told as one of those who are there."""
        gone = evolve(ring_member("b2", Rank.LEFT), own_cluster=False)
        self.assertEqual(shown(ring_of(gone)), ["1 alive, 1 left; encrypted"])

    def test_unmet(self) -> None:
        """Seeds that did not answer are named."""
        ring = evolve(ring_of(), unmet=tuple(f"10.0.1.{n}:7980" for n in range(7)))
        self.assertEqual(
            shown(ring)[1],
            "did not answer: 10.0.1.0:7980, 10.0.1.1:7980, 10.0.1.2:7980,"
            " 10.0.1.3:7980, 10.0.1.4:7980 and 2 more",
        )

    def test_clash(self) -> None:
        """A name that two claim is told with both addresses."""
        clash = RingClash(
            name="n3",
            held="10.0.0.3:7980",
            claimed="10.0.0.8:7980",
            ours=False,
            seconds_ago=5.0,
        )
        ring = evolve(ring_of(), clashes=(clash,))
        self.assertEqual(
            shown(ring)[1],
            "the name n3 is claimed at 10.0.0.3:7980 and, 5 s ago, at 10.0.0.8:7980",
        )

    def test_health(self) -> None:
        """A node that is not well says so of itself."""
        self.assertEqual(
            shown(evolve(ring_of(), health_score=2))[1],
            "health score 2 (0 is well): this node or its network is slow",
        )

    def test_not_in_the_ring(self) -> None:
        """Who is not in it says so, and whether that is a problem."""
        outside = evolve(ring_of(), members=None, ranks=None)
        self.assertEqual(shown(outside), ["not in the ring yet"])
        self.assertEqual(
            shown(evolve(outside, problem="no port: free it")),
            ["not in the ring: no port: free it"],
        )

    def test_problem_in_the_ring(self) -> None:
        """A node may be in the ring and unable to say what it has to."""
        ring = evolve(ring_of(), problem="too long: shorten it")
        self.assertEqual(shown(ring), ["1 alive; encrypted", "too long: shorten it"])

    def test_hostile_name(self) -> None:
        """What another node calls itself neither moves the cursor nor fills lines."""
        name = "x2\x1b[2J\n\u202e" + "y" * 400
        ring = ring_of(evolve(ring_member("n2", Rank.SUSPECT, 1.0), name=name))
        self.assertEqual(
            shown(ring)[1],
            "suspect: x2?[2J??yyyyyyyyyyyyyyyyyyyyy... (10.0.0.2:7980) for 1 s",
        )
