"""With which keys a node starts."""

from __future__ import annotations

from attrs import evolve

from twisted.trial.unittest import SynchronousTestCase

from e2d.config.choices import GossipCompatibility
from e2d.config.secret import Secret
from e2d.gossip.keys import RingKeyError, ring_keys
from tests.config.loading import loaded
from tests.pki.samples import ca_key, curve_key

RING = loaded("gossipAddr: 10.0.0.1:7980").gossip_ring
ORIGINAL = evolve(RING, compat=GossipCompatibility.ORIGINAL)
ORIGINAL_0_4 = evolve(RING, compat=GossipCompatibility.ORIGINAL_0_4)

_DERIVED = "1f291d48b4088c7cd377b88828d15dddcea444e878bd3de7ca8c4f138fea23eb"
_ORIGINALS = "40c20c70407f7855d6cecf96c8c87eaa8e7eb52b1abc70a1addc3a0ca8377be5"


class OwnRingTests(SynchronousTestCase):
    """A ring of ours."""

    def test_derived(self) -> None:
        """The key follows from the CA's, for gossip alone (B12)."""
        (key,) = ring_keys(RING, ca_key=ca_key(), keys_file=None)
        self.assertEqual(_DERIVED, key.hex())

    def test_configured(self) -> None:
        """Keys that are configured count instead, in their order and either form."""
        ring = evolve(
            RING,
            keys=(
                Secret("MDEyMzQ1Njc4OWFiY2RlZg=="),
                Secret("ffffffffffffffffffffffffffffffff"),
            ),
        )
        self.assertEqual(
            (b"0123456789abcdef", b"\xff" * 16),
            ring_keys(ring, ca_key=ca_key(), keys_file=None),
        )

    def test_file(self) -> None:
        """So do those of a file."""
        content = "# since May\nMDEyMzQ1Njc4OWFiY2RlZg==\n\n" + "ff" * 32 + "\n"
        self.assertEqual(
            (b"0123456789abcdef", b"\xff" * 32),
            ring_keys(RING, ca_key=ca_key(), keys_file=content),
        )

    def test_none(self) -> None:
        """Without any there is none: never one that everybody knows (W-19)."""
        self.assertEqual((), ring_keys(RING, ca_key=None, keys_file=None))

    def test_broken_file(self) -> None:
        """A file that is none of keys is named, with the line, and not repeated."""
        ring = evolve(RING, keys_file="/etc/e2d/ring")
        for content, problem in (
            ("", "there is no key in it"),
            ("planted", "line 1: a key must be base64 or hexadecimal"),
            ("#\ncGxhbnRlZA==", "line 2: a key must be 16, 24 or 32 bytes, not 7"),
        ):
            error = self.assertRaises(
                RingKeyError, ring_keys, ring, ca_key=None, keys_file=content
            )
            self.assertEqual(f"gossip.keysFile /etc/e2d/ring: {problem}", str(error))

    def test_broken_ca_key(self) -> None:
        """A CA's key that cannot be used is said to be what is wrong."""
        error = self.assertRaises(
            RingKeyError, ring_keys, RING, ca_key=b"planted", keys_file=None
        )
        self.assertEqual(
            "caKey: there is no private key in PEM in the CA's key file", str(error)
        )


class MixedRingTests(SynchronousTestCase):
    """A ring with the original."""

    def test_derived(self) -> None:
        """Either line's key is the one that it derives from the CA's."""
        for ring in (ORIGINAL, ORIGINAL_0_4):
            (key,) = ring_keys(ring, ca_key=ca_key(), keys_file=None)
            self.assertEqual(_ORIGINALS, key.hex())

    def test_no_ca(self) -> None:
        """Without a CA the 1.0 line has a key of zeros, and 0.4 has none (W-19)."""
        self.assertEqual((bytes(32),), ring_keys(ORIGINAL, ca_key=None, keys_file=None))
        self.assertEqual((), ring_keys(ORIGINAL_0_4, ca_key=None, keys_file=None))

    def test_configured(self) -> None:
        """A node without the CA's key is given the ring's."""
        keys = ring_keys(ORIGINAL, ca_key=None, keys_file=_ORIGINALS)
        self.assertEqual((bytes.fromhex(_ORIGINALS),), keys)

    def test_other_ca_key(self) -> None:
        """A CA's key that the original does not take is refused."""
        error = self.assertRaises(
            RingKeyError, ring_keys, ORIGINAL, ca_key=curve_key(), keys_file=None
        )
        self.assertIn("caKey: the CA's key is not RSA", str(error))
