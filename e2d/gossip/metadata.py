"""What a node of e2d says of itself in the ring's metadata: its digest, packed."""

from __future__ import annotations

from collections.abc import Sequence

from e2d.gossip.errors import MetadataTooLong, PayloadError
from e2d.gossip.packing import number, octets, pack, text, unpack, url
from e2d.model import (
    ClusterID,
    ClusterMark,
    DataSummary,
    EtcdVersion,
    MemberID,
    NodeDigest,
    NodeID,
    NodeName,
    NodeStatus,
)

__all__ = [
    "METADATA_BYTES",
    "check_length",
    "decode_digest",
    "decode_inner_digest",
    "encode_digest",
    "encode_inner_digest",
]

METADATA_BYTES = 512
"""memberlist's limit: a Go peer that had more would crash."""

_ID_BYTES = 8
_VERSION_PARTS = 3
_COUNT = 11
_OUTER = 3
"""How many of the values stand in the metadata of the original too, and come first."""

_NO_STATUS = 0
_STATUS_NUMBERS = {
    NodeStatus.PENDING: 1,
    NodeStatus.RUNNING: 2,
    NodeStatus.STOPPING: 3,
    NodeStatus.FAILED: 4,
}
_STATUSES = {number: status for status, number in _STATUS_NUMBERS.items()}


def encode_digest(digest: NodeDigest) -> bytes:
    """Pack a digest; whether gossip carries it is `check_length`'s to say."""
    return pack((*_outer_values(digest), *_inner_values(digest)))


def encode_inner_digest(digest: NodeDigest) -> bytes:
    """Pack a digest without name and URLs, which stand beside it."""
    return pack((*[None] * _OUTER, *_inner_values(digest)))


def decode_digest(data: bytes) -> NodeDigest:
    """
    Unpack a digest.

    :raises PayloadError: it is none; `UnknownPayloadVersion` if it may be a newer one.
    """
    return _digest(unpack(data, _COUNT, METADATA_BYTES))


def decode_inner_digest(
    data: bytes, *, name: str, client_url: str, peer_url: str
) -> NodeDigest:
    """
    Unpack a digest whose name and URLs stood beside it.

    :raises PayloadError: it is none, or they are none.
    """
    values = unpack(data, _COUNT, METADATA_BYTES)
    return _digest((name, client_url, peer_url, *values[_OUTER:]))


def check_length(metadata: bytes, digest: NodeDigest) -> None:
    """
    Check that gossip carries metadata.

    :param digest: that it was made of.
    :raises MetadataTooLong: it does not; says what to shorten.
    """
    if len(metadata) <= METADATA_BYTES:
        return
    parts = (
        (digest.name, "its name", "set a shorter `overrideName`"),
        (
            digest.client_url,
            "the client URL",
            "advertise a shorter host in `clientAddr`",
        ),
        (digest.peer_url, "the peer URL", "advertise a shorter host in `peerAddr`"),
    )
    longest, part, remedy = max(parts, key=lambda each: len(each[0].encode()))
    raise MetadataTooLong(
        size_bytes=len(metadata),
        limit_bytes=METADATA_BYTES,
        part=part,
        part_bytes=len(longest.encode()),
        remedy=remedy,
    )


def _outer_values(digest: NodeDigest) -> Sequence[object]:
    return (digest.name, digest.client_url, digest.peer_url)


def _inner_values(digest: NodeDigest) -> Sequence[object]:
    version, data, cluster = digest.etcd_version, digest.data, digest.cluster
    return (
        _NO_STATUS if digest.status is None else _STATUS_NUMBERS[digest.status],
        bytes.fromhex(digest.node_id),
        digest.e2d_version,
        None if version is None else [version.major, version.minor, version.patch],
        cluster.name,
        cluster.lineage,
        None if data is None else data.cluster_id,
        None if data is None else data.member_id,
    )


def _digest(values: Sequence[object]) -> NodeDigest:
    (
        name,
        client_url,
        peer_url,
        status,
        node_id,
        e2d_version,
        etcd_version,
        cluster_name,
        lineage,
        cluster_id,
        member_id,
    ) = values
    return NodeDigest(
        name=NodeName(text(name, "the name")),
        client_url=url(client_url, "the client URL"),
        peer_url=url(peer_url, "the peer URL"),
        # A word of a newer version is no word for this one.
        status=_STATUSES.get(number(status, "the status")),
        node_id=NodeID(octets(node_id, "the node id", _ID_BYTES).hex()),
        e2d_version=text(e2d_version, "the version of e2d"),
        etcd_version=_version(etcd_version),
        cluster=ClusterMark(
            name=octets(cluster_name, "the cluster's mark", _ID_BYTES),
            lineage=_optional_octets(lineage),
        ),
        data=_summary(cluster_id, member_id),
    )


def _optional_octets(value: object) -> bytes | None:
    return None if value is None else octets(value, "the lineage's mark", _ID_BYTES)


def _version(value: object) -> EtcdVersion | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != _VERSION_PARTS:
        raise PayloadError("the version of etcd is not three numbers")
    return EtcdVersion(*(number(each, "the version of etcd") for each in value))


def _summary(cluster_id: object, member_id: object) -> DataSummary | None:
    if cluster_id is None and member_id is None:
        return None
    if not cluster_id or not member_id:
        raise PayloadError("the data's cluster id or member id is missing")
    return DataSummary(
        cluster_id=ClusterID(number(cluster_id, "the cluster id")),
        member_id=MemberID(number(member_id, "the member id")),
    )
