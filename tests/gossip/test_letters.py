"""Letters are packed, and what is none is told apart."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.gossip.errors import PayloadError
from e2d.gossip.letters import LETTER_BYTES, is_letter, pack_letter, unpack_letter
from e2d.gossip.originals import OriginalStatus, StatusMessage, encode_status
from e2d.gossip.packing import pack
from e2d.model import NodeName
from tests.gossip.samples import texts


class LetterTests(SynchronousTestCase):
    """Who sends it, and what it says."""

    @given(texts(), st.binary(max_size=100))
    def test_there_and_back(self, sender: str, letter: bytes) -> None:
        """What is packed is unpacked."""
        packed = pack_letter(NodeName(sender), letter)
        self.assertTrue(is_letter(packed))
        self.assertEqual(unpack_letter(packed), (sender, letter))

    def test_largest(self) -> None:
        """The largest letter fits, and no larger one is read."""
        name = NodeName("n" * 255)
        packed = pack_letter(name, bytes(LETTER_BYTES))
        self.assertEqual(unpack_letter(packed)[0], name)
        self.assertRaises(AssertionError, pack_letter, name, bytes(LETTER_BYTES + 1))
        larger = pack(("n1", bytes(LETTER_BYTES + 2048)))
        self.assertRaises(PayloadError, unpack_letter, larger)

    def test_original(self) -> None:
        """What an original broadcasts is no letter."""
        status = StatusMessage(name="o1", status=OriginalStatus.RUNNING)
        self.assertFalse(is_letter(encode_status(status)))

    def test_malformed(self) -> None:
        """Other values than a name and bytes are no letter."""
        for values in (("n1",), ("n1", "text"), (7, b"x"), ("", b"x")):
            self.assertRaises(PayloadError, unpack_letter, pack(values))

    @given(st.binary(max_size=200))
    def test_anything(self, payload: bytes) -> None:
        """Whatever the bytes, it is a letter or an error."""
        try:
            unpack_letter(payload)
        except PayloadError:
            return
