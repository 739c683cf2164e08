"""``e2d why``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from e2d.cli.places import Candidate, Where, candidates, daemon_options
from e2d.cli.rendering import Document, decision_lines, mentioning
from e2d.cli.terminal import NotUnderstood, drive, print_json, print_lines

if TYPE_CHECKING:
    from e2d.interfaces import IDaemonReactor

__all__ = ["why"]

SHOWN = 5


@click.command()
@click.argument("member", required=False)
@click.option(
    "-n",
    "--last",
    metavar="N",
    type=click.IntRange(1, 100),
    default=SHOWN,
    show_default=True,
    help="How many decisions.",
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@daemon_options
def why(where: Where, *, member: str | None, last: int, as_json: bool) -> None:
    """
    Show the last decisions and what they were made from, the newest last.

    With MEMBER, a name or an id, only those that have to do with it.
    """
    places = candidates(where)
    decisions = drive(lambda reactor: _fetch(reactor, places))
    try:
        if member is not None:
            decisions = mentioning(decisions, member)
        shown = decisions[-last:]
        lines = decision_lines(shown)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise NotUnderstood from None
    if as_json:
        print_json({"decisions": shown})
    elif shown:
        print_lines(lines)
    else:
        about = "" if member is None else f" that has to do with {member}"
        click.echo(f"no decision{about} yet")


async def _fetch(reactor: IDaemonReactor, places: list[Candidate]) -> list[Document]:
    from e2d.cli.daemon import find_daemon

    daemon, _status = await find_daemon(reactor, places)
    return await daemon.decisions()
