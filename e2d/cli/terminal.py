"""How commands print, run a coroutine and end."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from e2d.cli.rendering import Line, Tone

if TYPE_CHECKING:
    from e2d.interfaces import IDaemonReactor

__all__ = [
    "NotUnderstood",
    "Unreachable",
    "WrongUsage",
    "drive",
    "frame",
    "print_json",
    "print_lines",
]

T = TypeVar("T")

COLOURS = {Tone.GOOD: "green", Tone.BAD: "red", Tone.CAUTION: "yellow"}


class Unreachable(click.ClickException):
    """The daemon can't be reached: exit code 3."""

    exit_code = 3


class WrongUsage(click.ClickException):
    """Wrong usage or configuration: exit code 2, and one line without a usage text."""

    exit_code = 2


class NotUnderstood(click.ClickException):
    """The daemon's answer has another form than this version knows."""

    def __init__(self) -> None:
        super().__init__(
            "the daemon's answer is not understood: it may be of another version;"
            " use the command that came with it"
        )


def print_json(document: dict[str, Any]) -> None:
    """One document on one line, for machines."""
    click.echo(json.dumps(document))


def frame(lines: Sequence[Line], *, colours: bool) -> str:
    """The text of some lines, each with its end."""
    return "".join(f"{_paint(line) if colours else line.text}\n" for line in lines)


def print_lines(lines: Sequence[Line]) -> None:
    """Lines for people: in colours on a terminal, unless ``NO_COLOR`` is set."""
    click.echo(frame(lines, colours=colours_wanted()), nl=False)


def colours_wanted() -> bool:
    """Whether whoever reads sees colours and wants them."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _paint(line: Line) -> str:
    colour = COLOURS.get(line.tone)
    return line.text if colour is None else click.style(line.text, fg=colour)


def drive(work: Callable[[IDaemonReactor], Awaitable[T]]) -> T:
    """
    Run a coroutine to its end, on Twisted's own reactor.

    :param work: given the reactor.
    :return: what it returned.
    :raises click.ClickException: what it raised.
    :raises click.Abort: it was interrupted.
    """
    from twisted.internet.task import react

    outcomes: list[T] = []
    errors: list[Exception] = []

    async def main(reactor: IDaemonReactor) -> None:
        try:
            outcomes.append(await work(reactor))
        except (click.ClickException, BrokenPipeError) as error:
            # Click knows how to end for these.
            errors.append(error)

    code: int | str | None = 0
    try:
        react(main)
    except SystemExit as ended:
        code = ended.code
    if errors:
        raise errors[0]
    if outcomes:
        return outcomes[0]
    if code:
        # A defect: Twisted has printed it.
        raise click.exceptions.Exit(1)
    raise click.Abort
