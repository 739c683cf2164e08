"""The command line, one module a command group."""

from __future__ import annotations

import os
import sys

__all__ = ["main"]

_STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def main() -> None:
    """``e2d``: runs a command and exits with its code."""
    _open_what_is_closed()
    from e2d.cli.program import program

    program(prog_name="e2d")


def _open_what_is_closed() -> None:
    """
    Have standard input, output and error, if only as ``/dev/null``.

    Who closes them (``<&-``) would else see the next file that is opened, a lock or a
    socket, take the place of one of them.
    """
    for descriptor, (name, mode) in enumerate(_STREAMS):
        if getattr(sys, name) is not None:
            continue
        opened = os.open(os.devnull, os.O_RDWR)
        if opened != descriptor:
            os.dup2(opened, descriptor)
            os.close(opened)
        setattr(sys, name, os.fdopen(descriptor, mode))
