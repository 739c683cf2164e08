"""Ports that are listened on as soon as they can be."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field

from twisted.internet.interfaces import IDelayedCall, IListeningPort, IReactorTime
from twisted.logger import Logger

__all__ = ["CannotListen", "PatientPort"]

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
    """

    _clock: IReactorTime
    _name: str
    _listen: Callable[[], IListeningPort]
    _log: Logger = field(factory=Logger)
    _port: IListeningPort | None = field(default=None, init=False)
    _problem: str | None = field(default=None, init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)

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
            closed = port.stopListening()
            if closed is not None:
                await closed

    def _try(self) -> None:
        self._timer = None
        try:
            self._port = self._listen()
        except CannotListen as error:
            if self._failed(error.message):
                self._log.warn("{problem}", problem=self._problem, port=self._name)
        except Exception as error:  # noqa: BLE001 - awaits nothing; must be tried again
            if self._failed(f"{self._name}: {type(error).__name__}: {error}"):
                self._log.failure("{port} is not listened on", port=self._name)
        else:
            if self._problem is not None:
                self._log.info("{port}: listening now", port=self._name)
            self._problem = None

    def _failed(self, reason: str) -> bool:
        """Try again later; whether this is news."""
        problem = f"{reason}; trying again every {LISTEN_AGAIN_SECONDS:.0f} s"
        is_news = problem != self._problem
        self._problem = problem
        self._timer = self._clock.callLater(LISTEN_AGAIN_SECONDS, self._try)
        return is_news
