"""The fake cluster: quorum, elections, learners, links."""

from __future__ import annotations

from collections.abc import Coroutine
from random import Random
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from e2d.interfaces import EtcdRefused, EtcdUnavailable, IEtcdClient
from e2d.model import EtcdRole, MemberID
from e2d.testing.etcd import FakeEtcdCluster
from e2d.testing.etcd_roster import RULES
from e2d.testing.etcd_store import Store

_T = TypeVar("_T")


class ClusterCase(SynchronousTestCase):
    """Three nodes that have known each other for a minute."""

    line = (3, 5)

    def setUp(self) -> None:
        """Found it."""
        self.clock = Clock()
        self.cluster = FakeEtcdCluster(
            self.clock, Random(1), ("n1", "n2", "n3"), RULES[self.line]
        )
        self.clock.advance(60)

    def id_of(self, name: str) -> MemberID:
        """A member's id."""
        return self.cluster.node(name).member_id

    def at(self, name: str) -> IEtcdClient:
        """A client of a member."""
        return self.cluster.client(self.id_of(name))

    def now(self, asked: Coroutine[Any, Any, _T]) -> _T:
        """An answer that is there at once."""
        return self.successResultOf(Deferred.fromCoroutine(asked))

    def refused(self, asked: Coroutine[Any, Any, object]) -> str:
        """The words of a refusal."""
        failure = self.failureResultOf(Deferred.fromCoroutine(asked), EtcdRefused)
        return str(failure.value.message).removeprefix("etcdserver: ")


class QuorumTests(ClusterCase):
    """What needs a majority, and what does not."""

    def test_stopped_member(self) -> None:
        """A stopped member does not answer; the others go on, after an election."""
        leader = self.cluster.leader
        assert leader is not None
        name = self.cluster.nodes[leader].name
        left = next(other for other in ("n1", "n2", "n3") if other != name)
        self.cluster.stop(leader)
        self.failureResultOf(
            Deferred.fromCoroutine(self.cluster.client(leader).status()),
            EtcdUnavailable,
        )
        writing = Deferred.fromCoroutine(self.at(left).put(b"key", b"", None))
        self.clock.advance(0.5)
        self.assertNoResult(writing)
        self.clock.advance(0.5)
        self.successResultOf(writing)

    def test_cut_off_member(self) -> None:
        """
        A minority proves nothing and remembers an old truth; healed, it catches
        up.
        """
        others = [self.id_of("n2"), self.id_of("n3")]
        self.cluster.partition([self.id_of("n1")], others)
        self.clock.advance(2)
        self.now(self.at("n2").put(b"key", b"new", None))
        listing = Deferred.fromCoroutine(self.at("n1").members())
        self.clock.advance(5)
        self.failureResultOf(listing, EtcdUnavailable)
        self.assertEqual(len(self.now(self.at("n1").members_seen())), 3)
        self.assertIsNone(self.now(self.at("n1").get_serializable(b"key")))
        status = self.now(self.at("n1").status())
        self.assertEqual(
            (status.leader, status.errors), (None, ("etcdserver: no leader",))
        )
        self.cluster.heal()
        held = self.now(self.at("n1").get_serializable(b"key"))
        assert held is not None
        self.assertEqual(held.value, b"new")

    def test_paused_member(self) -> None:
        """A frozen member answers nobody until it goes on."""
        self.cluster.pause(self.id_of("n3"))
        asked = Deferred.fromCoroutine(self.at("n3").status())
        self.assertNoResult(asked)
        self.cluster.resume(self.id_of("n3"))
        self.successResultOf(asked)

    def test_watch_ends_without_leader(self) -> None:
        """A member that lost its leader ends its watches."""
        watch = self.now(self.at("n1").watch(b"key", None, None))
        self.cluster.stop(self.id_of("n2"))
        self.cluster.stop(self.id_of("n3"))
        self.failureResultOf(Deferred.fromCoroutine(watch.next()), EtcdUnavailable)

    def test_lease_outlives_its_leader(self) -> None:
        """A new leader gives leases their whole time again."""
        lease = self.now(self.at("n1").grant_lease(10))
        self.now(self.at("n1").put(b"key", b"", lease))
        self.clock.advance(9)
        leader = self.cluster.leader
        assert leader is not None
        target = next(known for known in self.cluster.nodes if known != leader)
        self.now(self.cluster.client(leader).move_leader(target))
        self.clock.advance(9)
        self.assertIsNotNone(self.now(self.at("n1").get(b"key")))
        self.clock.advance(1)
        self.assertIsNone(self.now(self.at("n1").get(b"key")))

    def test_full_member(self) -> None:
        """One full member stops all writing until it is cleared; deletes pass."""
        self.cluster.raise_alarm(self.id_of("n2"), "NOSPACE")
        words = self.refused(self.at("n1").put(b"key", b"", None))
        self.assertEqual(words, "mvcc: database space exceeded")
        self.assertEqual(self.now(self.at("n1").delete(b"key", None)), 0)
        alarms = self.now(self.at("n3").alarms())
        self.assertEqual(alarms, {self.id_of("n2"): ["NOSPACE"]})
        self.now(self.at("n1").disarm(self.id_of("n2"), "NOSPACE"))
        self.now(self.at("n1").put(b"key", b"", None))


class MembershipTests(ClusterCase):
    """Etcd's strictness about members."""

    def test_learner(self) -> None:
        """A learner answers status and serializable reads, catches up, and votes."""
        url = "http://n4:2380"
        learner = self.now(self.at("n1").add_learner([url]))
        self.cluster.boot(learner.member_id, "n4", catch_up=3.0)
        client = self.cluster.client(learner.member_id)
        self.assertIs(self.now(client.status()).role, EtcdRole.LEARNER)
        self.assertIsNone(self.now(client.get_serializable(b"key")))
        unsupported = "rpc not supported for learner"
        self.assertEqual(self.refused(client.get(b"key")), unsupported)
        self.assertEqual(self.refused(client.members()), unsupported)
        words = "can only promote a learner member which is in sync with leader"
        self.assertEqual(self.refused(self.at("n1").promote(learner.member_id)), words)
        self.clock.advance(3)
        self.now(self.at("n1").promote(learner.member_id))
        self.assertIs(self.now(client.status()).role, EtcdRole.VOTER)
        self.assertEqual([m.name for m in self.now(client.members())].count("n4"), 1)

    def test_five_seconds(self) -> None:
        """No member is added before all voters were connected for five seconds."""
        self.cluster.stop(self.id_of("n3"))
        add = ["http://n4:2380"]
        self.assertEqual(
            self.refused(self.at("n1").add_learner(add)), "unhealthy cluster"
        )
        self.cluster.start(self.id_of("n3"))
        self.clock.advance(4.9)
        self.assertEqual(
            self.refused(self.at("n1").add_learner(add)), "unhealthy cluster"
        )
        self.clock.advance(0.1)
        self.now(self.at("n1").add_learner(add))

    def test_dead_member_is_removed(self) -> None:
        """A dead voter may go, a living one not while another is dead."""
        self.cluster.stop(self.id_of("n3"))
        self.clock.advance(2)
        leader = self.cluster.leader
        assert leader is not None
        client = self.cluster.client(leader)
        alive = next(n for n in ("n1", "n2") if self.id_of(n) != leader)
        self.assertEqual(
            self.refused(client.remove(self.id_of(alive))), "unhealthy cluster"
        )
        self.now(client.remove(self.id_of("n3")))
        self.assertEqual(len(self.now(client.members())), 2)

    def test_removed_member_exits(self) -> None:
        """A removed member's process ends for good."""
        leader = self.cluster.leader
        assert leader is not None
        gone = next(known for known in self.cluster.nodes if known != leader)
        self.now(self.cluster.client(leader).remove(gone))
        self.assertFalse(self.cluster.nodes[gone].running)


class FrozenTests_3_4(ClusterCase):  # noqa: N801 - named by the line
    """A frozen member of the 3.4 line is noticed at once (F7)."""

    line = (3, 4)
    refused_at_once = True

    def test_add_while_one_is_frozen(self) -> None:
        """Whether a member can be added while another is frozen."""
        leader = self.cluster.leader
        assert leader is not None
        frozen = next(known for known in self.cluster.nodes if known != leader)
        self.cluster.pause(frozen)
        self.clock.advance(1)
        adding = self.cluster.client(leader).add_learner(["http://n4:2380"])
        if self.refused_at_once:
            self.assertEqual(self.refused(adding), "unhealthy cluster")
        else:
            self.now(adding)


class FrozenTests_3_5(FrozenTests_3_4):  # noqa: N801 - named by the line
    """One of the 3.5 line still looks connected."""

    line = (3, 5)
    refused_at_once = False


class StoreTests(ClusterCase):
    """Snapshots of the fake can be restored."""

    def test_round_trip(self) -> None:
        """What was dumped is what is loaded."""
        self.now(self.at("n1").put(b"key", b"\xff", None))
        store = self.cluster.node("n1").replica.store
        loaded = Store.load(store.dump())
        self.assertEqual(loaded.get(b"key"), store.get(b"key"))
        self.assertEqual(loaded.hash(None), store.hash(None))

    def test_damage(self) -> None:
        """A flipped bit is noticed."""
        dump = bytearray(self.cluster.node("n1").replica.store.dump())
        dump[3] ^= 1
        self.assertRaises(ValueError, Store.load, bytes(dump))
