"""Tests of `e2d.cluster.originals`: what waits while originals are about (C5)."""

from __future__ import annotations

from attrs import evolve

from twisted.trial.unittest import SynchronousTestCase

from e2d.cluster.observation import Observation
from e2d.cluster.planning import plan
from e2d.cluster.policy import Policy
from e2d.cluster.reasons import Code
from e2d.cluster.steps import RestartMember, StartCluster, Step, Wait
from e2d.model import Empty, GossipMember, Rank, UnreadableDigest
from tests.cluster.builders import (
    ALONE,
    HOLDS,
    LOOK,
    NAME,
    ORIGINAL,
    STRANGER,
    member,
)

MIXED = evolve(ALONE, compat=True)
SELF = member(NAME, host="10.0.0.1")
HEARD = evolve(LOOK, data=Empty(), gossip=(SELF,), listening_since=LOOK.now - 60.0)


def step(observation: Observation, policy: Policy = MIXED) -> Step:
    """The one step that is planned."""
    (only,) = plan(observation, policy).steps
    return only


class BesideOriginalsTests(SynchronousTestCase):
    """`gossip.compat` and founding."""

    def waits(self, observation: Observation) -> str:
        """Why nothing is founded."""
        only = step(observation)
        assert isinstance(only, Wait)
        self.assertIs(only.code, Code.ORIGINALS)
        return only.reason

    def beside(self, original: GossipMember) -> Observation:
        """A node that has listened for long, with one other."""
        return evolve(HEARD, gossip=(SELF, original))

    def test_founds_without_any(self) -> None:
        """A ring in which there may be originals, and is none, is like any other."""
        self.assertIsInstance(step(HEARD), StartCluster)
        self.assertIsInstance(step(self.beside(STRANGER)), StartCluster)

    def test_beside_an_original(self) -> None:
        """One in the ring, alive, suspected, or dead as far as this node sees."""
        for rank in (Rank.ALIVE, Rank.SUSPECT, Rank.DEAD, Rank.DEPARTED):
            reason = self.waits(self.beside(evolve(ORIGINAL, rank=rank)))
            self.assertIn("old", reason)

    def test_one_that_left(self) -> None:
        """It said itself that it is gone."""
        left = evolve(ORIGINAL, rank=Rank.LEFT)
        self.assertIsInstance(step(self.beside(left)), StartCluster)

    def test_may_be_an_original(self) -> None:
        """Who says nothing, or what cannot be read: unknown is never none."""
        self.waits(self.beside(evolve(ORIGINAL, digest=None)))
        digest = UnreadableDigest(reason="not gob")
        self.waits(self.beside(evolve(ORIGINAL, digest=digest)))

    def test_listens_first(self) -> None:
        """Before it has listened, a node cannot tell that there is none."""
        self.waits(evolve(HEARD, gossip=None, listening_since=None))
        self.waits(evolve(HEARD, listening_since=LOOK.now - 14.0))

    def test_data_is_started_all_the_same(self) -> None:
        """Local data wins, whoever is in the ring."""
        holds = evolve(self.beside(ORIGINAL), data=HOLDS)
        self.assertIsInstance(step(holds), RestartMember)
