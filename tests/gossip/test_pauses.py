"""A driver whose clock leaves out pauses tells the core of them."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TypeVar

from twisted.logger import Logger
from twisted.trial.unittest import SynchronousTestCase

from e2d.gossip.complaints import Complaints
from e2d.gossip.datagrams import Datagrams
from e2d.gossip.dialling import Dialler
from e2d.gossip.driver import Driver
from e2d.gossip.lines import Conduct
from e2d.gossip.traffic import Traffic
from e2d.swim.effects import News, PausedFor
from e2d.swim.identity import Identity
from e2d.swim.messages import PeerAddress
from e2d.swim.packets import Framing
from e2d.swim.protocol import Swim
from e2d.swim.settings import LAN
from e2d.testing.reactor import MemoryDaemonReactor

T = TypeVar("T")

HOME = PeerAddress(bytes([127, 0, 0, 1]), 7980)


async def at_once(function: Callable[[], T]) -> T:
    """Runs what the pool would."""
    return function()


class PauseTests(SynchronousTestCase):
    """Seconds that the clock left out."""

    def setUp(self) -> None:
        """A peer that is alone; nothing was left out so far but before it came."""
        self.reactor = MemoryDaemonReactor()
        self.unseen = 7.0
        self.news: list[News] = []
        traffic = Traffic()
        conduct = Conduct(
            clock=self.reactor,
            run_in_pool=at_once,
            framing=Framing,
            nonce=bytes,
            seconds=10.0,
            unseen=lambda: self.unseen,
        )
        self.driver = Driver(
            conduct=conduct,
            swim=Swim(LAN, Identity(name=b"a", address=HOME), Random(1)),
            datagrams=Datagrams(lambda *_: None, traffic),
            dialler=Dialler(self.reactor, conduct, traffic),
            traffic=traffic,
            complaints=Complaints(self.reactor, Logger()),
            news=self.news.extend,
            outcome=lambda *_: None,
        )
        self.driver.start()

    def pauses(self) -> list[float]:
        """What was told of them."""
        return [each.seconds for each in self.news if isinstance(each, PausedFor)]

    def test_none(self) -> None:
        """What was left out before is none of ours."""
        self.reactor.pump([0.1] * 20)
        self.assertEqual(self.pauses(), [])

    def test_one(self) -> None:
        """The next deadline tells it, once, before it comes to anything."""
        self.unseen += 59.0
        self.reactor.advance(1.0)
        self.reactor.pump([0.1] * 20)
        (seconds,) = self.pauses()
        self.assertLess(59.0, seconds)
        self.assertLess(seconds, 61.0)

    def test_by_whatever_comes_first(self) -> None:
        """Whatever enters the core first after a pause tells it of that first."""
        self.unseen += 59.0
        self.driver.update(b"new")
        kinds = [type(each).__name__ for each in self.news]
        self.assertEqual(kinds[0], "PeerJoined")
        self.assertEqual(kinds[1], "PausedFor")
        self.assertIn("PeerUpdated", kinds[2:])
