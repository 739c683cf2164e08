"""
Standard input, output and error of the commands: there, and honest.

Note [Where a failure is noticed]
---------------------------------
Below the buffer and not where something is printed: click prints helps by itself, and
Python what is left in the buffer at the end, too late to change the exit code.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

import click

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

__all__ = ["ErrorStream", "OutputFailed", "OutputStream", "take_streams"]

_WHEN_CLOSED = (os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)
"""How /dev/null stands in for input, output, error: writing to the output fails."""


class OutputFailed(click.ClickException):
    """
    What was asked for cannot be told.

    :param error: of the system.
    """

    def __init__(self, error: OSError) -> None:
        super().__init__(f"standard output: {str(error.strerror).lower()}")


class OutputStream(io.FileIO):
    """Standard output. After its first failure, which is raised, it takes anything."""

    _failed = False

    def write(self, data: ReadableBuffer, /) -> int:
        """
        Write some of it.

        :raises BrokenPipeError: nobody reads; click ends the command without a word.
        :raises OutputFailed: for any other reason.
        """
        if self._failed:
            return len(memoryview(data))
        try:
            return _write(self, data)
        except BrokenPipeError:
            self._failed = True
            raise
        except OSError as error:
            self._failed = True
            raise OutputFailed(error) from error


class ErrorStream(io.FileIO):
    """Standard error. What cannot be told there cannot be told at all."""

    def write(self, data: ReadableBuffer, /) -> int:
        """Write some of it, or drop it."""
        try:
            return _write(self, data)
        except OSError:
            return len(memoryview(data))


def take_streams() -> None:
    """
    Have all three.

    Who closes one (``<&-``) would else see the next file that is opened, a lock or a
    socket, take its place.
    """
    given = (sys.stdin, sys.stdout, sys.stderr)
    for descriptor, stream in enumerate(given):
        if stream is None:
            _open_null(descriptor, _WHEN_CLOSED[descriptor])
    sys.stdin = sys.stdin or os.fdopen(0)
    output = OutputStream(1, "w", closefd=False)
    sys.stdout = _text(output, sys.stdout, by_line=output.isatty())
    errors = ErrorStream(2, "w", closefd=False)
    sys.stderr = _text(errors, sys.stderr, by_line=True)


def _write(raw: io.FileIO, data: ReadableBuffer) -> int:
    written: int | None = io.FileIO.write(raw, data)
    if written is None:
        # Another process set it to non-blocking, and whoever reads is slow.
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    return written


def _open_null(descriptor: int, flags: int) -> None:
    opened = os.open(os.devnull, flags)
    if opened != descriptor:
        os.dup2(opened, descriptor)
        os.close(opened)


def _text(raw: io.FileIO, like: TextIO | None, *, by_line: bool) -> io.TextIOWrapper:
    """A text stream; letters that its character set lacks are written as escapes."""
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding="utf-8" if like is None else like.encoding,
        errors="backslashreplace",
        line_buffering=by_line,
    )
