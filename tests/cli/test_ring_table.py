"""Tests of `e2d.cli.ring_table`."""

from __future__ import annotations

import json
from textwrap import dedent
from typing import Any

from attrs import evolve

from twisted.trial.unittest import SynchronousTestCase

from e2d.api.ring_document import ring_document
from e2d.cli.rendering import Line, Tone
from e2d.cli.ring_table import member_lines
from e2d.cluster.ring_report import RingReport
from e2d.model import Rank
from e2d.testing.daemon import ring_member
from tests.cli.test_ring_words import ring_of

LEFT = ring_member("n5", Rank.LEFT, 60.0)


def lines(ring: RingReport, *, everybody: bool = False) -> list[Line]:
    """The lines, from what a command gets."""
    document: dict[str, Any] = json.loads(json.dumps(ring_document(ring)))
    return member_lines(document, everybody=everybody)


def shown(ring: RingReport, *, everybody: bool = False) -> str:
    """The text as it is printed."""
    return "\n".join(line.text for line in lines(ring, everybody=everybody)) + "\n"


class MemberLinesTests(SynchronousTestCase):
    """`member_lines`, letter by letter."""

    maxDiff = None

    def test_table(self) -> None:
        """A line for each, with what it is, for how long, and what it says."""
        ring = ring_of(
            ring_member("n2", Rank.SUSPECT, 4.0),
            evolve(
                ring_member("o3"), kind="original", own_cluster=None, e2d_version=None
            ),
            evolve(ring_member("b4"), own_cluster=False, status="running"),
        )
        self.assertEqual(
            shown(ring),
            dedent(
                """\
                name  rank     for       status   address        e2d    etcd    member            cluster           incarnation
                n1    alive    2 m 10 s  running  10.0.0.1:7980  0.1.0  3.5.16  8e9e05c52164694d  cdf818194e3a8c32  2            this node
                n2    suspect  4 s       pending  10.0.0.2:7980  0.1.0  -       -                 -                 2
                o3    alive    2 h 10 m  pending  10.0.0.3:7980  -      -       -                 -                 2            original
                b4    alive    2 h 10 m  running  10.0.0.4:7980  0.1.0  -       -                 -                 2            of another cluster

                3 alive, 1 suspect; encrypted
                """  # noqa: E501 - as wide as it is
            ),
        )

    def test_left(self) -> None:
        """Who left is shown to those who ask; the others learn that there are some."""
        ring = ring_of(LEFT)
        self.assertNotIn("n5", shown(ring))
        self.assertIn("1 that left: shown with --all\n", shown(ring))
        self.assertIn("n5    left   1 m", shown(ring, everybody=True))
        self.assertNotIn("--all", shown(ring, everybody=True))

    def test_tones(self) -> None:
        """Who is dead stands out, and who may soon be."""
        ring = ring_of(
            ring_member("n2", Rank.SUSPECT),
            ring_member("n3", Rank.DEAD),
            ring_member("n4", Rank.DEPARTED),
            LEFT,
        )
        tones = [line.tone for line in lines(ring, everybody=True)[1:6]]
        self.assertEqual(
            tones, [Tone.PLAIN, Tone.CAUTION, Tone.BAD, Tone.CAUTION, Tone.PLAIN]
        )

    def test_not_understood(self) -> None:
        """Why a node is not understood is said, whatever it put into the reason."""
        reason = "\x1b]0;" + "z" * 400
        unreadable = evolve(ring_member("x2"), kind="unreadable", unreadable=reason)
        silent = evolve(ring_member("y3"), kind="silent", own_cluster=None)
        text = shown(ring_of(unreadable, silent))
        self.assertIn("  not understood: ?]0;zzzz", text)
        self.assertIn("zzz...\n", text)
        self.assertNotIn("z" * 60, text)
        self.assertIn("  says nothing\n", text)

    def test_hostile_version(self) -> None:
        """A version is a word of another node's too."""
        hostile = evolve(ring_member("n2"), e2d_version="\x1b[31m" + "9" * 300)
        self.assertIn("  ?[31m99999999...  ", shown(ring_of(hostile)))

    def test_no_room(self) -> None:
        """That there are more than a report takes is said."""
        text = shown(evolve(ring_of(), left_out=7))
        self.assertIn("\n7 more, for which there is no room\n", text)

    def test_remarks(self) -> None:
        """What is not about one node stands below."""
        text = shown(evolve(ring_of(), unmet=("n7:7980",), problem="too long"))
        self.assertTrue(text.endswith("\ndid not answer: n7:7980\ntoo long\n"), text)

    def test_not_in_the_ring(self) -> None:
        """Without a ring there is no table, but the reason."""
        outside = evolve(
            ring_of(), members=None, ranks=None, problem="no port: free it"
        )
        self.assertEqual(shown(outside), "not in the ring: no port: free it\n")
