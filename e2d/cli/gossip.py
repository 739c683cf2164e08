"""``e2d gossip``: the ring."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from e2d.cli.places import Candidate, Where, candidates, daemon_options
from e2d.cli.ring_keys import keys
from e2d.cli.ring_table import member_lines
from e2d.cli.terminal import NotUnderstood, drive, print_json, print_lines

if TYPE_CHECKING:
    from e2d.cli.rendering import Document
    from e2d.interfaces import IDaemonReactor

__all__ = ["gossip"]


@click.group()
def gossip() -> None:
    """Show the gossip ring, and change its keys."""


gossip.add_command(keys)


@gossip.command()
@click.option("--all", "everybody", is_flag=True, help="Those who left, too.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@daemon_options
def members(where: Where, *, everybody: bool, as_json: bool) -> None:
    """
    Show who is in the ring, as this node sees it.

    Rank: alive; suspect, if it does not answer and may soon be dead; dead, if it went
    without a word; departed, if the ring forgot it and etcd lists its member; left, if
    it said so.
    """
    places = candidates(where)
    ring = drive(lambda reactor: _fetch(reactor, places))
    if as_json:
        print_json(ring)
        return
    try:
        lines = member_lines(ring, everybody=everybody)
    except (KeyError, TypeError, ValueError):
        raise NotUnderstood from None
    print_lines(lines)


async def _fetch(reactor: IDaemonReactor, places: list[Candidate]) -> Document:
    from e2d.cli.daemon import find_daemon

    _daemon, status = await find_daemon(reactor, places)
    ring = status.get("gossip")
    if ring is None:
        raise click.ClickException("this node takes part in no gossip ring")
    if not isinstance(ring, dict):
        raise NotUnderstood
    return ring
