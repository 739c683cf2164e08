"""Durations and sizes, both ways."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.config.quantities import (
    format_duration,
    format_size,
    parse_duration,
    parse_size,
)


class DurationTests(SynchronousTestCase):
    """Go's durations."""

    def test_units(self) -> None:
        """Every unit of Go, and days."""
        for text, seconds in (
            ("1ns", 1e-9),
            ("1us", 1e-6),
            ("1\u00b5s", 1e-6),
            ("1\u03bcs", 1e-6),
            ("250ms", 0.25),
            ("1s", 1.0),
            ("5m", 300.0),
            ("1h", 3600.0),
            ("7d", 604800.0),
        ):
            self.assertEqual(seconds, parse_duration(text))

    def test_combined(self) -> None:
        """Parts add up; fractions and signs do as in Go."""
        self.assertEqual(5400.0, parse_duration("1h30m"))
        self.assertEqual(1.5, parse_duration("1.5s"))
        self.assertEqual(0.5, parse_duration(".5s"))
        self.assertEqual(-60.0, parse_duration("-1m"))
        self.assertEqual(0.0, parse_duration("0"))

    def test_refused(self) -> None:
        """What Go refuses is refused."""
        for text in ("", "5", "m", "1 h", "1h 30m", ".s", "1x", "--1s", "1e3s"):
            self.assertRaises(ValueError, parse_duration, text)

    def test_too_long(self) -> None:
        """Beyond 292 years Go has no durations."""
        self.assertRaises(ValueError, parse_duration, "3000000h")

    def test_written(self) -> None:
        """Parts that are zero are left out."""
        self.assertEqual("5m", format_duration(300.0))
        self.assertEqual("1h30m", format_duration(5400.0))
        self.assertEqual("1.5s", format_duration(1.5))
        self.assertEqual("0.000000001s", format_duration(1e-9))
        self.assertEqual("0s", format_duration(0.0))

    @given(st.integers(min_value=0, max_value=9 * 10**18))
    def test_round_trip(self, nanoseconds: int) -> None:
        """What is written is read as the same number of seconds."""
        seconds = parse_duration(f"{nanoseconds}ns")
        self.assertEqual(seconds, parse_duration(format_duration(seconds)))

    @given(st.text())
    def test_any_text(self, text: str) -> None:
        """Any text is a duration or a ValueError."""
        try:
            parse_duration(text)
        except ValueError:
            return


class SizeTests(SynchronousTestCase):
    """Bytes."""

    def test_units(self) -> None:
        """Binary units count in 1024, the others in 1000."""
        self.assertEqual(8 << 30, parse_size("8GiB"))
        self.assertEqual(500_000_000, parse_size("500M"))
        self.assertEqual(2048, parse_size("2 Ki"))
        self.assertEqual(17, parse_size("17"))

    def test_refused(self) -> None:
        """A size is whole and has a unit that exists."""
        for text in ("", "1.5G", "-1", "8gib", "G", "1 G B"):
            self.assertRaises(ValueError, parse_size, text)

    @given(st.integers(min_value=0, max_value=1 << 63))
    def test_round_trip(self, size: int) -> None:
        """What is written is read as the same number of bytes."""
        self.assertEqual(size, parse_size(str(format_size(size))))
