"""
The click program: commands that are imported when they are called.

``e2d --help`` and ``e2d version`` answer at once; Twisted, YAML and HTTP are loaded by
the commands that need them, inside their functions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import click
from attrs import frozen

from e2d import __version__

__all__ = ["COMMANDS", "Command", "LazyGroup", "program"]


@frozen
class Command:
    """
    Where a command is.

    :param module: imported when the command is called.
    :param attribute: the ``click.Command`` in it.
    :param summary: one line for the list of commands.
    """

    module: str
    attribute: str
    summary: str


COMMANDS: Mapping[str, Command] = {
    "run": Command("e2d.cli.run", "run", "Run the daemon in the foreground."),
    "status": Command(
        "e2d.cli.status", "status", "Show this node, its etcd and what comes next."
    ),
    "why": Command(
        "e2d.cli.why", "why", "Show the last decisions and what they were made from."
    ),
    "gossip": Command("e2d.cli.gossip", "gossip", "Show the gossip ring."),
    "restart": Command(
        "e2d.cli.acting", "restart", "Stop etcd and start it again on its data."
    ),
    "pause": Command("e2d.cli.acting", "pause", "Hands off, for a while."),
    "resume": Command("e2d.cli.acting", "resume", "End a pause."),
    "config": Command("e2d.cli.config", "config", "Check and show configurations."),
    "version": Command("e2d.cli.version", "version", "Show versions."),
    "completion": Command(
        "e2d.cli.completion", "completion", "Print a completion script for a shell."
    ),
}
"""In the order of the help, which a newcomer reads from above."""


class LazyGroup(click.Group):
    """
    A group that knows its commands by name.

    :param lazy: the commands by name, in the order in which they are listed.
    """

    def __init__(
        self,
        name: str | None = None,
        commands: Sequence[click.Command] = (),
        *,
        lazy: Mapping[str, Command],
        **attributes: Any,  # noqa: ANN401 - click's own
    ) -> None:
        super().__init__(name, commands, **attributes)
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The names, without importing anything."""
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one command."""
        place = self._lazy.get(cmd_name)
        if place is None:
            return None
        command = getattr(import_module(place.module), place.attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002
        formatter: click.HelpFormatter,
    ) -> None:
        """The list of commands, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, command.summary) for name, command in self._lazy.items()]
            )


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 the daemon"
    " can't be reached.",
)
@click.version_option(__version__, prog_name="e2d", message="%(prog)s %(version)s")
def program() -> None:
    """Deploys etcd clusters and keeps them alive."""
