"""
One peer of ours, bare: the protocol on sockets, without what e2d says by it.

It is told and tells the same as ``gopeer``, see ``gopeer/commands.go``.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterable
from itertools import count
from random import Random, SystemRandom
from typing import TypeVar

from attrs import define, evolve, field

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger

from e2d.gossip.answering import StreamServer
from e2d.gossip.complaints import Complaints
from e2d.gossip.datagrams import Datagrams
from e2d.gossip.dialling import Dialler
from e2d.gossip.driver import Driver
from e2d.gossip.lines import Conduct, StreamFailed
from e2d.gossip.places import address_of, peer_address
from e2d.gossip.port import RingPort
from e2d.gossip.traffic import Traffic
from e2d.interfaces import IDaemonReactor
from e2d.model import Address
from e2d.swim import wire
from e2d.swim.effects import BroadcastDone, News, Spread
from e2d.swim.messages import Message, PeerAddress, Rank, UserMessage
from e2d.swim.packets import Framing, pack
from e2d.swim.protocol import Swim
from e2d.swim.sealing import Keyring, KeyringError
from tests.integration.ourpeer_news import Emit, OurNews, describe
from tests.integration.ourpeer_options import (
    Options,
    framing,
    identity,
    octets,
    timings,
    vetoes,
)

__all__ = ["Refused", "RunningPeer"]

T = TypeVar("T")

_GONE = frozenset({Rank.DEAD, Rank.LEFT})
_CHECKSUMS_SINCE = 5


class Refused(Exception):
    """A command that cannot be carried out."""


class _CutDatagrams(Datagrams):
    """
    Loses all that goes to or comes from some others, as on a network that does so.

    :ivar cut: those.
    """

    def __init__(
        self, received: Callable[[bytes, PeerAddress], None], traffic: Traffic
    ) -> None:
        super().__init__(received, traffic)
        self.cut: frozenset[PeerAddress] = frozenset()

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
        """Lose it, or not."""
        if peer_address(*addr) not in self.cut:
            super().datagramReceived(datagram, addr)

    def send(self, packet: bytes, to: PeerAddress) -> None:
        """Lose it, or not."""
        if to not in self.cut:
            super().send(packet, to)


@define(eq=False)
class RunningPeer:
    """
    A peer and the commands that it obeys.

    :param options: fields of ``OurSettings``, without those that are None.
    :param emit: takes what it tells.
    :param unseen: how many seconds the reactor's clock has left out so far.
    """

    _reactor: IDaemonReactor
    _options: Options
    _emit: Emit
    _unseen: Callable[[], float]
    _random: Random = field(factory=SystemRandom, init=False)
    _framing: Framing = field(init=False)
    _conduct: Conduct = field(init=False)
    _traffic: Traffic = field(factory=Traffic, init=False)
    _datagrams: _CutDatagrams = field(init=False)
    _driver: Driver = field(init=False)
    _port: RingPort = field(init=False)
    _news: OurNews = field(init=False)
    _known: dict[PeerAddress, None] = field(factory=dict, init=False)
    _joins: dict[PeerAddress, list[Deferred[str | None]]] = field(
        factory=dict, init=False
    )
    _unnamed: count[int] = field(factory=count, init=False)

    def __attrs_post_init__(self) -> None:
        options, reactor = self._options, self._reactor
        self._framing = framing(options)
        settings = timings(options)
        self._conduct = Conduct(
            clock=reactor,
            run_in_pool=self._run_in_pool,
            framing=lambda: self._framing,
            nonce=secrets.token_bytes,
            seconds=settings.stream_timeout,
            unseen=self._unseen,
        )
        log = Logger(namespace=options["name"], observer=self._log)
        complaints = Complaints(reactor, log)
        self._news = OurNews(self._emit, reactor)
        self._datagrams = _CutDatagrams(self._received, self._traffic)
        self._driver = Driver(
            conduct=self._conduct,
            swim=Swim(
                settings,
                identity(options),
                self._random,
                vetoes(options),
                packet_overhead=self._framing.packet_overhead,
            ),
            datagrams=self._datagrams,
            dialler=Dialler(reactor, self._conduct, self._traffic),
            traffic=self._traffic,
            complaints=complaints,
            news=self._hear,
            outcome=self._exchanged,
            log=log,
        )
        server = StreamServer(self._conduct, self._answer, self._traffic, complaints)
        self._port = RingPort(
            reactor=reactor,
            address=Address(options["bind"], options["port"]),
            datagrams=self._datagrams,
            server=server,
        )

    async def start(self) -> None:
        """
        Listen, and be alive.

        :raises CannotListenError: the port cannot be had.
        """
        await self._port.open()
        swim = self._driver.swim
        swim.set_user_state(octets(self._options, "state"))
        swim.set_ack_payload(octets(self._options, "ack_payload"))
        self._driver.start()
        own = swim.peer(self._options["name"].encode())
        assert own is not None
        self._emit("ready", node=describe(own, self._now()), version="ours")
        if "rejoin" in self._options:
            self._rejoin(self._options["rejoin"])

    async def obey(self, command: Options) -> None:
        """Carry out a command, and answer."""
        do = getattr(self, f"do_{command['do'].replace('-', '_')}", None)
        try:
            if do is None:
                raise Refused(f'no command is called "{command["do"]}"')  # noqa: TRY301
            result = await do(command)
        except (Refused, KeyringError, StreamFailed, ValueError) as error:
            self._emit("answer", id=command["id"], error=str(error))
        else:
            self._emit("answer", id=command["id"], result=result)

    # -- commands -----------------------------------------------------------------

    async def do_join(self, command: Options) -> int:
        """With whom it holds alive already it is joined, and nothing is sent."""
        addresses = [_parsed(each) for each in command["addrs"]]
        self._known.update(dict.fromkeys(addresses))
        alive = {p.address for p in self._driver.swim.peers() if p.rank not in _GONE}
        asked = [each for each in dict.fromkeys(addresses) if each not in alive]
        waiting: list[Deferred[str | None]] = []
        for each in asked:
            waiting.append(Deferred())
            self._joins.setdefault(each, []).append(waiting[-1])
        self._driver.join(asked)
        reasons = [await each for each in waiting]
        failed = [each for each in reasons if each is not None]
        if addresses and len(failed) == len(addresses):
            raise Refused("; ".join(failed))
        return len(addresses) - len(failed)

    async def do_leave(self, command: Options) -> None:
        """Until it was told."""
        done = self._news.done(Spread.LEAVE)
        self._driver.leave()
        await self._told(done, command)

    async def do_shutdown(self, _command: Options) -> None:
        """Without a word to the others."""
        await self._driver.stop()
        await self._port.close()

    async def do_members(self, _command: Options) -> list[object]:
        """Neither dead nor left."""
        peers = self._driver.swim.peers()
        return [describe(p, self._now()) for p in peers if p.rank not in _GONE]

    async def do_records(self, _command: Options) -> list[object]:
        """All."""
        return [describe(peer, self._now()) for peer in self._driver.swim.peers()]

    async def do_health(self, _command: Options) -> int:
        """0 is well."""
        return self._driver.swim.health_score

    async def do_ping(self, command: Options) -> float:
        """The round trip of the next probe of it: ours pings nobody on command."""
        return await self._news.pinged(command["name"])

    async def do_update_meta(self, command: Options) -> None:
        """Until it was told."""
        done = self._news.done(Spread.UPDATE)
        self._driver.update(octets(command, "data"))
        await self._told(done, command)

    async def do_set_state(self, command: Options) -> None:
        """What each exchange adds."""
        self._driver.swim.set_user_state(octets(command, "data"))

    async def do_set_ack(self, command: Options) -> None:
        """What each ack adds."""
        self._driver.swim.set_ack_payload(octets(command, "data"))

    async def do_best_effort(self, command: Options) -> None:
        """By UDP."""
        peer = self._driver.swim.peer(command["name"].encode())
        if peer is None or peer.rank in _GONE:
            raise Refused(f'no member is called "{command["name"]}"')
        understood = peer.versions.protocol_max >= _CHECKSUMS_SINCE
        self._send(peer.address, octets(command, "data"), checksum=understood)

    async def do_reliable(self, command: Options) -> None:
        """By TCP."""
        peer = self._driver.swim.peer(command["name"].encode())
        if peer is None or peer.rank in _GONE:
            raise Refused(f'no member is called "{command["name"]}"')
        message = UserMessage(octets(command, "data"))
        await self._driver.tell(peer.address, message)

    async def do_send_to(self, command: Options) -> None:
        """By UDP, to whomever."""
        self._send(_parsed(command["addr"]), octets(command, "data"), checksum=False)

    async def do_broadcast(self, command: Options) -> None:
        """One with the same key takes its place."""
        key, data = command.get("name", ""), octets(command, "data")
        name = key.encode() or b"\0%d" % next(self._unnamed)
        self._news.expect(name, key, data)
        self._driver.broadcast(name, data)

    async def do_keys(self, _command: Options) -> list[str]:
        """The first seals."""
        held = self._framing.keyring
        return [] if held is None else [key.hex() for key in held.keys]

    async def do_add_key(self, command: Options) -> None:
        """Open with it, too."""
        key = octets(command, "key")
        held = self._framing.keyring
        self._take(Keyring((key,)) if held is None else held.add(key))

    async def do_use_key(self, command: Options) -> None:
        """Seal with it."""
        self._take(self._held().use(octets(command, "key")))

    async def do_remove_key(self, command: Options) -> None:
        """Open with it no more."""
        self._take(self._held().remove(octets(command, "key")))

    async def do_cut(self, command: Options) -> None:
        """Lose all packets to and from these addresses; ``gopeer`` has no such."""
        self._datagrams.cut = frozenset(map(_parsed, command["addrs"]))

    async def do_traffic(self, _command: Options) -> object:
        """Counters; ``gopeer`` has no such."""
        seen = self._traffic.seen()
        return {
            "packets_in": seen.packets_in,
            "streams_in": seen.streams_in,
            "packets_dropped": dict(seen.packets_dropped),
            "streams_failed": dict(seen.streams_failed),
            "refutations": seen.refutations,
        }

    # -- what the protocol calls ----------------------------------------------------

    def _received(self, packet: bytes, source: PeerAddress) -> None:
        self._driver.received(packet, source)

    def _answer(self, message: Message, source: PeerAddress) -> Message | None:
        return self._driver.answer(message, source)

    def _hear(self, batch: Iterable[News]) -> None:
        for news in batch:
            self._news.hear(news)

    def _exchanged(self, to: PeerAddress, why: str | None) -> None:
        refusal = self._news.refusal(to)
        for waiting in self._joins.pop(to, ()):
            waiting.callback(why or refusal)
        if why is not None:
            text = f"exchange with {address_of(to)}: {why}"
            self._emit("log", level="warn", text=text)

    def _log(self, event: Options) -> None:
        self._news.log(event)

    async def _run_in_pool(self, function: Callable[[], T]) -> T:
        pool = self._reactor.getThreadPool()
        return await deferToThreadPool(self._reactor, pool, function)

    # -- inside -------------------------------------------------------------------

    def _rejoin(self, seconds: float) -> None:
        self._driver.join(self._known)
        self._reactor.callLater(seconds, self._rejoin, seconds)

    async def _told(self, done: Awaitable[BroadcastDone], command: Options) -> None:
        assert isinstance(done, Deferred)
        if command.get("seconds"):
            done.addTimeout(command["seconds"], self._reactor, _too_late)
        await done

    def _send(self, to: PeerAddress, payload: bytes, *, checksum: bool) -> None:
        packet = pack(
            (wire.encode(UserMessage(payload)),),
            self._framing,
            checksum=checksum,
            nonce=secrets.token_bytes,
        )
        self._datagrams.send(packet, to)

    def _held(self) -> Keyring:
        if self._framing.keyring is None:
            raise Refused("there is no key")
        return self._framing.keyring

    def _take(self, keyring: Keyring) -> None:
        self._framing = evolve(self._framing, keyring=keyring)

    def _now(self) -> float:
        return self._reactor.seconds()


def _too_late(_result: object, seconds: float) -> None:
    raise Refused(f"not told within {seconds:g} s")


def _parsed(text: str) -> PeerAddress:
    host, _, port = text.rpartition(":")
    return peer_address(host.strip("[]"), int(port))
