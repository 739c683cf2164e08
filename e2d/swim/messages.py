"""
The messages of the protocol, as values.

Names, metadata and payloads are bytes: on the wire they need not be text. Formats and
field names are HashiCorp memberlist's.
"""

from __future__ import annotations

from enum import IntEnum

from attrs import frozen

__all__ = [
    "Ack",
    "Alive",
    "Dead",
    "ErrorReply",
    "IndirectPing",
    "Message",
    "Nack",
    "PeerAddress",
    "PeerState",
    "Ping",
    "PushPull",
    "Rank",
    "Source",
    "Suspect",
    "UnknownMessage",
    "UserMessage",
    "Versions",
]


class Rank(IntEnum):
    """What a peer is held to be; the numbers are the wire's."""

    ALIVE = 0
    SUSPECT = 1
    DEAD = 2
    LEFT = 3


@frozen
class PeerAddress:
    """
    Where a peer is.

    :ivar host: the IP address in 4 or 16 bytes, exactly as it was received. An IPv4
        address in 16 bytes is another address to peers than the same one in 4.
    :ivar port: of UDP and TCP alike.
    """

    host: bytes
    port: int


@frozen(kw_only=True)
class Versions:
    """
    What a peer understands and speaks: of the protocol, and of what is built on it.

    :ivar protocol_max: from 3 on a peer answers pings over TCP, from 4 on it sends
        nacks, from 5 on it understands checksums.
    """

    protocol_min: int
    protocol_max: int
    protocol: int
    delegate_min: int = 0
    delegate_max: int = 0
    delegate: int = 0


@frozen(kw_only=True)
class Source:
    """
    Whom to answer, where it is not the sender of the packet.

    :ivar address: None where the sender left it out.
    """

    address: PeerAddress | None
    name: bytes


@frozen(kw_only=True)
class Ping:
    """
    Are you there?

    :ivar node: who is asked; empty for whoever is at that address.
    """

    sequence: int
    node: bytes
    source: Source | None = None


@frozen(kw_only=True)
class IndirectPing:
    """
    Ask another for me.

    :ivar nack: whether to say so when no answer came.
    """

    sequence: int
    node: bytes
    target: PeerAddress
    nack: bool
    source: Source | None = None


@frozen(kw_only=True)
class Ack:
    """I am, or the one you had me ask is."""

    sequence: int
    payload: bytes = b""


@frozen(kw_only=True)
class Nack:
    """I asked for you and heard nothing."""

    sequence: int


@frozen(kw_only=True)
class Suspect:
    """
    A peer does not answer.

    :ivar sender: who says so.
    """

    incarnation: int
    node: bytes
    sender: bytes


@frozen(kw_only=True)
class Alive:
    """
    A peer's claim about itself, spread by all.

    :ivar meta: 512 bytes at most from us; any length from others.
    :ivar versions: None where the sender left them out.
    """

    incarnation: int
    node: bytes
    address: PeerAddress
    meta: bytes
    versions: Versions | None


@frozen(kw_only=True)
class Dead:
    """
    A peer is gone; it left of its own accord where it is its own `sender`.

    :ivar sender: who says so.
    """

    incarnation: int
    node: bytes
    sender: bytes


@frozen(kw_only=True)
class PeerState:
    """One peer in a full exchange of states."""

    incarnation: int
    node: bytes
    address: PeerAddress
    meta: bytes
    rank: Rank
    versions: Versions | None


@frozen(kw_only=True)
class PushPull:
    """
    All that a peer knows.

    :ivar join: whether the one who began is joining.
    :ivar user_state: what is built on the protocol adds to it.
    """

    join: bool
    peers: tuple[PeerState, ...]
    user_state: bytes = b""


@frozen
class UserMessage:
    """What is built on the protocol has to say."""

    payload: bytes


@frozen
class ErrorReply:
    """
    Why a stream was not understood.

    :ivar text: for people; its wording differs between releases.
    """

    text: str


@frozen
class UnknownMessage:
    """A message of a type that this release does not know; kept apart, no fault."""

    kind: int
    body: bytes


Message = (
    Ping
    | IndirectPing
    | Ack
    | Nack
    | Suspect
    | Alive
    | Dead
    | PushPull
    | UserMessage
    | ErrorReply
    | UnknownMessage
)
