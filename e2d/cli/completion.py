"""``e2d completion``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

__all__ = ["completion"]


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, *, shell: str) -> None:
    """
    Print a completion script.

    \b
    bash: e2d completion bash > ~/.local/share/bash-completion/completions/e2d
    zsh:  e2d completion zsh > a directory of $fpath, as _e2d
    fish: e2d completion fish > ~/.config/fish/completions/e2d.fish
    """  # noqa: D301 - click's mark, not a backslash
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(ctx.find_root().command, {}, "e2d", "_E2D_COMPLETE").source())
