"""Connections that this node opens to others in the ring."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar, cast

from attrs import define, field

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint
from twisted.internet.error import ConnectError, ConnectingCancelledError
from twisted.internet.interfaces import IReactorTCP
from twisted.internet.protocol import Factory

from e2d.gossip.lines import Conduct, Line, Stopped, StreamFailed
from e2d.gossip.places import address_of
from e2d.gossip.traffic import Traffic
from e2d.swim.errors import WireError
from e2d.swim.messages import ErrorReply, Message, PeerAddress

__all__ = ["Dialler"]

_T = TypeVar("_T")

CONNECTIONS = 64
"""A round of joins, and probes by connection while half of a ring is cut off."""


@define(eq=False)
class Dialler:
    """
    Opens a connection for each message that needs one.

    :param reactor: connects.
    """

    _reactor: IReactorTCP
    _conduct: Conduct
    _traffic: Traffic
    _open: int = field(default=0, init=False)
    _connecting: set[Deferred[Line]] = field(factory=set, init=False)
    _lines: set[Line] = field(factory=set, init=False)
    _stopped: bool = field(default=False, init=False)

    async def ask(
        self, to: PeerAddress, message: Message, seconds: float | None = None
    ) -> Message:
        """
        Send a message and read the reply.

        :param seconds: how long all of it may take; None: a while for each step.
        :raises StreamFailed: there is no reply, or it says that there is an error.
        """
        return await self._counted(self._ask(to, message, seconds))

    async def tell(self, to: PeerAddress, message: Message) -> None:
        """
        Send a message that has no reply.

        :raises StreamFailed: not all of it was taken.
        """
        await self._counted(self._tell(to, message))

    async def stop(self) -> None:
        """Break off what is under way, and open nothing more."""
        self._stopped = True
        for connecting in tuple(self._connecting):
            connecting.cancel()
        for line in tuple(self._lines):
            line.break_off()
            await line.gone()

    async def _counted(self, conversation: Coroutine[Any, Any, _T]) -> _T:
        self._open += 1
        try:
            return await conversation
        except WireError as error:
            self._traffic.fail(error.fault)
            raise StreamFailed(error.fault, error.reason) from None
        except StreamFailed as error:
            self._traffic.fail(error.why)
            raise
        finally:
            self._open -= 1

    async def _ask(
        self, to: PeerAddress, message: Message, seconds: float | None
    ) -> Message:
        clock = self._conduct.clock
        began = clock.seconds()
        line = await self._connect(
            to, self._conduct.seconds if seconds is None else seconds
        )
        try:
            if seconds is not None:
                line.within(max(0.0, seconds - (clock.seconds() - began)))
            await line.say(message)
            if seconds is None:
                line.within(self._conduct.seconds)
            reply = await line.hear()
        finally:
            line.hang_up()
        match reply:
            case None:
                raise StreamFailed("no-reply", "closed the connection without a reply")
            case ErrorReply(reason):
                raise StreamFailed("refused", f"answers: {_plain(reason)}")
            case _:
                return reply

    async def _tell(self, to: PeerAddress, message: Message) -> None:
        line = await self._connect(to, self._conduct.seconds)
        try:
            await line.say(message)
        finally:
            line.hang_up()
        if not await line.gone():
            raise StreamFailed("lost", "broke the connection off")

    async def _connect(self, to: PeerAddress, seconds: float) -> Line:
        if self._stopped:
            raise Stopped
        if self._open > CONNECTIONS:
            raise StreamFailed("too-many", "too many connections are open already")
        where = address_of(to)
        kind = TCP6ClientEndpoint if ":" in where.host else TCP4ClientEndpoint
        endpoint = kind(self._reactor, where.host, where.port, timeout=seconds)
        factory = _Once(self._conduct, self._lines)
        connecting = cast("Deferred[Line]", endpoint.connect(factory))
        self._connecting.add(connecting)
        try:
            line = await connecting
        except (ConnectError, ConnectingCancelledError, OSError) as error:
            raise StreamFailed("unreachable", f"cannot be reached: {error}") from None
        finally:
            self._connecting.discard(connecting)
        self._traffic.streams_out += 1
        return line


class _Once(Factory):
    """
    Makes the one line of a connection.

    :param lines: has it while it is open.
    """

    noisy = False

    def __init__(self, conduct: Conduct, lines: set[Line]) -> None:
        self._conduct = conduct
        self._lines = lines

    def buildProtocol(self, _addr: object) -> Line:
        """Make it."""
        return Line(self._conduct, dialling=True, connected=self._connected)

    def _connected(self, line: Line) -> None:
        self._lines.add(line)
        line.gone().addCallback(self._over, line)  # type: ignore[unused-awaitable]

    def _over(self, _cleanly: bool, line: Line) -> None:
        self._lines.discard(line)


def _plain(reason: str) -> str:
    """What another wrote, fit for a log."""
    return "".join(each if each.isprintable() else "?" for each in reason[:200])
