"""The tree of HTTP resources: what is read everywhere, what acts on the socket only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

from attrs import frozen

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import Request as HTTPRequest
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET, Request

from e2d.api.answers import Answer, refusal
from e2d.api.commands import BadRequest
from e2d.api.listening import Peer
from e2d.api.reads import Read
from e2d.interfaces import DataDirectoryError

__all__ = ["Act", "ActPage", "ReadPage", "tree"]

Act = Callable[[bytes, Peer], Awaitable[Answer]]
"""Does what a body asks for, on behalf of a peer."""


class Page(Resource):
    """A resource without children: what is below it is not found."""

    def getChild(self, path: bytes, request: HTTPRequest) -> IResource:  # noqa: ARG002
        """Nothing is below, and nothing of the request is repeated in the answer."""
        return NotFound()


class NotFound(Page):
    """Says 404 to every method."""

    def render(self, request: Request) -> bytes:
        """The same answer to all."""
        return send(request, refusal(HTTPStatus.NOT_FOUND, "no such path; / lists all"))


class ReadPage(Page):
    """
    Something to read.

    :param read: makes the answer.
    """

    def __init__(self, read: Read) -> None:
        super().__init__()
        self._read = read

    def render(self, request: Request) -> bytes:
        """GET and HEAD (whose body Twisted leaves out); nothing else."""
        if request.method not in {b"GET", b"HEAD"}:
            return send(request, not_allowed(request, "GET, HEAD"))
        return send(request, self._read(request.getHeader("accept") or ""))


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


class ActPage(Page):
    """
    Something to do.

    It is done to its end even if the one who asked for it does not wait.

    :param name: for the log.
    :param peer_of: who sent a request.
    """

    _log = Logger()

    def __init__(self, name: str, act: Act, peer_of: Callable[[Request], Peer]) -> None:
        super().__init__()
        self._name = name
        self._act = act
        self._peer_of = peer_of

    def render(self, request: Request) -> bytes | int:
        """POST, and nothing else."""
        if request.method != b"POST":
            return send(request, not_allowed(request, "POST"))
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


def tree(reads: Mapping[str, Read], acts: Mapping[str, IResource]) -> Resource:
    """
    The root of a site.

    :param reads: by path, the empty one for the root.
    :param acts: by path.
    """
    root = Page()
    for path, read in reads.items():
        root.putChild(path.encode("ascii"), ReadPage(read))
    for path, act in acts.items():
        root.putChild(path.encode("ascii"), act)
    return root


def not_allowed(request: Request, methods: str) -> Answer:
    """405, and the header that it has to have."""
    request.setHeader("allow", methods)
    return refusal(HTTPStatus.METHOD_NOT_ALLOWED, f"only {methods} here")


def send(request: Request, answer: Answer) -> bytes:
    """
    Set status and headers.

    :return: the body, for the caller to return or to write.
    """
    request.setResponseCode(answer.code)
    request.setHeader("content-type", answer.content_type)
    request.setHeader("content-length", str(len(answer.body)))
    # Nothing here may be kept or guessed at by a browser that was led to this address.
    request.setHeader("cache-control", "no-store")
    request.setHeader("x-content-type-options", "nosniff")
    request.setHeader("server", "e2d")
    return answer.body
