"""How many may be connected, and who is at the other end of a UNIX socket."""

from __future__ import annotations

import socket
import struct
from typing import Any

from attrs import frozen

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.web.http import HTTPChannel
from twisted.web.http import Request as HTTPRequest

from e2d.api.channel import ApiSite

__all__ = ["CONNECTION_LIMIT", "BoundedConnections", "Peer", "peer_of"]

CONNECTION_LIMIT = 64
"""A few scrapers, load balancers and people; each costs a file descriptor. Who is
connected and says nothing has to go when it is reached."""

CREDENTIALS = struct.Struct("=iII")
"""Linux' ``struct ucred``: pid, uid, gid."""


class BoundedConnections(WrappingFactory):
    """
    At most so many connections at once, and a way to be rid of them.

    :param limit: one more is accepted in the place of the oldest that waits for a
        request; if none does it is closed at once.
    """

    noisy = False

    def __init__(self, site: ApiSite, limit: int = CONNECTION_LIMIT) -> None:
        super().__init__(site)
        self._limit = limit
        self._leaving: set[ProtocolWrapper] = set()
        self._idle: Deferred[None] | None = None

    def buildProtocol(self, addr: IAddress | None) -> Any:  # noqa: ANN401 - as Twisted
        """None, which closes the connection, where no room can be made."""
        if not self._make_room():
            return None
        return super().buildProtocol(addr)

    def _make_room(self) -> bool:
        staying = [each for each in self.protocols if each not in self._leaving]
        if len(staying) < self._limit:
            return True
        # They were noted as they came: the first is the oldest.
        waiting = (each for each in staying if not each.wrappedProtocol.answering)
        oldest = next(waiting, None)
        if oldest is None:
            return False
        self._leaving.add(oldest)
        oldest.abortConnection()
        return True

    def unregisterProtocol(self, p: ProtocolWrapper) -> None:
        """The last one that goes ends the wait of `close_all`."""
        super().unregisterProtocol(p)
        self._leaving.discard(p)
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
