"""The ring's port for connections."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IListeningPort, IReactorTCP
from twisted.internet.protocol import ServerFactory
from twisted.logger import Logger
from twisted.python.failure import Failure

from e2d.gossip.complaints import Complaints
from e2d.gossip.lines import Conduct, Line, Stopped, StreamFailed
from e2d.gossip.places import address_of, peer_address
from e2d.gossip.traffic import Traffic
from e2d.swim.errors import WireError
from e2d.swim.messages import ErrorReply, Message, PeerAddress

__all__ = ["StreamServer"]

CONNECTIONS = 128
"""As memberlist bounds them since 0.5: more than a ring of e2d has peers."""


class StreamServer(ServerFactory):
    """
    Answers who connects: one message, and at most one reply.

    :param answer: gives the reply, None for none.
    """

    noisy = False
    _log = Logger()

    def __init__(
        self,
        conduct: Conduct,
        answer: Callable[[Message, PeerAddress], Message | None],
        traffic: Traffic,
        complaints: Complaints,
    ) -> None:
        self._conduct = conduct
        self._answer = answer
        self._traffic = traffic
        self._complaints = complaints
        self._lines: set[Line] = set()

    def listen(self, reactor: IReactorTCP, interface: str, port: int) -> IListeningPort:
        """
        Open the port.

        :raises CannotListenError: it cannot be had.
        """
        return reactor.listenTCP(port, self, backlog=CONNECTIONS, interface=interface)

    def buildProtocol(self, addr: IAddress | None) -> Line | None:
        """One more connection; None, which closes it, where there are too many."""
        if len(self._lines) >= CONNECTIONS:
            self._traffic.fail("too-many")
            return None
        # What addr is, Twisted's documentation says: of IPv4 or IPv6.
        source = peer_address(addr.host, addr.port)  # type: ignore[union-attr]

        def connected(line: Line) -> None:
            self._lines.add(line)
            serving = Deferred.fromCoroutine(self._serve(line, source))
            serving.addErrback(self._broke)  # type: ignore[unused-awaitable]

        return Line(self._conduct, dialling=False, connected=connected)

    async def close(self) -> None:
        """Break off every connection; returns when there are none."""
        for line in tuple(self._lines):
            line.break_off()
            await line.gone()

    async def _serve(self, line: Line, source: PeerAddress) -> None:
        self._traffic.streams_in += 1
        try:
            await self._converse(line, source)
        finally:
            line.hang_up()
            await line.gone()
            self._lines.discard(line)

    async def _converse(self, line: Line, source: PeerAddress) -> None:
        reply = await self._reply(line, source)
        if reply is None:
            return
        line.within(self._conduct.seconds)
        # Who hangs up before it has its reply knows that.
        with suppress(StreamFailed):
            await line.say(reply)

    async def _reply(self, line: Line, source: PeerAddress) -> Message | None:
        try:
            message = await line.hear()
        except WireError as error:
            self._refused(error.fault, error.reason, source)
            return ErrorReply(error.reason) if error.owes_reply else None
        except Stopped:
            return None
        except StreamFailed as error:
            self._refused(error.why, error.reason, source)
            return None
        # Who connects and says nothing has looked whether the port is open.
        return None if message is None else self._answer(message, source)

    def _refused(self, why: str, reason: str, source: PeerAddress) -> None:
        self._traffic.fail(why)
        address = address_of(source)
        self._complaints.about(address.host, address.port, why, reason)

    def _broke(self, failure: Failure) -> None:
        self._log.failure("An answer to a peer was given up", failure=failure)
