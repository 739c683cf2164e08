"""
One connection of the ring: a message each way, within a time.

Note [Decoding beside the loop]
    A compressed state of a hundred kilobytes takes a tenth of a second to unpack, and
    anybody who can connect decides how large one is. So all that connections carry is
    decoded and encoded in a pool of threads, and a connection is not read from while
    something of it is under way.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import cast

from attrs import frozen

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import (
    IDelayedCall,
    IPushProducer,
    IReactorTime,
    ITCPTransport,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from e2d.files import RunInPool
from e2d.swim.errors import WireError
from e2d.swim.limits import Limits
from e2d.swim.messages import Message
from e2d.swim.packets import Framing
from e2d.swim.streams import StreamReader, write

__all__ = ["STREAM_LIMITS", "Conduct", "Line", "Stopped", "StreamFailed"]

_MIB = 1024 * 1024

STREAM_LIMITS = Limits(
    frame_bytes=2 * _MIB, inflated_bytes=8 * _MIB, user_bytes=_MIB, peers=10_000
)
"""
A state has some 600 bytes a node at the most: enough for thousands of nodes, and about
a second to decode. memberlist's own numbers are ten times that.
"""


class StreamFailed(Exception):
    """
    A connection came to nothing.

    :ivar why: in one word that things can be counted by.
    :ivar reason: for people.
    """

    def __init__(self, why: str, reason: str) -> None:
        super().__init__(reason)
        self.why = why
        self.reason = reason


class Stopped(StreamFailed):
    """A connection was broken off by this node, which stops."""

    def __init__(self) -> None:
        super().__init__("stopped", "this node stops")


@frozen(kw_only=True)
class Conduct:
    """
    What all connections of a ring have in common.

    :param framing: as it is when a connection begins.
    :param nonce: gives so many random bytes; called in the pool.
    :param seconds: for each step: to connect, to be told, to tell.
    :param unseen: how many seconds the clock has left out so far: those in which this
        process did not run. 0 for one that leaves nothing out.
    """

    clock: IReactorTime
    run_in_pool: RunInPool
    framing: Callable[[], Framing]
    nonce: Callable[[int], bytes]
    seconds: float
    unseen: Callable[[], float] = lambda: 0.0


class Line(Protocol):
    """
    One side of a connection.

    :param dialling: this side opened it.
    :param connected: called with it once there is a connection.
    """

    _log = Logger()

    def __init__(
        self, conduct: Conduct, *, dialling: bool, connected: Callable[[Line], None]
    ) -> None:
        self._conduct = conduct
        self._dialling = dialling
        self._connected = connected
        self._framing = conduct.framing()
        self._reader = StreamReader(
            self._framing, accepting=not dialling, limits=STREAM_LIMITS
        )
        self._unread: list[bytes] = []
        self._decoding = False
        self._outcome: Message | Exception | None = None
        self._settled = False
        self._listener: Deferred[None] | None = None
        self._timer: IDelayedCall | None = None
        self._gone = False
        self._cleanly = False
        self._mourners: list[Deferred[bool]] = []

    # -- for who uses it ----------------------------------------------------------

    async def hear(self) -> Message | None:
        """
        What the other side says; once.

        :return: None where it closed the connection without a word.
        :raises WireError: it cannot be read.
        :raises StreamFailed: it did not come in time.
        """
        if not self._settled:
            self._listener = Deferred()
            await self._listener
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome

    async def say(self, message: Message) -> None:
        """
        Write a message; the system sends it in its own time.

        :raises StreamFailed: there is no connection any more.
        """
        data = await self._conduct.run_in_pool(
            partial(
                write,
                message,
                self._framing,
                dialling=self._dialling,
                nonce=self._conduct.nonce,
            )
        )
        if self._gone:
            raise StreamFailed("lost", "broke the connection off")
        self._tcp.write(data)

    def within(self, seconds: float) -> None:
        """The connection is broken off if it is still there so long from now."""
        if self._gone:
            return
        if self._timer is None or not self._timer.active():
            self._timer = self._conduct.clock.callLater(seconds, self._expire)
        else:
            self._timer.reset(seconds)

    def hang_up(self) -> None:
        """Close it, once all is sent; within the time that there is."""
        if not self._gone:
            self._tcp.loseConnection()

    def gone(self) -> Deferred[bool]:
        """
        Fires when there is no connection.

        :return: with whether it was closed cleanly: who said something and hung up at
            once knows by this that the system took all of it.
        """
        gone: Deferred[bool] = Deferred()
        if self._gone:
            gone.callback(self._cleanly)
        else:
            self._mourners.append(gone)
        return gone

    def break_off(self) -> None:
        """Close it at once."""
        self._settle(Stopped())
        if not self._gone:
            self._tcp.abortConnection()

    # -- for Twisted --------------------------------------------------------------

    def connectionMade(self) -> None:
        """Begin."""
        self.within(self._conduct.seconds)
        self._connected(self)

    def dataReceived(self, data: bytes) -> None:
        """Decode it beside the loop."""
        if self._settled:
            return
        self._unread.append(data)
        if not self._decoding:
            self._decoding = True
            self._producer.pauseProducing()
            decoding = Deferred.fromCoroutine(self._decode())
            decoding.addErrback(self._broke)  # type: ignore[unused-awaitable]

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Nothing more comes."""
        self._gone = True
        self._cleanly = reason.check(ConnectionDone) is not None
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if not self._decoding:
            self._end()
        mourners, self._mourners = self._mourners, []
        for mourner in mourners:
            mourner.callback(self._cleanly)

    # -- inside -------------------------------------------------------------------

    @property
    def _tcp(self) -> ITCPTransport:
        return cast("ITCPTransport", self.transport)

    @property
    def _producer(self) -> IPushProducer:
        return cast("IPushProducer", self.transport)

    async def _decode(self) -> None:
        while self._unread and not self._settled:
            data = b"".join(self._unread)
            self._unread.clear()
            try:
                message = await self._conduct.run_in_pool(
                    partial(self._reader.feed, data)
                )
            except WireError as error:
                self._settle(error)
            else:
                if message is not None:
                    self._settle(message)
        self._decoding = False
        if self._gone:
            self._end()
        elif not self._settled:
            self._producer.resumeProducing()

    def _broke(self, failure: Failure) -> None:
        self._log.failure("A stream of the ring was given up", failure=failure)
        self._decoding = False
        self._settle(StreamFailed("defect", "a defect of e2d; see its log"))
        self.break_off()

    def _end(self) -> None:
        if self._settled:
            return
        try:
            self._reader.end()
        except WireError as error:
            self._settle(error)
        else:
            self._settle(None)

    def _expire(self) -> None:
        self._settle(StreamFailed("timeout", "no answer in time"))
        self._tcp.abortConnection()

    def _settle(self, outcome: Message | Exception | None) -> None:
        if self._settled:
            return
        self._settled = True
        self._outcome = outcome
        self._unread.clear()
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.callback(None)
