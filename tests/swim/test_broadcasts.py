"""What is to be spread, and has not been sent often enough."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from e2d.swim.broadcasts import Broadcast, BroadcastQueue
from e2d.swim.effects import BroadcastDone, Spread


def _done(name: bytes) -> BroadcastDone:
    return BroadcastDone(about=Spread.USER, name=name)


class BroadcastQueueTests(SynchronousTestCase):
    """The order, the room, and the end of broadcasts."""

    def setUp(self) -> None:
        """An empty queue."""
        self.told: list[BroadcastDone] = []
        self.queue = BroadcastQueue(100, self.told.append)

    def add(self, key: bytes, message: bytes) -> None:
        """Queue a broadcast that says when it is done."""
        self.queue.add(Broadcast(key=key, message=message, done=_done(key)))

    def select(
        self, limit: int = 10, room: int = 1000, parts: int = 127
    ) -> list[bytes]:
        """Fill a packet."""
        return self.queue.select(limit, room, parts)

    def test_largest_first_then_newest(self) -> None:
        """Of what was sent equally often, the largest goes first, then the newest."""
        for key, message in ((b"1", b"old"), (b"2", b"longest"), (b"3", b"new")):
            self.add(key, message)
        self.assertEqual(self.select(), [b"longest", b"new", b"old"])

    def test_least_sent_first(self) -> None:
        """What was sent less often goes first, however small."""
        self.add(b"1", b"longest")
        self.select()
        self.add(b"2", b"x")
        self.assertEqual(self.select(), [b"x", b"longest"])

    def test_newer_makes_void(self) -> None:
        """A newer one with the same key replaces it, is new, and the old is done."""
        self.add(b"test", b"1")
        self.add(b"foo", b"2")
        self.add(b"test", b"3")
        self.assertEqual(self.select(), [b"3", b"2"])
        self.assertEqual(self.told, [_done(b"test")])

    def test_fits_the_room(self) -> None:
        """Four of 18 bytes need 80; in less, there are three."""
        for number in range(4):
            self.add(b"%d" % number, b"%d. this is a test." % number)
        self.assertEqual(len(self.select(room=80)), 4)
        self.assertEqual(len(self.select(room=79)), 3)

    def test_smaller_ones_fill_up(self) -> None:
        """What does not fit is passed by."""
        self.add(b"1", b"far too large")
        self.add(b"2", b"small")
        self.assertEqual(self.select(room=7), [b"small"])

    def test_parts_are_limited(self) -> None:
        """No more parts than asked for, however small they are."""
        self.add(b"1", b"1")
        self.add(b"2", b"2")
        self.assertEqual(self.select(parts=1), [b"2"])

    def test_done_when_sent_often_enough(self) -> None:
        """Each is sent as often as the limit says, and then said to be done."""
        for key in (b"1", b"2", b"3"):
            self.add(key, b"%s. this is a test." % key)
        counts = [len(self.select(limit=2, room=80)) for _ in range(2)]
        self.assertEqual((counts, len(self.queue)), ([3, 3], 0))
        self.assertEqual(self.told, [_done(b"3"), _done(b"2"), _done(b"1")])
        self.assertEqual(self.select(), [])

    def test_rooms_share_the_sending(self) -> None:
        """With room for three of four and a limit of two: 3, 3, 2 and none."""
        for number in range(4):
            self.add(b"%d" % number, b"%d. this is a test." % number)
        counts = [len(self.select(limit=2, room=63)) for _ in range(4)]
        self.assertEqual(counts, [3, 3, 2, 0])

    def test_sent_once_in_a_packet(self) -> None:
        """However much room there is, nothing is twice in a packet."""
        self.add(b"1", b"1")
        self.assertEqual(self.select(), [b"1"])

    def test_prune(self) -> None:
        """The newest stay, the others are done."""
        for key in (b"1", b"2", b"3", b"4"):
            self.add(key, b"message " + key)
        self.queue.prune(2)
        self.assertEqual(self.told, [_done(b"1"), _done(b"2")])
        self.assertEqual(self.select(), [b"message 4", b"message 3"])

    def test_bounded(self) -> None:
        """More than the most are never kept."""
        queue = BroadcastQueue(1, self.told.append)
        queue.add(Broadcast(key=b"1", message=b"1", done=_done(b"1")))
        queue.add(Broadcast(key=b"2", message=b"2"))
        self.assertEqual((len(queue), self.told), (1, [_done(b"1")]))
