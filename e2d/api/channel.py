"""
HTTP with limits: what is no request of ours is refused, and then let go of.

Note [Refusing]
---------------
A connection that is closed while the other side still sends is reset, and the answer
may be lost with it. So after a refusal only the sending half is closed; what still
comes is dropped, and the other side has a few seconds to close its half.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from io import BytesIO
from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.web.http import HTTPChannel
from twisted.web.http import Request as HTTPRequest
from twisted.web.resource import IResource
from twisted.web.server import Request, Site

from e2d.api.answers import refusal

__all__ = ["BODY_LIMIT_BYTES", "CLOSE_SECONDS", "IDLE_SECONDS", "ApiSite"]

BODY_LIMIT_BYTES = 64 * 1024
"""A command is a few hundred bytes."""

IDLE_SECONDS = 30.0
"""A connection without a complete request for so long is closed; a scraper that asks
more seldom connects again."""

CLOSE_SECONDS = 5.0
"""For the other side to take its answer and go; then the connection is broken off."""

ABSOLUTE = re.compile(rb"https?://[^/]+(/.*)?", re.IGNORECASE | re.DOTALL)
"""A target as a proxy is sent it: its path, if it has one."""

MALFORMED = "the request is malformed"
TOO_LARGE = f"a body can have {BODY_LIMIT_BYTES} bytes"


class BoundedRequest(Request):
    """A request whose body is not kept beyond `BODY_LIMIT_BYTES`."""

    channel: BoundedChannel
    _received_bytes = 0

    def handleContentChunk(self, data: bytes) -> None:
        """Count, and break off when it is too much."""
        self._received_bytes += len(data)
        if self._received_bytes <= BODY_LIMIT_BYTES:
            super().handleContentChunk(data)
        else:
            self.channel.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """What comes is JSON, whatever its type: Twisted would take a form apart."""
        self.requestHeaders.removeHeader(b"content-type")
        super().requestReceived(command, path, version)

    def process(self) -> None:
        """Find the path in the target, if there is one, and what it leads to."""
        self.path = _path_of(self.path)
        super().process()


class BoundedChannel(HTTPChannel):
    """
    One connection. See Note [Refusing].

    It is always timed, except while a command is carried out: a request has to be whole
    `IDLE_SECONDS` after the connection was made or the last answer given, however often
    a byte of it comes.
    """

    _refused = False
    _closing = False

    @property
    def answering(self) -> bool:
        """Whether a request is whole and its answer still to come."""
        # Twisted times everything but this.
        return self.timeOut is None

    def refuse(self, code: HTTPStatus, message: str) -> None:
        """
        Answer what is no request, and hear no more of it. Idempotent.

        :param message: one line.
        """
        if self._refused:
            return
        self._refused = self._closing = True
        answer = refusal(code, message)
        head = (
            f"HTTP/1.1 {code.value} {code.phrase}\r\nServer: e2d\r\n"
            f"Content-Type: {answer.content_type}\r\n"
            f"Content-Length: {len(answer.body)}\r\nConnection: close\r\n\r\n"
        )
        transport: Any = self.transport
        transport.write(head.encode("ascii") + answer.body)
        transport.unregisterProducer()
        transport.loseWriteConnection()
        self.setTimeout(CLOSE_SECONDS)

    def dataReceived(self, data: bytes) -> None:
        """Parse it, or drop it."""
        if not self._refused:
            super().dataReceived(data)

    def lineReceived(self, line: bytes) -> None:
        """One of the head."""
        if not self._refused:
            super().lineReceived(line)

    def lineLengthExceeded(self, line: bytes) -> None:  # noqa: ARG002 - as Twisted
        """Twisted would hang up without a word."""
        self.refuse(HTTPStatus.BAD_REQUEST, MALFORMED)

    def allContentReceived(self) -> None:
        """Nothing of a refused request is acted upon."""
        if not self._refused:
            super().allContentReceived()

    def requestDone(self, request: HTTPRequest) -> None:
        """The answer to the last request has to be taken in time, too."""
        super().requestDone(request)
        if not self.persistent:
            self._closing = True
            self.setTimeout(CLOSE_SECONDS)

    def resetTimeout(self) -> None:
        """A byte now and then is no progress."""

    def timeoutConnection(self) -> None:
        """Hang up; next time break off. Twisted would log both."""
        if self._closing:
            transport: Any = self.transport
            transport.abortConnection()
        elif self.requests:
            late = f"no request within {IDLE_SECONDS:.0f} s"
            self.refuse(HTTPStatus.REQUEST_TIMEOUT, late)
        else:
            self._closing = True
            self.loseConnection()
            self.setTimeout(CLOSE_SECONDS)

    def _respondToBadRequestAndDisconnect(self) -> None:
        """Twisted's answer has no length, and may be sent twice."""
        self.refuse(HTTPStatus.BAD_REQUEST, MALFORMED)


class ApiSite(Site):
    """
    A site that keeps no access log, and so needs no timer to tell the time.

    :param reactor: for the timeouts of connections.
    """

    noisy = False
    displayTracebacks = False
    protocol = BoundedChannel  # type: ignore[assignment]  # Twisted's is a function

    def __init__(self, resource: IResource, reactor: IReactorTime) -> None:
        super().__init__(
            resource,
            requestFactory=BoundedRequest,
            timeout=IDLE_SECONDS,
            reactor=reactor,
        )

    def getContentFile(self, length: int | None) -> BytesIO:  # noqa: ARG002
        """Memory, which is bounded: Twisted would take a file if there is no length."""
        return BytesIO()

    def startFactory(self) -> None:
        """Twisted would open the log here."""

    def stopFactory(self) -> None:
        """Twisted would close the log here."""

    def log(self, request: HTTPRequest) -> None:
        """Reads are not logged; what acts is logged with who asked for it."""


def _path_of(target: bytes) -> bytes:
    """The path in a target; empty for ``*`` and for a proxy's ``host:port``."""
    if target.startswith(b"/"):
        return target
    absolute = ABSOLUTE.fullmatch(target)
    return b"" if absolute is None else absolute[1] or b"/"
