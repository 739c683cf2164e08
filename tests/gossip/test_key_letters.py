"""Tests of `e2d.gossip.key_letters`."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.gossip.errors import PayloadError
from e2d.gossip.key_letters import (
    TOPIC,
    KeyAnswer,
    KeyRequest,
    Wish,
    pack_letter,
    read_letter,
)
from e2d.gossip.packing import pack
from e2d.model import KeyChange, KeyName, NodeKeys, name_key

KEY = bytes(range(32))
OTHER = KeyName("0badcafe")


class KeyLettersTests(SynchronousTestCase):
    """What is written is read."""

    def test_requests(self) -> None:
        """Each wish."""
        for wish in Wish:
            request = KeyRequest(
                wish=wish,
                request_id=b"12345678",
                name=name_key(KEY),
                key=KEY if wish is Wish.ADD else b"",
                old=OTHER if wish is Wish.ADD else KeyName(""),
            )
            self.assertEqual(read_letter(pack_letter(request)), request)

    def test_answers(self) -> None:
        """With and without a change, and a refusal."""
        for change in (None, KeyChange(new=OTHER, old=name_key(KEY))):
            for refusal in ("", "not today"):
                answer = KeyAnswer(
                    request_id=b"12345678",
                    refusal=refusal,
                    keys=NodeKeys(names=(name_key(KEY), OTHER), change=change),
                )
                self.assertEqual(read_letter(pack_letter(answer)), answer)

    def test_another_topic(self) -> None:
        """Letters about something else are somebody else's."""
        self.assertIsNone(read_letter(pack(("weather", *[None] * 7))))

    def test_wrong(self) -> None:
        """What is about keys and wrong is refused."""
        good = [TOPIC, "ask", b"12345678", 1, "", b"", "", None]
        for place, value in (
            (1, "shout"),
            (2, b"1"),
            (3, 99),
            (3, True),
            (4, "XYZ"),
            (5, b"short"),
            (6, 7),
        ):
            wrong = good.copy()
            wrong[place] = value
            with self.assertRaises(PayloadError):
                read_letter(pack(wrong))

    @given(st.binary(max_size=200) | st.lists(st.text(max_size=5)).map(pack))
    def test_anything(self, data: bytes) -> None:
        """Nothing but `PayloadError` comes of it."""
        with contextlib.suppress(PayloadError):
            read_letter(data)
