"""``e2d gossip keys``: the keys of the ring, and changing them on all its nodes."""

from __future__ import annotations

import secrets
import sys
from base64 import b64encode
from typing import TYPE_CHECKING

import click

from e2d.cli.places import Candidate, Where, candidates, daemon_options
from e2d.cli.rendering import Document
from e2d.cli.terminal import NotUnderstood, WrongUsage, drive, print_json
from e2d.cli.words import printable

if TYPE_CHECKING:
    from e2d.interfaces import IDaemonReactor

__all__ = ["keys"]

KEY_BYTES = 32
FILE_BYTES = 4096

key_options = (
    click.option(
        "--key-file",
        metavar="FILE",
        help="The key, base64 or hexadecimal; - for standard input.",
    ),
    click.option(
        "--generate",
        is_flag=True,
        help="A random key, printed: keep it for the configuration.",
    ),
)


@click.group()
def keys() -> None:
    """
    Show and change the keys that the ring is sealed with.

    Keys are told by names of 8 hex digits, never by themselves. Each command reaches
    all nodes that are alive in the ring and ends when all have answered. Nothing is
    lost on the way: rotate has all accept the new key before the first uses it, and the
    old one is accepted for gossip.keyGrace more. Put the new key into the configuration
    of all nodes afterwards.
    """


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@daemon_options
def list_keys(where: Where, *, as_json: bool) -> None:
    """Ask each node which keys it has."""
    answer = _ask(where, "", {})
    if as_json:
        print_json(answer)
        return
    try:
        for line in _lines(answer):
            click.echo(line)
    except (KeyError, TypeError, AttributeError):
        raise NotUnderstood from None


@keys.command()
@key_options[0]
@key_options[1]
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@daemon_options
def rotate(
    where: Where, *, key_file: str | None, generate: bool, as_json: bool
) -> None:
    """Have all nodes change to another key: add, and then use."""
    _change_to(where, "rotate", key_file, generate, as_json)


@keys.command()
@key_options[0]
@key_options[1]
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@daemon_options
def add(where: Where, *, key_file: str | None, generate: bool, as_json: bool) -> None:
    """Have all nodes accept one more key."""
    _change_to(where, "add", key_file, generate, as_json)


@keys.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@daemon_options
def use(where: Where, name: str, *, as_json: bool) -> None:
    """Have all nodes seal with a key that all accept."""
    answer = _ask(where, "use", {"name": name})
    _tell(answer, as_json, f"all nodes use the key {printable(answer.get('used'))}")


@keys.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@daemon_options
def remove(where: Where, name: str, *, yes: bool, as_json: bool) -> None:
    """
    Have all nodes drop a key that none uses.

    A node that is down and has no other key will not be heard any more.
    """
    if not yes:
        if not sys.stdin.isatty():
            raise WrongUsage(
                "nodes that are down and know this key only are not heard any more:"
                " add --yes"
            )
        click.confirm(
            "Nodes that are down and know this key only are not heard any more. Go on?",
            abort=True,
            err=True,
        )
    answer = _ask(where, "remove", {"name": name})
    removed = printable(answer.get("removed"))
    _tell(answer, as_json, f"no node accepts the key {removed} any more")


@keys.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@daemon_options
def abort(where: Where, *, as_json: bool) -> None:
    """End a change that is under way, and go back to the key of before."""
    answer = _ask(where, "abort", {})
    _tell(
        answer, as_json, f"all nodes use the key {printable(answer.get('used'))} again"
    )


def _change_to(
    where: Where,
    command: str,
    key_file: str | None,
    generate: bool,
    as_json: bool,
) -> None:
    key = _key(key_file, generate=generate)
    answer = _ask(where, command, {"key": key})
    if generate:
        answer["key"] = key
    name = printable(answer.get("used") or answer.get("added"))
    done = "use" if command == "rotate" else "accept"
    _tell(answer, as_json, f"all nodes {done} the key {name}")
    if generate and not as_json:
        click.echo(f"the key itself, for gossip.keys: {key}")


def _key(key_file: str | None, *, generate: bool) -> str:
    """Never from the command line, which everybody on the machine can read."""
    if (key_file is None) is not generate:
        raise click.UsageError("give one of --key-file FILE and --generate")
    if key_file is None:
        return b64encode(secrets.token_bytes(KEY_BYTES)).decode()
    try:
        if key_file == "-":
            return sys.stdin.read(FILE_BYTES).strip()
        with open(key_file, encoding="utf-8") as file:
            return file.read(FILE_BYTES).strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise WrongUsage(f"{key_file}: {why}") from None


def _ask(where: Where, command: str, body: Document) -> Document:
    places = candidates(where)
    return drive(lambda reactor: _exchange(reactor, places, command, body))


async def _exchange(
    reactor: IDaemonReactor, places: list[Candidate], command: str, body: Document
) -> Document:
    from e2d.cli.daemon import find_daemon

    daemon, _status = await find_daemon(reactor, places)
    return await daemon.keys(command, body)


def _tell(answer: Document, as_json: bool, line: str) -> None:
    if as_json:
        print_json(answer)
    else:
        click.echo(line)


def _lines(answer: Document) -> list[str]:
    lines = []
    for node, told in answer["nodes"].items():
        if told is None:
            lines.append(f"{printable(node)}: no answer")
            continue
        accepted = [name for name in told["accepted"] if name != told["primary"]]
        line = f"{printable(node)}: uses {printable(told['primary'])}"
        if accepted:
            line += f", accepts {', '.join(map(printable, accepted))}"
        change = told["changing"]
        if change is not None:
            line += f"; a change to {printable(change['new'])} is under way"
        lines.append(line)
    return lines
