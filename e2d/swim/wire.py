"""
Messages to bytes and back: the very bytes that Go's memberlist writes.

A message is its type, in one byte, and a structure. A user message is its type and raw
bytes; on a stream it differs, for which see `e2d.swim.streams`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from operator import attrgetter
from typing import Any, TypeVar

from e2d.swim.arrivals import Arrivals
from e2d.swim.errors import Fault, WireError
from e2d.swim.fields import (
    UINT16,
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
from e2d.swim.kinds import (
    ACK,
    ALIVE,
    DEAD,
    ERROR,
    INDIRECT_PING,
    NACK,
    PING,
    PUSH_PULL,
    SUSPECT,
    USER,
    WRAPPERS,
)
from e2d.swim.limits import DEFAULT_LIMITS, Limits
from e2d.swim.messages import (
    Ack,
    Alive,
    Dead,
    ErrorReply,
    IndirectPing,
    Message,
    Nack,
    Ping,
    PushPull,
    Source,
    Suspect,
    UnknownMessage,
    UserMessage,
)
from e2d.swim.states import pack_push_pull, read_push_pull

__all__ = ["WireError", "decode", "encode"]

_Accusation = TypeVar("_Accusation", Suspect, Dead)

# The fields of each structure, in the order of their declaration in Go.
_SOURCE = (b"SourceAddr", b"SourcePort", b"SourceNode")
_PING = (b"SeqNo", b"Node", *_SOURCE)
_INDIRECT_PING = (b"SeqNo", b"Target", b"Port", b"Node", b"Nack", *_SOURCE)
_ACK = (b"SeqNo", b"Payload")
_NACK = (b"SeqNo",)
_ACCUSATION = (b"Incarnation", b"Node", b"From")
_ALIVE = (b"Incarnation", b"Node", b"Addr", b"Port", b"Meta", b"Vsn")
_ERROR = (b"Error",)


def encode(message: Message) -> bytes:
    """
    A message as it is in a packet.

    :param message: whose numbers fit into their fields.
    """
    if isinstance(message, UnknownMessage):
        return b"%c%b" % (message.kind, message.body)
    kind, pack = _PACKERS[type(message)]
    return b"%c%b" % (kind, pack(message))


def decode(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Message:
    """
    The message that `encode` writes, and whatever else Go takes for one.

    Peers that are not fit to be told to others are left out of an exchange of states.

    :param data: from the type on; what follows the message is ignored.
    :return: an `UnknownMessage` if its type is unknown.
    :raises WireError: it is damaged, not acceptable, or a wrapper of messages.
    """
    if not data:
        raise WireError(Fault.TRUNCATED, "an empty message")
    kind = data[0]
    if (read := _READERS.get(kind)) is not None:
        return read(data[1:])
    if kind == PUSH_PULL:
        return _read_push_pull(data[1:], limits)
    if kind in WRAPPERS:
        raise WireError(Fault.MISPLACED, f"type {kind} where a message should be")
    return UnknownMessage(kind, data[1:])


def _pack_ping(ping: Ping) -> bytes:
    fields = {b"Node": ping.node, b"SeqNo": ping.sequence}
    return pack_fields(fields | _source_fields(ping.source))


def _pack_indirect_ping(ping: IndirectPing) -> bytes:
    return pack_fields(
        {
            b"Nack": ping.nack,
            b"Node": ping.node,
            b"Port": ping.target.port,
            b"SeqNo": ping.sequence,
            **_source_fields(ping.source),
            b"Target": ping.target.host,
        }
    )


def _source_fields(source: Source | None) -> dict[bytes, object]:
    """What Go leaves out where it is empty."""
    if source is None:
        return {}
    fields: dict[bytes, object] = {}
    if source.address is not None:
        fields[b"SourceAddr"] = source.address.host
    if source.name:
        fields[b"SourceNode"] = source.name
    if source.address is not None:
        fields[b"SourcePort"] = source.address.port
    return fields


def _pack_ack(ack: Ack) -> bytes:
    return pack_fields({b"Payload": ack.payload or None, b"SeqNo": ack.sequence})


def _pack_nack(nack: Nack) -> bytes:
    return pack_fields({b"SeqNo": nack.sequence})


def _pack_accusation(message: Suspect | Dead) -> bytes:
    return pack_fields(
        {
            b"From": message.sender,
            b"Incarnation": message.incarnation,
            b"Node": message.node,
        }
    )


def _pack_alive(alive: Alive) -> bytes:
    return pack_fields(
        {
            b"Addr": alive.address.host,
            b"Incarnation": alive.incarnation,
            b"Meta": alive.meta,
            b"Node": alive.node,
            b"Port": alive.address.port,
            b"Vsn": pack_versions(alive.versions),
        }
    )


def _pack_error(reply: ErrorReply) -> bytes:
    return pack_fields({b"Error": reply.text.encode(errors="replace")})


def _read_ping(body: bytes) -> Ping:
    fields = read_fields(body, _PING)
    return Ping(
        sequence=number(fields, b"SeqNo", UINT32),
        node=octets(fields, b"Node"),
        source=_source(fields),
    )


def _read_indirect_ping(body: bytes) -> IndirectPing:
    fields = read_fields(body, _INDIRECT_PING)
    return IndirectPing(
        sequence=number(fields, b"SeqNo", UINT32),
        node=octets(fields, b"Node"),
        target=address(fields, b"Target", b"Port"),
        nack=flag(fields, b"Nack"),
        source=_source(fields),
    )


def _source(fields: Fields) -> Source | None:
    """Whom to answer. Half an address is none: Go then answers the sender."""
    name = octets(fields, b"SourceNode")
    host = octets(fields, b"SourceAddr")
    port = number(fields, b"SourcePort", UINT16)
    if host and port:
        return Source(address=address(fields, b"SourceAddr", b"SourcePort"), name=name)
    return Source(address=None, name=name) if name else None


def _read_ack(body: bytes) -> Ack:
    fields = read_fields(body, _ACK)
    return Ack(
        sequence=number(fields, b"SeqNo", UINT32), payload=octets(fields, b"Payload")
    )


def _read_nack(body: bytes) -> Nack:
    return Nack(sequence=number(read_fields(body, _NACK), b"SeqNo", UINT32))


def _read_accusation(kind: type[_Accusation], body: bytes) -> _Accusation:
    fields = read_fields(body, _ACCUSATION)
    return kind(
        incarnation=number(fields, b"Incarnation", UINT32),
        node=octets(fields, b"Node"),
        sender=octets(fields, b"From"),
    )


def _read_alive(body: bytes) -> Alive:
    fields = read_fields(body, _ALIVE)
    return Alive(
        incarnation=number(fields, b"Incarnation", UINT32),
        node=octets(fields, b"Node"),
        address=address(fields, b"Addr", b"Port"),
        meta=octets(fields, b"Meta"),
        versions=versions(fields),
    )


def _read_error(body: bytes) -> ErrorReply:
    text = octets(read_fields(body, _ERROR), b"Error")
    return ErrorReply(text.decode(errors="replace"))


def _read_push_pull(body: bytes, limits: Limits) -> PushPull:
    reading = read_push_pull(Arrivals(body, ended=True), limits)
    try:
        next(reading)
    except StopIteration as stop:
        exchange: PushPull = stop.value[0]
        return exchange
    raise AssertionError("nothing more can arrive")


_PACKERS: dict[type, tuple[int, Callable[[Any], bytes]]] = {
    Ping: (PING, _pack_ping),
    IndirectPing: (INDIRECT_PING, _pack_indirect_ping),
    Ack: (ACK, _pack_ack),
    Suspect: (SUSPECT, _pack_accusation),
    Alive: (ALIVE, _pack_alive),
    Dead: (DEAD, _pack_accusation),
    PushPull: (PUSH_PULL, pack_push_pull),
    UserMessage: (USER, attrgetter("payload")),
    Nack: (NACK, _pack_nack),
    ErrorReply: (ERROR, _pack_error),
}
_READERS: dict[int, Callable[[bytes], Message]] = {
    PING: _read_ping,
    INDIRECT_PING: _read_indirect_ping,
    ACK: _read_ack,
    SUSPECT: partial(_read_accusation, Suspect),
    ALIVE: _read_alive,
    DEAD: partial(_read_accusation, Dead),
    USER: UserMessage,
    NACK: _read_nack,
    ERROR: _read_error,
}
