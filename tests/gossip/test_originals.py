"""The original's metadata and statuses."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.gossip.errors import PayloadError
from e2d.gossip.gob_writing import Field, Structure, encode
from e2d.gossip.original_statuses import OriginalStatuses
from e2d.gossip.originals import (
    OriginalMember,
    OriginalStatus,
    StatusMessage,
    decode_member,
    decode_status,
    encode_member,
    encode_status,
    original_status,
)
from e2d.model import NodeName, NodeStatus
from tests.gossip.samples import seen, texts


def _text(sample: dict[str, object], name: str) -> str:
    text = sample[name]
    assert isinstance(text, str)
    return text


def _octets(sample: dict[str, object]) -> bytes:
    return bytes.fromhex(_text(sample, "hex"))


class SeenTests(SynchronousTestCase):
    """What real nodes of the original sent."""

    def test_members(self) -> None:
        """Each metadata has its meaning, and is written again byte for byte."""
        self.assertEqual(6, len(seen("member")))
        for sample in seen("member"):
            member = OriginalMember(
                name=_text(sample, "Name"),
                client_url=_text(sample, "ClientURL"),
                peer_url=_text(sample, "PeerURL"),
                gossip_addr=_text(sample, "GossipAddr"),
                status=OriginalStatus(sample["Status"]),
            )
            self.assertEqual(member, decode_member(_octets(sample)))
            self.assertEqual(_octets(sample), encode_member(member))

    def test_statuses(self) -> None:
        """Each broadcast has its meaning, and is written again byte for byte."""
        self.assertEqual(7, len(seen("statusMsg")))
        for sample in seen("statusMsg"):
            message = StatusMessage(
                name=_text(sample, "Name"), status=OriginalStatus(sample["Status"])
            )
            self.assertEqual(message, decode_status(_octets(sample)))
            self.assertEqual(_octets(sample), encode_status(message))


def _one(name: str, kind: Field, value: object) -> bytes:
    structure = Structure(name="Member", identifier=64, fields=((name, kind),))
    return encode(structure, {name: value})


class CodecTests(SynchronousTestCase):
    """What may be in them."""

    @settings(max_examples=200, deadline=None)
    @given(
        st.builds(
            OriginalMember,
            id=st.integers(0, (1 << 64) - 1),
            name=texts(),
            client_url=texts(),
            peer_url=texts(),
            bootstrap_addrs=st.lists(texts(), max_size=3).map(tuple),
            status=st.sampled_from(OriginalStatus),
            extra=st.binary(max_size=300),
        )
    )
    def test_members_round_trip(self, member: OriginalMember) -> None:
        """Any metadata is read as it was written."""
        self.assertEqual(member, decode_member(encode_member(member)))

    @settings(max_examples=100, deadline=None)
    @given(texts(), st.sampled_from(OriginalStatus), st.binary(max_size=300))
    def test_statuses_round_trip(
        self, name: str, status: OriginalStatus, extra: bytes
    ) -> None:
        """Any status message is read as it was written."""
        message = StatusMessage(name=name, status=status, extra=extra)
        self.assertEqual(message, decode_status(encode_status(message)))

    @settings(max_examples=300, deadline=None)
    @given(st.binary(max_size=300))
    def test_any_bytes(self, data: bytes) -> None:
        """Any bytes are read, or refused with the one error that there is."""
        for decode in (decode_member, decode_status):
            try:
                decode(data)
            except PayloadError:
                continue

    def test_fields_of_other_kinds(self) -> None:
        """A field that is not what the original has there is refused by its name."""
        for name, kind, value, why in (
            ("ID", Field.STRING, "7", "ID is not a number"),
            ("Name", Field.INT, 7, "Name is not text in one line"),
            ("Name", Field.STRING, "a\nb", "Name is not text in one line"),
            ("Name", Field.STRING, "a\udcff", "Name is not text in one line"),
            ("BootstrapAddrs", Field.STRING, "a", "BootstrapAddrs is not a list"),
            ("Status", Field.STRING, "2", "Status is not a number"),
            ("E2D", Field.STRING, "2", "E2D is not bytes"),
        ):
            error = self.assertRaises(
                PayloadError, decode_member, _one(name, kind, value)
            )
            self.assertEqual(why, error.reason)

    def test_unknown_status(self) -> None:
        """A status that the original never had is taken for unknown."""
        member = decode_member(_one("Status", Field.INT, 9))
        self.assertEqual(OriginalStatus.UNKNOWN, member.status)

    def test_unknown_field(self) -> None:
        """A field that we do not know is passed over."""
        self.assertEqual(OriginalMember(), decode_member(_one("X", Field.INT, 9)))


class TranslationTests(SynchronousTestCase):
    """Statuses in each other's words."""

    def test_theirs(self) -> None:
        """Unknown is no status; the others are the same words."""
        self.assertIsNone(OriginalStatus.UNKNOWN.translated())
        self.assertEqual(NodeStatus.PENDING, OriginalStatus.PENDING.translated())
        self.assertEqual(NodeStatus.RUNNING, OriginalStatus.RUNNING.translated())

    def test_ours(self) -> None:
        """Only "running" is told: a pending node would count at their founding (C5)."""
        told = {status: original_status(status) for status in (None, *NodeStatus)}
        self.assertEqual(OriginalStatus.RUNNING, told.pop(NodeStatus.RUNNING))
        self.assertEqual({OriginalStatus.UNKNOWN}, set(told.values()))


N1 = NodeName("n1")


class StatusesTests(SynchronousTestCase):
    """The status of an original, of sources without order (W-15, W-46)."""

    def setUp(self) -> None:
        """One original, seen in its first incarnation."""
        self.statuses = OriginalStatuses()
        self.statuses.met(N1, 1, OriginalStatus.UNKNOWN)

    def test_message(self) -> None:
        """What it says counts more than the metadata that it came with."""
        self.statuses.told(N1, OriginalStatus.RUNNING)
        self.assertEqual(OriginalStatus.RUNNING, self.statuses.status(N1))

    def test_late_message(self) -> None:
        """A message that was overtaken changes nothing (W-15)."""
        self.statuses.told(N1, OriginalStatus.RUNNING)
        self.statuses.told(N1, OriginalStatus.PENDING)
        self.assertEqual(OriginalStatus.RUNNING, self.statuses.status(N1))

    def test_lost_message(self) -> None:
        """Metadata of a newer incarnation makes up for lost messages (W-46)."""
        self.statuses.met(N1, 2, OriginalStatus.RUNNING)
        self.assertEqual(OriginalStatus.RUNNING, self.statuses.status(N1))

    def test_old_metadata(self) -> None:
        """Metadata of the same incarnation, met again, takes nothing back."""
        self.statuses.told(N1, OriginalStatus.RUNNING)
        self.statuses.met(N1, 1, OriginalStatus.UNKNOWN)
        self.assertEqual(OriginalStatus.RUNNING, self.statuses.status(N1))

    def test_new_start(self) -> None:
        """A node that starts again is what its newer metadata says."""
        self.statuses.told(N1, OriginalStatus.RUNNING)
        self.statuses.met(N1, 2, OriginalStatus.PENDING)
        self.assertEqual(OriginalStatus.PENDING, self.statuses.status(N1))

    def test_gone(self) -> None:
        """Of a node that left nothing is kept, and its late words are a stranger's."""
        self.statuses.told(N1, OriginalStatus.RUNNING)
        self.statuses.left(N1)
        self.statuses.told(N1, OriginalStatus.RUNNING)
        self.assertEqual(OriginalStatus.UNKNOWN, self.statuses.status(N1))
        self.statuses.met(N1, 1, OriginalStatus.PENDING)
        self.assertEqual(OriginalStatus.PENDING, self.statuses.status(N1))
