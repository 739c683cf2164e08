"""What the suites for `IEtcdClient` share: how a test runs, and how it asks."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence

from e2d.interfaces import EtcdRefused, Event, IEtcdClient, IWatch
from e2d.model import Revision
from e2d.testing.contracts.driving import DrivenTests

__all__ = ["EtcdClientTests"]


class EtcdClientTests(DrivenTests):
    """
    Mix into a test case; the client is that of the only started member of a cluster.

    The store may be used by other tests of the class before: each test keeps to the
    keys below its own name.
    """

    client: IEtcdClient
    """Set in ``setUp``; closed by whoever made it."""

    async def settle(self, seconds: float) -> None:
        """Let so much time pass for etcd."""
        raise NotImplementedError

    # -- what the tests share ---------------------------------------------------

    @property
    def below(self) -> bytes:
        """The prefix of this test's keys."""
        return f"{self.id()}/".encode()

    async def refusal_of(self, asked: Awaitable[object]) -> tuple[str, str]:
        """Code and message of the refusal that this must end with."""
        try:
            answer = await asked
        except EtcdRefused as refusal:
            return (refusal.code, refusal.message)
        raise self.failureException(f"not refused, but answered {answer!r}")

    async def take(self, watch: IWatch, count: int) -> Sequence[Event]:
        """So many events."""
        events: list[Event] = []
        while len(events) < count:
            events.extend(await watch.next())
        return events

    async def watch_prefix(self, key: bytes, start: Revision | None = None) -> IWatch:
        """Watch all that begins so."""
        return await self.client.watch(key, key + b"\xff", start)
