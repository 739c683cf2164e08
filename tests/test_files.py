"""Tests of `e2d.files`; what it writes is tested with what is made of it."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from e2d.files import read_file


class ReadFileTests(SynchronousTestCase):
    """`read_file` reads regular files, and leaves nothing open."""

    def test_directory(self) -> None:
        """A directory is refused, and is no longer open after that."""
        directory = Path(self.mktemp())
        directory.mkdir()
        before = os.listdir("/proc/self/fd")
        error = self.assertRaises(ValueError, read_file, str(directory), 10)
        self.assertEqual("it is not a regular file", str(error))
        self.assertEqual(before, os.listdir("/proc/self/fd"))
