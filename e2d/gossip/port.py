"""The ring's port: one number, for datagrams and for connections."""

from __future__ import annotations

from attrs import define, field

from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort

from e2d.gossip.answering import StreamServer
from e2d.gossip.datagrams import Datagrams
from e2d.interfaces import IDaemonReactor
from e2d.model import Address

__all__ = ["RingPort"]


@define(eq=False, kw_only=True)
class RingPort:
    """
    Both sockets, or neither.

    :param address: where to listen.
    """

    _reactor: IDaemonReactor
    _address: Address
    _datagrams: Datagrams
    _server: StreamServer
    _open: list[IListeningPort] = field(factory=list, init=False)

    async def open(self) -> None:
        """
        Listen.

        :raises CannotListenError: one of the two cannot be had; the other is free.
        """
        host, port = self._address.host, self._address.port
        opened = self._datagrams.listen(self._reactor, host, port)
        try:
            listening = self._server.listen(self._reactor, host, port)
        except CannotListenError:
            await _closed(opened)
            raise
        except OSError as error:
            # Another bound it in the same moment: only to listen shows that.
            await _closed(opened)
            raise CannotListenError(host, port, error) from None
        self._open = [opened, listening]

    async def close(self) -> None:
        """Listen no more; returns when both are free. Idempotent."""
        opened, self._open = self._open, []
        for port in opened:
            await _closed(port)
        await self._server.close()


async def _closed(port: IListeningPort) -> None:
    closed = port.stopListening()
    if isinstance(closed, Deferred):
        await closed
