"""What is done to both clusters in lockstep: random operations from one seed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from random import Random

from attrs import define, field

from e2d.interfaces import Compare, CompareResult, CompareTarget, IEtcdClient
from e2d.model import LeaseID, Revision
from tests.integration.lockstep import (
    SETTLE,
    FakeSide,
    RealSide,
    Side,
    answer_of,
    operation,
)

__all__ = ["Lockstep"]

_KEYS = [b"a", b"a0", b"b", b"b/1", b"b/2", b"c", b"d\x00", b"d\xff"]
_HEALTHY = 6.0
Ask = Callable[[Side], Awaitable[object]]


@define(eq=False)
class Lockstep:
    """
    One run: what was done, and to whom it can be done next.

    :param random: seeded; every choice comes from it.
    """

    random: Random
    fake: FakeSide
    real: RealSide
    running: list[str]
    members: list[str]
    learner: str | None = None
    revision: int = 1
    leases: list[int] = field(factory=list)
    done: list[str] = field(factory=list)

    # -- both sides -------------------------------------------------------------

    async def same(self, what: str, ask: Ask) -> object:
        """Ask both; the answers must be equal."""
        self.done.append(what)
        real = await answer_of(self.real, ask)
        fake = await answer_of(self.fake, ask)
        if real != fake:
            told = "\n  ".join(self.done[-15:])
            raise AssertionError(f"after\n  {told}\nreal {real!r}\nfake {fake!r}")
        return real

    async def settle(self, seconds: float = SETTLE) -> None:
        """Time for elections; then the fake has the leader of the real ones."""
        await self.fake.wait(seconds)
        await self.real.wait(seconds)
        await self.fake.follow(await self.real.leader(self.voters_running()))

    def voters_running(self) -> list[str]:
        """Nodes that run and vote."""
        return [name for name in self.running if name != self.learner]

    def anyone(self) -> str:
        """A running voter."""
        return self.random.choice(self.voters_running())

    # -- keys -------------------------------------------------------------------

    async def keys(self, count: int) -> None:
        """So many operations on keys."""
        kinds = [self.put, self.get, self.delete, self.page, self.transact]
        kinds += [self.put, self.page, self.lease, self.stale, self.compact]
        for _ in range(count):
            await self.random.choice(kinds)()

    def key(self) -> bytes:
        """One of few, so that operations meet."""
        return self.random.choice(_KEYS)

    def span(self) -> tuple[bytes, bytes]:
        """A range of keys."""
        if self.random.random() < 0.1:
            return (self.key(), b"\0")
        first, last = sorted((self.key(), self.key()))
        return (first, last + b"\0")

    async def put(self) -> None:
        """Put a key, rarely with a lease or without a key."""
        who, key = self.anyone(), self.key()
        value = b"%d" % self.random.randrange(1000)
        lease = self.random.choice([None, None, *self.leases])
        if self.random.random() < 0.03:
            key = b""
        answer = await self.same(
            f"put {who} {key!r} {value!r} lease {lease}",
            lambda side: side.client(who).put(key, value, side.lease(lease)),
        )
        if isinstance(answer, int):
            self.revision = answer

    async def get(self) -> None:
        """Read one key."""
        who, key = self.anyone(), self.key()
        await self.same(f"get {who} {key!r}", lambda side: side.client(who).get(key))

    async def stale(self) -> None:
        """Read one key after a linearizable read on the same node."""
        who, key = self.random.choice(self.running), self.key()
        if who == self.learner:
            await self.same(f"{who} read", lambda side: side.client(who).get(key))
        else:
            await self.same(f"{who} read", lambda side: side.client(who).get(b"z"))
            await self.same(
                f"stale {who} {key!r}",
                lambda side: side.client(who).get_serializable(key),
            )

    async def delete(self) -> None:
        """Delete a key or a range."""
        who, (key, end) = self.anyone(), self.span()
        last = end if self.random.random() < 0.3 else None
        await self.same(
            f"delete {who} {key!r} {last!r}",
            lambda side: side.client(who).delete(key, last),
        )

    async def page(self) -> None:
        """Read a part of a range, now or then."""
        who, (key, end) = self.anyone(), self.span()
        limit = self.random.randrange(1, 5)
        past = max(1, self.revision + self.random.randrange(-8, 3))
        revision = Revision(past) if self.random.random() < 0.5 else None
        await self.same(
            f"page {who} {key!r} {end!r} {limit} at {revision}",
            lambda side: _page(side.client(who), key, end, limit, revision),
        )

    async def transact(self) -> None:
        """A transaction of random conditions and operations."""
        who, conditions = self.anyone(), [self.compare() for _ in range(2)]
        then = [operation(self.random, self.key) for _ in range(2)]
        otherwise = [operation(self.random, self.key) for _ in range(2)]
        await self.same(
            f"txn {who} {conditions} {then} {otherwise}",
            lambda side: side.client(who).transact(conditions, then, otherwise),
        )

    def compare(self) -> Compare:
        """A condition."""
        result = self.random.choice(list(CompareResult))
        numbers = [
            (CompareTarget.VERSION, self.random.randrange(3)),
            (CompareTarget.MOD_REVISION, self.revision),
            (CompareTarget.CREATE_REVISION, self.random.choice([0, self.revision])),
        ]
        if self.random.random() < 0.3:
            value = b"%d" % self.random.randrange(1000)
            return Compare(self.key(), CompareTarget.VALUE, result, value)
        target, number = self.random.choice(numbers)
        return Compare(self.key(), target, result, number)

    async def lease(self) -> None:
        """Grant, keep or revoke a lease, dead ones too."""
        who = self.anyone()
        choice = self.random.random()
        if choice < 0.4 or not self.leases:
            ttl = self.random.randrange(600, 1000)
            number = len(self.fake.leases)
            await self.same(f"grant {ttl}", lambda side: _grant(side, who, ttl))
            self.leases.append(number)
            return
        number = self.random.choice(self.leases)
        if choice < 0.7:
            await self.same(
                f"keep {number}",
                lambda side: side.client(who).keep_lease(_held(side, number)),
            )
        else:
            await self.same(
                f"revoke {number}",
                lambda side: side.client(who).revoke_lease(_held(side, number)),
            )

    async def compact(self) -> None:
        """Forget some history, or try to."""
        if self.random.random() < 0.7:
            return
        who, revision = self.anyone(), Revision(max(1, self.revision - 3))
        await self.same(
            f"compact {who} {revision}",
            lambda side: side.client(who).compact(revision),
        )

    # -- nodes and members ------------------------------------------------------

    async def kill_and_start(self) -> None:
        """A node dies, perhaps the leader; the others go on; it comes back."""
        who = self.random.choice(self.voters_running())
        await self.kill(who)
        await self.same(f"dead {who}", lambda side: side.client(who).get(b"a"))
        await self.keys(15)
        await self.add("unhealthy")
        await self.start(who)
        await self.keys(15)

    async def lose_quorum(self) -> None:
        """All but one die: nothing is proved, what was seen is still told."""
        left, *others = self.random.sample(self.voters_running(), len(self.members))
        for who in others:
            await self.kill(who)
        asks: list[tuple[str, Ask]] = [
            ("members", lambda side: side.client(left).members()),
            ("seen", lambda side: side.client(left).members_seen()),
            ("get", lambda side: side.client(left).get(b"a")),
            ("stale", lambda side: side.client(left).get_serializable(b"a")),
            ("status", lambda side: side.client(left).status()),
        ]
        for what, ask in asks:
            await self.same(f"{what} without quorum", ask)
        for who in others:
            await self.start(who)

    async def kill(self, who: str) -> None:
        """SIGKILL."""
        self.done.append(f"kill {who}")
        await self.fake.kill(who)
        await self.real.kill(who)
        self.running.remove(who)
        await self.settle()

    async def start(self, who: str) -> None:
        """Start again."""
        self.done.append(f"start {who}")
        await self.fake.start(who)
        await self.real.start(who)
        self.running.append(who)
        if len(self.voters_running()) > len(self.members) // 2:
            await self.real.serving(self.running)
            await self.settle(1.0)

    async def add(self, name: str) -> object:
        """Add a learner."""
        if name not in self.fake.urls:
            await self.fake.prepare(name)
            await self.real.prepare(name)
        who = self.anyone()
        return await self.same(f"add {name}", lambda side: _add(side, who, name))

    async def replace(self, name: str) -> None:
        """A learner comes, catches up and votes; then another is removed."""
        await self.settle(_HEALTHY)
        await self.add(name)
        await self.promote(name)
        await self.add("toomany")
        self.real.make(name, self.members)
        self.learner = name
        await self.fake.start(name)
        await self.real.start(name)
        await self.real.serving([name])
        self.running.append(name)
        await self.settle()
        await self.keys(10)
        await self.promote(name)
        self.learner = None
        self.members.append(name)
        await self.settle(_HEALTHY)
        await self.remove()
        await self.keys(10)

    async def promote(self, name: str) -> None:
        """Try to make a learner vote."""
        who = self.anyone()
        await self.same(
            f"promote {name}", lambda side: side.client(who).promote(side.ids[name])
        )

    async def remove(self) -> None:
        """Remove a member that is not the leader."""
        leader = await self.real.leader(self.voters_running())
        gone = self.random.choice([name for name in self.members if name != leader])
        assert leader is not None
        await self.same(
            f"remove {gone}", lambda side: side.client(leader).remove(side.ids[gone])
        )
        self.members.remove(gone)
        self.running.remove(gone)
        await self.settle()
        await self.real.kill(gone)
        await self.same(
            f"remove {gone}", lambda side: side.client(leader).remove(side.ids[gone])
        )

    async def hand_over(self) -> None:
        """The leader names another, and others may not."""
        leader = await self.real.leader(self.voters_running())
        for who in self.random.sample(self.members, 2):
            target = self.random.choice(self.members)
            current = await self.real.leader(self.voters_running())
            await self.same(
                f"{who} of {current} moves to {target}",
                lambda side, who=who, target=target: side.client(who).move_leader(
                    side.ids[target]
                ),
            )
        self.done.append(f"led by {leader} before")
        await self.settle(0.5)

    async def compare_all(self) -> None:
        """Everything, on every node: keys, members, history."""
        for who in self.voters_running():
            await self.same(
                f"all keys of {who}",
                lambda side, who=who: _page(side.client(who), b"\0", b"\0", 1000, None),
            )
            await self.same(
                f"members of {who}", lambda side, who=who: side.client(who).members()
            )
            await self.same(
                f"status of {who}", lambda side, who=who: side.client(who).status()
            )
            await self.same(
                f"history of {who}", lambda side, who=who: _history(side, who)
            )


async def _page(
    client: IEtcdClient,
    key: bytes,
    end: bytes,
    limit: int,
    revision: Revision | None,
) -> object:
    page = await client.page(key, end, limit, revision)
    return (list(page.items), page.revision, page.next_key)


async def _history(side: Side, who: str) -> object:
    """All changes since the last compaction, from a watch."""
    client = side.client(who)
    newest = await client.put(b"zz", b"", None)
    _, compacted = await client.hash_kv(None)
    watch = await client.watch(b"\0", b"\0", Revision(compacted + 1))
    events: list[tuple[object, bool]] = []
    while not events or _revision_of(events[-1]) < newest:
        events.extend((event.item, event.deleted) for event in await watch.next())
    await watch.stop()
    return events


def _revision_of(event: tuple[object, bool]) -> int:
    """The revision of an event."""
    return int(getattr(event[0], "mod_revision"))  # noqa: B009 - it is an object here


async def _add(side: Side, who: str, name: str) -> object:
    member = await side.client(who).add_learner([side.urls[name]])
    side.ids[name] = member.member_id
    return member


async def _grant(side: Side, who: str, ttl: int) -> object:
    side.leases.append(await side.client(who).grant_lease(ttl))
    return len(side.leases)


def _held(side: Side, number: int) -> LeaseID:
    return side.leases[number]
