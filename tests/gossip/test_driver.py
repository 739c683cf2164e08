"""The driver performs what the core says, in its order, and arms one timer."""

from __future__ import annotations

import os
from collections.abc import Sequence
from errno import EHOSTUNREACH, EPERM
from random import Random

from twisted.internet.defer import Deferred

from e2d.swim.effects import (
    ExchangeState,
    Ignored,
    MergeRefused,
    News,
    PeerJoined,
    PingByStream,
    Reason,
    Refuted,
    SendPacket,
    StateMerged,
)
from e2d.swim.identity import Identity
from e2d.swim.messages import Ack, Ping, PushPull, UserMessage
from e2d.swim.packets import pack
from e2d.swim.protocol import Swim
from e2d.swim.settings import LAN
from e2d.swim.wire import encode
from tests.gossip.driven import DriverTestCase
from tests.gossip.rings import PORT, where
from tests.gossip.streams import FRAMING, HERE, PING, STATE, TO

PACKET = SendPacket(to=TO, parts=(encode(PING),), checksum=False)
EXCHANGE = ExchangeState(to=TO, state=STATE)
PING_BY_STREAM = PingByStream(to=TO, ping=PING, seconds=0.5)


class PerformTests(DriverTestCase):
    """See Note [One batch]."""

    def test_order(self) -> None:
        """Packets are sent in their order; news is told in one batch, afterwards."""
        first, second = Refuted(incarnation=1), Refuted(incarnation=2)
        other = SendPacket(to=where("10.0.0.3"), parts=PACKET.parts, checksum=False)
        self.says(PACKET, first, other, second)
        sent: list[int] = []
        self.on_news = lambda _news: sent.append(len(self.port.sent))
        self.driver.start()
        self.assertEqual(self.batches, [[first, second]])
        self.assertEqual(sent, [2])
        self.assertEqual(
            [to for _, to in self.port.sent], [("10.0.0.2", PORT), ("10.0.0.3", PORT)]
        )

    def test_counted(self) -> None:
        """What is ignored and refuted is counted."""
        self.says(Ignored(reason=Reason.FULL), Refuted(incarnation=1))
        self.driver.start()
        seen = self.traffic.seen()
        self.assertEqual(
            (dict(seen.packets_dropped), seen.refutations), ({"full": 1}, 1)
        )

    def test_said_while_news_is_told(self) -> None:
        """Who hears news and says something else is heard when all was told."""
        self.says(Refuted(incarnation=1))

        def announce(_news: Sequence[News]) -> None:
            self.on_news = lambda _news: None
            self.says(PACKET, Refuted(incarnation=2))
            self.driver.update(b"other")
            self.assertEqual(self.port.sent, [])

        self.on_news = announce
        self.driver.start()
        self.assertEqual(len(self.port.sent), 1)
        self.assertEqual([len(batch) for batch in self.batches], [1, 1])

    def test_who_raises(self) -> None:
        """Who hears news and raises does not stop the ring: its timer is armed."""
        self.says(Refuted(incarnation=1))
        self.core.due = 1001.0
        self.on_news = lambda _news: 1 // 0
        self.assertRaises(ZeroDivisionError, self.driver.start)
        self.network.advance(1.0)
        self.assertEqual(self.core.calls[-1], ("timer", 1001.0))

    def failed(self, number: int) -> bool:
        """What the core is told of a packet that cannot be sent."""
        self.port.write_error = OSError(number, os.strerror(number))
        self.says(PACKET)
        self.driver.start()
        told, to, remote, _now = self.core.calls[-1]
        self.assertEqual((told, to), ("failed", TO))
        self.assertEqual(dict(self.traffic.seen().packets_dropped), {"unsent": 1})
        self.assertEqual([level for level, _ in self.lines], ["warn"])
        return bool(remote)

    def test_unsent_by_us(self) -> None:
        """That we may not send counts against nobody."""
        self.assertIs(self.failed(EPERM), False)

    def test_unsent_to_them(self) -> None:
        """That a host is not there counts against it."""
        self.assertIs(self.failed(EHOSTUNREACH), True)

    def test_after_failure(self) -> None:
        """What the core says of it is performed, after what it said before."""
        first, second = Refuted(incarnation=1), Refuted(incarnation=2)
        self.port.write_error = OSError(EPERM, "no")
        self.core.after_failure = lambda: [second]
        self.says(PACKET, first)
        self.driver.start()
        self.assertEqual(self.batches, [[first, second]])


class TimerTests(DriverTestCase):
    """One timer is armed, for when the core wants it."""

    def timers(self) -> list[float]:
        """When the armed ones are due."""
        return [call.getTime() for call in self.here.getDelayedCalls()]

    def test_none(self) -> None:
        """None where the core wants none."""
        self.driver.start()
        self.assertEqual(self.timers(), [])

    def test_one(self) -> None:
        """One, however often it is told something; at the time that holds last."""
        for due in (1005.0, 1002.0, 1002.0, 1009.0):
            self.core.due = due
            self.driver.update(b"x")
            self.assertEqual(self.timers(), [due])

    def test_due_now(self) -> None:
        """What is due or overdue is done at once, but not within the call."""
        for due in (1000.0, 900.0):
            self.core.due = due
            self.driver.update(b"x")
            self.assertEqual(self.timers(), [self.here.seconds()])
            self.assertEqual(self.core.calls[-1][0], "update")
        self.network.advance(0.0)
        self.assertEqual(self.core.calls[-1], ("timer", 1000.0))

    def test_expires(self) -> None:
        """It expires once, and is armed again for the next."""
        self.core.due = 1002.0
        self.driver.start()
        self.core.next_due = 1003.0
        self.network.advance(2.0)
        self.assertEqual(self.core.calls[1:], [("timer", 1002.0)])
        self.assertEqual(self.timers(), [1003.0])

    def test_stopped(self) -> None:
        """Whoever stopped does nothing any more."""
        self.core.due = 1002.0
        self.driver.start()
        self.successResultOf(Deferred.fromCoroutine(self.driver.stop()))
        self.assertEqual(self.timers(), [])
        self.says(PACKET)
        self.driver.update(b"x")
        self.driver.received(b"anything", TO)
        self.assertIsNone(self.driver.answer(STATE, TO))
        self.assertEqual((self.port.sent, self.timers(), self.lines), ([], [], []))

    def test_stopped_while_news_is_told(self) -> None:
        """So does who is stopped by somebody who hears news."""
        self.core.due = 1002.0
        self.says(Refuted(incarnation=1))

        def stop(_news: Sequence[News]) -> None:
            self.successResultOf(Deferred.fromCoroutine(self.driver.stop()))

        self.on_news = stop
        self.driver.start()
        self.assertEqual(self.timers(), [])


class StreamEffectTests(DriverTestCase):
    """Exchanges and pings by connections."""

    def exchange(self, reply: bytes | None) -> None:
        """Exchange states with a peer that answers this."""
        accepted = self.accept()
        self.says(EXCHANGE)
        self.driver.start()
        self.network.advance(0.05)
        if reply is None:
            accepted[0].tcp.loseConnection()
        else:
            accepted[0].tcp.write(reply)
        self.network.advance(0.05)

    def test_merged(self) -> None:
        """It is told that it went well."""
        self.exchange(self.answered(STATE))
        told, exchange, remote, _now = self.core.calls[-1]
        self.assertEqual((told, exchange), ("answered", EXCHANGE))
        assert isinstance(remote, PushPull)
        self.assertEqual(remote.user_state, b"state")
        self.assertEqual(self.outcomes, [None])

    def test_merge_refused(self) -> None:
        """A state that is refused is no meeting, and it is told why."""
        accepted = self.accept()
        self.says(EXCHANGE)
        self.driver.start()
        self.network.advance(0.05)
        self.says(MergeRefused(source=TO, join=True, reason="versions"))
        accepted[0].tcp.write(self.answered(STATE))
        self.network.advance(0.05)
        self.assertEqual(self.outcomes, ["is refused: versions"])

    def test_no_answer(self) -> None:
        """Where there is none the core is told nothing, and others why."""
        self.exchange(None)
        self.assertEqual(self.core.calls, [("start", 1000.0)])
        self.assertEqual(self.outcomes, ["closed the connection without a reply"])

    def test_another_answer(self) -> None:
        """What is no state is no answer."""
        self.exchange(self.answered(Ack(sequence=7)))
        self.assertEqual(self.core.calls, [("start", 1000.0)])
        self.assertEqual(self.outcomes, ["answers something else than its state"])

    def ping(self, reply: bytes | None) -> list[tuple[object, ...]]:
        """Ping a peer that answers this; what the core is told."""
        accepted = self.accept()
        self.says(PING_BY_STREAM)
        self.driver.start()
        self.network.advance(0.05)
        if reply is not None:
            accepted[0].tcp.write(reply)
        self.network.advance(0.6)
        self.assertEqual((self.outcomes, self.leftovers()), ([], []))
        return [call[:2] for call in self.core.calls[1:]]

    def test_acked(self) -> None:
        """Its ack goes to the core."""
        self.assertEqual(self.ping(self.answered(Ack(sequence=7))), [("acked", 7)])

    def test_not_acked(self) -> None:
        """No ack, or something else, does not: the probe ends without it."""
        self.assertEqual(self.ping(None), [])

    def test_something_else(self) -> None:
        """Nor does something else."""
        self.assertEqual(self.ping(self.answered(STATE)), [])

    def test_defect(self) -> None:
        """A defect of ours is logged, and what is under way is forgotten."""
        accepted = self.accept()
        self.says(EXCHANGE)
        self.driver.start()
        self.network.advance(0.05)
        self.on_news = lambda _news: 1 // 0
        self.says(Refuted(incarnation=1))
        accepted[0].tcp.write(self.answered(STATE))
        self.network.advance(0.05)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.leftovers(), [])


class RealCoreTests(DriverTestCase):
    """With the real core."""

    def setUp(self) -> None:
        """It is alive."""
        super().setUp()
        identity = Identity(name=b"n1", address=where(HERE), meta=b"meta")
        self.swim = Swim(LAN, identity, Random(1))
        self.driver = self.make(self.swim)
        self.driver.start()

    def packet(self, *parts: bytes) -> bytes:
        """What another node sends."""
        return pack(parts, FRAMING, checksum=False, nonce=os.urandom)

    def dropped(self) -> dict[str, int]:
        """Why packets were dropped."""
        return dict(self.traffic.seen().packets_dropped)

    def test_alive(self) -> None:
        """It knows itself, and its timer is armed."""
        ((news,),) = self.batches
        assert isinstance(news, PeerJoined)
        self.assertEqual(news.peer.name, b"n1")
        self.assertEqual(len(self.here.getDelayedCalls()), 1)

    def test_ping(self) -> None:
        """A ping is answered."""
        self.driver.received(self.packet(encode(PING)), TO)
        ((_, to),) = self.port.sent
        self.assertEqual(to, ("10.0.0.2", PORT))

    def test_unreadable(self) -> None:
        """What cannot be read is counted, and said once."""
        for _ in range(3):
            self.driver.received(b"nonsense", TO)
        self.assertEqual(self.dropped(), {"label": 3})
        self.assertEqual(len(self.lines), 1)

    def test_partly_unreadable(self) -> None:
        """Of a packet that is partly unreadable the rest counts."""
        self.driver.received(self.packet(encode(PING), b"\x00nonsense"), TO)
        self.assertEqual(len(self.port.sent), 1)
        self.assertEqual(sum(self.dropped().values()), 1)

    def test_stream_ping(self) -> None:
        """A ping by connection is acked where it is for us."""
        self.assertEqual(self.driver.answer(PING, TO), Ack(sequence=7))
        other = Ping(sequence=7, node=b"other")
        self.assertIsNone(self.driver.answer(other, TO))

    def test_stream_state(self) -> None:
        """A state is answered with ours, and believed."""
        self.batches.clear()
        reply = self.driver.answer(STATE, TO)
        assert isinstance(reply, PushPull)
        self.assertEqual([peer.node for peer in reply.peers], [b"n1"])
        ((merged,),) = self.batches
        assert isinstance(merged, StateMerged)
        self.assertEqual(merged.user_state, b"state")

    def test_stream_message(self) -> None:
        """A message is news, and is not answered."""
        self.batches.clear()
        self.assertIsNone(self.driver.answer(UserMessage(payload=b"x"), TO))
        self.assertEqual(len(self.batches), 1)
