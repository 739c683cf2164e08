"""Keys of the ring as people write them."""

from __future__ import annotations

import re
from base64 import b64encode

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.config.ring_keys import parse_ring_key, parse_ring_keys


class KeyTests(SynchronousTestCase):
    """One key."""

    def test_base64(self) -> None:
        """Base64 of 16, 24 and 32 bytes is a key; blanks in it do not count."""
        for length in (16, 24, 32):
            key = bytes(range(length))
            self.assertEqual(key, parse_ring_key(b64encode(key).decode()))
        self.assertEqual(
            b"0123456789abcdef", parse_ring_key(" MDEyMzQ1Njc4\nOWFiY2RlZg== ")
        )

    def test_hexadecimal(self) -> None:
        """So are as many hexadecimal digits, large and small."""
        self.assertEqual(b"\xab" * 16, parse_ring_key("ab" * 16))
        self.assertEqual(b"\xab" * 24, parse_ring_key("AB" * 24))
        self.assertEqual(b"\xab" * 32, parse_ring_key("aB" * 32))

    def refused(self, text: str) -> str:
        """Why a text is no key."""
        return str(self.assertRaises(ValueError, parse_ring_key, text))

    def test_refusals(self) -> None:
        """Anything else is refused, without repeating it."""
        self.assertEqual("must be 16, 24 or 32 bytes, not 0", self.refused(""))
        self.assertEqual("must be 16, 24 or 32 bytes, not 15", self.refused("ab" * 10))
        self.assertEqual("must be base64 or hexadecimal", self.refused("planted!"))
        self.assertEqual("must be base64 or hexadecimal", self.refused("ä" * 32))
        self.assertEqual("must be base64 or hexadecimal", self.refused("abc"))

    @settings(max_examples=200, deadline=None)
    @given(st.sampled_from([16, 24, 32]), st.data())
    def test_any_key(self, length: int, data: st.DataObject) -> None:
        """Every key can be written in either form."""
        key = data.draw(st.binary(min_size=length, max_size=length))
        self.assertEqual(key, parse_ring_key(key.hex()))
        text = b64encode(key).decode()
        assume(re.fullmatch("[0-9a-fA-F]{32}", text) is None)
        self.assertEqual(key, parse_ring_key(text))

    def test_either_form(self) -> None:
        """32 hexadecimal digits are 16 bytes, though they are base64 of 24 too."""
        self.assertEqual(b"\xaa" * 16, parse_ring_key(b64encode(bytes(24)).decode()))


class FileTests(SynchronousTestCase):
    """A file of keys."""

    def refused(self, text: str) -> str:
        """Why a text is no file of keys."""
        return str(self.assertRaises(ValueError, parse_ring_keys, text))

    def test_lines(self) -> None:
        """Keys come in the order of their lines."""
        text = "\n  # new\n" + "0f" * 16 + "\r\n" + "f0" * 16
        self.assertEqual((b"\x0f" * 16, b"\xf0" * 16), parse_ring_keys(text))

    def test_twice(self) -> None:
        """A key that is there twice, in whatever form, is a mistake."""
        text = "MDEyMzQ1Njc4OWFiY2RlZg==\n" + b"0123456789abcdef".hex()
        self.assertEqual("line 2: the key is there twice", self.refused(text))

    def test_many(self) -> None:
        """There are 16 at most."""
        lines = [f"{number:032x}" for number in range(17)]
        self.assertEqual(16, len(parse_ring_keys("\n".join(lines[:16]))))
        self.assertEqual(
            "there are more than 16 keys in it", self.refused("\n".join(lines))
        )
