"""The command line, one module a command group."""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """``e2d``: runs a command and exits with its code."""
    from e2d.cli.streams import take_streams

    take_streams()
    from e2d.cli.program import program

    program(prog_name="e2d")
