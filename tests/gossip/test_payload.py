"""What a ring carries, by who is in it."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.config.choices import GossipCompatibility
from e2d.gossip.errors import MetadataTooLong, PayloadError
from e2d.gossip.originals import (
    OriginalMember,
    OriginalStatus,
    StatusMessage,
    decode_member,
    decode_status,
    encode_member,
)
from e2d.gossip.payload import Payloads
from e2d.model import (
    EtcdVersion,
    NodeDigest,
    NodeName,
    NodeStatus,
    OriginalDigest,
    UnreadableDigest,
)
from tests.gossip.samples import DIGEST, GOSSIP, NEWBORN, REPORT, digests, seen

OWN = Payloads(None)
MIXED = Payloads(GossipCompatibility.ORIGINAL)
MIXED_0_4 = Payloads(GossipCompatibility.ORIGINAL_0_4)

_MEMBER = OriginalMember(
    name="n1",
    client_url="http://10.0.0.1:2379",
    peer_url="http://10.0.0.1:2380",
    gossip_addr="10.0.0.1:7980",
    status=OriginalStatus.PENDING,
)


class MetadataTests(SynchronousTestCase):
    """What a node says of itself."""

    def test_complete_at_once(self) -> None:
        """A node that knows nothing yet says all the same who it is (W-16)."""
        for ring in (OWN, MIXED, MIXED_0_4):
            metadata = ring.metadata(NEWBORN, GOSSIP)
            self.assertEqual(NEWBORN, ring.read_metadata(metadata))

    def test_status_in_all_of_it(self) -> None:
        """The status is in each metadata, so none is lost for good (W-46)."""
        for status in NodeStatus:
            digest = evolve(DIGEST, status=status)
            for ring in (OWN, MIXED, MIXED_0_4):
                read = ring.read_metadata(ring.metadata(digest, GOSSIP))
                self.assertEqual(digest, read)

    def test_nothing_said(self) -> None:
        """No metadata is no status and no error: the original's first claim (W-16)."""
        for ring in (OWN, MIXED, MIXED_0_4):
            self.assertIsNone(ring.read_metadata(b""))

    def test_original(self) -> None:
        """Metadata of an original is its digest, in our words."""
        self.assertEqual(
            OriginalDigest(
                name=NodeName("4AC19DC79A53A206"),
                client_url="http://127.0.0.82:2820",
                peer_url="http://127.0.0.82:2380",
                status=NodeStatus.RUNNING,
            ),
            MIXED_0_4.read_metadata(bytes.fromhex(str(seen("member")[3]["hex"]))),
        )

    def test_for_originals(self) -> None:
        """In a mixed ring the original finds in ours what it looks for."""
        member = decode_member(MIXED.metadata(DIGEST, GOSSIP))
        self.assertEqual(
            OriginalMember(
                name="n1",
                client_url="https://10.0.0.1:2379",
                peer_url="https://10.0.0.1:2380",
                gossip_addr="10.0.0.1:7980",
                status=OriginalStatus.RUNNING,
            ),
            evolve(member, extra=b""),
        )

    def test_hidden_from_originals(self) -> None:
        """Without data ours is not seen by the original, which founds with all (C5)."""
        metadata = MIXED.metadata(NEWBORN, GOSSIP)
        self.assertRaises(PayloadError, decode_member, metadata)
        holder = evolve(DIGEST, status=NodeStatus.PENDING)
        member = decode_member(MIXED.metadata(holder, GOSSIP))
        self.assertEqual(OriginalStatus.UNKNOWN, member.status)

    def test_too_long_one_day(self) -> None:
        """A node does not start that could not say later what it learns."""
        long = evolve(NEWBORN, client_url=f"https://{'a' * 395}:2379")
        self.assertEqual(469, len(OWN.metadata(long, GOSSIP)))
        OWN.check(long, GOSSIP)
        error = self.assertRaises(MetadataTooLong, MIXED.check, long, GOSSIP)
        self.assertEqual("the client URL", error.part)
        longer = evolve(NEWBORN, client_url=f"https://{'a' * 410}:2379")
        OWN.metadata(longer, GOSSIP)
        self.assertRaises(MetadataTooLong, OWN.check, longer, GOSSIP)

    @settings(max_examples=60, deadline=None)
    @given(digests(), digests())
    def test_checked_once(self, first: NodeDigest, later: NodeDigest) -> None:
        """What was checked at the start is carried ever after."""
        version = None if later.etcd_version is None else EtcdVersion(3, 7, 200)
        learned = evolve(
            first,
            status=later.status,
            etcd_version=version,
            cluster=later.cluster,
            data=later.data,
        )
        for ring in (OWN, MIXED):
            try:
                ring.check(first, GOSSIP)
            except MetadataTooLong:
                continue
            ring.metadata(learned, GOSSIP)

    def test_too_long(self) -> None:
        """What gossip does not carry is not made, in a mixed ring sooner."""
        digest = evolve(DIGEST, client_url=f"https://{'a' * 240}:2379")
        self.assertEqual(341, len(OWN.metadata(digest, GOSSIP)))
        error = self.assertRaises(MetadataTooLong, MIXED.metadata, digest, GOSSIP)
        self.assertEqual("the client URL", error.part)

    def test_unreadable(self) -> None:
        """Metadata that cannot be read is said to be so, with the reason."""
        for ring, metadata, reason in (
            (OWN, b"\xff\x01tags", "not MessagePack"),
            (OWN, b"\x91\x02", "in format 2, which this version of e2d does not read"),
            (OWN, bytes(513), "more than 512 bytes"),
            (MIXED, bytes(513), "more than 512 bytes"),
            (MIXED, b"tags", "a gob that is cut off"),
            (MIXED, b"\xf8tags", "a gob that is cut off"),
            (MIXED, b"\x94\x01tag", "values are missing"),
            (MIXED, _original(name=""), "the name is not text in one line"),
            (MIXED, _original(client_url=""), "the client URL is not text in one line"),
            (MIXED, _original(peer_url="a:1"), "the peer URL is not a URL"),
            (MIXED, _original(extra=b"x"), "not a payload of e2d"),
            (
                MIXED,
                _original(extra=b"\x91\x02"),
                "in format 2, which this version of e2d does not read",
            ),
        ):
            self.assertEqual(
                UnreadableDigest(reason=reason), ring.read_metadata(metadata)
            )

    @settings(max_examples=300, deadline=None)
    @given(st.binary(max_size=520))
    def test_any_bytes(self, metadata: bytes) -> None:
        """Reading metadata raises nothing, whatever the bytes."""
        for ring in (OWN, MIXED):
            ring.read_metadata(metadata)

    @settings(max_examples=200, deadline=None)
    @given(digests())
    def test_round_trip(self, digest: NodeDigest) -> None:
        """Nodes of ours read each other, among themselves and with originals."""
        for ring in (OWN, MIXED):
            try:
                metadata = ring.metadata(digest, GOSSIP)
            except MetadataTooLong:
                continue
            self.assertLessEqual(len(metadata), 512)
            self.assertEqual(digest, ring.read_metadata(metadata))


def _original(**changes: object) -> bytes:
    return encode_member(evolve(_MEMBER, **changes))


class StateTests(SynchronousTestCase):
    """What is added to an exchange of states."""

    def test_round_trip(self) -> None:
        """A report arrives as it was, among ours and with originals."""
        for ring in (OWN, MIXED, MIXED_0_4):
            state = ring.state(REPORT, NodeStatus.RUNNING)
            self.assertEqual(REPORT, ring.read_state(state))

    def test_for_originals(self) -> None:
        """The original's 1.0 line finds a status in it."""
        message = decode_status(MIXED.state(REPORT, NodeStatus.RUNNING))
        self.assertEqual(
            StatusMessage(name="n1", status=OriginalStatus.RUNNING),
            evolve(message, extra=b""),
        )

    def test_from_originals(self) -> None:
        """The 1.0 line adds a status, and 0.4 nothing."""
        sample = bytes.fromhex(str(seen("statusMsg")[4]["hex"]))
        self.assertEqual(
            StatusMessage(name="D6E9CD44EEE8583F", status=OriginalStatus.RUNNING),
            MIXED.read_state(sample),
        )
        self.assertIsNone(MIXED_0_4.read_state(b""))

    @settings(max_examples=300, deadline=None)
    @given(st.binary(max_size=100))
    def test_any_bytes(self, state: bytes) -> None:
        """Any bytes are read, or refused with the one error that there is."""
        for ring in (OWN, MIXED):
            try:
                ring.read_state(state)
            except PayloadError:
                continue


class StatusMessageTests(SynchronousTestCase):
    """What is broadcast besides, for originals only."""

    def test_own_ring(self) -> None:
        """Among ours metadata is enough: there is no one-shot status to lose (W-46)."""
        self.assertIsNone(OWN.status_message(DIGEST.name, NodeStatus.RUNNING))
        sample = bytes.fromhex(str(seen("statusMsg")[4]["hex"]))
        self.assertRaises(PayloadError, OWN.read_status_message, sample)

    def test_mixed_ring(self) -> None:
        """An original reads ours byte for byte as its own, and we read its."""
        sample = bytes.fromhex(str(seen("statusMsg")[4]["hex"]))
        name = NodeName("D6E9CD44EEE8583F")
        self.assertEqual(sample, MIXED.status_message(name, NodeStatus.RUNNING))
        self.assertEqual(
            StatusMessage(name=name, status=OriginalStatus.RUNNING),
            MIXED.read_status_message(sample),
        )

    def test_never_pending(self) -> None:
        """A node of ours that waits is never counted at their founding (C5)."""
        message = MIXED.status_message(DIGEST.name, NodeStatus.PENDING)
        assert message is not None
        self.assertEqual(OriginalStatus.UNKNOWN, decode_status(message).status)
        state = MIXED.state(REPORT, NodeStatus.PENDING)
        self.assertEqual(OriginalStatus.UNKNOWN, decode_status(state).status)
