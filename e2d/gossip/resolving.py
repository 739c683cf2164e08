"""
From names to addresses.

Note [Lookups that hang]
    Twisted looks names up in threads, and a thread that waits for a name server cannot
    be called back. After `ANSWER_SECONDS` nobody waits for it any more, but a name
    whose lookup still hangs is not looked up again meanwhile, and when `MOST_UNDER_WAY`
    hang none is: rounds of joins go on, and do not fill the pool that others need.
    Names take turns, so that some that hang keep no other from its own for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count

from attrs import define, field, frozen

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, DeferredSemaphore, gatherResults
from twisted.internet.defer import TimeoutError as TimedOut
from twisted.internet.interfaces import (
    IAddress,
    IHostnameResolver,
    IHostResolution,
    IReactorTime,
    IResolutionReceiver,
)
from zope.interface import implementer

from e2d.config.endpoints import is_ip
from e2d.gossip.places import address_of, peer_address
from e2d.model import Address

__all__ = ["Found", "Names", "NotFound", "Resolved"]

ANSWER_SECONDS = 5.0
"""The first retry of a stub resolver; who needs longer has its turn next time."""

MOST_ADDRESSES = 16
"""Of one name: as many as are joined in a round."""

MOST_UNDER_WAY = 8
"""The reactor has ten threads."""

MOST_TURNS_KEPT = 4096

_LONGEST_LABEL = 63
_LONGEST_NAME = 253


@frozen
class Found:
    """
    Where a name points to.

    :param wanted: as it is written.
    :param addresses: IP literals, one or more.
    """

    wanted: Address
    addresses: tuple[Address, ...]


@frozen
class NotFound:
    """
    It could not be told where a name points to.

    :param wanted: as it is written.
    :param reason: in one short phrase.
    """

    wanted: Address
    reason: str


Resolved = Found | NotFound


@frozen
class _Hosts:
    """What a name points to: one or more."""

    hosts: Sequence[str]


@define(eq=False)
class Names:
    """
    Looks names up, at most for `ANSWER_SECONDS` each.

    :param resolver: the reactor's ``nameResolver``.
    """

    _clock: IReactorTime
    _resolver: IHostnameResolver
    _turns: DeferredSemaphore = field(
        factory=lambda: DeferredSemaphore(MOST_UNDER_WAY), init=False
    )
    _asked: dict[str, int] = field(factory=dict, init=False)
    _number: Iterator[int] = field(factory=lambda: count(1), init=False)
    _under_way: set[str] = field(factory=set, init=False)

    async def resolve_all(self, wanted: Iterable[Address]) -> tuple[Resolved, ...]:
        """
        Look all of them up, each name once; addresses cost nothing.

        Who has not had its turn after `ANSWER_SECONDS` is not found this time.

        :return: in the order of what is wanted; errors are values.
        """
        wanted = tuple(wanted)
        deadline = self._clock.seconds() + ANSWER_SECONDS
        names = sorted(
            dict.fromkeys(_name(one.host) for one in wanted if not is_ip(one.host)),
            key=lambda name: self._asked.get(name, 0),
        )
        answers = await gatherResults(
            [Deferred.fromCoroutine(self._in_turn(name, deadline)) for name in names]
        )
        known = dict(zip(names, answers, strict=True))
        return tuple(
            _literal(one) if is_ip(one.host) else _resolved(one, known[_name(one.host)])
            for one in wanted
        )

    async def _in_turn(self, name: str, deadline: float) -> _Hosts | str:
        """The addresses of a name, or why they are not known."""
        await self._turns.acquire()
        try:
            if self._clock.seconds() >= deadline:
                return "has to wait: names before it took too long"
            return await self._hosts(name)
        finally:
            self._turns.release()

    async def _hosts(self, name: str) -> _Hosts | str:
        if not _is_name(name):
            return "is no name that can be looked up"
        if name in self._under_way:
            return "is being looked up still"
        if len(self._under_way) >= MOST_UNDER_WAY:
            return "has to wait: too many lookups hang"
        try:
            hosts = await self._look_up(name)
        except TimedOut:
            return f"was not looked up in {ANSWER_SECONDS:g} seconds"
        return _Hosts(hosts) if hosts else "has no address: look at the name and at DNS"

    def _look_up(self, name: str) -> Deferred[Sequence[str]]:
        answer: Deferred[Sequence[str]] = Deferred()
        receiver = _Receiver(answer, lambda: self._under_way.discard(name))
        self._under_way.add(name)
        if len(self._asked) >= MOST_TURNS_KEPT:
            self._asked.clear()
        self._asked[name] = next(self._number)
        self._resolver.resolveHostName(receiver, name)
        return answer.addTimeout(ANSWER_SECONDS, self._clock)


@implementer(IResolutionReceiver)
@define(eq=False)
class _Receiver:
    """Collects the addresses of a name."""

    _answer: Deferred[Sequence[str]]
    _ended: Callable[[], None]
    _hosts: list[str] = field(factory=list, init=False)

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:
        """See Note [Lookups that hang]: there is nothing to cancel it by."""

    def addressResolved(self, address: IAddress) -> None:
        """Take it, unless there are enough, or it is none for us."""
        if not isinstance(address, IPv4Address | IPv6Address):
            return
        if len(self._hosts) < MOST_ADDRESSES and is_ip(address.host):
            self._hosts.append(address.host)

    def resolutionComplete(self) -> None:
        """Answer; who no longer waits does not hear it."""
        self._ended()
        self._answer.callback(self._hosts)


def _is_name(name: str) -> bool:
    """What the system takes for a name at all: others end in an error of the codec."""
    labels = name.split(".")
    return (
        name.isascii()
        and len(name) <= _LONGEST_NAME
        and all(0 < len(label) <= _LONGEST_LABEL for label in labels)
    )


def _name(host: str) -> str:
    return host.removesuffix(".").lower()


def _literal(wanted: Address) -> Found:
    return Found(wanted, (_address(wanted.host, wanted.port),))


def _resolved(wanted: Address, answer: _Hosts | str) -> Resolved:
    if isinstance(answer, str):
        return NotFound(wanted, answer)
    addresses = [_address(host, wanted.port) for host in answer.hosts]
    return Found(wanted, tuple(dict.fromkeys(addresses)))


def _address(host: str, port: int) -> Address:
    return address_of(peer_address(host, port))
