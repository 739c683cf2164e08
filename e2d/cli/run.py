"""``e2d run``."""

from __future__ import annotations

import click

__all__ = ["run"]


@click.command()
@click.option(
    "-c",
    "--config",
    metavar="FILE",
    help="Configuration, - for standard input. Without it config.yaml here if there is"
    " one, else a single node on loopback.",
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Text for people, JSON lines for machines.",
)
@click.option("-v", "--verbose", is_flag=True, help="Log what developers want to know.")
@click.pass_context
def run(
    ctx: click.Context, *, config: str | None, log_format: str, verbose: bool
) -> None:
    """
    Run the daemon in the foreground.

    SIGTERM and SIGINT end it cleanly, with exit code 0.
    """
    from e2d.tap import run_foreground

    ctx.exit(run_foreground(config, log_format, verbose))
