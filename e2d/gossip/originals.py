"""
What nodes of the original e2d tell each other: its metadata and its statuses.

Both are structures in Go's ``gob``: ``Member`` is a node's metadata, ``statusMsg`` what
it broadcasts when its status changes and, in the original's 1.0 line, its state in an
exchange. The original skips fields that it does not know, so ours carry one more, in
which nodes of this e2d find what they tell each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from attrs import frozen

from e2d.gossip import gob
from e2d.gossip.errors import PayloadError
from e2d.gossip.gob_writing import Field, Structure, encode
from e2d.model import NodeStatus

__all__ = [
    "OriginalMember",
    "OriginalStatus",
    "StatusMessage",
    "decode_member",
    "decode_status",
    "encode_member",
    "encode_status",
    "original_status",
]

_EXTRA = ("E2D", Field.BYTES)

# The numbers are those that the original's types have on the wire.
_MEMBER = Structure(
    name="Member",
    identifier=65,
    fields=(
        ("ID", Field.UINT),
        ("Name", Field.STRING),
        ("ClientAddr", Field.STRING),
        ("ClientURL", Field.STRING),
        ("PeerAddr", Field.STRING),
        ("PeerURL", Field.STRING),
        ("GossipAddr", Field.STRING),
        ("BootstrapAddrs", Field.STRINGS),
        ("Status", Field.INT),
    ),
)
_STATUS = Structure(
    name="statusMsg",
    identifier=67,
    fields=(("Name", Field.STRING), ("Status", Field.INT)),
)


class OriginalStatus(IntEnum):
    """What a node of the original says that it is; the numbers are its own."""

    UNKNOWN = 0
    PENDING = 1
    RUNNING = 2

    def translated(self) -> NodeStatus | None:
        """The same in our words."""
        match self:
            case OriginalStatus.UNKNOWN:
                return None
            case OriginalStatus.PENDING:
                return NodeStatus.PENDING
            case OriginalStatus.RUNNING:
                return NodeStatus.RUNNING


def original_status(status: NodeStatus | None) -> OriginalStatus:
    """
    What to tell nodes of the original.

    Never "pending": they count those when they found a cluster, and no node of ours
    takes part in that (C5).
    """
    if status is NodeStatus.RUNNING:
        return OriginalStatus.RUNNING
    return OriginalStatus.UNKNOWN


@frozen(kw_only=True)
class OriginalMember:
    """
    A node's metadata, the fields named as in the original, which fills only some.

    :param gossip_addr: ``host:port``.
    :param extra: ours alone; empty from the original.
    """

    id: int = 0
    name: str = ""
    client_addr: str = ""
    client_url: str = ""
    peer_addr: str = ""
    peer_url: str = ""
    gossip_addr: str = ""
    bootstrap_addrs: tuple[str, ...] = ()
    status: OriginalStatus = OriginalStatus.UNKNOWN
    extra: bytes = b""


@frozen(kw_only=True)
class StatusMessage:
    """
    A node says what it is.

    :param extra: ours alone; empty from the original.
    """

    name: str
    status: OriginalStatus
    extra: bytes = b""


def encode_member(member: OriginalMember) -> bytes:
    """Metadata that the original reads, byte for byte its own but for what is extra."""
    values: dict[str, object] = {
        "ID": member.id,
        "Name": member.name,
        "ClientAddr": member.client_addr,
        "ClientURL": member.client_url,
        "PeerAddr": member.peer_addr,
        "PeerURL": member.peer_url,
        "GossipAddr": member.gossip_addr,
        "BootstrapAddrs": list(member.bootstrap_addrs),
        "Status": int(member.status),
    }
    return _encode(_MEMBER, values, member.extra)


def encode_status(message: StatusMessage) -> bytes:
    """A status that the original reads."""
    values: dict[str, object] = {"Name": message.name, "Status": int(message.status)}
    return _encode(_STATUS, values, message.extra)


def _encode(structure: Structure, values: dict[str, object], extra: bytes) -> bytes:
    if not extra:
        return encode(structure, values)
    extended = Structure(
        name=structure.name,
        identifier=structure.identifier,
        fields=(*structure.fields, _EXTRA),
    )
    return encode(extended, {**values, _EXTRA[0]: extra})


def decode_member(data: bytes) -> OriginalMember:
    """
    Read metadata of the original, or ours for it.

    :raises PayloadError: it is none.
    """
    fields = gob.decode(data)
    return OriginalMember(
        id=_number(fields, "ID"),
        name=_text(fields, "Name"),
        client_addr=_text(fields, "ClientAddr"),
        client_url=_text(fields, "ClientURL"),
        peer_addr=_text(fields, "PeerAddr"),
        peer_url=_text(fields, "PeerURL"),
        gossip_addr=_text(fields, "GossipAddr"),
        bootstrap_addrs=_texts(fields, "BootstrapAddrs"),
        status=_status(fields),
        extra=_extra(fields),
    )


def decode_status(data: bytes) -> StatusMessage:
    """
    Read a status message of the original, or ours for it.

    :raises PayloadError: it is none.
    """
    fields = gob.decode(data)
    return StatusMessage(
        name=_text(fields, "Name"), status=_status(fields), extra=_extra(fields)
    )


_Fields = Mapping[str, object]


def _text(fields: _Fields, name: str) -> str:
    return _checked(fields.get(name, ""), name)


def _texts(fields: _Fields, name: str) -> tuple[str, ...]:
    texts = fields.get(name, [])
    if not isinstance(texts, list):
        raise PayloadError(f"{name} is not a list")
    return tuple(_checked(each, name) for each in texts)


def _checked(text: object, name: str) -> str:
    if not isinstance(text, str) or not text.isprintable():
        raise PayloadError(f"{name} is not text in one line")
    return text


def _number(fields: _Fields, name: str) -> int:
    number = fields.get(name, 0)
    if type(number) is not int:
        raise PayloadError(f"{name} is not a number")
    return number


def _status(fields: _Fields) -> OriginalStatus:
    number = _number(fields, "Status")
    known = {status.value for status in OriginalStatus}
    return OriginalStatus(number) if number in known else OriginalStatus.UNKNOWN


def _extra(fields: _Fields) -> bytes:
    extra = fields.get(_EXTRA[0], b"")
    if not isinstance(extra, bytes):
        raise PayloadError(f"{_EXTRA[0]} is not bytes")
    return extra
