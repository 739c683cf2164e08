"""Tests of `e2d.swim.sealing`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.swim.errors import Fault
from e2d.swim.sealing import Keyring, KeyringError
from tests.swim.outcomes import refusal
from tests.swim.strategies import KEYRINGS, nonce

ONE = bytes(range(16))
TWO = bytes(range(24))
THREE = bytes(range(32))
RING = Keyring((ONE,))
ASSOCIATED = b"random data"


def seal(ring: Keyring, plain: bytes, version: int = 1) -> bytes:
    """Sealed with the key in use."""
    return ring.seal(plain, version=version, associated=ASSOCIATED, nonce=nonce)


class KeyringTests(SynchronousTestCase):
    """`Keyring` is a value."""

    def refusal(self, *keys: bytes) -> str:
        """Why there is no such ring."""
        return str(self.assertRaises(KeyringError, Keyring, keys))

    def test_one_key(self) -> None:
        """The first key is in use."""
        self.assertEqual(Keyring((ONE, TWO)).primary, ONE)

    def test_no_key(self) -> None:
        """There is no empty ring."""
        self.assertEqual(self.refusal(), "a keyring needs a key")

    def test_wrong_length(self) -> None:
        """A key has 16, 24 or 32 bytes."""
        self.assertEqual(
            self.refusal(ONE, b"short"), "a key has 5 bytes, not 16, 24 or 32"
        )

    def test_twice(self) -> None:
        """A key is in a ring once."""
        self.assertEqual(self.refusal(ONE, ONE), "a key is in the keyring twice")

    def test_add(self) -> None:
        """A key that is added is not in use."""
        self.assertEqual(RING.add(TWO), Keyring((ONE, TWO)))

    def test_add_again(self) -> None:
        """To add a key again changes nothing."""
        ring = Keyring((ONE, TWO))
        self.assertEqual(ring.add(TWO), ring)

    def test_add_wrong_length(self) -> None:
        """No key of another length is added."""
        self.assertRaises(KeyringError, RING.add, b"")

    def test_use(self) -> None:
        """The others stay, in their order."""
        ring = Keyring((ONE, TWO, THREE))
        self.assertEqual(ring.use(THREE), Keyring((THREE, ONE, TWO)))

    def test_use_unknown(self) -> None:
        """Only what all have may be used."""
        error = self.assertRaises(KeyringError, RING.use, TWO)
        self.assertEqual(str(error), "the key is not in the keyring")

    def test_remove(self) -> None:
        """A key that is not in use can go."""
        self.assertEqual(Keyring((ONE, TWO)).remove(TWO), RING)

    def test_remove_again(self) -> None:
        """To remove a key again changes nothing."""
        self.assertEqual(RING.remove(TWO), RING)

    def test_remove_primary(self) -> None:
        """The key in use stays."""
        error = self.assertRaises(KeyringError, Keyring((ONE, TWO)).remove, ONE)
        self.assertEqual(str(error), "the key is in use")

    def test_secret(self) -> None:
        """No key is ever shown."""
        self.assertEqual(repr(Keyring((ONE, TWO))), "Keyring(keys=<2 keys>)")


class SealTests(SynchronousTestCase):
    """What is sealed can be opened."""

    def refused(self, ring: Keyring, sealed: bytes) -> str:
        """Why it cannot."""
        error = refusal(ring.open, sealed, ASSOCIATED)
        self.assertEqual(error.fault, Fault.SEALED)
        return error.reason

    def test_version_1(self) -> None:
        """Version, nonce, ciphertext and tag."""
        sealed = seal(RING, b"x" * 20)
        self.assertEqual(len(sealed), 1 + 12 + 20 + 16)
        self.assertEqual(RING.open(sealed, ASSOCIATED), b"x" * 20)

    def test_version_0(self) -> None:
        """Padded to whole blocks."""
        sealed = seal(RING, b"x" * 20, version=0)
        self.assertEqual(len(sealed), 1 + 12 + 32 + 16)
        self.assertEqual(RING.open(sealed, ASSOCIATED), b"x" * 20)

    def test_version_0_whole_blocks(self) -> None:
        """Whole blocks get one more."""
        self.assertEqual(len(seal(RING, b"x" * 32, version=0)), 1 + 12 + 48 + 16)

    @given(st.binary(max_size=255), KEYRINGS, st.integers(0, 1))
    def test_back(self, plain: bytes, ring: Keyring, version: int) -> None:
        """Any ring, any version, any length, as long as was foretold."""
        sealed = seal(ring, plain, version)
        self.assertEqual(len(sealed), ring.sealed_bytes(len(plain), version))
        self.assertLessEqual(len(sealed) - len(plain), ring.overhead(version))
        self.assertEqual(ring.open(sealed, ASSOCIATED), plain)

    def test_any_key(self) -> None:
        """What any key of the ring sealed can be opened."""
        sealed = seal(Keyring((THREE,)), b"x")
        self.assertEqual(Keyring((ONE, TWO, THREE)).open(sealed, ASSOCIATED), b"x")

    def test_other_key(self) -> None:
        """What another key sealed cannot."""
        self.assertEqual(
            self.refused(Keyring((ONE, TWO)), seal(Keyring((THREE,)), b"x")),
            "encrypted with no key of ours",
        )

    def test_other_associated_data(self) -> None:
        """It is bound to what is not sent."""
        sealed = RING.seal(b"x", version=1, associated=b"other", nonce=nonce)
        self.assertEqual(self.refused(RING, sealed), "encrypted with no key of ours")

    def test_damaged(self) -> None:
        """One bit is enough."""
        sealed = bytearray(seal(RING, b"x"))
        sealed[20] ^= 1
        self.assertEqual(
            self.refused(RING, bytes(sealed)), "encrypted with no key of ours"
        )

    def test_unknown_version(self) -> None:
        """There are two versions."""
        sealed = b"\x02" + seal(RING, b"x")[1:]
        self.assertEqual(self.refused(RING, sealed), "encrypted in unknown version 2")

    def test_too_short(self) -> None:
        """Less than nothing, sealed, is 28 bytes."""
        self.assertEqual(self.refused(RING, bytes(28)), "too short to be encrypted")

    def padded(self, plain: bytes) -> bytes:
        """Padded by hand, and sealed as if by `seal`."""
        return b"\x00" + seal(RING, plain)[1:]

    def test_no_padding(self) -> None:
        """Version 0 has some padding."""
        self.assertEqual(self.refused(RING, self.padded(b"")), "padded wrongly")

    def test_padding_of_nothing(self) -> None:
        """No bytes are no padding."""
        plain = bytes(16)
        self.assertEqual(self.refused(RING, self.padded(plain)), "padded wrongly")

    def test_padding_over_a_block(self) -> None:
        """Padding is a block at most."""
        plain = bytes([17]) * 32
        self.assertEqual(self.refused(RING, self.padded(plain)), "padded wrongly")

    def test_uneven_padding(self) -> None:
        """Each byte of the padding says how long it is."""
        plain = bytes(13) + b"\x01\x03\x03"
        self.assertEqual(self.refused(RING, self.padded(plain)), "padded wrongly")

    def test_part_of_a_block(self) -> None:
        """With its padding it is whole blocks."""
        plain = b"x\x01"
        self.assertEqual(self.refused(RING, self.padded(plain)), "padded wrongly")

    @given(st.binary(max_size=100))
    def test_anything(self, sealed: bytes) -> None:
        """Any bytes are refused for being what they are."""
        self.refused(RING, sealed)
