"""Tests of `e2d.api.ports`."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import LogLevel, LogPublisher, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from e2d.api.ports import CannotListen, PatientPort

TAKEN = CannotListen("api.addr 127.0.0.1:7981: in use already")


class SlowPort:
    """A port that takes its time to close."""

    def __init__(self) -> None:
        self.closed: Deferred[None] = Deferred()

    def stopListening(self) -> Deferred[None]:
        """Close, later."""
        return self.closed


class PatientPortTests(SynchronousTestCase):
    """`PatientPort`."""

    def setUp(self) -> None:
        """Given a port that was not opened."""
        self.clock = Clock()
        self.error: Exception | None = None
        self.tries = 0
        self.opened = SlowPort()
        self.port = PatientPort(clock=self.clock, name="api.addr", listen=self.listen)
        self.said: list[tuple[Any, str]] = []
        publisher: LogPublisher = globalLogPublisher
        publisher.addObserver(self.hear)
        self.addCleanup(publisher.removeObserver, self.hear)

    def listen(self) -> SlowPort:
        """Open, or not."""
        self.tries += 1
        if self.error is not None:
            raise self.error
        return self.opened

    def hear(self, event: dict[str, Any]) -> None:
        """Note what is said of it."""
        if "port" in event:
            self.said.append((event["log_level"], event["log_format"].format(**event)))

    def test_at_once(self) -> None:
        """What is free is open when `open` returns, and nothing is said."""
        self.port.open()
        self.assertIs(self.port.listening, self.opened)
        self.assertIsNone(self.port.problem)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.said, [])

    def test_tried_again(self) -> None:
        """What is taken is tried every five seconds, until it is free."""
        self.error = TAKEN
        self.port.open()
        self.clock.pump([4.9, 0.1, 5.0])
        self.assertEqual(self.tries, 3)
        self.assertIsNone(self.port.listening)
        self.error = None
        self.clock.advance(5.0)
        self.assertIs(self.port.listening, self.opened)
        self.clock.advance(5.0)
        self.assertEqual(self.tries, 4)

    def test_problem(self) -> None:
        """The problem is there to be read, until it is over."""
        self.error = TAKEN
        self.port.open()
        self.assertEqual(
            self.port.problem,
            "api.addr 127.0.0.1:7981: in use already; trying again every 5 s",
        )
        self.error = None
        self.clock.advance(5.0)
        self.assertIsNone(self.port.problem)

    def test_said_once(self) -> None:
        """A warning when it begins to fail, a line when it succeeds."""
        self.error = TAKEN
        self.port.open()
        self.clock.pump([5.0, 5.0])
        self.error = None
        self.clock.advance(5.0)
        self.assertEqual(
            self.said,
            [
                (
                    LogLevel.warn,
                    "api.addr 127.0.0.1:7981: in use already; trying again every 5 s",
                ),
                (LogLevel.info, "api.addr: listening now"),
            ],
        )

    def test_another_reason(self) -> None:
        """When the reason changes, the new one is said."""
        self.error = TAKEN
        self.port.open()
        self.error = CannotListen("api.addr 127.0.0.1:7981: permission denied")
        self.clock.advance(5.0)
        self.assertEqual(len(self.said), 2)
        self.assertIn("permission denied", self.said[1][1])

    def test_defect(self) -> None:
        """What nobody expected is logged as a failure, once, and tried again too."""
        self.error = ValueError("embedded null byte")
        self.port.open()
        self.clock.advance(5.0)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertEqual(
            self.port.problem,
            "api.addr: ValueError: embedded null byte; trying again every 5 s",
        )
        self.error = None
        self.clock.advance(5.0)
        self.assertIs(self.port.listening, self.opened)

    def test_opened_twice(self) -> None:
        """To open what is open changes nothing."""
        self.port.open()
        self.port.open()
        self.assertEqual(self.tries, 1)

    def test_close(self) -> None:
        """Closing waits for the port."""
        self.port.open()
        closed = Deferred.fromCoroutine(self.port.close())
        self.assertNoResult(closed)
        self.opened.closed.callback(None)
        self.successResultOf(closed)
        self.assertIsNone(self.port.listening)

    def test_close_while_trying(self) -> None:
        """What was closed is tried no more, and is no problem any more."""
        self.error = TAKEN
        self.port.open()
        self.successResultOf(Deferred.fromCoroutine(self.port.close()))
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertIsNone(self.port.problem)
