"""Tests of real peers: what they start, they end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from twisted.internet import reactor  # noqa: TID251 - real processes need the real one
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SkipTest, TestCase

from tests.integration.commanded import FAST, CommandedPeer, PeerSettings
from tests.integration.events import Observed
from tests.integration.gopeers import GoPeer, PeerLine
from tests.integration.ourpeers import OurHost, OurPeer, OurSettings
from tests.integration.serfs import SerfAgent, SerfSettings, serf_missing

__all__ = ["PeerTestCase", "see_each_other"]

P = TypeVar("P", bound=Observed)

NOTHING: Mapping[str, Any] = {}


async def see_each_other(*peers: CommandedPeer) -> None:
    """Until each of them knows exactly these to be alive."""
    names = [each.name for each in peers]
    for each in peers:
        await each.sees(*names)


class PeerTestCase(TestCase):
    """
    Starts peers, and leaves none behind.

    A test that fails prints what they told.
    """

    timeout = 60.0

    async def peer(
        self,
        line: PeerLine,
        name: str,
        **settings: Any,  # noqa: ANN401 - of PeerSettings
    ) -> GoPeer:
        """
        A peer that listens.

        :param settings: fields of :py:class:`PeerSettings`.
        """
        if line.missing is not None:
            raise SkipTest(line.missing)
        peer = GoPeer(reactor, line, PeerSettings(name=name, **settings))
        return await self._ready(peer)

    async def ours(self, name: str, **settings: Any) -> OurPeer:  # noqa: ANN401 - of OurSettings
        """
        A peer of ours that listens, in a process of its own.

        :param settings: fields of :py:class:`OurSettings`.
        """
        return await self._ready(OurPeer(reactor, OurSettings(name=name, **settings)))

    async def ours_in_one(self, *names: str, **settings: Any) -> list[OurPeer]:  # noqa: ANN401 - of OurSettings
        """Peers of ours that listen, all in one process."""
        given = [OurSettings(name=name, **settings) for name in names]
        return [await self._ready(each) for each in OurHost(reactor, given).peers]

    async def pair(
        self,
        line: PeerLine,
        both: Mapping[str, Any] = FAST,
        *,
        go: Mapping[str, Any] = NOTHING,
        ours: Mapping[str, Any] = NOTHING,
    ) -> tuple[GoPeer, OurPeer]:
        """
        A real peer ``a`` and one of ours, ``x``, that joined it; they see each other.

        :param both: settings of each,
        :param go: and of the real one alone,
        :param ours: and of ours.
        """
        a = await self.peer(line, "a", **{**both, **go})
        x = await self.ours("x", **{**both, **ours})
        assert await x.join(a.address) == 1
        await see_each_other(a, x)
        return a, x

    async def serf(self, name: str, **settings: Any) -> SerfAgent:  # noqa: ANN401 - of SerfSettings
        """
        An agent of serf that listens.

        :param settings: fields of :py:class:`SerfSettings`.
        """
        if (missing := serf_missing()) is not None:
            raise SkipTest(missing)
        agent = SerfAgent(reactor, SerfSettings(name=name, **settings))
        return await self._ready(agent)

    async def end(self, *peers: Observed) -> None:
        """Kill some before the test ends, so that others may have their names."""
        for each in peers:
            await each.kill()

    async def _ready(self, observed: P) -> P:
        self.addCleanup(self._end, observed)
        await observed.event("ready")
        return observed

    def _end(self, observed: Observed) -> Deferred[int]:
        if not self._passed:
            print(f"\n{self.id()} {observed.name}\n{observed.tell()}", flush=True)  # noqa: T201
        return Deferred.fromCoroutine(observed.kill())
