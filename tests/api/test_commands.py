"""Tests of `e2d.api.commands`."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.api.commands import BadRequest, parse_empty, parse_pause, parse_time
from e2d.model import Pause

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def pause(body: bytes) -> Pause:
    """What uid 1000 asks for."""
    return parse_pause(body, now_at=NOW, by="uid 1000")


class PauseTests(SynchronousTestCase):
    """`parse_pause`."""

    def refused(self, body: bytes) -> str:
        """Why a body is refused."""
        return self.assertRaises(BadRequest, pause, body).message

    def test_default(self) -> None:
        """Without an end a pause lasts an hour."""
        self.assertEqual(
            pause(b""), Pause(until_at=NOW + timedelta(hours=1), by="uid 1000")
        )

    def test_seconds(self) -> None:
        """A length in seconds, with a reason."""
        self.assertEqual(
            pause(b'{"seconds": 90, "reason": "new disk"}'),
            Pause(
                until_at=datetime(2026, 1, 2, 3, 5, 35, tzinfo=UTC),
                by="uid 1000",
                reason="new disk",
            ),
        )

    def test_until(self) -> None:
        """An end in any time zone is one moment."""
        self.assertEqual(
            pause(b'{"until": "2026-01-02T06:00:00+02:00"}').until_at,
            datetime(2026, 1, 2, 4, 0, tzinfo=UTC),
        )

    def test_both(self) -> None:
        """Two ends contradict each other."""
        body = b'{"until": "2026-01-02T06:00:00Z", "seconds": 5}'
        self.assertEqual(self.refused(body), "give until or seconds, not both")

    def test_past(self) -> None:
        """An end in the past is a mistake, and the answer says what time it is."""
        self.assertEqual(
            self.refused(b'{"until": "2026-01-02T03:00:00Z"}'),
            "until is in the past: here it is 2026-01-02T03:04:05Z",
        )

    def test_too_long(self) -> None:
        """A pause cannot be so long that it is forgotten."""
        expected = "a pause can be 30 days long: pause again when it ends"
        self.assertEqual(self.refused(b'{"seconds": 2592001}'), expected)
        self.assertEqual(self.refused(b'{"until": "2027-01-01T00:00:00Z"}'), expected)
        self.assertEqual(self.refused(b'{"seconds": 1%s}' % (b"0" * 400)), expected)

    def test_no_offset(self) -> None:
        """A time without its zone could be any of two dozen."""
        self.assertIn("RFC 3339", self.refused(b'{"until": "2026-01-02T06:00:00"}'))

    def test_wrong_types(self) -> None:
        """Each key has its type, and True is not a number."""
        self.assertEqual(self.refused(b'{"seconds": true}'), "seconds must be a number")
        self.assertEqual(self.refused(b'{"reason": 1}'), "reason must be a string")
        self.assertEqual(
            self.refused(b'{"until": 1}'), "until must be a string, an RFC 3339 time"
        )

    def test_not_a_number(self) -> None:
        """``NaN`` is not JSON."""
        self.assertEqual(
            self.refused(b'{"seconds": NaN}'), "the body must be JSON in UTF-8"
        )

    def test_deep(self) -> None:
        """Nesting does not exhaust the stack."""
        self.assertEqual(self.refused(b"[" * 65536), "the body must be JSON in UTF-8")

    def test_unknown_key(self) -> None:
        """A key that is not known may be a misspelt one."""
        self.assertEqual(self.refused(b'{"untill": "x"}'), "unknown key 'untill'")

    def test_terminal_escapes(self) -> None:
        """A reason cannot move the cursor of whoever reads it."""
        self.assertEqual(
            self.refused(b'{"reason": "\\u001b[2J"}'),
            "reason must be one line of printable characters",
        )

    def test_lone_surrogate(self) -> None:
        """A reason can be written to disk."""
        self.assertIn("printable", self.refused(b'{"reason": "\\ud800"}'))

    @given(st.binary(max_size=200))
    def test_any_bytes(self, body: bytes) -> None:
        """Whatever comes is a pause within the bounds, or a refusal."""
        self.within_bounds(body)

    def within_bounds(self, body: bytes) -> None:
        """Nothing but the named error, and no endless pause."""
        try:
            found = pause(body)
        except BadRequest:
            return
        self.assertGreater(found.until_at, NOW)
        self.assertLessEqual(found.until_at, NOW + timedelta(days=30))

    @given(
        st.fixed_dictionaries(
            {},
            optional={
                "until": st.text() | st.datetimes().map(lambda at: f"{at:%FT%TZ}"),
                "seconds": st.floats() | st.integers() | st.none(),
                "reason": st.text(),
            },
        )
    )
    def test_any_fields(self, fields: dict[str, object]) -> None:
        """Whatever the fields hold is a pause within the bounds, or a refusal."""
        self.within_bounds(json.dumps(fields).encode())


class TimeTests(SynchronousTestCase):
    """`parse_time`."""

    def test_leaves_the_calendar(self) -> None:
        """A time that has no UTC form is refused like any other bad one."""
        self.assertRaises(BadRequest, parse_time, "0001-01-01T00:00:00+23:59")

    @given(st.text())
    def test_any_text(self, text: str) -> None:
        """Whatever the text, only the named error."""
        try:
            parse_time(text)
        except BadRequest as error:
            self.assertNotIn("\n", error.message)


class EmptyTests(SynchronousTestCase):
    """`parse_empty`."""

    def test_empty(self) -> None:
        """Nothing and an empty object are both empty."""
        parse_empty(b"")
        parse_empty(b" {}\n")

    def test_not_empty(self) -> None:
        """Something that would be ignored is refused."""
        self.assertRaises(BadRequest, parse_empty, b'{"force": true}')
