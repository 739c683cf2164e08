"""
The gossip ring of one node: `IMembership`, on a port of its own.

Note [When it begins]
    The port is opened when the service starts; a port that cannot be had is tried again
    for ever, and etcd runs meanwhile. The node begins to gossip when it is first told
    what to say of itself, so that its first claim is complete (W-16), and it leaves the
    ring when the service stops.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from itertools import count
from random import Random

from attrs import define, evolve, field, frozen

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from e2d.files import RunInPool
from e2d.gossip.answering import StreamServer
from e2d.gossip.complaints import Complaints
from e2d.gossip.datagrams import Datagrams
from e2d.gossip.driver import Outcome
from e2d.gossip.errors import MetadataTooLong
from e2d.gossip.keys import RingKeyError
from e2d.gossip.lines import Conduct
from e2d.gossip.payload import Payloads
from e2d.gossip.port import RingPort
from e2d.gossip.presence import Presence, RingSettings
from e2d.gossip.stay import Stay, Surroundings
from e2d.gossip.traffic import Traffic
from e2d.interfaces import IDaemonReactor, IMembership, Undelivered
from e2d.model import Address, Announcement, NodeName, RingView
from e2d.services import Backoff
from e2d.swim.messages import Message, PeerAddress
from e2d.swim.packets import Framing
from e2d.swim.sealing import Keyring

__all__ = ["GossipService", "Searched"]

_BACKOFF = Backoff(initial=1.0, maximum=15.0)


@frozen(kw_only=True)
class Searched:
    """
    Where others may be; see `RingView` for each.
    """

    unmet: tuple[Address, ...] = ()
    unheard: tuple[Address, ...] = ()
    untold: tuple[str, ...] = ()


@implementer(IMembership)
@define(eq=False, kw_only=True)
class GossipService(Service):
    """
    Takes part in a ring.

    :param run_in_pool: decodes and encodes what connections carry.
    :param read_keyring: what packets are sealed and opened with, None for nothing;
        asked before the port is opened, and until it can tell.
    :param nonce: gives so many bytes that are never given twice.
    :param outcome: told how each exchange of states ended.
    :param searched: who else there may be, and was not met.
    :param unseen: how many seconds the reactor's clock has left out so far.
    """

    _reactor: IDaemonReactor
    _run_in_pool: RunInPool
    _settings: RingSettings
    _read_keyring: Callable[[], Awaitable[Keyring | None]]
    _random: Random
    _nonce: Callable[[int], bytes]
    _outcome: Outcome
    _log: Logger
    _searched: Callable[[], Searched] = Searched
    _unseen: Callable[[], float] = lambda: 0.0
    _traffic: Traffic = field(factory=Traffic, init=False)
    _framing: Framing = field(init=False)
    _around: Surroundings = field(init=False)
    _port: RingPort = field(init=False)
    _problem: str | None = field(default=None, init=False)
    _refusals: int = field(default=0, init=False)
    _retry: IDelayedCall | None = field(default=None, init=False)
    _opening: Deferred[None] | None = field(default=None, init=False)
    _since: float | None = field(default=None, init=False)
    _wanted: Announcement | None = field(default=None, init=False)
    _stay: Stay | None = field(default=None, init=False)
    _moving: Deferred[None] | None = field(default=None, init=False)
    _stopping: Deferred[None] | None = field(default=None, init=False)
    _listeners: list[Callable[[], None]] = field(factory=list, init=False)
    _readers: list[Callable[[NodeName | None, bytes], None]] = field(
        factory=list, init=False
    )

    def __attrs_post_init__(self) -> None:
        settings = self._settings
        self._framing = Framing(label=(settings.label or "").encode())
        conduct = Conduct(
            clock=self._reactor,
            run_in_pool=self._run_in_pool,
            framing=lambda: self._framing,
            nonce=self._nonce,
            unseen=self._unseen,
            seconds=settings.timings.stream_timeout,
        )
        self._around = Surroundings(
            reactor=self._reactor,
            conduct=conduct,
            settings=settings,
            payloads=Payloads(settings.compat),
            datagrams=Datagrams(self._received, self._traffic),
            traffic=self._traffic,
            complaints=Complaints(self._reactor, self._log),
            log=self._log,
            random=self._random,
            outcome=self._outcome,
            changed=self._changed,
            letter=self._letter,
            sequence=count(1).__next__,
        )
        self._port = RingPort(
            reactor=self._reactor,
            address=settings.listen,
            datagrams=self._around.datagrams,
            server=StreamServer(
                conduct, self._answer, self._traffic, self._around.complaints
            ),
        )

    # -- IService -----------------------------------------------------------------

    def startService(self) -> None:
        """Open the port, as soon as it can be had."""
        super().startService()
        self._stopping = None
        self._listen()

    def stopService(self) -> Deferred[None]:
        """Fires when the ring was told that we leave, and the port is free."""
        super().stopService()
        if self._stopping is None:
            self._stopping = Deferred.fromCoroutine(self._stop())
        stopped: Deferred[None] = Deferred()
        self._stopping.chainDeferred(stopped)  # type: ignore[unused-awaitable]
        return stopped

    def _listen(self) -> None:
        self._retry = None
        self._opening = Deferred.fromCoroutine(self._open())
        self._opening.addErrback(self._not_opened)  # type: ignore[unused-awaitable]

    async def _open(self) -> None:
        try:
            keyring = await self._read_keyring()
            if not self.running:
                return
            self._framing = evolve(self._framing, keyring=keyring)
            await self._port.open()
        except RingKeyError as error:
            self._refused(f"gossip has no key: {error}")
            return
        except CannotListenError as error:
            reason = getattr(error.socketError, "strerror", None) or error.socketError
            self._refused(
                f"gossip cannot listen on {self._address}: {reason}. Free the port, or"
                " change gossipAddr"
            )
            return
        self._since = self._reactor.seconds()
        self._problem = None
        self._log.info("Listening for gossip on {address}", address=self._address)
        self._follow()

    @property
    def _address(self) -> str:
        return str(self._settings.listen)

    def _not_opened(self, failure: Failure) -> None:
        self._log.failure("Gossip could not begin", failure=failure)
        self._refused("gossip could not begin: a defect of e2d, see its log")

    def _refused(self, problem: str) -> None:
        self._refusals += 1
        if problem != self._problem:
            self._log.error("{problem}. It is tried again", problem=problem)
            self._problem = problem
            self._changed()
        if not self.running:
            return
        delay = _BACKOFF.delay(self._refusals, self._random)
        self._retry = self._reactor.callLater(delay, self._listen)

    async def _stop(self) -> None:
        if self._retry is not None and self._retry.active():
            self._retry.cancel()
        if self._opening is not None:
            await self._opening
        if self._moving is not None:
            await self._moving
        stay, self._stay = self._stay, None
        if stay is not None:
            await stay.leave()
        self._since = None
        await self._port.close()

    # -- IMembership --------------------------------------------------------------

    def view(self) -> RingView:
        """See `IMembership.view`."""
        stay, searched = self._stay, self._searched()
        nothing = RingView(
            problem=self._problem,
            since=self._since,
            members=None,
            reports=(),
            clashes=(),
            unmet=searched.unmet,
            encrypted=self._framing.keyring is not None,
            health_score=0,
            queue_length=0,
            traffic=self._traffic.seen(),
            unheard=searched.unheard,
            untold=searched.untold,
        )
        if stay is None:
            return nothing
        return evolve(
            nothing,
            local=stay.announced.announcement.name,
            members=stay.members(),
            reports=stay.reports(),
            clashes=stay.clashes(),
            health_score=stay.health_score,
            queue_length=stay.queue_length,
        )

    def subscribe(self, listener: Callable[[], None]) -> None:
        """See `IMembership.subscribe`."""
        self._listeners.append(listener)

    def announce(self, announcement: Announcement) -> None:
        """See `IMembership.announce`."""
        if announcement != self._wanted:
            self._wanted = announcement
            self._follow()

    async def deliver(self, to: NodeName, letter: bytes) -> None:
        """See `IMembership.deliver`."""
        if self._stay is None:
            raise Undelivered(to, "this node does not gossip")
        await self._stay.deliver(to, letter)

    def receive_letters(
        self, listener: Callable[[NodeName | None, bytes], None]
    ) -> None:
        """See `IMembership.receive_letters`."""
        self._readers.append(listener)

    # -- for who meets others -----------------------------------------------------

    def join(self, addresses: Iterable[PeerAddress]) -> None:
        """Exchange states with who is there and not known to be alive."""
        if self._stay is not None:
            self._stay.join(addresses)

    def repeat_status(self) -> None:
        """See `Stay.repeat_status`."""
        if self._stay is not None:
            self._stay.repeat_status()

    def take_keyring(self, keyring: Keyring) -> None:
        """
        Seal and open with these keys from now on.

        Whether a ring is sealed at all does not change while it runs: packets are
        filled to the size that they have then.
        """
        assert self._framing.keyring is not None
        self._framing = evolve(self._framing, keyring=keyring)

    # -- one stay after the other ---------------------------------------------------

    def _follow(self) -> None:
        """Be in the ring as is wanted, as soon as that can be."""
        wanted = self._wanted
        if wanted is None or self._since is None or self._moving is not None:
            return
        if not self.running:
            return
        self._problem = None
        try:
            self._say(Presence(self._settings, wanted))
        except MetadataTooLong as error:
            self._problem = str(error)
            self._log.error("{problem}", problem=self._problem)
            self._changed()

    def _say(self, presence: Presence) -> None:
        stay = self._stay
        if stay is None:
            stay = Stay(self._around, presence)
            self._stay = stay
            stay.begin()
            self._changed()
        elif stay.announced.announcement.name == presence.announcement.name:
            stay.say(presence)
        else:
            self._moving = Deferred()
            left = Deferred.fromCoroutine(stay.leave())
            left.addErrback(self._broke)  # type: ignore[unused-awaitable]
            left.addCallback(self._moved)  # type: ignore[unused-awaitable]

    def _broke(self, failure: Failure) -> None:
        self._log.failure("The ring was not left in order", failure=failure)

    def _moved(self, _result: None) -> None:
        self._stay = None
        moving, self._moving = self._moving, None
        assert moving is not None
        moving.callback(None)
        self._follow()

    # -- what arrives -------------------------------------------------------------

    def _received(self, packet: bytes, source: PeerAddress) -> None:
        if self._stay is None:
            self._traffic.drop("early")
        else:
            self._stay.received(packet, source)

    def _answer(self, message: Message, source: PeerAddress) -> Message | None:
        return None if self._stay is None else self._stay.answer(message, source)

    def _changed(self) -> None:
        for listener in tuple(self._listeners):
            self._call(listener)

    def _letter(self, sender: NodeName | None, letter: bytes) -> None:
        for reader in tuple(self._readers):
            self._call(partial(reader, sender, letter))

    def _call(self, listener: Callable[[], None]) -> None:
        """The ring goes on, and others hear it, whatever one of them does (W-37)."""
        try:
            listener()
        except Exception:  # noqa: BLE001 - awaits nothing; the ring must go on
            self._log.failure("A listener of the ring failed")
