"""Peers of a ring, driven by hand."""

from __future__ import annotations

from random import Random
from typing import TypeVar

from attrs import evolve

from e2d.swim import wire
from e2d.swim.effects import Effect, ExchangeState, Peer, SendPacket
from e2d.swim.identity import DEFAULT_VERSIONS, Identity, Vetoes
from e2d.swim.messages import (
    Alive,
    Dead,
    Message,
    PeerAddress,
    PeerState,
    PushPull,
    Rank,
    Suspect,
    Versions,
)
from e2d.swim.protocol import Swim
from e2d.swim.settings import LAN, Settings

_T = TypeVar("_T")

OLD = Versions(protocol_min=1, protocol_max=2, protocol=2)
"""A peer that neither sends nacks, nor answers pings by TCP, nor knows checksums."""

QUIET = evolve(LAN, probe_interval=1000.0, gossip_interval=1000.0)
"""Nothing is sent but answers, unless a test waits for very long."""


def address(number: int) -> PeerAddress:
    """Where a peer is."""
    return PeerAddress(bytes([10, 0, 0, number]), 7946)


SELF = address(1)


def alive(
    node: bytes,
    number: int = 2,
    *,
    incarnation: int = 1,
    meta: bytes = b"",
    versions: Versions | None = DEFAULT_VERSIONS,
) -> Alive:
    """A claim that a peer is alive at `address(number)`."""
    return Alive(
        incarnation=incarnation,
        node=node,
        address=address(number),
        meta=meta,
        versions=versions,
    )


def suspect(node: bytes, *, incarnation: int = 1, by: bytes = b"x") -> Suspect:
    """A claim that a peer does not answer."""
    return Suspect(incarnation=incarnation, node=node, sender=by)


def dead(node: bytes, *, incarnation: int = 1, by: bytes = b"x") -> Dead:
    """A claim that a peer is gone."""
    return Dead(incarnation=incarnation, node=node, sender=by)


def state(
    node: bytes,
    number: int = 2,
    *,
    rank: Rank = Rank.ALIVE,
    incarnation: int = 1,
    meta: bytes = b"",
    versions: Versions | None = DEFAULT_VERSIONS,
) -> PeerState:
    """A peer in an exchange of states."""
    return PeerState(
        incarnation=incarnation,
        node=node,
        address=address(number),
        meta=meta,
        rank=rank,
        versions=versions,
    )


def told(*peers: PeerState, join: bool = False, user_state: bytes = b"") -> PushPull:
    """All that another knows."""
    return PushPull(join=join, peers=peers, user_state=user_state)


class Driven:
    """
    A peer that was started at 0, of the name `a` unless told otherwise.

    :ivar swim: the peer.
    :ivar now: its driver's clock.
    :ivar started: the effects of its start.
    """

    def __init__(
        self,
        settings: Settings = QUIET,
        vetoes: Vetoes = Vetoes(),  # noqa: B008 - a frozen value
        *,
        name: bytes = b"a",
        at: PeerAddress = SELF,
        meta: bytes = b"",
        versions: Versions = DEFAULT_VERSIONS,
        seed: int = 1,
        packet_overhead: int = 0,
    ) -> None:
        self.swim = Swim(
            settings,
            Identity(name=name, address=at, meta=meta, versions=versions),
            Random(seed),
            vetoes,
            packet_overhead=packet_overhead,
        )
        self.now = 0.0
        self.started = self.swim.start(0.0)

    def hear(
        self, *messages: Message, source: PeerAddress | None = None
    ) -> list[Effect]:
        """Receive a packet."""
        return self.swim.receive(messages, source or address(99), self.now)

    def wait(self, seconds: float) -> list[Effect]:
        """Let time pass, with each deadline in time."""
        end = self.now + seconds
        effects: list[Effect] = []
        for _ in range(10_000):
            due = self.swim.next_timer()
            if due is None or due > end:
                self.now = end
                return effects
            self.now = due
            effects += self.swim.handle_timer(due)
        raise AssertionError("timers without end")

    def merge(self, *peers: PeerState, join: bool = False) -> list[Effect]:
        """Be sent all that another knows."""
        remote = told(*peers, join=join)
        return self.swim.receive_state(remote, address(99), self.now)[1]

    def peer(self, name: bytes) -> Peer:
        """A peer that is known."""
        peer = self.swim.peer(name)
        assert peer is not None
        return peer


def of(effects: list[Effect], kind: type[_T]) -> list[_T]:
    """The effects of one kind."""
    return [effect for effect in effects if isinstance(effect, kind)]


def kinds(effects: list[Effect]) -> list[str]:
    """The names of the kinds of news, in their order."""
    actions = (SendPacket, ExchangeState)
    return [type(each).__name__ for each in effects if not isinstance(each, actions)]


def sent(
    effects: list[Effect], kind: type[_T], to: PeerAddress | None = None
) -> list[_T]:
    """The messages of one kind that were sent by UDP, by default to anybody."""
    return [
        message
        for packet in of(effects, SendPacket)
        if to is None or packet.to == to
        for message in map(wire.decode, packet.parts)
        if isinstance(message, kind)
    ]
