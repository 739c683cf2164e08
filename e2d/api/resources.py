"""The HTTP resources: what is read everywhere, what acts on the socket only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Protocol
from urllib.parse import unquote_to_bytes

from attrs import frozen

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from e2d.api.answers import Answer, refusal
from e2d.api.commands import BadRequest
from e2d.api.listening import Peer
from e2d.api.reads import Read
from e2d.interfaces import DataDirectoryError, KeyChangeRefused

__all__ = ["Act", "ActPage", "Page", "ReadPage", "Root", "read_pages"]

Act = Callable[[bytes, Peer], Awaitable[Answer]]
"""Does what a body asks for, on behalf of a peer."""


class Page(Protocol):
    """What a path leads to."""

    @property
    def methods(self) -> tuple[str, ...]:
        """Of HTTP, in capitals."""

    def render(self, request: Request) -> bytes | int:
        """
        Answer a request with one of the methods.

        :return: the body, or that it comes later; as ``Resource.render`` does.
        """


class Root(Resource):
    """
    Every path, and what it leads to; nothing is below a page.

    Nothing of a request is repeated in what is answered to it.

    :param pages: by path.
    """

    isLeaf = True

    def __init__(self, pages: Mapping[str, Page]) -> None:
        super().__init__()
        self._pages = {path.encode("ascii"): page for path, page in pages.items()}
        methods = {method: None for page in pages.values() for method in page.methods}
        self._methods = tuple(methods)

    def render(self, request: Request) -> bytes | int:
        """The page's answer; 405 for a method that is no page's, else 404."""
        path = unquote_to_bytes(request.path)
        page = self._pages.get(path)
        methods = self._methods if page is None else page.methods
        if request.method.decode("latin-1") not in methods:
            return send(request, not_allowed(request, ", ".join(methods)))
        if page is not None:
            return page.render(request)
        if not path:
            message = "the target must be a path"
            return send(request, refusal(HTTPStatus.BAD_REQUEST, message))
        return send(request, refusal(HTTPStatus.NOT_FOUND, "no such path; / lists all"))


def _accepted(request: Request) -> str:
    """The header ``Accept``; whatever its bytes are, it is text."""
    given = request.requestHeaders.getRawHeaders(b"accept") or [b""]
    return given[-1].decode("latin-1")


@frozen
class ReadPage:
    """
    Something to read.

    :param read: makes the answer.
    """

    _read: Read
    methods = ("GET", "HEAD")

    def render(self, request: Request) -> bytes:
        """What there is now."""
        return send(request, self._read(_accepted(request)))


@frozen
class _Sender:
    """Sends the answer of an act, unless the one who asked has gone meanwhile."""

    request: Request
    gone: list[Failure]

    def send(self, answer: Answer) -> None:
        """Finish the request."""
        body = send(self.request, answer)
        if not self.gone:
            self.request.write(body)
            self.request.finish()


class ActPage:
    """
    Something to do.

    It is done to its end even if the one who asked for it does not wait.

    :param name: for the log.
    :param peer_of: who sent a request.
    """

    methods = ("POST",)
    _log = Logger()

    def __init__(self, name: str, act: Act, peer_of: Callable[[Request], Peer]) -> None:
        self._name = name
        self._act = act
        self._peer_of = peer_of

    def render(self, request: Request) -> int:
        """Begin; the answer comes when it is done."""
        gone: list[Failure] = []
        request.notifyFinish().addErrback(gone.append)  # type: ignore[unused-awaitable]
        answering = Deferred.fromCoroutine(self._answer(request))
        sent = answering.addCallback(_Sender(request, gone).send)
        sent.addErrback(self._broke, request, gone)  # type: ignore[unused-awaitable]
        return NOT_DONE_YET

    async def _answer(self, request: Request) -> Answer:
        peer = self._peer_of(request)
        assert request.content is not None
        body = request.content.read()
        self._log.info(
            "{by} (pid {pid}) asks to {command}",
            by=str(peer),
            pid=peer.pid,
            command=self._name,
        )
        try:
            return await self._act(body, peer)
        except BadRequest as error:
            return refusal(HTTPStatus.BAD_REQUEST, error.message)
        except KeyChangeRefused as error:
            self._log.warn(
                "Could not {command}: {reason}",
                command=self._name,
                reason=error.message,
            )
            return refusal(HTTPStatus.CONFLICT, error.message)
        except DataDirectoryError as error:
            self._log.error(
                "Could not {command}: {reason}",
                command=self._name,
                reason=error.message,
            )
            return refusal(HTTPStatus.INTERNAL_SERVER_ERROR, error.message)

    def _broke(self, failure: Failure, request: Request, gone: list[Failure]) -> None:
        self._log.failure("Could not {command}", failure=failure, command=self._name)
        message = "a defect of e2d's: its log has the details"
        _Sender(request, gone).send(refusal(HTTPStatus.INTERNAL_SERVER_ERROR, message))


def read_pages(reads: Mapping[str, Read]) -> dict[str, Page]:
    """
    What is read, by path.

    :param reads: by path.
    """
    return {path: ReadPage(read) for path, read in reads.items()}


def not_allowed(request: Request, methods: str) -> Answer:
    """405, and the header that it has to have."""
    request.setHeader("allow", methods)
    return refusal(HTTPStatus.METHOD_NOT_ALLOWED, f"only {methods} here")


def send(request: Request, answer: Answer) -> bytes:
    """
    Set status and headers.

    :return: the body, for the caller to return or to write; none for HEAD, whose
        length is told all the same.
    """
    request.setResponseCode(answer.code)
    request.setHeader("content-type", answer.content_type)
    request.setHeader("content-length", str(len(answer.body)))
    # Nothing here may be kept or guessed at by a browser that was led to this address.
    request.setHeader("cache-control", "no-store")
    request.setHeader("x-content-type-options", "nosniff")
    request.setHeader("server", "e2d")
    return b"" if request.method == b"HEAD" else answer.body
