"""Which sockets a command tries, in which order, and what has to be true of each."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, BinaryIO, TypeVar

import click
from attrs import frozen

from e2d.cli.terminal import WrongUsage

__all__ = ["Candidate", "Where", "candidates", "daemon_options"]

F = TypeVar("F", bound=Callable[..., Any])


@frozen
class Where:
    """
    What the command line says of the daemon.

    :param config: a configuration file, None for the default places.
    :param socket: the path of its socket, None to find it.
    """

    config: str | None
    socket: str | None


@frozen(kw_only=True)
class Candidate:
    """
    One socket to try.

    :param private_directory: must be a private directory of ``owner``.
    :param data_dir: a daemon that answers there with another one is not ours.
    """

    path: str
    private_directory: str | None = None
    owner: int = 0
    data_dir: str | None = None


def daemon_options(command: F) -> F:
    """Add ``-c`` and ``--socket``; the command gets them as its first argument."""

    @wraps(command)
    def called(config: str | None, socket: str | None, **others: object) -> object:
        return command(Where(config, socket), **others)

    # As decorators stand above a function: the last applied is the first in the help.
    decorated: Any = called
    decorated = click.option(
        "--socket", metavar="PATH", help="The daemon's control socket."
    )(decorated)
    return click.option(  # type: ignore[no-any-return]
        "-c",
        "--config",
        metavar="FILE",
        help="The daemon's configuration file, to find its socket.",
    )(decorated)


def candidates(where: Where) -> list[Candidate]:
    """
    Where a daemon may listen, the likeliest first.

    :raises WrongUsage: the configuration cannot be read.
    """
    if where.socket is not None:
        return [Candidate(path=where.socket)]
    data_dir, configured = _read(where.config)
    if configured is not None:
        return [Candidate(path=configured)]
    from e2d.api.places import PACKAGED_SOCKET
    from e2d.config.reading import DEFAULT_FILE

    runtime = os.environ.get("RUNTIME_DIRECTORY")
    found = [Candidate(path=_below(runtime))] if runtime else []
    found.extend(_defaults(data_dir))
    # A command must not act on another daemon than the one that was named.
    named = where.config is not None or os.path.exists(DEFAULT_FILE)
    expected = data_dir if named else None
    found.append(Candidate(path=PACKAGED_SOCKET, data_dir=expected))
    return found


def _below(runtime: str) -> str:
    return os.path.join(runtime.split(":", 1)[0], "e2d.sock")


def _defaults(data_dir: str) -> list[Candidate]:
    from e2d.api.places import default_places

    try:
        uid = os.stat(data_dir).st_uid
    except OSError:
        uid = os.geteuid()
    user_runtime = f"/run/user/{uid}"
    places = default_places(
        data_dir=data_dir,
        uid=uid,
        user_runtime=user_runtime if os.path.isdir(user_runtime) else None,
    )
    return [
        Candidate(
            path=place.path,
            private_directory=place.own_directory if place.shared else None,
            owner=uid,
        )
        for place in places
    ]


def _open(path: str) -> BinaryIO:
    return open(path, "rb")


def _read(config: str | None) -> tuple[str, str | None]:
    """The data directory, absolute, and ``api.socket``."""
    from e2d.config.problems import ConfigurationError
    from e2d.config.reading import read_configuration
    from e2d.config.values import HostFacts

    # Where the data and the socket are does not depend on the host's addresses.
    host = HostFacts(host_ip="127.0.0.1")
    try:
        loaded = read_configuration(
            config,
            opener=_open,
            standard_input=sys.stdin.buffer,
            host=host,
        )
    except ConfigurationError as error:
        first = error.problems[0]
        more = len(error.problems) - 1
        raise WrongUsage(
            f"{first}" + (f" (and {more} more: see e2d config check)" if more else "")
        ) from None
    configuration = loaded.configuration
    return os.path.abspath(configuration.data_dir), configuration.api.socket
