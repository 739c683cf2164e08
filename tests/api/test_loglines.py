"""Tests of `e2d.api.loglines`."""

from __future__ import annotations

import json

from twisted.logger import LogEvent, Logger, LogLevel, formatEvent
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from e2d.api.loglines import json_line, text_line

EVENT: LogEvent = {
    "log_time": 1767268800.25,
    "log_level": LogLevel.warn,
    "log_namespace": "e2d.convergence",
    "log_format": "{code}: {reason}",
    "log_source": object(),
    "code": "E2D-W01",
    "reason": "etcd starts",
    "member_id": 77,
    "opaque": object(),
}


class LineTests(SynchronousTestCase):
    """One event, one line."""

    def test_text(self) -> None:
        """Time, level, who, what."""
        self.assertEqual(
            text_line(EVENT),
            "2026-01-01T12:00:00.250Z [warn] e2d.convergence: E2D-W01: etcd starts\n",
        )

    def test_json(self) -> None:
        """The same with its fields, and without what is not a plain value."""
        self.assertEqual(
            json.loads(json_line(EVENT)),
            {
                "time": "2026-01-01T12:00:00.250Z",
                "level": "warn",
                "namespace": "e2d.convergence",
                "message": "E2D-W01: etcd starts",
                "code": "E2D-W01",
                "reason": "etcd starts",
                "member_id": 77,
            },
        )

    def test_what_others_said_stays_in_its_line(self) -> None:
        """A line break in a value cannot forge a second line."""
        forged = {**EVENT, "reason": "x\n2026 [info] -: all is well"}
        self.assertEqual(text_line(forged).count("\n"), 1)

    def test_terminals_are_not_obeyed(self) -> None:
        """Nor can one move the cursor of whoever reads the log."""
        hostile = {**EVENT, "reason": "\x1b[2Jn\xe4he\u2028\x9b"}
        self.assertIn("\\x1b[2Jn\xe4he\\u2028\\x9b\n", text_line(hostile))

    def test_numbers_that_are_none(self) -> None:
        """What JSON has no word for costs the value, not the line."""
        event = {**EVENT, "seconds": float("nan"), "limit": float("inf")}
        line = json.loads(json_line(event))
        self.assertEqual((line["seconds"], line["limit"]), ("nan", "inf"))

    def test_long_values(self) -> None:
        """A value has an end, like the message."""
        line = json_line({**EVENT, "reason": "x" * 100_000})
        self.assertLess(len(line), 40_000)

    def test_a_defect_keeps_its_traceback(self) -> None:
        """A failure is followed by where it happened, in either form."""
        event = {**EVENT, "log_failure": Failure(ZeroDivisionError("here"))}
        self.assertIn("ZeroDivisionError: here", text_line(event))
        self.assertIn("ZeroDivisionError", json.loads(json_line(event))["traceback"])

    def test_every_event_of_a_logger_fits(self) -> None:
        """What twisted.logger makes is understood as it is."""
        seen: list[LogEvent] = []
        Logger(observer=seen.append, namespace="x").info("{n} of {m}", n=1, m="2")
        self.assertEqual(json.loads(json_line(seen[0]))["n"], 1)
        self.assertIn(formatEvent(seen[0]), text_line(seen[0]))
