"""The API as a service: HTTP for those who read, a UNIX socket for those who act."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import cast

from attrs import frozen

from twisted.application.service import Service
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import ServerFactory
from twisted.logger import Logger

from e2d.api.answers import Answer, json_answer
from e2d.api.channel import ApiSite
from e2d.api.commands import parse_empty, parse_pause
from e2d.api.control_socket import ControlSocket
from e2d.api.documents import pause_document
from e2d.api.exposure import exposure
from e2d.api.key_commands import KeyCommands
from e2d.api.listening import BoundedConnections, Peer, peer_of
from e2d.api.places import SocketPlace
from e2d.api.ports import CannotListen, PatientPort, why
from e2d.api.reads import Reads
from e2d.api.resources import ActPage, Page, Root, read_pages
from e2d.interfaces import (
    IDaemonControl,
    IDaemonReactor,
    IDaemonView,
    IRingKeys,
)
from e2d.model import Address

__all__ = ["ApiService", "ApiSettings", "Commands"]


@frozen(kw_only=True)
class ApiSettings:
    """
    Where the API listens.

    :param address: ``api.addr``; port 0 takes any free one.
    :param socket: the control socket.
    """

    address: Address
    socket: SocketPlace


@frozen
class Commands:
    """
    What the control socket does.

    :param control: the daemon.
    :param wall_clock: what time it is, as an aware datetime: pauses end by it.
    """

    _control: IDaemonControl
    _wall_clock: Callable[[], datetime]

    async def pause(self, body: bytes, peer: Peer) -> Answer:
        """Hands off, until the end that is answered."""
        pause = parse_pause(body, now_at=self._wall_clock(), by=str(peer))
        await self._control.pause(pause)
        return json_answer({"pause": pause_document(pause)})

    async def resume(self, body: bytes, peer: Peer) -> Answer:
        """End a pause, if there is one; which one is answered."""
        parse_empty(body)
        ended = await self._control.resume(str(peer))
        return json_answer({"pause": None, "ended": pause_document(ended)})

    async def restart(self, body: bytes, peer: Peer) -> Answer:
        """Stop etcd; the loop starts it again."""
        parse_empty(body)
        await self._control.restart_etcd(str(peer))
        return json_answer({"stopped": True})


class ApiService(Service):
    """
    Listens from `startService` to `stopService`.

    The two listeners are independent: one that cannot be had is tried again, and what
    is wrong with it can be read through the other.

    :param view: what is read.
    :param control: what acts; only through the control socket.
    :param wall_clock: what time it is, as an aware datetime.
    :param keys: of the gossip ring; None where this node takes part in none.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: IDaemonReactor,
        view: IDaemonView,
        control: IDaemonControl,
        wall_clock: Callable[[], datetime],
        settings: ApiSettings,
        keys: IRingKeys | None = None,
    ) -> None:
        self._reactor = reactor
        self._settings = settings
        reads = read_pages(Reads(view).by_path())
        self._public = self._bounded(reads)
        self._private = self._bounded(
            {**reads, **act_pages(control, wall_clock), **key_pages(keys)}
        )
        control_socket = ControlSocket(reactor, settings.socket, _server(self._private))
        self._unix = PatientPort(
            clock=reactor,
            name=f"control socket {settings.socket.path}",
            listen=control_socket.listen,
            is_lost=control_socket.is_lost,
        )
        self._tcp = PatientPort(clock=reactor, name="api.addr", listen=self._listen_tcp)

    @property
    def http_port(self) -> int | None:
        """The TCP port that is really listened on; None while there is none."""
        port = self._tcp.listening
        if port is None:
            return None
        host = port.getHost()
        assert isinstance(host, IPv4Address | IPv6Address)
        return host.port

    @property
    def warnings(self) -> Sequence[str]:
        """What is not listened on and why, a line each."""
        problems = (self._unix.problem, self._tcp.problem)
        return tuple(problem for problem in problems if problem is not None)

    def startService(self) -> None:
        """Listen on both; what cannot be had now, as soon as it can."""
        self._unix.open()
        self._tcp.open()
        warning = exposure(self._settings.address)
        if warning is not None:
            self._log.warn("{warning}", warning=warning)
        super().startService()

    def stopService(self) -> Deferred[None]:
        """Fires when no port and no connection is left; acts under way go on."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        await self._tcp.close()
        await self._unix.close()
        await self._public.close_all()
        await self._private.close_all()

    def _bounded(self, pages: Mapping[str, Page]) -> BoundedConnections:
        return BoundedConnections(ApiSite(Root(pages), self._reactor))

    def _listen_tcp(self) -> IListeningPort:
        address = self._settings.address
        try:
            return self._reactor.listenTCP(
                address.port, _server(self._public), interface=address.host
            )
        except CannotListenError as error:
            raise CannotListen(
                f"api.addr {address}: {why(error)}; set api.addr to a free address"
                " of this host"
            ) from error


def act_pages(
    control: IDaemonControl, wall_clock: Callable[[], datetime]
) -> dict[str, Page]:
    """What acts, by path."""
    commands = Commands(control, wall_clock)
    return {
        "/pause": ActPage("pause", commands.pause, peer_of),
        "/resume": ActPage("resume", commands.resume, peer_of),
        "/restart": ActPage("restart etcd", commands.restart, peer_of),
    }


def key_pages(keys: IRingKeys | None) -> dict[str, Page]:
    """What acts on the keys of the ring, by path."""
    commands = KeyCommands(keys)
    acts = {
        "": ("tell the gossip keys", commands.survey),
        "/add": ("add a gossip key", commands.add),
        "/use": ("use a gossip key", commands.use),
        "/remove": ("remove a gossip key", commands.remove),
        "/rotate": ("rotate the gossip key", commands.rotate),
        "/abort": ("abort a change of gossip keys", commands.abort),
    }
    return {
        f"/gossip/keys{path}": ActPage(name, act, peer_of)
        for path, (name, act) in acts.items()
    }


def _server(factory: BoundedConnections) -> ServerFactory:
    # Twisted's wrapping factories serve both sides and are declared as clients'.
    return cast("ServerFactory", factory)
