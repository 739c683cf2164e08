"""Tests of `e2d.cluster.founding`: who may know better than an empty disk."""

from __future__ import annotations

from attrs import evolve

from twisted.trial.unittest import SynchronousTestCase

from e2d.cluster.founding import may_not_found
from e2d.cluster.observation import Observation
from e2d.cluster.policy import Policy
from e2d.cluster.reasons import Code
from e2d.model import Address, Empty, GossipMember, NameClash, Rank, UnreadableDigest
from tests.cluster.builders import ALONE, LOOK, NAME, ORIGINAL, STRANGER, member

SEEDED = evolve(ALONE, listens_for=("discovery.initialPeers",))
SELF = member(NAME, host="10.0.0.1")
HEARD = evolve(LOOK, data=Empty(), gossip=(SELF,), listening_since=LOOK.now - 60.0)


def ring(*others: GossipMember) -> Observation:
    """A node that has listened for long, with others."""
    return evolve(HEARD, gossip=(SELF, *others))


class MayNotFoundTests(SynchronousTestCase):
    """`may_not_found`."""

    def refused(
        self, code: Code, observation: Observation, policy: Policy = ALONE
    ) -> str:
        """Why not."""
        refusal = may_not_found(observation, policy)
        assert refusal is not None
        self.assertIs(refusal.code, code)
        return refusal.reason

    def allowed(self, observation: Observation, policy: Policy = ALONE) -> None:
        """It may."""
        self.assertIsNone(may_not_found(observation, policy))

    def test_alone(self) -> None:
        """Who has nobody to talk to asks nobody."""
        self.allowed(evolve(LOOK, data=Empty()))

    def test_heard_all_seeds(self) -> None:
        """A10: all seeds answered, none knows of this cluster."""
        self.allowed(HEARD, SEEDED)
        self.allowed(ring(STRANGER), SEEDED)

    def test_listens_first(self) -> None:
        """A10: what the seeds know takes a moment to arrive."""
        just = evolve(HEARD, listening_since=LOOK.now - 14.0)
        self.refused(Code.LISTENING, just, SEEDED)
        self.allowed(evolve(HEARD, listening_since=LOOK.now - 15.0), SEEDED)

    def test_does_not_gossip(self) -> None:
        """Who cannot listen does not know, and says why it cannot."""
        deaf = evolve(
            HEARD, gossip=None, listening_since=None, ring_problem="port 7980 is taken"
        )
        self.assertIn("7980", self.refused(Code.LISTENING, deaf, SEEDED))

    def test_a_silent_seed(self) -> None:
        """Could not tell is never none: the seed that does not answer is named."""
        silent = evolve(HEARD, unheard=(Address("10.0.0.7", 7980),))
        reason = self.refused(Code.LISTENING, silent, SEEDED)
        self.assertIn("10.0.0.7:7980", reason)

    def test_discovery_that_cannot_tell(self) -> None:
        """Who could not be looked up is not nobody."""
        failing = evolve(HEARD, untold=("the file /etc/peers: it does not exist",))
        reason = self.refused(Code.LISTENING, failing, SEEDED)
        self.assertIn("/etc/peers", reason)

    def test_beside_others(self) -> None:
        """Whatever rank a node of this cluster has, it may know better."""
        for rank in Rank:
            other = member("n2", rank=rank)
            reason = self.refused(Code.OTHERS, ring(other))
            self.assertIn(f"n2 ({rank.value})", reason)

    def test_beside_somebody_unreadable(self) -> None:
        """Who says what cannot be read, or nothing, may be of this cluster."""
        newer = evolve(member("n2"), digest=UnreadableDigest(reason="in format 9"))
        self.refused(Code.OTHERS, ring(newer))
        self.refused(Code.OTHERS, ring(evolve(newer, digest=None)))

    def test_beside_another_cluster(self) -> None:
        """A20: nodes of another cluster are none of ours."""
        self.allowed(ring(STRANGER))

    def test_originals_have_a_reason_of_their_own(self) -> None:
        """With gossip.compat the reason names them as what they are."""
        self.allowed(ring(ORIGINAL), evolve(ALONE, compat=True))

    def test_name_taken(self) -> None:
        """Nothing is founded under a name that another node has, wherever it is."""
        other = Address("10.0.0.8", 7980)
        for held, claimed in ((SELF.address, other), (other, SELF.address)):
            clash = NameClash(
                name=NAME, held=held, claimed=claimed, ours=True, last=LOOK.now
            )
            reason = self.refused(Code.NAME_TAKEN, evolve(HEARD, clashes=(clash,)))
            self.assertIn("10.0.0.8:7980", reason)

    def test_names_of_others(self) -> None:
        """That two others quarrel about theirs does not matter here."""
        clash = NameClash(
            name=STRANGER.name,
            held=STRANGER.address,
            claimed=Address("10.0.0.8", 7980),
            ours=False,
            last=LOOK.now,
        )
        self.allowed(evolve(HEARD, clashes=(clash,)))

    def test_who_cannot_be_asked(self) -> None:
        """A10: discovery that this version cannot ask may know others."""
        policy = evolve(ALONE, cannot_ask=("discovery.type dns",))
        self.refused(Code.MUST_LISTEN_FIRST, HEARD, policy)
