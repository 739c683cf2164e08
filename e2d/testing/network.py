"""
A network in memory: several reactors, each a host of its own, on one clock.

Datagrams and connections go from one to the other, after a delay, and some datagrams
get lost, as one seed says. What is cut carries nothing until it is healed; connections
stand still meanwhile, as they do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from itertools import count
from random import Random

from attrs import define, field

from twisted.internet import error
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConnector, IDelayedCall, IListeningPort
from twisted.internet.protocol import (
    AbstractDatagramProtocol,
    ClientFactory,
    ServerFactory,
)
from twisted.internet.task import Clock, deferLater

from e2d.testing.datagrams import MemoryDatagramPort
from e2d.testing.network_streams import (
    Attempt,
    End,
    Listeners,
    ListeningPort,
    connection,
    follow,
    ip_address,
    meet,
    take,
)
from e2d.testing.reactor import MemoryDaemonReactor

__all__ = ["MemoryNetwork", "NetworkReactor"]

_EVERYWHERE = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - nothing is bound

_FEW_CALLS = 64
_BEGINNING = 1000.0


@define(eq=False)
class _Port(MemoryDatagramPort):
    """A port whose datagrams go somewhere, and which closes as late as Twisted's."""

    clock: NetworkReactor = field(kw_only=True)
    _closed: Deferred[None] | None = field(default=None, init=False)

    def write(self, packet: bytes, addr: tuple[str, int] | None = None) -> None:
        """Send it."""
        assert addr is not None
        if self.write_error is not None:
            raise self.write_error
        self.clock.network.send(packet, (self.clock.host, self.port), addr)

    def stopListening(self) -> Deferred[None]:
        """Close it; fires when it is free."""
        if self._closed is None:
            self._closed = deferLater(self.clock, 0, self._close)
        return follow(self._closed)

    def _close(self) -> None:
        del self.clock.network.datagram_ports[self.clock.host, self.port]
        self.listening = False
        self.protocol.doStop()


class NetworkReactor(MemoryDaemonReactor):
    """
    One host.

    :ivar host: its address.
    :ivar connect_error: raised by each `connectTCP` while it is set.
    """

    def __init__(self, network: MemoryNetwork, host: str) -> None:
        super().__init__()
        self.network = network
        self.host = host
        self.connect_error: Exception | None = None
        self._ends: list[End] = []
        self._own_calls: list[IDelayedCall] = []

    # -- time -----------------------------------------------------------------------

    def seconds(self) -> float:
        """The network's."""
        return self.network.clock.seconds()

    def callLater(
        self,
        delay: float,
        callable: Callable[..., object],  # noqa: A002 - Twisted's name
        *args: object,
        **kw: object,
    ) -> IDelayedCall:
        """On the network's clock."""
        call = self.network.clock.callLater(delay, callable, *args, **kw)
        if len(self._own_calls) > _FEW_CALLS:
            self._own_calls = self.getDelayedCalls()
        self._own_calls.append(call)
        return call

    def getDelayedCalls(self) -> list[IDelayedCall]:
        """Those of this host only."""
        return [call for call in self._own_calls if call.active()]

    def advance(self, amount: float) -> None:
        """There is one clock: move that."""
        raise NotImplementedError

    def keep(self, end: End) -> End:
        """Have a connection, once it has come about."""
        self._ends.append(end)
        return end

    @property
    def ends(self) -> list[End]:
        """Its ends of connections that are open."""
        return [end for end in self._ends if end.is_open]

    # -- ports ----------------------------------------------------------------------

    def listenUDP(
        self,
        port: int,
        protocol: AbstractDatagramProtocol,
        interface: str = "",
        maxPacketSize: int = 8192,
    ) -> MemoryDatagramPort:
        """Open a port of this host."""
        if self.datagram_error is not None:
            raise self.datagram_error
        assert interface in _EVERYWHERE or interface == self.host
        opened = _Port(protocol, interface, port, maxPacketSize, clock=self)
        take(self.network.datagram_ports, (self.host, port), opened)
        self.datagram_ports.append(opened)
        opened.startListening()
        return opened

    def listenTCP(
        self,
        port: int,
        factory: ServerFactory,
        backlog: int = 50,
        interface: str = "",
    ) -> IListeningPort:
        """Open a port of this host."""
        assert interface in _EVERYWHERE or interface == self.host
        opened = ListeningPort(
            self, self.host, port, factory, self.network.stream_ports
        )
        opened.startListening()
        return opened

    def connectTCP(
        self,
        host: str,
        port: int,
        factory: ClientFactory,
        timeout: float = 30,
        bindAddress: tuple[str, int] | None = None,
    ) -> IConnector:
        """Connect to another host, or this one."""
        if self.connect_error is not None:
            raise self.connect_error
        attempt = Attempt(self, ip_address("TCP", host, port), factory)
        attempt.begin(timeout, error.TimeoutError())
        self.network.dial(attempt, self, (host, port))
        return attempt


@define(eq=False)
class MemoryNetwork:
    """
    Hosts, and what is between them.

    :param seed: of all chance.
    :ivar delay: the least and the most that anything takes, in seconds.
    :ivar loss: the part of the datagrams that get lost, 0 to 1.
    :ivar unreachable: hosts that routers know nothing of.
    """

    seed: int = 0
    delay: tuple[float, float] = (0.001, 0.005)
    loss: float = 0.0
    unreachable: set[str] = field(factory=set)
    clock: Clock = field(factory=Clock, init=False)
    datagram_ports: Listeners = field(factory=dict, init=False)
    stream_ports: Listeners = field(factory=dict, init=False)
    _random: Random = field(init=False)
    _reactors: dict[str, NetworkReactor] = field(factory=dict, init=False)
    _cut: set[frozenset[str]] = field(factory=set, init=False)
    _held: list[_Path] = field(factory=list, init=False)
    _numbers: count[int] = field(factory=lambda: count(50_000), init=False)

    def __attrs_post_init__(self) -> None:
        self._random = Random(self.seed)
        self.clock.advance(_BEGINNING)

    # -- for tests ------------------------------------------------------------------

    def reactor(self, host: str) -> NetworkReactor:
        """The reactor of a host."""
        if host not in self._reactors:
            self._reactors[host] = NetworkReactor(self, host)
        return self._reactors[host]

    def advance(self, seconds: float) -> None:
        """Let time pass, call by call: no call sees a later time than its own."""
        clock = self.clock
        end = clock.seconds() + seconds
        while clock.calls and clock.calls[0].getTime() <= end:
            clock.advance(max(0.0, clock.calls[0].getTime() - clock.seconds()))
        clock.advance(max(0.0, end - clock.seconds()))

    def cut(self, some: Iterable[str], others: Iterable[str]) -> None:
        """Carry nothing between these and those."""
        those = tuple(others)
        self._cut.update(frozenset({one, other}) for one in some for other in those)

    def heal(self) -> None:
        """Carry everything again, with what connections still hold."""
        self._cut.clear()
        held, self._held = self._held, []
        for path in held:
            self.clock.callLater(self.take_time(), path.deliver)

    # -- for what is in it ------------------------------------------------------------

    def is_cut(self, pair: frozenset[str]) -> bool:
        """Whether nothing is carried between two hosts."""
        return pair in self._cut

    def hold(self, path: _Path) -> None:
        """Have it deliver once all is healed."""
        self._held.append(path)

    def take_time(self) -> float:
        """How long something takes, in seconds."""
        return self._random.uniform(*self.delay)

    def send(
        self, packet: bytes, source: tuple[str, int], target: tuple[str, int]
    ) -> None:
        """A datagram goes its way."""
        lost = self._random.random() < self.loss
        if not lost and not self.is_cut(frozenset({source[0], target[0]})):
            self.clock.callLater(self.take_time(), self._arrive, packet, source, target)

    def dial(
        self, attempt: Attempt, reactor: NetworkReactor, target: tuple[str, int]
    ) -> None:
        """Somebody connects."""
        source = (reactor.host, next(self._numbers))
        there, back = (
            _Path(self, frozenset({reactor.host, target[0]})) for _ in range(2)
        )

        def arrive() -> None:
            port = self.stream_ports.get(target)
            if target[0] in self.unreachable:
                attempt.fail(error.NoRouteError())
            elif port is None:
                attempt.fail(error.ConnectionRefusedError())
            else:
                accepting = self.reactor(target[0])
                dialled, accepted = connection(
                    reactor.keep(End(reactor, there.carry, source, target)),
                    accepting.keep(End(accepting, back.carry, target, source)),
                )
                meet(attempt, dialled, port, accepted)

        there.carry(arrive)

    def _arrive(
        self, packet: bytes, source: tuple[str, int], target: tuple[str, int]
    ) -> None:
        port = self.datagram_ports.get(target)
        if port is not None:
            port.arrive(packet, source)


@define(eq=False)
class _Path:
    """One direction of a connection: what it carries arrives in order."""

    _network: MemoryNetwork
    _pair: frozenset[str]
    _carried: deque[Callable[[], None]] = field(factory=deque, init=False)

    def carry(self, arrive: Callable[[], None]) -> None:
        """Call ``arrive`` there."""
        self._carried.append(arrive)
        self._network.clock.callLater(self._network.take_time(), self.deliver)

    def deliver(self) -> None:
        """Something is there, unless the path is cut."""
        if self._network.is_cut(self._pair):
            self._network.hold(self)
        else:
            self._carried.popleft()()
