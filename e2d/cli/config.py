"""``e2d config``: checks a configuration, shows what it comes to, describes it."""

from __future__ import annotations

import json
import sys

import click

from e2d.config import (
    ConfigurationError,
    HostFacts,
    Loaded,
    Problem,
    read_configuration,
    show,
)

__all__ = ["config"]

_WRONG_CONFIGURATION = 2

_file_option = click.option(
    "-c",
    "--config",
    "path",
    metavar="FILE",
    help="The file; - for standard input. Default: config.yaml here, if there is one.",
)
_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def config() -> None:
    """Check and show configurations."""


@config.command()
@_file_option
@_json_option
def check(path: str | None, *, as_json: bool) -> None:
    """
    Name every error of a configuration.

    Exit code 0 for a configuration that can be used, 2 for one that can't.
    """
    try:
        loaded = _load(path)
    except ConfigurationError as error:
        if as_json:
            click.echo(_report(error.problems, ()))
        else:
            click.echo(str(error), err=True)
        sys.exit(_WRONG_CONFIGURATION)
    if as_json:
        click.echo(_report((), loaded.warnings))
        return
    for warning in loaded.warnings:
        click.echo(f"warning: {warning}", err=True)
    click.echo("ok")


@config.command("show")
@_file_option
@_json_option
def show_configuration(path: str | None, *, as_json: bool) -> None:
    """
    Print the effective configuration in the newest form.

    Every default is spelled out, addresses are this host's, secrets are masked.
    """
    from e2d.config.writing import as_document

    try:
        loaded = _load(path)
    except ConfigurationError as error:
        click.echo(str(error), err=True)
        sys.exit(_WRONG_CONFIGURATION)
    for warning in loaded.warnings:
        click.echo(f"warning: {warning}", err=True)
    if as_json:
        click.echo(json.dumps(as_document(loaded.configuration), indent=2))
    else:
        click.echo(show(loaded.configuration), nl=False)


@config.command()
@_json_option
def schema(*, as_json: bool) -> None:  # noqa: ARG001 - it is JSON either way
    """Print the JSON Schema of configurations, for editors and other checkers."""
    from e2d.config.schema import schema as make_schema

    click.echo(json.dumps(make_schema(), indent=2))


def _load(path: str | None) -> Loaded:
    from e2d.discovery.host import host_address

    return read_configuration(
        path,
        opener=lambda name: open(name, "rb"),
        standard_input=sys.stdin.buffer,
        host=HostFacts(host_ip=host_address()),
    )


def _report(errors: tuple[Problem, ...], warnings: tuple[Problem, ...]) -> str:
    report = {
        "ok": not errors,
        "errors": [_as_json(problem) for problem in errors],
        "warnings": [_as_json(problem) for problem in warnings],
    }
    return json.dumps(report, indent=2)


def _as_json(problem: Problem) -> dict[str, object]:
    place = problem.place
    return {
        "file": problem.source,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "key": problem.key,
        "message": problem.message,
        "suggestion": problem.suggestion,
    }
