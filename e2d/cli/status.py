"""``e2d status``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from e2d.cli.places import Candidate, Where, candidates, daemon_options
from e2d.cli.rendering import Document, Line, Tone, status_lines
from e2d.cli.terminal import (
    NotUnderstood,
    Unreachable,
    drive,
    print_json,
    print_lines,
)

if TYPE_CHECKING:
    from e2d.interfaces import IDaemonReactor

__all__ = ["status"]

WATCH_SECONDS = 1.0


@click.command()
@click.option("--watch", is_flag=True, help="Again every second, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@daemon_options
def status(where: Where, *, watch: bool, as_json: bool) -> None:
    """Show this node, its etcd and what comes next."""
    places = candidates(where)
    if not watch:
        _show(drive(lambda reactor: _fetch(reactor, places)), as_json=as_json)
        return
    try:
        drive(lambda reactor: _watch(reactor, places, as_json=as_json))
    except click.Abort:
        return


async def _fetch(reactor: IDaemonReactor, places: list[Candidate]) -> Document:
    from e2d.cli.daemon import find_daemon

    _daemon, document = await find_daemon(reactor, places)
    return document


async def _watch(
    reactor: IDaemonReactor, places: list[Candidate], *, as_json: bool
) -> None:
    """Until interrupted: a daemon that is restarted meanwhile comes back by itself."""
    from twisted.internet.task import deferLater

    while True:
        try:
            document = await _fetch(reactor, places)
        except Unreachable as error:
            _clear(as_json=as_json)
            click.echo(error.format_message(), err=True)
        else:
            _clear(as_json=as_json)
            _show(document, as_json=as_json)
        await deferLater(reactor, WATCH_SECONDS)


def _clear(*, as_json: bool) -> None:
    if not as_json and sys.stdout.isatty():
        click.clear()


def _show(document: Document, *, as_json: bool) -> None:
    if as_json:
        print_json(document)
        return
    try:
        lines = status_lines(document)
    except (KeyError, TypeError, ValueError):
        raise NotUnderstood from None
    if not sys.stdout.isatty():
        print_lines(lines)
        return
    print_lines([*lines, Line("", Tone.PLAIN)])
