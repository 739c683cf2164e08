"""
What whoever drives the protocol has to do, and what is new in the ring.

Effects are to be performed in their order.
"""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen

from e2d.swim.messages import PeerAddress, Ping, PushPull, Rank, Versions

__all__ = [
    "Action",
    "BroadcastDone",
    "Effect",
    "ExchangeState",
    "Ignored",
    "MergeRefused",
    "NameConflict",
    "News",
    "PausedFor",
    "Peer",
    "PeerCleared",
    "PeerForgotten",
    "PeerJoined",
    "PeerLeft",
    "PeerSuspected",
    "PeerUpdated",
    "PingByStream",
    "PingCompleted",
    "ReachedByStream",
    "Reason",
    "Refuted",
    "SendPacket",
    "Spread",
    "StateMerged",
    "UserMessageReceived",
]


@frozen(kw_only=True)
class Peer:
    """
    A peer, as we know it.

    :ivar since: when it came to have this rank here, in seconds of the driver's clock.
        Time that we did not see, because we were paused, is not counted.
    """

    name: bytes
    address: PeerAddress
    meta: bytes
    incarnation: int
    rank: Rank
    versions: Versions
    since: float


@frozen(kw_only=True)
class SendPacket:
    """
    Send a packet by UDP, from the port that is listened on.

    Whether it cannot be sent is told to `Swim.send_failed`.

    :ivar parts: encoded messages, for `e2d.swim.packets.pack`.
    :ivar checksum: whether it has one, which the receiver understands.
    """

    to: PeerAddress
    parts: tuple[bytes, ...]
    checksum: bool


@frozen(kw_only=True)
class ExchangeState:
    """
    Open a stream, send all that we know, read the answer.

    The answer goes to `Swim.state_answered`, together with this effect. Where there is
    none, nothing is told to the core: its next exchange is with another peer.

    :ivar state: `PushPull.join` of it tells whether it was asked for by `Swim.join`.
    """

    to: PeerAddress
    state: PushPull


@frozen(kw_only=True)
class PingByStream:
    """
    Open a stream, send a ping, and read the ack.

    An ack with the same sequence goes to `Swim.stream_ping_answered`; nothing else
    does.

    :ivar seconds: how long all of it may take.
    """

    to: PeerAddress
    ping: Ping
    seconds: float


@frozen
class PeerJoined:
    """A peer, or we, became a part of the ring, or came back to it."""

    peer: Peer


@frozen(kw_only=True)
class PeerUpdated:
    """
    A peer has other metadata.

    :ivar before: the metadata that it had.
    """

    peer: Peer
    before: bytes


@frozen
class PeerLeft:
    """A peer died, or left of its own accord, as its rank tells."""

    peer: Peer


@frozen(kw_only=True)
class PeerSuspected:
    """
    A peer does not answer, and may refute it.

    :ivar by: who said so first, to us.
    """

    peer: Peer
    by: bytes


@frozen
class PeerCleared:
    """A suspect refuted."""

    peer: Peer


@frozen
class PeerForgotten:
    """A peer that was dead, or left, for long is not remembered any more."""

    peer: Peer


@frozen(kw_only=True)
class NameConflict:
    """
    A peer claims a name that another has, which keeps it.

    :ivar held: who has it; it may be we.
    :ivar claimed: where the other is.
    """

    held: Peer
    claimed: PeerAddress


@frozen(kw_only=True)
class UserMessageReceived:
    """Something for what is built on the protocol."""

    source: PeerAddress
    payload: bytes


@frozen(kw_only=True)
class StateMerged:
    """
    A peer told us all that it knows, and its ring's versions fit.

    :ivar join: whether one of the two was joining.
    :ivar user_state: what is built on the protocol added to it; may be empty.
    """

    source: PeerAddress
    join: bool
    user_state: bytes


@frozen(kw_only=True)
class MergeRefused:
    """
    What a peer told us was not merged: nothing of it.

    :ivar reason: for people.
    """

    source: PeerAddress
    join: bool
    reason: str


@frozen(kw_only=True)
class PingCompleted:
    """
    A peer answered a probe by itself, and in time.

    :ivar round_trip: in seconds.
    :ivar payload: what it had to add.
    """

    peer: Peer
    round_trip: float
    payload: bytes


@frozen
class ReachedByStream:
    """A peer answered by TCP, but not by UDP: its or our UDP is blocked somewhere."""

    peer: Peer


class Spread(StrEnum):
    """What a broadcast is about."""

    LEAVE = "leave"
    UPDATE = "update"
    USER = "user"


@frozen(kw_only=True)
class BroadcastDone:
    """
    A broadcast was sent as often as it is to be, or made way for a newer one.

    :ivar name: the node's for leaving and updates, else the one given to
        `Swim.broadcast`.
    """

    about: Spread
    name: bytes


@frozen(kw_only=True)
class Refuted:
    """
    Somebody held us for what we are not, and was contradicted.

    :ivar incarnation: ours, from now on.
    """

    incarnation: int


@frozen
class PausedFor:
    """
    We were paused, or the machine was: all deadlines were put off.

    :ivar seconds: by how much.
    """

    seconds: float


class Reason(StrEnum):
    """Why a message is ignored, in one word that things can be counted by."""

    VERSIONS = "versions"
    """Of the protocol: absent, or impossible."""
    NAME = "name"
    """Nobody has the empty one."""
    INCARNATION = "incarnation"
    """0 is none; and beyond the highest, nothing can be refuted."""
    VETOED = "vetoed"
    """What is built on the protocol refused."""
    FULL = "full"
    """There are too many already."""
    WRONG_NODE = "wrong-node"
    """A ping for somebody else, who perhaps was here before."""
    MISPLACED = "misplaced"
    """Not a message for a packet."""
    UNKNOWN = "unknown"
    """A message of a type that this release does not know."""


@frozen(kw_only=True)
class Ignored:
    """
    A message that nothing came of. What is merely old is not mentioned.

    :ivar node: whom it is about; empty where about nobody.
    :ivar detail: for people.
    """

    reason: Reason
    node: bytes = b""
    detail: str = ""


Action = SendPacket | ExchangeState | PingByStream

News = (
    PeerJoined
    | PeerUpdated
    | PeerLeft
    | PeerSuspected
    | PeerCleared
    | PeerForgotten
    | NameConflict
    | UserMessageReceived
    | StateMerged
    | MergeRefused
    | PingCompleted
    | ReachedByStream
    | BroadcastDone
    | Refuted
    | PausedFor
    | Ignored
)

Effect = Action | News
