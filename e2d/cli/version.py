"""``e2d version``: loads neither Twisted nor any other of what it tells of."""

from __future__ import annotations

import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of

import click

from e2d import __version__
from e2d.cli.terminal import print_json
from e2d.cli.words import printable

__all__ = ["version"]

PATIENCE_SECONDS = 5.0
"""For a binary that may hang: it only has to print a line."""

ETCD_LIBRARY = "python3-etcd3"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def version(*, as_json: bool) -> None:
    """Show versions: e2d, what it runs on, and the etcd on PATH."""
    binary = shutil.which("etcd")
    found = {
        "e2d": __version__,
        "python": platform.python_version(),
        "twisted": _installed("twisted"),
        "etcd_library": _installed(ETCD_LIBRARY),
        "etcd_binary": binary,
        "etcd": None if binary is None else _etcd_version(binary),
    }
    if as_json:
        print_json(found)
        return
    click.echo(f"e2d {found['e2d']}")
    click.echo(f"Python {found['python']}")
    click.echo(f"Twisted {found['twisted'] or 'not installed'}")
    click.echo(f"{ETCD_LIBRARY} {found['etcd_library'] or 'not installed'}")
    if binary is None:
        click.echo("etcd not on PATH")
    else:
        click.echo(f"etcd {found['etcd'] or 'of an unknown version'} ({binary})")


def _installed(distribution: str) -> str | None:
    try:
        return version_of(distribution)
    except PackageNotFoundError:
        return None


def _etcd_version(binary: str) -> str | None:
    try:
        asked = subprocess.run(  # noqa: S603 - the etcd on PATH, as the daemon runs it
            [binary, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    for line in asked.stdout[:4096].decode("utf-8", "replace").splitlines():
        name, _, value = line.partition(": ")
        if name == "etcd Version":
            return printable(value.strip())
    return None
