"""The command line without standard input, output or error."""

from __future__ import annotations

import subprocess
import sys

from twisted.trial.unittest import TestCase


class ClosedStreamsTests(TestCase):
    """What is closed is as good as empty, or as nobody who reads."""

    def run_closed(self, redirection: str) -> subprocess.CompletedProcess[str]:
        """``e2d config check`` of an empty directory's defaults."""
        command = f'exec "$0" -m e2d config check -c - {redirection}'
        return subprocess.run(
            ["/bin/sh", "-c", command, sys.executable],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            input="{}",
        )

    def test_no_input(self) -> None:
        """Closed input is an empty file: one line says so, and no traceback."""
        done = self.run_closed("<&-")
        self.assertNotIn("Traceback", done.stderr)
        self.assertEqual(done.returncode, 2)

    def test_no_streams(self) -> None:
        """Without any of the three the exit code still tells."""
        self.assertEqual(self.run_closed("<&- >&- 2>&-").returncode, 2)

    def test_no_output(self) -> None:
        """A file that is right is right without anybody who reads that."""
        self.assertEqual(self.run_closed(">&- 2>&-").returncode, 0)
