"""Connections that others open: each is answered at most once, and ends in time."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from e2d.gossip.answering import CONNECTIONS, StreamServer
from e2d.swim.messages import Ack, ErrorReply, Message, PeerAddress, Ping, PushPull
from e2d.testing.network_streams import WINDOW_BYTES
from tests.gossip.rings import PORT
from tests.gossip.streams import HERE, PING, SECONDS, STATE, Raw, StreamTestCase


class StreamServerTests(StreamTestCase):
    """It listens here, and acks pings."""

    def setUp(self) -> None:
        """A server that notes what it is asked."""
        super().setUp()
        self.asked_by: list[tuple[Message, PeerAddress]] = []
        self.reply: Message | None = Ack(sequence=7)
        self.server = StreamServer(
            self.conduct, self.answer, self.traffic, self.complaints
        )
        self.port = self.server.listen(self.here, HERE, PORT)

    def tearDown(self) -> None:
        """Close it."""
        self.pool.work()
        self.port.stopListening()
        closing = Deferred.fromCoroutine(self.server.close())
        self.network.advance(1.0)
        self.successResultOf(closing)
        self.assertEqual(self.leftovers(), [])

    def answer(self, message: Message, source: PeerAddress) -> Message | None:
        """What the test says."""
        self.asked_by.append((message, source))
        if isinstance(self.reply, Ping):
            raise ZeroDivisionError
        return self.reply

    def ask(self, data: bytes | None = None) -> Raw:
        """Somebody connects and writes this."""
        raw = self.connect()
        raw.tcp.write(self.asked(PING) if data is None else data)
        self.network.advance(0.05)
        return raw

    def failed(self) -> dict[str, int]:
        """Streams that came to nothing, by why."""
        return dict(self.traffic.seen().streams_failed)

    def test_answers(self) -> None:
        """The reply is sent, and the connection closed."""
        raw = self.ask()
        self.assertEqual(raw.heard(), Ack(sequence=7))
        self.assertIsNotNone(raw.lost)
        ((message, source),) = self.asked_by
        self.assertEqual((message, source.host), (PING, bytes([10, 0, 0, 2])))
        self.assertEqual((self.leftovers(), self.failed()), ([], {}))
        self.assertEqual(self.traffic.streams_in, 1)

    def test_nothing_to_say(self) -> None:
        """Where there is no reply it is closed without one."""
        self.reply = None
        raw = self.ask()
        self.assertEqual((raw.received, self.leftovers()), (b"", []))

    def test_in_pieces(self) -> None:
        """However the message is cut."""
        raw = self.connect()
        for byte in self.asked(PING):
            raw.tcp.write(bytes([byte]))
            self.network.advance(0.01)
        self.network.advance(0.05)
        self.assertEqual(raw.heard(), Ack(sequence=7))

    def test_what_follows(self) -> None:
        """What comes after the message is ignored."""
        self.ask(self.asked(PING) + self.asked(STATE) + bytes(100))
        self.assertEqual([message for message, _ in self.asked_by], [PING])

    def test_looked_whether_it_is_open(self) -> None:
        """Who connects and hangs up has done nothing wrong."""
        raw = self.connect()
        raw.tcp.loseConnection()
        self.network.advance(0.05)
        self.assertEqual((self.failed(), self.lines, self.leftovers()), ({}, [], []))

    def test_silent(self) -> None:
        """Who says nothing is broken off in time; this is counted and said once."""
        for _ in range(2):
            self.connect()
            self.network.advance(SECONDS - 0.1)
            self.assertEqual(len(self.here.ends), 1)
            self.network.advance(0.1)
            self.assertEqual(self.leftovers(), [])
        self.assertEqual(self.failed(), {"timeout": 2})
        ((level, line),) = self.lines
        self.assertEqual(level, "warn")
        self.assertIn("Gossip with 10.0.0.2 port", line)

    def test_trickles(self) -> None:
        """Bytes that trickle in do not make it longer."""
        raw = self.connect()
        for byte in self.asked(STATE)[:11]:
            raw.tcp.write(bytes([byte]))
            self.network.advance(1.0)
        self.assertEqual(self.failed(), {"timeout": 1})

    def test_cut_in_the_middle(self) -> None:
        """Who hangs up in the middle of a message is not answered."""
        raw = self.ask(self.asked(STATE)[:-2])
        raw.tcp.loseConnection()
        self.network.advance(0.05)
        self.assertEqual((self.asked_by, self.failed()), ([], {"truncated": 1}))
        self.assertEqual(self.leftovers(), [])

    def test_cut_while_it_is_decoded(self) -> None:
        """Who hangs up then still had its say, and gets no reply."""
        self.pool.busy = True
        raw = self.ask()
        raw.tcp.abortConnection()
        self.network.advance(0.05)
        self.pool.work()
        self.assertEqual([message for message, _ in self.asked_by], [PING])
        self.assertEqual(self.failed(), {})
        self.assertEqual(self.leftovers(), [])
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_not_read_while_it_is_decoded(self) -> None:
        """What follows waits with the sender meanwhile, and does not fill memory."""
        self.pool.busy = True
        raw = self.ask(self.asked(STATE)[:10])
        raw.tcp.write(bytes(10 * WINDOW_BYTES))
        raw.tcp.loseConnection()
        self.network.advance(5.0)
        self.assertIsNone(raw.lost)
        self.pool.work()
        self.network.advance(0.5)
        self.assertEqual((self.leftovers(), raw.lost is not None), ([], True))

    def test_error_where_owed(self) -> None:
        """Who sends what cannot be read is told so, where the protocol says so."""
        label = self.asked(PING)[:5]
        raw = self.ask(label + bytes([10]) + bytes(40))
        reply = raw.heard()
        assert isinstance(reply, ErrorReply)
        self.assertEqual(self.failed(), {"sealed": 1})

    def test_no_error_where_none_is_owed(self) -> None:
        """Else the connection is closed, and no more."""
        raw = self.ask(b"GET / HTTP/1.0\r\n\r\n")
        self.assertEqual(raw.received, b"")
        self.assertIsNotNone(raw.lost)
        self.assertEqual(self.failed(), {"label": 1})

    def test_another_label(self) -> None:
        """Another ring's message is none of ours."""
        raw = self.ask(b"\xf4\x03foo" + self.asked(PING)[5:])
        self.assertEqual((raw.received, self.failed()), (b"", {"label": 1}))

    def test_reply_is_not_read(self) -> None:
        """Who does not read its reply is broken off in time."""
        self.framing = self.uncompressed()
        self.reply = PushPull(join=False, peers=(), user_state=bytes(2 * WINDOW_BYTES))
        raw = self.connect()
        raw.tcp.write(self.asked(PING))
        raw.tcp.pauseProducing()
        self.network.advance(SECONDS)
        self.assertEqual(len(self.here.ends), 1)
        self.network.advance(0.5)
        self.assertEqual(self.leftovers(), [])

    def test_too_many(self) -> None:
        """The 129th connection is refused and counted; room is made by who goes."""
        raws = [self.connect() for _ in range(CONNECTIONS)]
        refused = self.connect()
        self.network.advance(0.05)
        self.assertIsNotNone(refused.lost)
        self.assertEqual(self.failed(), {"too-many": 1})
        self.assertEqual(len(self.here.ends), CONNECTIONS)
        raws[0].tcp.loseConnection()
        self.network.advance(0.05)
        self.assertEqual(self.ask().heard(), Ack(sequence=7))

    def test_defect(self) -> None:
        """A defect of ours is logged, and the connection closed all the same."""
        self.reply = PING
        raw = self.ask()
        self.assertIsNotNone(raw.lost)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.leftovers(), [])

    def test_close(self) -> None:
        """It breaks off whatever is there, whoever does what."""
        self.connect()
        self.pool.busy = True
        raw = self.ask()
        self.port.stopListening()
        closing = Deferred.fromCoroutine(self.server.close())
        self.network.advance(0)
        self.successResultOf(closing)
        self.assertEqual(self.leftovers(), [])
        self.pool.work()
        self.network.advance(0.05)
        self.assertEqual((raw.received, self.asked_by), (b"", []))
        self.assertEqual(self.lines, [])
