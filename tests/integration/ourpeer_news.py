"""What a bare peer of ours tells: its news, in the words of ``gopeer``."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, Protocol, assert_never

from attrs import define, field

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import formatEvent

from e2d.gossip.places import address_of
from e2d.swim.effects import (
    BroadcastDone,
    Ignored,
    MergeRefused,
    NameConflict,
    News,
    PausedFor,
    Peer,
    PeerCleared,
    PeerForgotten,
    PeerJoined,
    PeerLeft,
    PeerSuspected,
    PeerUpdated,
    PingCompleted,
    ReachedByStream,
    Refuted,
    Spread,
    StateMerged,
    UserMessageReceived,
)
from e2d.swim.messages import PeerAddress, Rank

__all__ = ["Emit", "OurNews", "describe"]

_RANKS = {
    Rank.ALIVE: "alive",
    Rank.SUSPECT: "suspect",
    Rank.DEAD: "dead",
    Rank.LEFT: "left",
}


_OfPeer = (
    PeerJoined
    | PeerUpdated
    | PeerLeft
    | ReachedByStream
    | PeerSuspected
    | PeerCleared
    | PeerForgotten
)
_KINDS: Mapping[type, str] = {
    PeerJoined: "join",
    PeerUpdated: "update",
    PeerLeft: "leave",
    ReachedByStream: "by-stream",
    PeerCleared: "cleared",
    PeerForgotten: "forgotten",
}


class Emit(Protocol):
    """Takes what is told."""

    def __call__(self, kind: str, /, **fields: object) -> None:
        """Take an event."""
        ...


def describe(peer: Peer, now: float) -> dict[str, object]:
    """A member as ``gopeer`` describes one."""
    versions = peer.versions
    numbers = (
        versions.protocol_min,
        versions.protocol_max,
        versions.protocol,
        versions.delegate_min,
        versions.delegate_max,
        versions.delegate,
    )
    return {
        "name": peer.name.decode(errors="replace"),
        "ip": peer.address.host.hex(),
        "addr": str(ip_address(peer.address.host)),
        "port": peer.address.port,
        "meta": peer.meta.hex(),
        "vsn": bytes(numbers).hex(),
        "state": _RANKS[peer.rank],
        "incarnation": peer.incarnation,
        "since": now - peer.since,
    }


@define(eq=False)
class OurNews:
    """
    Tells news, and whoever waits for some of it.

    Beyond what ``gopeer`` tells, there are the events ``suspect`` (``node``, ``by``),
    ``cleared`` and ``forgotten`` (``node``), ``refuted`` (``incarnation``), ``paused``
    (``seconds``), ``by-stream`` (``node``) and ``refused`` (``reason``).
    """

    _emit: Emit
    _clock: IReactorTime
    _broadcasts: defaultdict[bytes, deque[tuple[str, bytes]]] = field(
        factory=lambda: defaultdict(deque), init=False
    )
    _dones: defaultdict[Spread, list[Deferred[BroadcastDone]]] = field(
        factory=lambda: defaultdict(list), init=False
    )
    _pings: defaultdict[bytes, list[Deferred[float]]] = field(
        factory=lambda: defaultdict(list), init=False
    )
    _refusals: dict[PeerAddress, str] = field(factory=dict, init=False)

    def expect(self, name: bytes, key: str, data: bytes) -> None:
        """A broadcast with this key and content will be done one day."""
        self._broadcasts[name].append((key, data))

    def done(self, about: Spread) -> Deferred[BroadcastDone]:
        """Fires when the next about that was told."""
        done: Deferred[BroadcastDone] = Deferred()
        self._dones[about].append(done)
        return done

    async def pinged(self, name: str) -> float:
        """The round trip of the next probe of a peer that goes well."""
        pinged: Deferred[float] = Deferred()
        self._pings[name.encode()].append(pinged)
        return await pinged

    def refusal(self, source: PeerAddress) -> str | None:
        """Why the last state from there was not merged, if it was not; given once."""
        return self._refusals.pop(source, None)

    def log(self, event: Mapping[str, Any]) -> None:
        """A line of the log."""
        level, failure = event["log_level"].name, event.get("log_failure")
        text = formatEvent(event)
        if failure is not None:
            text += f"\n{failure.getTraceback()}"
        self._emit("log", level=level, text=text)

    def hear(self, news: News) -> None:
        """Tell of news."""
        match news:
            case PeerJoined() | PeerUpdated() | PeerLeft() | ReachedByStream():
                self._tell(news)
            case PeerSuspected() | PeerCleared() | PeerForgotten():
                self._tell(news)
            case BroadcastDone():
                self._finished(news)
            case PingCompleted():
                self._completed(news)
            case MergeRefused(source=source, reason=reason):
                self._refusals[source] = reason
                self._emit("refused", reason=reason)
            case NameConflict(held=held, claimed=claimed):
                self._conflict(held, claimed)
            case _:
                self._hear_more(news)

    def _hear_more(
        self,
        news: UserMessageReceived | StateMerged | Refuted | PausedFor | Ignored,
    ) -> None:
        match news:
            case UserMessageReceived(payload=payload):
                self._emit("user", data=payload.hex())
            case StateMerged(user_state=b""):
                pass  # memberlist does not tell of it, either
            case StateMerged(user_state=state, join=join):
                self._emit("merged", data=state.hex(), join=join)
            case Refuted(incarnation=incarnation):
                self._emit("refuted", incarnation=incarnation)
            case PausedFor(seconds=seconds):
                self._emit("paused", seconds=seconds)
            case Ignored(reason=reason, detail=detail):
                text = f"ignored: {reason} {detail}"
                self._emit("log", level="debug", text=text)
            case _:
                assert_never(news)

    def _tell(self, news: _OfPeer) -> None:
        node = describe(news.peer, self._clock.seconds())
        if isinstance(news, PeerSuspected):
            self._emit("suspect", node=node, by=news.by.decode(errors="replace"))
        else:
            self._emit(_KINDS[type(news)], node=node)

    def _conflict(self, held: Peer, claimed: PeerAddress) -> None:
        """Of the other one no more than where it is comes out of the protocol."""
        other = {
            "name": held.name.decode(errors="replace"),
            "ip": claimed.host.hex(),
            "addr": address_of(claimed).host,
            "port": claimed.port,
            "meta": "",
            "vsn": "",
        }
        existing = describe(held, self._clock.seconds())
        self._emit("conflict", existing=existing, other=other)

    def _finished(self, done: BroadcastDone) -> None:
        if done.about is Spread.USER:
            key, data = self._broadcasts[done.name].popleft()
            self._emit("finished", key=key, data=data.hex())
        waiting = self._dones.pop(done.about, [])
        for each in waiting:
            each.callback(done)

    def _completed(self, ping: PingCompleted) -> None:
        self._emit(
            "ping",
            name=ping.peer.name.decode(errors="replace"),
            rtt=ping.round_trip,
            data=ping.payload.hex(),
        )
        for each in self._pings.pop(ping.peer.name, []):
            each.callback(ping.round_trip)
