"""Connections that this node opens: each ends in time, and says how."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import Deferred

from e2d.gossip.dialling import CONNECTIONS, Dialler
from e2d.gossip.lines import StreamFailed
from e2d.swim.messages import Ack, ErrorReply, PushPull, UserMessage
from e2d.testing.network_streams import WINDOW_BYTES
from tests.gossip.rings import where
from tests.gossip.streams import PING, SECONDS, STATE, TO, Raw, StreamTestCase

LETTER = UserMessage(payload=b"a letter")


class DialledTestCase(StreamTestCase):
    """There is somebody to be asked."""

    def setUp(self) -> None:
        """It listens."""
        super().setUp()
        self.dialler = Dialler(self.here, self.conduct, self.traffic)

    def tearDown(self) -> None:
        """Stop."""
        stopping = Deferred.fromCoroutine(self.dialler.stop())
        self.network.advance(1.0)
        self.successResultOf(stopping)
        self.assertEqual(self.leftovers(), [])

    def begin(self, work: Coroutine[Any, Any, object]) -> Deferred[object]:
        """Begin a conversation, and let a moment pass."""
        deferred = Deferred.fromCoroutine(work)
        self.network.advance(0.05)
        return deferred

    def failure(self, work: Deferred[object]) -> str:
        """Why it came to nothing; of that nothing may be left."""
        self.network.advance(0.05)
        error = self.failureResultOf(work, StreamFailed).value
        self.assertEqual(self.leftovers(), [])
        self.assertEqual(self.traffic.seen().streams_failed, {error.why: 1})
        return f"{error.why}: {error.reason}"


class AskTests(DialledTestCase):
    """A message, and the reply to it."""

    def ask(self, seconds: float | None = None) -> tuple[Deferred[object], Raw]:
        """Ask who accepts."""
        accepted = self.accept()
        asking = self.begin(self.dialler.ask(TO, STATE, seconds))
        (raw,) = accepted
        return asking, raw

    def test_answered(self) -> None:
        """The reply is what comes of it, and the connection is closed."""
        asking, raw = self.ask()
        asked = raw.heard(accepting=True)
        assert isinstance(asked, PushPull)
        self.assertEqual(asked.user_state, b"state")
        self.assertNoResult(asking)
        raw.tcp.write(self.answered(Ack(sequence=7)))
        self.network.advance(0.05)
        self.assertEqual(self.successResultOf(asking), Ack(sequence=7))
        self.assertEqual(self.leftovers(), [])
        self.assertEqual(self.traffic.streams_out, 1)

    def test_answered_in_pieces(self) -> None:
        """However the reply is cut."""
        asking, raw = self.ask()
        for byte in self.answered(Ack(sequence=7)):
            raw.tcp.write(bytes([byte]))
            self.network.advance(0.01)
        self.network.advance(0.05)
        self.assertEqual(self.successResultOf(asking), Ack(sequence=7))

    def test_refused(self) -> None:
        """Nobody listens."""
        asking = self.begin(self.dialler.ask(TO, PING))
        self.assertIn("unreachable: cannot be reached", self.failure(asking))

    def test_no_route(self) -> None:
        """There is no way there."""
        self.network.unreachable.add("10.0.0.2")
        asking = self.begin(self.dialler.ask(TO, PING))
        self.assertIn("unreachable: cannot be reached", self.failure(asking))

    def test_no_socket(self) -> None:
        """The system has none to give."""
        self.here.connect_error = OSError(24, "Too many open files")
        asking = self.begin(self.dialler.ask(TO, PING))
        self.assertIn("Too many open files", self.failure(asking))

    def test_connects_too_slowly(self) -> None:
        """To connect has its time."""
        self.network.cut(["10.0.0.1"], ["10.0.0.2"])
        asking = self.begin(self.dialler.ask(TO, PING))
        self.network.advance(SECONDS - 0.1)
        self.assertNoResult(asking)
        self.network.advance(0.1)
        self.assertIn("unreachable", self.failure(asking))

    def test_says_too_slowly(self) -> None:
        """So has what is said, however long encoding takes."""
        self.accept()
        self.pool.busy = True
        asking = self.begin(self.dialler.ask(TO, PING))
        self.network.advance(SECONDS + 0.1)
        self.assertEqual(self.leftovers(), [])
        self.assertNoResult(asking)
        self.pool.work()
        self.assertIn("lost", self.failure(asking))

    def test_answers_too_slowly(self) -> None:
        """So has the reply, and bytes that trickle in do not make it longer."""
        asking, raw = self.ask()
        for byte in self.answered(STATE)[:9]:
            raw.tcp.write(bytes([byte]))
            self.network.advance(1.0)
        self.assertNoResult(asking)
        self.network.advance(1.0)
        self.assertEqual(self.failure(asking), "timeout: no answer in time")
        self.assertIsNotNone(raw.lost)

    def test_all_of_it(self) -> None:
        """All steps together have the time that is given, where one is."""
        asking, _raw = self.ask(seconds=0.5)
        self.network.advance(0.4)
        self.assertNoResult(asking)
        self.network.advance(0.1)
        self.assertEqual(self.failure(asking), "timeout: no answer in time")

    def test_closed_without_a_word(self) -> None:
        """It hangs up."""
        asking, raw = self.ask()
        raw.tcp.loseConnection()
        self.assertIn("no-reply: closed", self.failure(asking))

    def test_cut_in_the_middle(self) -> None:
        """It hangs up in the middle of its reply."""
        asking, raw = self.ask()
        raw.tcp.write(self.answered(STATE)[:-3])
        raw.tcp.loseConnection()
        self.assertIn("truncated", self.failure(asking))

    def test_reset(self) -> None:
        """It breaks the connection off."""
        asking, raw = self.ask()
        raw.tcp.abortConnection()
        self.assertIn("no-reply", self.failure(asking))

    def test_error_reply(self) -> None:
        """Its error is told as it is written, fit for a log."""
        asking, raw = self.ask()
        raw.tcp.write(self.answered(ErrorReply(f"no\n\x1b[2J{'x' * 500}")))
        why = self.failure(asking)
        self.assertIn("refused: answers: no??[2Jxxx", why)
        self.assertLess(len(why), 250)

    def test_nonsense(self) -> None:
        """It answers something else."""
        asking, raw = self.ask()
        raw.tcp.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        self.assertIn("misplaced", self.failure(asking))

    def test_too_many(self) -> None:
        """So many at once, and no more; when one is over there is room."""
        accepted = self.accept()
        asking = [
            self.begin(self.dialler.ask(TO, PING)) for _ in range(CONNECTIONS + 1)
        ]
        error = self.failureResultOf(asking[-1], StreamFailed).value
        self.assertEqual(error.why, "too-many")
        self.assertEqual(len(accepted), CONNECTIONS)
        accepted[0].tcp.write(self.answered(Ack(sequence=7)))
        self.network.advance(0.05)
        self.successResultOf(asking[0])
        asking.append(self.begin(self.dialler.ask(TO, PING)))
        self.assertEqual(len(accepted), CONNECTIONS + 1)
        for each in asking:
            each.addErrback(lambda _failure: None)


class TellTests(DialledTestCase):
    """A message that has no reply."""

    def test_told(self) -> None:
        """It is told once the system has taken all of it."""
        accepted = self.accept()
        telling = self.begin(self.dialler.tell(TO, LETTER))
        self.assertIsNone(self.successResultOf(telling))
        self.assertEqual(accepted[0].heard(accepting=True), LETTER)
        self.assertEqual(self.leftovers(), [])

    def test_flushed(self) -> None:
        """A long message is told in full, and not before."""
        accepted = self.accept()
        payload = bytes(range(256)) * (3 * WINDOW_BYTES // 256)
        self.framing = self.uncompressed()
        telling = Deferred.fromCoroutine(
            self.dialler.tell(TO, UserMessage(payload=payload))
        )
        self.network.advance(0.01)
        accepted[0].tcp.pauseProducing()
        self.network.advance(5.0)
        self.assertNoResult(telling)
        accepted[0].tcp.resumeProducing()
        self.network.advance(0.5)
        self.successResultOf(telling)
        self.assertEqual(
            accepted[0].heard(accepting=True), UserMessage(payload=payload)
        )

    def test_not_read(self) -> None:
        """Who does not read it in time was not told."""
        accepted = self.accept()
        self.framing = self.uncompressed()
        message = UserMessage(payload=bytes(3 * WINDOW_BYTES))
        telling = Deferred.fromCoroutine(self.dialler.tell(TO, message))
        self.network.advance(0.01)
        accepted[0].tcp.pauseProducing()
        self.network.advance(SECONDS + 0.1)
        self.assertIn("lost: broke the connection off", self.failure(telling))

    def test_hung_up_on(self) -> None:
        """Who hangs up before the message is written was not told either."""
        accepted = self.accept()
        self.pool.busy = True
        telling = self.begin(self.dialler.tell(TO, LETTER))
        accepted[0].tcp.loseConnection()
        self.network.advance(0.05)
        self.pool.work()
        self.assertIn("lost: broke the connection off", self.failure(telling))

    def test_hung_up_while_it_is_sent(self) -> None:
        """Nor who hangs up while the message waits to be sent."""
        accepted = self.accept()
        self.framing = self.uncompressed()
        message = UserMessage(payload=bytes(3 * WINDOW_BYTES))
        telling = Deferred.fromCoroutine(self.dialler.tell(TO, message))
        self.network.advance(0.01)
        accepted[0].tcp.pauseProducing()
        self.network.advance(0.05)
        accepted[0].tcp.abortConnection()
        self.assertIn("lost", self.failure(telling))


class StopTests(DialledTestCase):
    """What is under way ends at once, and nothing is begun."""

    def stopped(self, work: Deferred[object]) -> str:
        """Stop; why what was under way came to nothing."""
        stopping = self.begin(self.dialler.stop())
        self.successResultOf(stopping)
        return self.failure(work)

    def test_connecting(self) -> None:
        """While it connects."""
        self.network.cut(["10.0.0.1"], ["10.0.0.2"])
        asking = self.begin(self.dialler.ask(TO, PING))
        self.assertIn("unreachable", self.stopped(asking))

    def test_waiting(self) -> None:
        """While it waits for the reply."""
        self.accept()
        asking = self.begin(self.dialler.ask(TO, PING))
        self.assertEqual(self.stopped(asking), "stopped: this node stops")

    def test_decoding(self) -> None:
        """While the reply is decoded."""
        accepted = self.accept()
        asking = self.begin(self.dialler.ask(TO, PING))
        self.pool.busy = True
        accepted[0].tcp.write(self.answered(Ack(sequence=7)))
        self.network.advance(0.05)
        self.assertEqual(self.pool.waiting, 1)
        self.assertEqual(self.stopped(asking), "stopped: this node stops")
        self.pool.work()

    def test_telling(self) -> None:
        """While a message is sent."""
        accepted = self.accept()
        self.framing = self.uncompressed()
        message = UserMessage(payload=bytes(3 * WINDOW_BYTES))
        telling = Deferred.fromCoroutine(self.dialler.tell(TO, message))
        self.network.advance(0.01)
        accepted[0].tcp.pauseProducing()
        self.network.advance(0.05)
        self.assertIn("lost", self.stopped(telling))

    def test_afterwards(self) -> None:
        """Nothing is begun."""
        accepted = self.accept()
        self.successResultOf(self.begin(self.dialler.stop()))
        asking = self.begin(self.dialler.ask(where("10.0.0.2"), PING))
        self.assertIn("this node stops", self.failure(asking))
        self.assertEqual(accepted, [])
