"""HTTP with limits, and who is at the other end of a UNIX socket."""

from __future__ import annotations

import socket
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

__all__ = [
    "BODY_LIMIT_BYTES",
    "CONNECTION_LIMIT",
    "IDLE_SECONDS",
    "ApiSite",
    "BoundedConnections",
    "Peer",
    "peer_of",
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
