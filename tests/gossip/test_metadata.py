"""The digest of a node, packed."""

from __future__ import annotations

from attrs import evolve, fields
from hypothesis import given, settings
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.gossip.errors import MetadataTooLong, PayloadError, UnknownPayloadVersion
from e2d.gossip.metadata import (
    METADATA_BYTES,
    check_length,
    decode_digest,
    decode_inner_digest,
    encode_digest,
    encode_inner_digest,
)
from e2d.gossip.packing import pack
from e2d.model import NodeDigest, NodeStatus
from tests.gossip.samples import DIGEST, NEWBORN, digests

_GOLDEN = (
    "9c01"
    "a26e31"
    "b568747470733a2f2f31302e302e302e313a32333739"
    "b568747470733a2f2f31302e302e302e313a32333830"
    "02"
    "c40800112233445566ff"
    "a5312e302e30"
    "93030510"
    "c40816477688c0e00699"
    "c4082804bad6fe94a55f"
    "cfef5d7f3a0f6d4cbe"
    "cf502d1c5a97d7ba5f"
)
_GOLDEN_NEWBORN = (
    "9c01"
    "a26e31"
    "b568747470733a2f2f31302e302e302e313a32333739"
    "b568747470733a2f2f31302e302e302e313a32333830"
    "01"
    "c40800112233445566ff"
    "a5312e302e30"
    "c0"
    "c40816477688c0e00699"
    "c0c0c0"
)


class FormatTests(SynchronousTestCase):
    """The format, which no version may change in silence."""

    def test_golden(self) -> None:
        """A digest is these bytes, now and in every version of format 1."""
        self.assertEqual(_GOLDEN, encode_digest(DIGEST).hex())
        self.assertEqual(DIGEST, decode_digest(bytes.fromhex(_GOLDEN)))

    def test_golden_newborn(self) -> None:
        """So is that of a node that knows nothing yet but itself."""
        self.assertEqual(_GOLDEN_NEWBORN, encode_digest(NEWBORN).hex())
        self.assertEqual(NEWBORN, decode_digest(bytes.fromhex(_GOLDEN_NEWBORN)))

    def test_statuses(self) -> None:
        """Each status keeps its number."""
        numbers = {
            status: encode_digest(evolve(NEWBORN, status=status))[49]
            for status in (None, *NodeStatus)
        }
        self.assertEqual(
            {
                None: 0,
                NodeStatus.PENDING: 1,
                NodeStatus.RUNNING: 2,
                NodeStatus.STOPPING: 3,
                NodeStatus.FAILED: 4,
            },
            numbers,
        )

    def test_newer_version(self) -> None:
        """A newer version's additions are passed over, its new status is none."""
        newer = bytearray.fromhex(_GOLDEN_NEWBORN)
        newer[0] = 0x9E
        newer[49] = 9
        newer += bytes.fromhex("81a16101a178")
        self.assertEqual(evolve(NEWBORN, status=None), decode_digest(bytes(newer)))

    def test_other_format(self) -> None:
        """Another format is recognised as one."""
        other = bytes.fromhex(_GOLDEN.replace("9c01", "9c02"))
        error = self.assertRaises(UnknownPayloadVersion, decode_digest, other)
        self.assertEqual(2, error.version)

    def test_nothing_that_moves(self) -> None:
        """No revision, size or time is in it: each change is told to all (A20)."""
        self.assertEqual(
            [
                "name",
                "client_url",
                "peer_url",
                "status",
                "node_id",
                "e2d_version",
                "etcd_version",
                "cluster",
                "data",
            ],
            [field.name for field in fields(NodeDigest)],
        )

    @settings(max_examples=300, deadline=None)
    @given(digests())
    def test_round_trip(self, digest: NodeDigest) -> None:
        """Any digest is read as it was written, whole or within something else."""
        self.assertEqual(digest, decode_digest(encode_digest(digest)))
        inner = decode_inner_digest(
            encode_inner_digest(digest),
            name=digest.name,
            client_url=digest.client_url,
            peer_url=digest.peer_url,
        )
        self.assertEqual(digest, inner)


class RefusalTests(SynchronousTestCase):
    """What is not a digest."""

    def refused(self, position: int, value: object) -> str:
        """The reason why a digest with another value somewhere is refused."""
        values: list[object] = [
            "n1",
            "http://a:1",
            "http://a:2",
            2,
            bytes(8),
            "1.0",
            [3, 5, 16],
            bytes(8),
            bytes(8),
            7,
            9,
        ]
        decode_digest(pack(values))
        values[position] = value
        error = self.assertRaises(PayloadError, decode_digest, pack(values))
        return error.reason

    def test_values(self) -> None:
        """Each value is checked, and the reason names it."""
        self.assertEqual("the name is not text in one line", self.refused(0, ""))
        self.assertEqual("the client URL is not a URL", self.refused(1, "a:1"))
        self.assertEqual("the peer URL is not text in one line", self.refused(2, None))
        self.assertEqual("the status is not a number in its range", self.refused(3, ""))
        self.assertEqual("the node id is not 8 bytes", self.refused(4, bytes(7)))
        self.assertEqual(
            "the version of e2d is not text in one line", self.refused(5, "1\n")
        )
        self.assertEqual(
            "the version of etcd is not three numbers", self.refused(6, [3, 5])
        )
        self.assertEqual(
            "the version of etcd is not a number in its range",
            self.refused(6, [3, 5, "16"]),
        )
        self.assertEqual("the cluster's mark is not 8 bytes", self.refused(7, None))
        self.assertEqual("the lineage's mark is not 8 bytes", self.refused(8, b"x"))

    def test_half_of_the_data(self) -> None:
        """A cluster id without a member id, or 0 for one, is no summary of data."""
        reason = "the data's cluster id or member id is missing"
        self.assertEqual(reason, self.refused(9, None))
        self.assertEqual(reason, self.refused(10, None))
        self.assertEqual(reason, self.refused(10, 0))

    @settings(max_examples=500, deadline=None)
    @given(st.data())
    def test_any_bytes(self, data: st.DataObject) -> None:
        """Any bytes, and any damage to real ones, end in the one error there is."""
        damaged = bytearray.fromhex(_GOLDEN)
        position = data.draw(st.integers(0, len(damaged) - 1))
        damaged[position:] = data.draw(st.binary(max_size=40))
        for anything in (bytes(damaged), data.draw(st.binary(max_size=600))):
            try:
                decode_digest(anything)
            except PayloadError:
                continue


class LengthTests(SynchronousTestCase):
    """Whether gossip carries it."""

    def test_fits(self) -> None:
        """512 bytes fit, one more does not."""
        digest = evolve(DIGEST, client_url="https://" + "a" * 415)
        check_length(encode_digest(digest), digest)
        self.assertEqual(METADATA_BYTES, len(encode_digest(digest)))
        longer = evolve(digest, name=digest.name + "x")
        self.assertRaises(MetadataTooLong, check_length, encode_digest(longer), longer)

    def refused(self, **changes: str) -> str:
        """What is said of a digest that is too long."""
        digest = evolve(DIGEST, **changes)
        error = self.assertRaises(
            MetadataTooLong, check_length, encode_digest(digest), digest
        )
        return str(error)

    def test_long_urls(self) -> None:
        """The error names the longest URL, by how much, and the key that mends it."""
        self.assertEqual(
            "this node's description would take 549 bytes, and gossip carries 512: the "
            "client URL has 263 of them; advertise a shorter host in `clientAddr`, by "
            "37 bytes or more",
            self.refused(
                client_url=f"https://{'a' * 250}:2379",
                peer_url=f"https://{'b' * 200}.com:2380",
            ),
        )
        self.assertIn(
            "the peer URL has 508 of them; advertise a shorter host in `peerAddr`",
            self.refused(peer_url="https://" + "b" * 500),
        )

    def test_long_name(self) -> None:
        """A name that is too long is named in bytes, not in letters."""
        self.assertIn(
            "its name has 600 of them; set a shorter `overrideName`",
            self.refused(name="ä" * 300, client_url=f"https://{'a' * 400}"),
        )
