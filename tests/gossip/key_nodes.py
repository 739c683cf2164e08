"""Nodes of a ring whose keys are changed, with letters that may get lost."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from random import Random
from tempfile import mkdtemp
from typing import Any, TypeVar

from attrs import define, evolve, field

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock, deferLater
from twisted.logger import Logger
from zope.interface import implementer

from e2d.gossip.key_changes import KeyChanges
from e2d.gossip.key_holder import KeyHolder
from e2d.interfaces import IMembership, Undelivered
from e2d.model import NodeName, RingView
from e2d.swim.sealing import Keyring
from e2d.testing.contracts.membership import announcement
from e2d.testing.membership import MemoryMembership, MemoryRing

__all__ = ["KeyNode", "KeyRing"]

T = TypeVar("T")

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
GRACE = timedelta(days=7)
LONGEST_DELAY = 2.0


async def at_once(function: Callable[[], T]) -> T:
    """There is no pool."""
    return function()


@implementer(IMembership)
@define(eq=False)
class LossyMembership:
    """A node's ring, whose letters may be late, or never arrive."""

    _inner: MemoryMembership
    _clock: Clock
    _random: Random
    loss: float = 0.0

    def view(self) -> RingView:
        """What the ring is."""
        return evolve(self._inner.view(), encrypted=True)

    def subscribe(self, listener: Callable[[], None]) -> None:
        """As in any ring."""
        self._inner.subscribe(listener)

    def announce(self, said: Any) -> None:  # noqa: ANN401 - passed on
        """As in any ring."""
        self._inner.announce(said)

    async def deliver(self, to: NodeName, letter: bytes) -> None:
        """Sometimes it is said that it was, and it was not."""
        if self.loss == 0.0:
            await self._inner.deliver(to, letter)
            return
        await deferLater(self._clock, self._random.random() * LONGEST_DELAY)
        fate = self._random.random()
        if fate < self.loss / 2:
            raise Undelivered(to, "lost")
        if fate >= self.loss:
            await self._inner.deliver(to, letter)

    def receive_letters(
        self, listener: Callable[[NodeName | None, bytes], None]
    ) -> None:
        """As in any ring."""
        self._inner.receive_letters(listener)


@define(eq=False, kw_only=True)
class KeyNode:
    """
    A node.

    :ivar keyring: what it seals and opens with.
    """

    name: NodeName
    ring: MemoryMembership
    lossy: LossyMembership
    holder: KeyHolder
    changes: KeyChanges
    keyring: Keyring
    up: bool = True


@define(eq=False)
class KeyRing:
    """All of them, on one clock."""

    seed: int = 0
    make: type[KeyChanges] = KeyChanges
    clock: Clock = field(factory=Clock, init=False)
    random: Random = field(init=False)
    memory: MemoryRing = field(init=False)
    nodes: list[KeyNode] = field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        self.random = Random(self.seed)
        self.memory = MemoryRing(self.clock)

    def wall_clock(self) -> datetime:
        """In step with the clock."""
        return NOON + timedelta(seconds=self.clock.seconds())

    def add(self, *configured: bytes, directory: str | None = None) -> KeyNode:
        """One node more, that is configured with these keys."""
        inner = self.memory.make_node()
        number = len(self.nodes) + 1
        name = NodeName(f"n{number}")
        inner.announce(announcement(name, number=number))
        lossy = LossyMembership(inner, self.clock, self.random)

        def take(keyring: Keyring) -> None:
            node.keyring = keyring

        holder = KeyHolder(
            clock=self.clock,
            directory=directory or mkdtemp(prefix="e2d-keys-"),
            run_in_pool=at_once,
            wall_clock=self.wall_clock,
            grace=GRACE,
            take=take,
            log=Logger(),
        )
        keyring = now(holder.begin(configured))
        assert keyring is not None
        node = KeyNode(
            name=name,
            ring=inner,
            lossy=lossy,
            holder=holder,
            changes=self.make(
                clock=self.clock,
                membership=lossy,
                holder=holder,
                nonce=self.random.randbytes,
                log=Logger(),
            ),
            keyring=keyring,
        )
        self.nodes.append(node)
        return node

    def kill(self, node: KeyNode) -> None:
        """It is gone without a word."""
        node.up = False
        self.memory.kill(node.ring)

    def unread(self) -> str | None:
        """Who cannot open what another seals; None: all can."""
        alive = [node for node in self.nodes if node.up]
        for sealing in alive:
            for opening in alive:
                if sealing.keyring.primary not in opening.keyring.keys:
                    return f"{opening.name} cannot read {sealing.name}"
        return None


def now(work: Coroutine[Any, Any, T]) -> T:
    """What comes of something that takes no time."""
    results: list[T] = []
    done = Deferred.fromCoroutine(work)
    done.addCallback(results.append)  # type: ignore[unused-awaitable]
    (result,) = results
    return result
