"""Tests of `e2d.gossip.key_changes`: keys are changed and no packet is lost."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from random import Random
from typing import TypeVar

from twisted.internet.defer import Deferred
from twisted.logger import LogEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from e2d.gossip.key_changes import KeyChanges
from e2d.gossip.key_holder import FILE_NAME
from e2d.gossip.key_letters import KeyRequest, Wish
from e2d.interfaces import IRingKeys, KeyChangeRefused
from e2d.model import KeyName, KeySurvey, name_key
from tests.gossip.key_nodes import GRACE, KeyNode, KeyRing

T = TypeVar("T")

A, B, C = (bytes([number]) * 32 for number in (1, 2, 3))
LONG = bool(os.environ.get("E2D_LONG"))


class KeyChangesTests(SynchronousTestCase):
    """Three nodes, nothing lost."""

    def setUp(self) -> None:
        """Given a ring that is sealed with A."""
        self.ring = KeyRing()
        self.nodes = [self.ring.add(A) for _ in range(3)]
        self.first = self.nodes[0].changes

    def done(self, work: Awaitable[T]) -> T:
        """It is done at once."""
        return self.successResultOf(Deferred.fromCoroutine(work))  # type: ignore[arg-type]

    def refused(self, work: Awaitable[T]) -> str:
        """It is refused, and says why."""
        failure = self.failureResultOf(
            Deferred.fromCoroutine(work),  # type: ignore[arg-type]
            KeyChangeRefused,
        )
        error = failure.value
        assert isinstance(error, KeyChangeRefused)
        return error.message

    def keys(self) -> list[tuple[bytes, ...]]:
        """What each node has, the one in use first."""
        return [node.keyring.keys for node in self.nodes]

    def test_interface(self) -> None:
        """It is what the API asks for."""
        self.assertTrue(verifyObject(IRingKeys, self.first))

    def test_survey(self) -> None:
        """Each tells its keys by name."""
        survey = self.done(self.first.survey())
        self.assertEqual(set(survey.answers), {"n1", "n2", "n3"})
        self.assertEqual(survey.using(name_key(A)), ("n1", "n2", "n3"))

    def test_rotate(self) -> None:
        """All use the new key, and accept the old one for its grace."""
        self.assertEqual(self.done(self.first.rotate(B, "uid 0")), name_key(B))
        self.assertEqual(self.keys(), [(B, A)] * 3)
        survey = self.done(self.first.survey())
        self.assertEqual({keys.change for keys in answers(survey)}, {None})

    def test_the_old_key_retires(self) -> None:
        """After the grace nobody accepts it, and nobody had to be asked."""
        for node in self.nodes:
            node.changes.startService()
            self.addCleanup(node.changes.stopService)
        self.ring.clock.advance(0)
        self.done(self.first.rotate(B, "uid 0"))
        self.ring.clock.advance(GRACE.total_seconds() - 120)
        self.assertEqual(self.keys(), [(B, A)] * 3)
        self.ring.clock.advance(120)
        self.ring.clock.advance(60)
        self.assertEqual(self.keys(), [(B,)] * 3)

    def test_step_by_step(self) -> None:
        """Add, use, remove."""
        name = self.done(self.first.add(B, "uid 0"))
        self.assertEqual(self.keys(), [(A, B)] * 3)
        self.done(self.nodes[1].changes.use(name, "uid 0"))
        self.done(self.nodes[2].changes.remove(name_key(A), "uid 0"))
        self.assertEqual(self.keys(), [(B,)] * 3)

    def test_use_what_not_all_accept(self) -> None:
        """Who does not is named, and nobody is told to use it."""
        self.done(self.first.add(B, "uid 0"))
        self.nodes.append(self.ring.add(A))
        message = self.refused(self.first.use(name_key(B), "uid 0"))
        self.assertIn("n4", message)
        self.assertEqual({keys[0] for keys in self.keys()}, {A})

    def test_remove_what_is_in_use(self) -> None:
        """Who uses it is named."""
        message = self.refused(self.first.remove(name_key(A), "uid 0"))
        self.assertIn("n1, n2, n3", message)

    def test_abort_before_it_is_used(self) -> None:
        """The new key goes."""
        self.done(self.first.add(B, "uid 0"))
        back = self.done(self.nodes[2].changes.abort("uid 0"))
        self.assertEqual(back, name_key(A))
        self.assertEqual(self.keys(), [(A,)] * 3)

    def test_abort_after_some_use_it(self) -> None:
        """All go back first, and then the new key goes."""
        name = self.done(self.first.add(B, "uid 0"))
        for wish in (Wish.LOCK, Wish.USE, Wish.UNLOCK):
            request = KeyRequest(wish=wish, name=name)
            self.done(self.nodes[1].holder.carry_out(request))
        self.done(self.first.abort("uid 0"))
        self.assertEqual(self.keys(), [(A,)] * 3)

    def test_nothing_to_abort(self) -> None:
        """A change that is over is not undone."""
        self.refused(self.first.abort("uid 0"))
        self.done(self.first.rotate(B, "uid 0"))
        self.refused(self.first.abort("uid 0"))

    def test_two_changes_at_once(self) -> None:
        """The second is refused, and says of what."""
        self.done(self.first.add(B, "uid 0"))
        message = self.refused(self.nodes[1].changes.rotate(C, "uid 0"))
        self.assertIn(name_key(B), message)

    def test_another_node_goes_on(self) -> None:
        """Who began a change may be gone."""
        name = self.done(self.first.add(B, "uid 0"))
        self.ring.kill(self.nodes[0])
        self.ring.clock.advance(10)
        self.done(self.nodes[1].changes.use(name, "uid 0"))
        self.assertEqual(self.keys()[1:], [(B, A)] * 2)

    def test_a_node_that_does_not_answer(self) -> None:
        """Nothing goes on without it; it is named."""
        self.nodes[2].lossy.loss = 1.0
        adding = Deferred.fromCoroutine(self.first.add(B, "uid 0"))
        for _ in range(60):
            self.ring.clock.advance(1)
        failure = self.failureResultOf(adding, KeyChangeRefused)
        self.assertIn("n3", str(failure.value))
        self.assertEqual({keys[0] for keys in self.keys()}, {A})

    def test_no_ring(self) -> None:
        """A node that does not gossip says so."""
        self.nodes[0].ring.hinder("the port is taken")
        self.assertIn("no gossip ring", self.refused(self.first.survey()))

    def test_no_keys(self) -> None:
        """A ring that is not sealed has nothing to change: a key sent would be read."""
        self.done(self.nodes[0].holder.begin(()))
        self.assertIn("not sealed", self.refused(self.first.add(B, "uid 0")))

    def test_no_key_in_the_log(self) -> None:
        """Names are logged; keys never."""
        events: list[LogEvent] = []
        globalLogPublisher.addObserver(events.append)
        self.addCleanup(globalLogPublisher.removeObserver, events.append)
        self.done(self.first.rotate(B, "uid 0"))
        said = repr(events)
        self.assertIn(name_key(B), said)
        for form in (B.hex(), repr(B)):
            self.assertNotIn(form, said)


class PersistenceTests(SynchronousTestCase):
    """What was changed survives a restart."""

    def test_restart(self) -> None:
        """A node comes back with the ring's key, whatever it is configured with."""
        ring = KeyRing()
        node, _other = ring.add(A), ring.add(A)
        self.successResultOf(Deferred.fromCoroutine(node.changes.rotate(B, "uid 0")))
        directory = node.holder._directory
        ring.kill(node)
        again = ring.add(A, directory=directory)
        self.assertEqual(again.keyring.keys, (B, A))
        self.assertIsNone(ring.unread())

    def test_only_its_owner_reads_it(self) -> None:
        """There are keys in it."""
        ring = KeyRing()
        node = ring.add(A)
        self.successResultOf(Deferred.fromCoroutine(node.changes.add(B, "uid 0")))
        path = os.path.join(node.holder._directory, FILE_NAME)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)

    def test_a_file_that_cannot_be_understood(self) -> None:
        """It is kept aside, and the configured keys are used."""
        ring = KeyRing()
        directory = ring.add(A).holder._directory
        path = os.path.join(directory, FILE_NAME)
        with open(path, "w", encoding="utf-8") as file:
            file.write("{")
        self.assertEqual(ring.add(A, directory=directory).keyring.keys, (A,))
        self.assertTrue(os.path.exists(f"{path}.aside"))


MINUTES = 600
"""In seconds: all that a command waits for."""


class Reckless(KeyChanges):
    """Uses a key without asking who accepts it."""

    async def _use(self, owner: bytes, name: KeyName) -> None:
        await self._everywhere(owner, Wish.USE, name)


class Impatient(KeyChanges):
    """Does not wait for who does not answer."""

    async def _complete(self, request: KeyRequest) -> KeySurvey:
        return await self._ask_all(request)


class Hasty(KeyChanges):
    """Removes before it is sure that all use another key."""

    async def _remove(self, owner: bytes, name: KeyName) -> None:
        await self._everywhere(owner, Wish.REMOVE, name)


class Backward(KeyChanges):
    """Takes the new key away before all have gone back to the old one."""

    async def _everywhere(self, owner: bytes, wish: Wish, name: KeyName) -> None:
        if wish is Wish.USE and name == name_key(A):
            return
        await super()._everywhere(owner, wish, name)


class SimulationTests(SynchronousTestCase):
    """Losses, deaths and newcomers in the middle of changes."""

    timeout = 3600.0

    def run_seed(self, seed: int, make: type[KeyChanges]) -> str | None:
        """What was not read, and when; None: everybody always read everybody."""
        ring = KeyRing(seed, make)
        for _ in range(4):
            ring.add(A)
        random = Random(seed)
        unread = None
        for _ in range(40):
            self.strike(ring, random)
            for _ in range(20):
                ring.clock.advance(0.5)
                unread = unread or ring.unread()
        for _ in range(MINUTES):
            ring.clock.advance(1.0)  # what is under way comes to its end
        return unread and f"seed {seed}: {unread}"

    def strike(self, ring: KeyRing, random: Random) -> None:
        """Something happens."""
        alive = [node for node in ring.nodes if node.up]
        node = random.choice(alive)
        for each in alive:
            each.lossy.loss = random.choice((0.0, 0.0, 0.0, 0.4, 1.0))
        key = random.choice((A, B, C))
        acts: list[Callable[[], object]] = [
            lambda: node.changes.rotate(key, "sim"),
            lambda: node.changes.add(key, "sim"),
            lambda: node.changes.use(name_key(key), "sim"),
            lambda: node.changes.remove(name_key(key), "sim"),
            lambda: node.changes.abort("sim"),
        ]
        what = random.choice((0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 6))
        if what < len(acts):
            doing = Deferred.fromCoroutine(acts[what]())  # type: ignore[arg-type]
            doing.addErrback(lambda failure: failure.trap(KeyChangeRefused))
        elif what == len(acts) and len(alive) > 2:
            ring.kill(node)
        elif len(alive) < 6:
            self.newcomer(ring, node)

    def newcomer(self, ring: KeyRing, known: KeyNode) -> None:
        """It is configured with what one of the ring accepts: else it never enters."""
        in_use = {node.keyring.primary for node in ring.nodes if node.up}
        if in_use <= set(known.keyring.keys) and all(
            known.keyring.primary in node.keyring.keys for node in ring.nodes if node.up
        ):
            ring.add(*known.keyring.keys)

    def test_seeds(self) -> None:
        """No packet is lost, whatever happens."""
        for seed in range(400 if LONG else 25):
            self.assertIsNone(self.run_seed(seed, KeyChanges))


class OrderTests(SynchronousTestCase):
    """Each rule of the order counts: without it, somebody cannot read somebody."""

    def partly(
        self, make: type[KeyChanges], wish: Wish, *ready: int
    ) -> tuple[KeyRing, KeyChanges]:
        """
        Three nodes, of which only some were reached in the last step towards B.

        :param wish: the step.
        :param ready: who was.
        """
        ring = KeyRing(make=make)
        for _ in range(3):
            ring.add(A)
        steps = [Wish.ADD] if wish is Wish.ADD else [Wish.ADD, Wish.USE]
        for step in steps:
            for number, node in enumerate(ring.nodes):
                if step is not wish or number in ready:
                    self.asked(node, step)
        return ring, ring.nodes[0].changes

    def asked(self, node: KeyNode, wish: Wish) -> None:
        """One node does one step."""
        for each in (Wish.LOCK, wish, Wish.UNLOCK):
            request = KeyRequest(wish=each, name=name_key(B), key=B, old=name_key(A))
            self.successResultOf(Deferred.fromCoroutine(node.holder.carry_out(request)))

    def tried(self, work: Awaitable[object]) -> None:
        """Whether it is refused or not."""
        doing = Deferred.fromCoroutine(work)  # type: ignore[arg-type]
        doing.addErrback(lambda failure: failure.trap(KeyChangeRefused))
        self.successResultOf(doing)

    def test_nobody_uses_what_not_all_accept(self) -> None:
        """Who lacks the key is asked for first."""
        for make, lost in ((KeyChanges, False), (Reckless, True)):
            ring, changes = self.partly(make, Wish.ADD, 0, 1)
            self.tried(changes.use(name_key(B), "uid 0"))
            self.assertIs(ring.unread() is not None, lost, make.__doc__)

    def test_nobody_drops_what_somebody_uses(self) -> None:
        """Who uses the key is asked for first."""
        for make, lost in ((KeyChanges, False), (Hasty, True)):
            ring, changes = self.partly(make, Wish.USE, 1)
            self.tried(changes.remove(name_key(B), "uid 0"))
            self.assertIs(ring.unread() is not None, lost, make.__doc__)

    def test_all_go_back_before_the_new_key_goes(self) -> None:
        """An abort is a change like any other."""
        for make, lost in ((KeyChanges, False), (Backward, True)):
            ring, changes = self.partly(make, Wish.USE, 1)
            self.tried(changes.abort("uid 0"))
            self.assertIs(ring.unread() is not None, lost, make.__doc__)

    def test_who_does_not_answer_is_waited_for(self) -> None:
        """Silence is not consent."""
        for make, lost in ((KeyChanges, False), (Impatient, True)):
            ring = KeyRing(make=make)
            for _ in range(3):
                ring.add(A)
            ring.memory.cut(ring.nodes[0].ring, ring.nodes[2].ring)
            doing = Deferred.fromCoroutine(ring.nodes[0].changes.rotate(B, "uid 0"))
            doing.addErrback(lambda failure: failure.trap(KeyChangeRefused))
            for _ in range(MINUTES):
                ring.clock.advance(1.0)
            self.assertIs(ring.unread() is not None, lost, make.__doc__)


def answers(survey: KeySurvey) -> list:  # type: ignore[type-arg]
    """Of those who answered."""
    return [keys for keys in survey.answers.values() if keys is not None]
