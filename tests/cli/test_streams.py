"""Tests of `e2d.cli.streams`."""

from __future__ import annotations

import io
import os

from twisted.trial.unittest import SynchronousTestCase

from e2d.cli.streams import ErrorStream, OutputFailed, OutputStream


class StreamTestCase(SynchronousTestCase):
    """With a device that is full and a pipe that nobody empties."""

    def full_pipe(self) -> int:
        """The end to write to of a pipe that has no room left, and does not wait."""
        end_to_read, end_to_write = os.pipe()
        self.addCleanup(os.close, end_to_read)
        self.addCleanup(os.close, end_to_write)
        os.set_blocking(end_to_write, False)
        try:
            while True:
                os.write(end_to_write, b" " * 4096)
        except BlockingIOError:
            return end_to_write


class OutputStreamTests(StreamTestCase):
    """`OutputStream`."""

    def test_written(self) -> None:
        """What can be written is."""
        end_to_read, end_to_write = os.pipe()
        self.addCleanup(os.close, end_to_read)
        with OutputStream(end_to_write, "w") as stream:
            self.assertEqual(stream.write(b"serving"), 7)
        self.assertEqual(os.read(end_to_read, 100), b"serving")

    def test_full(self) -> None:
        """A failure is said once; what is left in a buffer then fails nobody."""
        stream = io.BufferedWriter(OutputStream("/dev/full", "w"))
        stream.write(b"serving")
        error = self.assertRaises(OutputFailed, stream.flush)
        self.assertEqual(error.message, "standard output: no space left on device")
        self.assertEqual(error.exit_code, 1)
        stream.close()

    def test_nobody_reads(self) -> None:
        """Click ends for it without a word."""
        end_to_read, end_to_write = os.pipe()
        os.close(end_to_read)
        with OutputStream(end_to_write, "w") as stream:
            self.assertRaises(BrokenPipeError, stream.write, b"serving")
            self.assertEqual(stream.write(b"serving"), 7)

    def test_slow_reader(self) -> None:
        """A pipe that has no room and was set not to wait is a failure, too."""
        with OutputStream(self.full_pipe(), "w", closefd=False) as stream:
            error = self.assertRaises(OutputFailed, stream.write, b"serving")
        self.assertIn("resource temporarily unavailable", error.message)


class ErrorStreamTests(StreamTestCase):
    """`ErrorStream`."""

    def test_full(self) -> None:
        """What cannot be said is dropped."""
        with ErrorStream("/dev/full", "w") as stream:
            self.assertEqual(stream.write(b"Error: "), 7)

    def test_slow_reader(self) -> None:
        """So is what nobody takes."""
        with ErrorStream(self.full_pipe(), "w", closefd=False) as stream:
            self.assertEqual(stream.write(b"Error: "), 7)
