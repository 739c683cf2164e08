"""``e2d restart``, ``e2d pause`` and ``e2d resume``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from e2d.cli.places import Candidate, Where, candidates, daemon_options
from e2d.cli.rendering import Document, resumed
from e2d.cli.terminal import NotUnderstood, WrongUsage, drive, print_json
from e2d.cli.words import duration, printable

if TYPE_CHECKING:
    from e2d.interfaces import IDaemonReactor

__all__ = ["pause", "restart", "resume"]

SERVE_PATIENCE_SECONDS = 60.0
"""A large database takes a while to be read."""

POLL_SECONDS = 0.25


# -- restart ----------------------------------------------------------------------


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="For machines: the status.")
@daemon_options
def restart(where: Where, *, yes: bool, as_json: bool) -> None:
    """
    Stop etcd and start it again on its data.

    Clients of this node are cut off meanwhile; those of a single node have nobody else
    to ask. Failures counted so far are forgotten. Ends when etcd serves again.
    """
    places = candidates(where)
    if not yes:
        _ask()
    status = drive(lambda reactor: _restart(reactor, places))
    if as_json:
        print_json(status)
    else:
        click.echo("etcd was restarted and serves")


def _ask() -> None:
    if not sys.stdin.isatty():
        raise WrongUsage("restarting etcd interrupts its clients: add --yes")
    click.confirm("Interrupt the clients of this node's etcd?", abort=True, err=True)


async def _restart(reactor: IDaemonReactor, places: list[Candidate]) -> Document:
    from twisted.internet.task import deferLater

    from e2d.cli.daemon import find_daemon

    daemon, before = await find_daemon(reactor, places)
    starts = _number(before, "etcd", "starts")
    await daemon.restart()
    turns = _number(await daemon.status(), "loop", "turns")
    deadline = reactor.seconds() + SERVE_PATIENCE_SECONDS
    while True:
        status = await daemon.status()
        if _number(status, "etcd", "starts") > starts and status.get("ready"):
            return status
        failure = restart_failure(status, starts=starts, turns=turns)
        if failure is not None:
            raise click.ClickException(failure)
        if reactor.seconds() > deadline:
            waited = duration(SERVE_PATIENCE_SECONDS)
            raise click.ClickException(
                f"etcd was stopped and does not serve after {waited}: see e2d status"
            )
        await deferLater(reactor, POLL_SECONDS)


def _number(status: Document, section: str, key: str) -> int:
    try:
        return int(status[section][key])
    except (KeyError, TypeError, ValueError):
        raise NotUnderstood from None


def restart_failure(status: Document, *, starts: int, turns: int) -> str | None:
    """
    What became of a restart, if it is nothing good.

    :param starts: of etcd, before it was stopped.
    :param turns: of the loop, after it was stopped. The plan of then, and that of a
        turn that was under way, was made before.
    :return: one line; None: it may still serve.
    :raises NotUnderstood: it is no status.
    """
    try:
        etcd, plan = status["etcd"], status["plan"]
        started = etcd["starts"] > starts
        fresh = status["loop"]["turns"] > turns + 1
        if started and etcd["state"] == "failed":
            return printable(
                f"etcd does not start: {etcd['problem']}; {etcd['remedy']}"
            )
        if plan["kind"] != "halt" or not fresh:
            return None
        done = "restarted, but" if started else "stopped and is not started"
        return printable(f"etcd was {done} ({plan['code']}): {plan['reason']}")
    except (KeyError, TypeError):
        raise NotUnderstood from None


# -- pause and resume -------------------------------------------------------------


@click.command()
@click.option(
    "--for",
    "length",
    metavar="DURATION",
    help="How long, such as 90m or 12h.  [default: 1h]",
)
@click.option("--until", metavar="TIME", help="Its end, such as 2026-01-31T18:00:00Z.")
@click.option("--reason", metavar="TEXT", default="", help="Shown in the status.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@daemon_options
def pause(
    where: Where, *, length: str | None, until: str | None, reason: str, as_json: bool
) -> None:
    """
    Hands off, for a while.

    Until it ends e2d founds, restores and removes nothing. An etcd of its own that dies
    is still started again. The pause is kept on disk.
    """
    request = _request(length, until, reason)
    places = candidates(where)
    answer = drive(lambda reactor: _pause(reactor, places, request))
    if as_json:
        print_json(answer)
        return
    kept = answer.get("pause")
    if not isinstance(kept, dict):
        raise NotUnderstood
    click.echo(
        f"paused until {printable(kept.get('until'))}; e2d resume ends it sooner"
    )


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@daemon_options
def resume(where: Where, *, as_json: bool) -> None:
    """End a pause; harmless without one."""
    places = candidates(where)
    answer = drive(lambda reactor: _resume(reactor, places))
    if as_json:
        print_json(answer)
        return
    try:
        click.echo(resumed(answer["ended"]))
    except (KeyError, TypeError):
        raise NotUnderstood from None


def _request(length: str | None, until: str | None, reason: str) -> Document:
    """Checked here too: whoever mistypes learns it without a daemon."""
    if length is not None and until is not None:
        raise click.UsageError("give --for or --until, not both")
    request: Document = {"reason": reason}
    if until is not None:
        request["until"] = _time(until)
    elif length is not None:
        request["seconds"] = _seconds(length)
    return request


def _time(text: str) -> str:
    from e2d.api.commands import BadRequest, parse_time

    try:
        parse_time(text)
    except BadRequest as error:
        raise click.BadParameter(error.message, param_hint="--until") from None
    return text


def _seconds(text: str) -> float:
    from e2d.config.quantities import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(
            f"{text[:40]!a} is {error}; write 90m or 12h", param_hint="--for"
        ) from None


async def _pause(
    reactor: IDaemonReactor, places: list[Candidate], request: Document
) -> Document:
    from e2d.cli.daemon import find_daemon

    daemon, _status = await find_daemon(reactor, places)
    return await daemon.pause(request)


async def _resume(reactor: IDaemonReactor, places: list[Candidate]) -> Document:
    from e2d.cli.daemon import find_daemon

    daemon, _status = await find_daemon(reactor, places)
    return await daemon.resume()
