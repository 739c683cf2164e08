"""
What a ring carries for e2d: which format, by who is in the ring.

Note [A ring with the original]
    With ``gossip.compat`` everything is in the original's formats, so that its nodes
    read it: metadata is its ``Member``, a state in an exchange its ``statusMsg`` (its
    1.0 line reads it, 0.4 ignores it), and each change of status is broadcast as
    ``statusMsg`` besides, because its nodes believe that more than metadata. What nodes
    of this e2d have to tell each other travels in a field that the original skips: so a
    node that lacks it is an original.

    The original founds a cluster of all the nodes whose metadata it can read, and ours
    take no part in that (C5). So a node that holds no data yet says what it has to say
    in our own format, which the original cannot read.
"""

from __future__ import annotations

from attrs import evolve, frozen

from e2d.config.choices import GossipCompatibility
from e2d.gossip.errors import PayloadError
from e2d.gossip.metadata import (
    METADATA_BYTES,
    check_length,
    decode_digest,
    decode_inner_digest,
    encode_digest,
    encode_inner_digest,
)
from e2d.gossip.originals import (
    OriginalMember,
    StatusMessage,
    decode_member,
    decode_status,
    encode_member,
    encode_status,
    original_status,
)
from e2d.gossip.packing import is_packed, text, url
from e2d.gossip.reports import decode_report, encode_report
from e2d.model import (
    Address,
    ClusterID,
    DataSummary,
    EtcdVersion,
    MemberID,
    NodeDigest,
    NodeName,
    NodeStatus,
    OriginalDigest,
    PeerReport,
    UnreadableDigest,
)

__all__ = ["Digest", "Payloads"]

Digest = NodeDigest | OriginalDigest | UnreadableDigest

_LARGEST = (1 << 64) - 1


def _grown(digest: NodeDigest) -> NodeDigest:
    """A digest when its node knows all that it may learn, at its longest."""
    return evolve(
        digest,
        status=NodeStatus.RUNNING,
        etcd_version=EtcdVersion(255, 255, 255),
        cluster=evolve(digest.cluster, lineage=digest.cluster.name),
        data=DataSummary(cluster_id=ClusterID(_LARGEST), member_id=MemberID(_LARGEST)),
    )


@frozen
class Payloads:
    """
    Writes and reads what e2d adds to the ring.

    :param compat: which original shares the ring, None for none.
    """

    _compat: GossipCompatibility | None

    def metadata(self, digest: NodeDigest, gossip: Address) -> bytes:
        """
        What this node says of itself, complete from its first claim on (W-16).

        :param gossip: where it gossips, as others are told.
        :raises MetadataTooLong: gossip does not carry it.
        """
        if self._compat is None or digest.data is None:
            made = encode_digest(digest)
        else:
            made = encode_member(
                OriginalMember(
                    name=digest.name,
                    client_url=digest.client_url,
                    peer_url=digest.peer_url,
                    gossip_addr=str(gossip),
                    status=original_status(digest.status),
                    extra=encode_inner_digest(digest),
                )
            )
        check_length(made, digest)
        return made

    def check(self, digest: NodeDigest, gossip: Address) -> None:
        """
        Check that gossip will carry what this node says of itself, whatever it learns.

        :param digest: what it says when it starts.
        :raises MetadataTooLong: it would not one day, so the node must not start.
        """
        self.metadata(_grown(digest), gossip)

    def read_metadata(self, metadata: bytes) -> Digest | None:
        """
        What a node says of itself, whatever the bytes.

        :return: None where it says nothing, as an original in its first claim (W-16).
        """
        if not metadata:
            return None
        try:
            return self._read_metadata(metadata)
        except PayloadError as error:
            return UnreadableDigest(reason=error.reason)

    def _read_metadata(self, metadata: bytes) -> Digest:
        if len(metadata) > METADATA_BYTES:
            raise PayloadError(f"more than {METADATA_BYTES} bytes")
        if self._compat is None or is_packed(metadata):
            return decode_digest(metadata)
        member = decode_member(metadata)
        if member.extra:
            return decode_inner_digest(
                member.extra,
                name=member.name,
                client_url=member.client_url,
                peer_url=member.peer_url,
            )
        return OriginalDigest(
            name=NodeName(text(member.name, "the name")),
            client_url=url(member.client_url, "the client URL"),
            peer_url=url(member.peer_url, "the peer URL"),
            status=member.status.translated(),
        )

    def state(self, report: PeerReport, status: NodeStatus) -> bytes:
        """What this node adds to an exchange of states."""
        packed = encode_report(report)
        if self._compat is None:
            return packed
        return encode_status(
            StatusMessage(
                name=report.name, status=original_status(status), extra=packed
            )
        )

    def read_state(self, state: bytes) -> PeerReport | StatusMessage | None:
        """
        What another node added.

        :return: None where that is nothing, as from an original 0.4; a status from 1.0.
        :raises PayloadError: it cannot be read.
        """
        if not state:
            return None
        if self._compat is None:
            return decode_report(state)
        message = decode_status(state)
        return decode_report(message.extra) if message.extra else message

    def status_message(self, name: NodeName, status: NodeStatus) -> bytes | None:
        """
        What to broadcast when this node's status has changed.

        :return: None where metadata alone tells it: there is no original in the ring.
        """
        if self._compat is None:
            return None
        return encode_status(StatusMessage(name=name, status=original_status(status)))

    def read_status_message(self, payload: bytes) -> StatusMessage:
        """
        What an original broadcast.

        :raises PayloadError: it is no status, or there is no original in this ring.
        """
        if self._compat is None:
            raise PayloadError("a message that this ring does not carry")
        return decode_status(payload)
