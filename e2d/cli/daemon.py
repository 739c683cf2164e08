"""The running daemon, as a command reaches it: HTTP through its control socket."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Any

import click
from attrs import frozen

import treq
from treq.client import HTTPClient
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.endpoints import UNIXClientEndpoint
from twisted.internet.error import ConnectError, ConnectionClosed
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.web.client import (
    URI,
    Agent,
    HTTPConnectionPool,
    RequestTransmissionFailed,
    ResponseFailed,
    ResponseNeverReceived,
)
from twisted.web.iweb import IAgentEndpointFactory, IResponse
from zope.interface import implementer

from e2d.api.control_socket import SocketRefused, check_owner
from e2d.cli.places import Candidate
from e2d.cli.terminal import NotUnderstood, Unreachable, WrongUsage
from e2d.cli.words import printable
from e2d.interfaces import IDaemonReactor

__all__ = ["Daemon", "find_daemon"]

Document = dict[str, Any]

ANSWER_LIMIT_BYTES = 4 * 1024 * 1024
"""A hundred decisions with their observations are a tenth of it."""

PATIENCE_SECONDS = 10.0
"""For an answer that the daemon has at hand."""

RING_PATIENCE_SECONDS = 120.0
"""For all nodes to answer, some of them not."""

STOP_PATIENCE_SECONDS = 90.0
"""For etcd to stop: SIGTERM, and SIGKILL after a bound, and a slow disk."""

BROKEN = (
    ConnectError,
    ConnectionClosed,
    RequestTransmissionFailed,
    ResponseFailed,
    ResponseNeverReceived,
    DeferredTimeout,
)


class _NoAnswer(Exception):
    """Nobody answers at one socket, and why."""


@implementer(IAgentEndpointFactory)
@frozen
class _OneSocket:
    """Whatever the address, the connection goes to one socket."""

    _reactor: IDaemonReactor
    _path: str

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:  # noqa: ARG002
        """The socket."""
        return UNIXClientEndpoint(self._reactor, self._path, timeout=PATIENCE_SECONDS)


@frozen
class Daemon:
    """
    A daemon behind one socket.

    :param path: of the socket.
    """

    path: str
    _reactor: IDaemonReactor
    _http: HTTPClient

    async def status(self) -> Document:
        """What ``/status`` says."""
        return await self._ask(lambda: self._http.get("http://e2d/status"))

    async def decisions(self) -> list[Document]:
        """What ``/decisions`` says, oldest first."""
        document = await self._ask(lambda: self._http.get("http://e2d/decisions"))
        decisions = document.get("decisions")
        if not isinstance(decisions, list):
            raise NotUnderstood
        return decisions

    async def pause(self, request: Document) -> Document:
        """
        Hands off.

        :param request: ``until`` or ``seconds``, and ``reason``.
        """
        return await self._post("pause", request, PATIENCE_SECONDS)

    async def resume(self) -> Document:
        """End a pause."""
        return await self._post("resume", {}, PATIENCE_SECONDS)

    async def restart(self) -> Document:
        """Returns when etcd was stopped."""
        return await self._post("restart", {}, STOP_PATIENCE_SECONDS)

    async def keys(self, command: str, body: Document) -> Document:
        """
        Something about the keys of the ring.

        :param command: ``""`` to be told, else what is to be done.
        """
        path = f"gossip/keys/{command}" if command else "gossip/keys"
        return await self._post(path, body, RING_PATIENCE_SECONDS)

    async def _post(self, command: str, body: Document, patience: float) -> Document:
        url = f"http://e2d/{command}"
        data = json.dumps(body).encode("ascii")
        return await self._ask(lambda: self._http.post(url, data=data), patience)

    async def _ask(
        self,
        request: Callable[[], Awaitable[IResponse]],
        patience: float = PATIENCE_SECONDS,
    ) -> Document:
        """One request, within a time; `Unreachable` if nobody answers."""
        try:
            return await self.ask_once(request, patience)
        except _NoAnswer as error:
            raise _unreachable([f"{self.path}: {error}"]) from None

    async def ask_once(
        self, request: Callable[[], Awaitable[IResponse]], patience: float
    ) -> Document:
        """One request, within a time; `_NoAnswer` if nobody answers."""
        answering = Deferred.fromCoroutine(_exchange(request))
        answering.addTimeout(patience, self._reactor)  # type: ignore[unused-awaitable]
        try:
            code, body = await answering
        except DeferredTimeout:
            raise _NoAnswer(f"no answer within {patience:.0f} s") from None
        except BROKEN as error:
            raise _NoAnswer(_reason(error)) from None
        return _judge(code, body)

    async def probe(self) -> Document:
        """The status; `_NoAnswer` if nobody answers."""
        return await self.ask_once(
            lambda: self._http.get("http://e2d/status"), PATIENCE_SECONDS
        )


async def find_daemon(
    reactor: IDaemonReactor, candidates: Sequence[Candidate]
) -> tuple[Daemon, Document]:
    """
    The first daemon that answers, and its status.

    :param candidates: in the order in which they are tried.
    :raises Unreachable: none answers; the message says where and why.
    """
    failures = []
    for candidate in candidates:
        daemon = Daemon(candidate.path, reactor, _client(reactor, candidate.path))
        try:
            _check(candidate)
            status = await daemon.probe()
            _check_data(candidate, status)
        except _NoAnswer as error:
            failures.append(f"{candidate.path}: {error}")
            continue
        return daemon, status
    raise _unreachable(failures)


def _client(reactor: IDaemonReactor, path: str) -> HTTPClient:
    agent = Agent.usingEndpointFactory(
        reactor,
        _OneSocket(reactor, path),
        pool=HTTPConnectionPool(reactor, persistent=False),
    )
    return HTTPClient(agent)


def _check(candidate: Candidate) -> None:
    try:
        os.lstat(candidate.path)
        if candidate.private_directory is not None:
            check_owner(candidate.private_directory, candidate.owner)
    except SocketRefused as error:
        raise _NoAnswer(error.message) from None
    except OSError as error:
        raise _NoAnswer(str(error.strerror).lower()) from None


def _check_data(candidate: Candidate, status: Document) -> None:
    if candidate.data_dir is None:
        return
    node = status.get("node")
    if not isinstance(node, dict) or node.get("data_dir") != candidate.data_dir:
        raise _NoAnswer("another daemon, whose data directory is not this one's")


async def _exchange(
    request: Callable[[], Awaitable[IResponse]],
) -> tuple[int, bytes]:
    response = await request()
    body = bytearray()

    def collect(data: bytes) -> None:
        if len(body) <= ANSWER_LIMIT_BYTES:
            body.extend(data)

    await treq.collect(response, collect)
    return response.code, bytes(body)


def _judge(code: int, body: bytes) -> Document:
    if len(body) > ANSWER_LIMIT_BYTES:
        raise NotUnderstood
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise NotUnderstood from None
    if not isinstance(document, dict):
        raise NotUnderstood
    if code == HTTPStatus.OK:
        return document
    message = printable(document.get("error", f"HTTP status {code}"))
    if code == HTTPStatus.BAD_REQUEST:
        raise WrongUsage(message)
    raise click.ClickException(message)


def _reason(error: Exception) -> str:
    number = getattr(error, "osError", None)
    if isinstance(number, int):
        return os.strerror(number).lower()
    reasons = getattr(error, "reasons", None)
    if reasons and reasons[0].check(CancelledError):
        return "no answer in time"
    if reasons:
        return str(reasons[0].getErrorMessage())
    return str(error)


def _unreachable(failures: Sequence[str]) -> Unreachable:
    tried = "; ".join(failures)
    denied = any("permission denied" in failure for failure in failures)
    todo = (
        "run this as the user that runs e2d, or as root"
        if denied
        else "is e2d running? say where with -c FILE or --socket PATH"
    )
    return Unreachable(f"no daemon answers ({tried}): {todo}")
