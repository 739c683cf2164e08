"""What of the ring's news is in the log (W-36)."""

from __future__ import annotations

from twisted.logger import Logger, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from e2d.gossip.telling import tell
from e2d.swim.effects import (
    Ignored,
    News,
    PausedFor,
    PeerCleared,
    PeerForgotten,
    PeerJoined,
    PeerLeft,
    PeerSuspected,
    PeerUpdated,
    ReachedByStream,
    Reason,
    Refuted,
)
from e2d.swim.messages import Rank
from tests.gossip.test_knowledge import peer


class TellTests(SynchronousTestCase):
    """Each change of state is one line."""

    def line(self, news: News) -> str | None:
        """What is said of it."""
        said: list[str] = []
        log = Logger(observer=lambda event: said.append(formatEvent(event)))
        tell(news, b"own", log)
        return said[0] if said else None

    def test_peers(self) -> None:
        """Who comes, goes, and is in between."""
        suspected = PeerSuspected(peer=peer(), by=b"n2")
        lines = [
            self.line(news)
            for news in (
                PeerJoined(peer()),
                suspected,
                PeerCleared(peer()),
                PeerLeft(peer(rank=Rank.LEFT)),
                PeerForgotten(peer()),
            )
        ]
        self.assertEqual(
            lines,
            [
                "n1 at 10.0.0.1:7980 is in the ring",
                "n1 at 10.0.0.1:7980 does not answer gossip, says n2",
                "n1 at 10.0.0.1:7980 answers gossip again",
                "n1 at 10.0.0.1:7980 left the ring, as it said",
                "n1 at 10.0.0.1:7980 has been gone for long: the ring forgets it",
            ],
        )

    def test_dead(self) -> None:
        """That one is dead is not that it left."""
        line = self.line(PeerLeft(peer(rank=Rank.DEAD)))
        assert line is not None
        self.assertIn("is dead to the ring", line)

    def test_own(self) -> None:
        """That this node comes and goes, others say."""
        self.assertIsNone(self.line(PeerJoined(peer(b"own"))))
        self.assertIsNone(self.line(PeerLeft(peer(b"own", rank=Rank.LEFT))))

    def test_blocked(self) -> None:
        """Who answers by TCP only has a firewall in the way: it says what to do."""
        line = self.line(ReachedByStream(peer()))
        assert line is not None
        self.assertIn("Open the gossip port for UDP", line)

    def test_of_ourselves(self) -> None:
        """That we were held for dead, and that we stood still."""
        refuted = self.line(Refuted(incarnation=7))
        assert refuted is not None
        self.assertIn("(incarnation 7)", refuted)
        self.assertEqual(
            self.line(PausedFor(3.14159)),
            "Gossip stood still for 3.1 s: this counts against nobody",
        )

    def test_not_said(self) -> None:
        """What comes with each packet is not."""
        self.assertIsNone(self.line(PeerUpdated(peer=peer(), before=b"")))
        self.assertIsNone(self.line(Ignored(reason=Reason.FULL)))
