"""HTTP with limits, and who is at the other end of a UNIX socket."""

from __future__ import annotations

import os
import socket
import stat
import struct
from typing import Any

from attrs import frozen

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.web.http import HTTPChannel
from twisted.web.http import Request as HTTPRequest
from twisted.web.resource import IResource
from twisted.web.server import Request, Site

from e2d.api.places import SocketPlace

__all__ = [
    "BODY_LIMIT_BYTES",
    "CONNECTION_LIMIT",
    "IDLE_SECONDS",
    "ApiSite",
    "BoundedConnections",
    "Peer",
    "SocketRefused",
    "peer_of",
    "prepare_socket_path",
]

BODY_LIMIT_BYTES = 64 * 1024
"""A command is a few hundred bytes."""

CONNECTION_LIMIT = 64
"""A few scrapers, load balancers and people; each costs a file descriptor."""

IDLE_SECONDS = 30.0
"""A connection without a complete request for so long is closed."""

CREDENTIALS = struct.Struct("=iII")
"""Linux' ``struct ucred``: pid, uid, gid."""


class BoundedRequest(Request):
    """A request whose body is not kept beyond `BODY_LIMIT_BYTES`."""

    _received_bytes = 0
    _refused = False

    def handleContentChunk(self, data: bytes) -> None:
        """Count, and break off when it is too much."""
        self._received_bytes += len(data)
        if self._received_bytes <= BODY_LIMIT_BYTES:
            super().handleContentChunk(data)
        elif not self._refused:
            self._refused = True
            # As Twisted answers what it cannot parse: the rest is not waited for.
            transport = self.channel.transport
            assert transport is not None
            transport.write(
                b"HTTP/1.1 413 Content Too Large\r\n"
                b"Connection: close\r\nContent-Length: 0\r\n\r\n"
            )
            self.channel.loseConnection()

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """Nothing of a refused request is acted upon."""
        if not self._refused:
            super().requestReceived(command, path, version)


class ApiSite(Site):
    """
    A site that keeps no access log, and so needs no timer to tell the time.

    :param reactor: for the timeouts of connections.
    """

    noisy = False
    displayTracebacks = False

    def __init__(self, resource: IResource, reactor: IReactorTime) -> None:
        super().__init__(
            resource,
            requestFactory=BoundedRequest,
            timeout=IDLE_SECONDS,
            reactor=reactor,
        )

    def startFactory(self) -> None:
        """Twisted would open the log here."""

    def stopFactory(self) -> None:
        """Twisted would close the log here."""

    def log(self, request: HTTPRequest) -> None:
        """Reads are not logged; what acts is logged with who asked for it."""


class BoundedConnections(WrappingFactory):
    """
    At most so many connections at once, and a way to be rid of them.

    :param limit: one more is closed as soon as it is accepted.
    """

    noisy = False

    def __init__(self, site: ApiSite, limit: int = CONNECTION_LIMIT) -> None:
        super().__init__(site)
        self._limit = limit
        self._idle: Deferred[None] | None = None

    def buildProtocol(self, addr: IAddress | None) -> Any:  # noqa: ANN401 - as Twisted
        """None, which closes the connection, beyond the limit."""
        if len(self.protocols) >= self._limit:
            return None
        return super().buildProtocol(addr)

    def unregisterProtocol(self, p: ProtocolWrapper) -> None:
        """The last one that goes ends the wait of `close_all`."""
        super().unregisterProtocol(p)
        if not self.protocols and self._idle is not None:
            idle, self._idle = self._idle, None
            idle.callback(None)

    def close_all(self) -> Deferred[None]:
        """
        Break off every connection.

        :return: fires when there are none.
        """
        idle: Deferred[None] = Deferred()
        if not self.protocols:
            idle.callback(None)
            return idle
        self._idle = idle
        for protocol in list(self.protocols):
            protocol.abortConnection()
        return idle


@frozen
class Peer:
    """
    Who is at the other end of a UNIX socket, as the kernel says.

    :param pid: of the process that connected.
    """

    uid: int
    pid: int

    def __str__(self) -> str:
        """``uid 1000``."""
        return f"uid {self.uid}"


def peer_of(request: HTTPRequest) -> Peer:
    """
    Who sent a request.

    :param request: that came through a UNIX socket.
    """
    channel = request.channel
    assert isinstance(channel, HTTPChannel)
    transport: Any = channel.transport
    handle: socket.socket = transport.getHandle()
    credentials = handle.getsockopt(
        socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size
    )
    pid, uid, _gid = CREDENTIALS.unpack(credentials)
    return Peer(uid=uid, pid=pid)


class SocketRefused(Exception):
    """
    The control socket cannot be where it is to be.

    :param message: one line with the path and what to do.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def prepare_socket_path(place: SocketPlace, uid: int) -> None:
    """
    Make the directory where it is ours to make, and remove a socket left behind.

    Only under the data directory's lock: whoever holds it knows that no other daemon
    listens there.

    :param uid: ours.
    :raises SocketRefused: something else is in the way.
    """
    try:
        if place.own_directory is not None:
            os.makedirs(place.own_directory, mode=0o700, exist_ok=True)
            if place.shared:
                check_owner(place.own_directory, uid)
        _unlink_stale(place.path)
    except OSError as error:
        raise SocketRefused(
            f"control socket {place.path}: {error.strerror}; set api.socket to a path"
            " that can be written to"
        ) from error


def check_owner(directory: str, uid: int) -> None:
    """
    In a directory that all can write to, only trust what is ours and ours alone.

    :raises SocketRefused: it is somebody else's, or others can write to it.
    """
    found = os.lstat(directory)
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == uid
    if not ours or stat.S_IMODE(found.st_mode) & 0o077:
        raise SocketRefused(
            f"{directory} is not a private directory of uid {uid}: remove it, or set"
            " api.socket"
        )


def _unlink_stale(path: str) -> None:
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise SocketRefused(
            f"control socket {path}: there is a file that is no socket; remove it, or"
            " set api.socket"
        )
    os.unlink(path)
