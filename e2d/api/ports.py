"""Ports that are listened on as soon as they can be, and again if they are lost."""

from __future__ import annotations

import errno
from collections.abc import Callable

from attrs import define, field

from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IDelayedCall, IListeningPort, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

__all__ = ["CannotListen", "PatientPort", "why"]

LISTEN_AGAIN_SECONDS = 5.0
"""Soon enough for a person who waits, and next to no work while nobody does."""


class CannotListen(Exception):
    """
    A port cannot be listened on now: worth another try, nothing is half open.

    :param message: one line with the address or path and what to do.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@define(eq=False, kw_only=True)
class PatientPort:
    """
    A port that is listened on at once, or else tried until it can be.

    Nothing else waits for it: etcd is not stopped for a port that is taken.

    :param name: what the log calls it.
    :param listen: opens it, or raises `CannotListen`; any other error is a defect that
        is logged, and survived in the same way.
    :param is_lost: whether nobody can reach the open port any more: it is opened anew
        then, and the old one closed once there is a new one. None: it cannot be lost.
    """

    _clock: IReactorTime
    _name: str
    _listen: Callable[[], IListeningPort]
    _is_lost: Callable[[IListeningPort], bool] | None = None
    _log: Logger = field(factory=Logger)
    _port: IListeningPort | None = field(default=None, init=False)
    _problem: str | None = field(default=None, init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)
    _closing: list[Deferred[None]] = field(factory=list, init=False)

    @property
    def listening(self) -> IListeningPort | None:
        """The open port; None before and after, and while it cannot be opened."""
        return self._port

    @property
    def problem(self) -> str | None:
        """Why it is not open though it should be, in one line."""
        return self._problem

    def open(self) -> None:
        """Listen, now or as soon as possible. Idempotent."""
        if self._port is None and self._timer is None:
            self._try()

    async def close(self) -> None:
        """Stop listening, or trying to. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
        port, self._port = self._port, None
        self._timer = self._problem = None
        if port is not None:
            self._let_go(port)
        for closing in list(self._closing):
            await closing

    def _try(self) -> None:
        self._timer = None
        try:
            port = self._listen()
        except CannotListen as error:
            if self._failed(error.message):
                self._log.warn("{problem}", problem=self._problem, port=self._name)
        except Exception as error:  # noqa: BLE001 - awaits nothing; must be tried again
            if self._failed(f"{self._name}: {type(error).__name__}: {error}"):
                self._log.failure("{port} is not listened on", port=self._name)
        else:
            old, self._port = self._port, port
            if old is not None:
                self._let_go(old)
            self._well()

    def _well(self) -> None:
        """It is open and can be reached; look after it, if it can be lost."""
        if self._problem is not None:
            self._log.info("{port}: listening now", port=self._name)
        self._problem = None
        if self._is_lost is not None:
            self._timer = self._clock.callLater(LISTEN_AGAIN_SECONDS, self._look)

    def _look(self) -> None:
        self._timer = None
        assert self._port is not None
        assert self._is_lost is not None
        if not self._is_lost(self._port):
            self._well()
            return
        if self._problem is None:
            self._log.warn(
                "{port} was removed or hidden: listening again", port=self._name
            )
        self._try()

    def _failed(self, reason: str) -> bool:
        """Try again later; whether this is news."""
        problem = f"{reason}; trying again every {LISTEN_AGAIN_SECONDS:.0f} s"
        is_news = problem != self._problem
        self._problem = problem
        # What hides an open port may go away again.
        again = self._try if self._port is None else self._look
        self._timer = self._clock.callLater(LISTEN_AGAIN_SECONDS, again)
        return is_news

    def _let_go(self, port: IListeningPort) -> None:
        closing = Deferred.fromCoroutine(_close(port))
        self._closing.append(closing)
        closing.addErrback(self._not_closed)  # type: ignore[unused-awaitable]
        closing.addCallback(  # type: ignore[unused-awaitable]
            lambda _: self._closing.remove(closing)
        )

    def _not_closed(self, failure: Failure) -> None:
        self._log.failure("{port} was not closed", failure=failure, port=self._name)


def why(error: CannotListenError) -> str:
    """The cause in a few words, for the middle of a line."""
    cause = error.socketError
    if isinstance(cause, OSError) and cause.errno == errno.EADDRINUSE:
        return "in use already, perhaps by another e2d"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror.lower()
    return str(cause)


async def _close(port: IListeningPort) -> None:
    closed = port.stopListening()
    if closed is not None:
        await closed
