"""Bad input is said once in a while, and no flood fills the log or the memory."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.logger import Logger, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from e2d.gossip.complaints import AGAIN_SECONDS, KEPT, Complaints


class ComplaintsTests(SynchronousTestCase):
    """`Complaints` warns."""

    def setUp(self) -> None:
        """Nothing was said."""
        self.clock = Clock()
        self.said: list[str] = []
        log = Logger(observer=lambda event: self.said.append(formatEvent(event)))
        self.complaints = Complaints(self.clock, log)

    def about(self, host: str, why: str = "label", port: int = 1) -> None:
        """Something came from there."""
        self.complaints.about(host, port, why, "a reason")

    def test_said(self) -> None:
        """From where, and why."""
        self.about("10.0.0.1", port=7)
        self.assertEqual(self.said, ["Gossip with 10.0.0.1 port 7: a reason"])

    def test_once(self) -> None:
        """An address and a reason are said once, whatever the port."""
        self.about("10.0.0.1", port=1)
        self.about("10.0.0.1", port=2)
        self.assertEqual(len(self.said), 1)
        self.about("10.0.0.1", "checksum")
        self.about("10.0.0.2")
        self.assertEqual(len(self.said), 3)

    def test_again(self) -> None:
        """After a while it is said again."""
        self.about("10.0.0.1")
        self.clock.advance(AGAIN_SECONDS - 1)
        self.about("10.0.0.1")
        self.assertEqual(len(self.said), 1)
        self.clock.advance(1)
        self.about("10.0.0.1")
        self.assertEqual(len(self.said), 2)

    def test_flood(self) -> None:
        """Of forged sources only so many are said, until time has passed."""
        for number in range(10 * KEPT):
            self.about(f"10.{number % 10}.0.{number // 10}")
        self.assertEqual(len(self.said), KEPT)
        self.clock.advance(AGAIN_SECONDS)
        self.about("10.0.0.1")
        self.assertEqual(len(self.said), KEPT + 1)
