"""
What is longer than a packet: exchanges of states, and user messages on a stream.

An exchange is its type, a header that counts, a structure for each peer, and user state
in raw bytes. A user message is its type, a header that counts, and raw bytes. No length
comes before it all: where it ends is known once all of it was read.
"""

from __future__ import annotations

from e2d.swim.arrivals import Arrivals, Reading
from e2d.swim.errors import Fault, WireError
from e2d.swim.fields import (
    UINT32,
    Fields,
    address,
    flag,
    number,
    octets,
    pack_fields,
    pack_versions,
    read_fields,
    versions,
)
from e2d.swim.limits import Limits
from e2d.swim.messages import PeerState, PushPull, Rank, UserMessage

__all__ = ["pack_push_pull", "pack_user", "read_push_pull", "read_user"]

_INT64 = (1 << 63) - 1

# In the order of their declaration in Go.
_EXCHANGE = (b"Nodes", b"UserStateLen", b"Join")
_PEER = (b"Name", b"Addr", b"Port", b"Meta", b"Incarnation", b"State", b"Vsn")
_USER = (b"UserMsgLen",)

_RANKS = {int(rank): rank for rank in Rank}

_UNFIT = frozenset({Fault.ADDRESS, Fault.RANK, Fault.VERSIONS})
"""What keeps a peer from being told to others. The rest of an exchange is sound."""


def pack_user(message: UserMessage) -> bytes:
    """A user message as it is on a stream, after its type."""
    return pack_fields({b"UserMsgLen": len(message.payload)}) + message.payload


def read_user(arrivals: Arrivals, limits: Limits) -> Reading[UserMessage]:
    """
    Read what `pack_user` packs.

    :raises WireError: it is damaged or too large.
    """
    header = read_fields((yield from arrivals.value(limits.structure_bytes)), _USER)
    size = _length(header, b"UserMsgLen", limits.user_bytes)
    return UserMessage((yield from arrivals.take(size)))


def pack_push_pull(exchange: PushPull) -> bytes:
    """An exchange of states, after its type."""
    header = {
        b"Join": exchange.join,
        b"Nodes": len(exchange.peers),
        b"UserStateLen": len(exchange.user_state),
    }
    structures = [header, *(_peer_fields(peer) for peer in exchange.peers)]
    return b"".join(map(pack_fields, structures)) + exchange.user_state


def read_push_pull(
    arrivals: Arrivals, limits: Limits
) -> Reading[tuple[PushPull, tuple[Fault, ...]]]:
    """
    Read what `pack_push_pull` packs.

    :return: at the end, the exchange, and for each peer that was left out, since it is
        not fit to be told to others, why.
    :raises WireError: it is damaged or too large.
    """
    header = read_fields((yield from arrivals.value(limits.structure_bytes)), _EXCHANGE)
    count = _length(header, b"Nodes", limits.peers)
    user_bytes = _length(header, b"UserStateLen", limits.user_bytes)
    join = flag(header, b"Join")
    room = limits.inflated_bytes - user_bytes
    peers: list[PeerState] = []
    dropped: list[Fault] = []
    for _ in range(count):
        packed = yield from arrivals.value(min(room, limits.structure_bytes))
        room -= len(packed)
        try:
            peers.append(_peer(read_fields(packed, _PEER)))
        except WireError as error:
            if error.fault not in _UNFIT:
                raise
            dropped.append(error.fault)
    user_state = yield from arrivals.take(user_bytes)
    exchange = PushPull(join=join, peers=tuple(peers), user_state=user_state)
    return exchange, tuple(dropped)


def _length(header: Fields, name: bytes, most: int) -> int:
    length = number(header, name, _INT64)
    if length > most:
        raise WireError(Fault.LIMIT, f"{name.decode()} is {length}, more than {most}")
    return length


def _peer_fields(peer: PeerState) -> Fields:
    return {
        b"Addr": peer.address.host,
        b"Incarnation": peer.incarnation,
        b"Meta": peer.meta,
        b"Name": peer.node,
        b"Port": peer.address.port,
        b"State": int(peer.rank),
        b"Vsn": pack_versions(peer.versions),
    }


def _peer(fields: Fields) -> PeerState:
    state = number(fields, b"State", _INT64)
    if (rank := _RANKS.get(state)) is None:
        raise WireError(Fault.RANK, f"a peer in state {state}")
    return PeerState(
        incarnation=number(fields, b"Incarnation", UINT32),
        node=octets(fields, b"Name"),
        address=address(fields, b"Addr", b"Port"),
        meta=octets(fields, b"Meta"),
        rank=rank,
        versions=versions(fields),
    )
