"""The command line on streams that are closed, full, or read by nobody."""

from __future__ import annotations

import os
import subprocess
import sys

from twisted.trial.unittest import TestCase

import e2d

ROOT = os.path.dirname(os.path.dirname(e2d.__file__))


def run(
    command: str, redirection: str = "", *, encoding: str = "utf-8", text: str = "{}"
) -> subprocess.CompletedProcess[str]:
    """
    ``e2d`` in a shell.

    :param text: its standard input.
    """
    return subprocess.run(
        ["/bin/sh", "-c", f'"$0" -m e2d {command} {redirection}', sys.executable],
        capture_output=True,
        timeout=60,
        check=False,
        input=text,
        encoding=encoding,
        env={**os.environ, "PYTHONPATH": ROOT, "PYTHONIOENCODING": encoding},
    )


class ClosedStreamsTests(TestCase):
    """Closed input is empty input; closed output is one that cannot be written to."""

    def test_no_input(self) -> None:
        """Closed input is an empty file: one line says so, and no traceback."""
        done = run("config check -c -", "<&-")
        self.assertNotIn("Traceback", done.stderr)
        self.assertEqual(done.returncode, 2)

    def test_no_streams(self) -> None:
        """Without any of the three the exit code still tells."""
        done = run("config check -c -", "<&- >&- 2>&-")
        self.assertEqual(done.returncode, 2)

    def test_no_output(self) -> None:
        """What was asked for and could not be told is a failure."""
        done = run("config show -c -", ">&-")
        self.assertEqual(
            (done.stderr, done.returncode),
            ("Error: standard output: bad file descriptor\n", 1),
        )


class FullStreamsTests(TestCase):
    """What cannot be written is one line on standard error, and exit code 1."""

    def assert_told(self, command: str) -> None:
        """One line, no traceback, exit code 1."""
        done = run(command, ">/dev/full")
        self.assertEqual(
            (done.stderr, done.returncode),
            ("Error: standard output: no space left on device\n", 1),
        )

    def test_long(self) -> None:
        """More than the buffer holds."""
        self.assert_told("config schema")

    def test_short(self) -> None:
        """Less than the buffer holds."""
        self.assert_told("version")

    def test_help(self) -> None:
        """The help, which click prints, is told like anything else."""
        self.assert_told("--help")

    def test_nobody_reads(self) -> None:
        """A reader that goes away is nobody's mistake: nothing is said."""
        done = run("config schema", "| true")
        self.assertEqual(done.stderr, "")

    def test_no_errors(self) -> None:
        """An error that cannot be told is still in the exit code."""
        done = run("config check -c /nowhere/e2d.yaml", "2>/dev/full")
        self.assertEqual(done.returncode, 2)


class EncodingTests(TestCase):
    """What the terminal's character set lacks."""

    def test_lacking(self) -> None:
        """A letter that it lacks is written as an escape."""
        done = run(
            "config show -c -", encoding="latin-1", text='overrideName: "\\u03bb"'
        )
        self.assertEqual((done.stderr, done.returncode), ("", 0))
        self.assertIn("overrideName: \\u03bb\n", done.stdout)
