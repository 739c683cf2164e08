"""Tests of `e2d.cli.words`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.cli.words import clipped, duration, listed, paragraph, printable, size


class WordsTests(SynchronousTestCase):
    """Numbers in words."""

    def test_duration(self) -> None:
        """The two largest units are enough."""
        self.assertEqual(duration(0.4), "0 s")
        self.assertEqual(duration(130), "2 m 10 s")
        self.assertEqual(duration(3600), "1 h")
        self.assertEqual(duration(3601), "1 h")
        self.assertEqual(duration(90061), "1 d 1 h")
        self.assertEqual(duration(-5), "0 s")

    def test_size(self) -> None:
        """Sizes have one decimal at most."""
        self.assertEqual(size(0), "0 B")
        self.assertEqual(size(20480), "20.5 kB")
        self.assertEqual(size(2_000_000_000), "2 GB")
        self.assertEqual(size(3e15), "3000.0 TB")

    def test_paragraph(self) -> None:
        """Long text is wrapped beside its label; a path is never broken."""
        path = "/" + "x" * 90
        self.assertEqual(
            paragraph("data", f"at {path}", 6), ["data  at", f"      {path}"]
        )
        self.assertEqual(paragraph("data", "", 6), ["data  "])

    def test_clipped(self) -> None:
        """What is too long ends visibly, and not a character too late."""
        self.assertEqual(clipped("12345678", 8), "12345678")
        self.assertEqual(clipped("123456789", 8), "12345...")
        self.assertEqual(clipped("\x1b[2J", 8), "?[2J")

    def test_listed(self) -> None:
        """A list ends with how many are not in it."""
        self.assertEqual(listed(["a", "b"], 2, 2), "a, b")
        self.assertEqual(listed(["a", "b", "c"], 3, 2), "a, b and 1 more")
        self.assertEqual(listed(["a", "b"], 9, 5), "a, b and 7 more")

    @given(st.text())
    def test_printable(self, text: str) -> None:
        """Whatever the text, the terminal obeys nobody."""
        self.assertTrue(printable(text).isprintable())
