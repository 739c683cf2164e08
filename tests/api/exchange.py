"""One request and its answer, without a socket."""

from __future__ import annotations

import json
import struct
from typing import Any

from attrs import define, field, frozen

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from e2d.testing.daemon import FakeDaemon

CREDENTIALS = struct.pack("=iII", 77, 1000, 1000)
"""Of a process 77 of the user 1000."""


@frozen
class Response:
    """What came back."""

    code: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:  # noqa: ANN401 - whatever JSON holds
        """The body as JSON."""
        return json.loads(self.body)


class FakeHandle:
    """The one thing asked of a socket."""

    def getsockopt(self, _level: int, _option: int, _size: int) -> bytes:
        """Whoever connected is `CREDENTIALS`."""
        return CREDENTIALS


class UnixTransport(StringTransport):
    """A transport of a UNIX socket."""

    half_closed = False

    def loseWriteConnection(self) -> None:
        """Nothing more is sent; what comes is still heard."""
        self.half_closed = True

    def getHandle(self) -> FakeHandle:
        """The socket."""
        return FakeHandle()


@define(eq=False)
class Connection:
    """A client's side of a connection to a factory."""

    factory: Factory
    transport: UnixTransport = field(factory=UnixTransport)
    protocol: Any = None

    def open(self) -> Connection:
        """Connect."""
        address: IAddress = self.transport.getPeer()
        self.protocol = self.factory.buildProtocol(address)
        self.protocol.makeConnection(self.transport)
        return self

    def send(self, data: bytes) -> bytes:
        """What is answered at once."""
        self.transport.clear()
        self.protocol.dataReceived(data)
        return self.transport.value()

    def close(self) -> None:
        """Hang up."""
        self.protocol.connectionLost(Failure(ConnectionLost()))


class SlowDaemon(FakeDaemon):
    """
    A daemon whose etcd takes its time to stop.

    :param stopped: fires when it has.
    """

    def __init__(self, stopped: Deferred[None]) -> None:
        super().__init__()
        self._stopped = stopped

    async def restart_etcd(self, by: str) -> None:
        """Wait first."""
        await self._stopped
        await super().restart_etcd(by)


def ask(
    factory: Factory, method: str, path: str, body: bytes = b"", accept: str = "*/*"
) -> Response:
    """One request on a connection of its own."""
    connection = Connection(factory).open()
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: e2d\r\nAccept: {accept}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return parse(connection.send(head.encode("latin-1") + body))


def parse(data: bytes) -> Response:
    """Take an answer apart."""
    head, _, body = data.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return Response(int(status.split(" ")[1]), headers, body)
